/* epoch.h - which readers may still see what was made unreachable: Concurrency Kit's epochs, for the whole process.
 * A thread that reads is in a section; sections are short, do not suspend, and may nest. What a writer has made unreachable
 * gets a stamp, and may be freed when every section of that time is over. Entering and leaving writes to the thread's own
 * cache line only.
 * Invariants: (1) a thread has one record, made at its first section and used again by others when it has ended; (2) the
 * kit's code is assembly, which ThreadSanitizer does not see: what it orders is said to it here. */
#ifndef CEDEI_SYNC_EPOCH_H
#define CEDEI_SYNC_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

/* Ends the process if there is no memory for the first section of a thread. */

void cedei_epoch_enter(void);
/* On the same thread. */
void cedei_epoch_leave(void);
/* For what cannot be reached any more from now on. */
uint32_t cedei_epoch_stamp(void);
/* Whether all sections are over that were entered before the stamp was taken; helps the epochs along. Not in a section. */
bool cedei_epoch_is_over(uint32_t stamp);

#endif
