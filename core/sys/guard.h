/* guard.h - blocks in pages of their own that fault for ever once they are buried, with a note of who buried them.
 * For strict mode in checking builds (CEDEI_GUARDS). Under AddressSanitizer, which finds late uses by itself, only the
 * notes are kept (CEDEI_GUARD_NOTES) and shown behind its report. Any thread may call any of it. */
#ifndef CEDEI_SYS_GUARD_H
#define CEDEI_SYS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/base.h"

#define CEDEI_GUARDS (CEDEI_CHECKS && !CEDEI_ASAN && !CEDEI_TSAN)
#define CEDEI_GUARD_NOTES (CEDEI_CHECKS && CEDEI_ASAN)

/* How a block came to its end. Texts are constants. */
struct cedei_guard_note {
    const char *what; /* the message's type */
    const char *how;  /* "moved", "dropped" */
    const char *here; /* file:line of the call; "" not known */
    const char *by;   /* name of the actor that did it; "" not known */
    const char *to;   /* and of the one that has it now; "" nobody, or not known */
};

enum { CEDEI_GUARD_LIVE_MAX = 8192 }; /* blocks at a time, so that mappings do not run out */

#if CEDEI_GUARDS
/* From now on cedei_guard_take gives blocks. */
void cedei_guard_begin(void);
/* Uninitialised, at the start of a page. NULL: not begun, or no room (1 GiB of address space, never used twice;
 * CEDEI_GUARD_LIVE_MAX): take another block. */
void *cedei_guard_take(size_t size);
bool cedei_guard_has(const void *address);
size_t cedei_guard_size(const void *block);
/* `block` faults from now on, and its content is gone. */
void cedei_guard_bury(void *block);
/* The note of the buried block that `address` lies in, NULL if there is none. */
const struct cedei_guard_note *cedei_guard_buried(const void *address);
/* In a fault handler: writes what the fault at `address` by the instruction at `pc` is. False: it is none of ours. */
bool cedei_guard_explain(const void *address, const void *pc);
#else
static inline void cedei_guard_begin(void) {}
static inline void *cedei_guard_take(size_t size) {
    (void)size;
    return NULL;
}
static inline bool cedei_guard_has(const void *address) {
    (void)address;
    return false;
}
static inline size_t cedei_guard_size(const void *block) {
    (void)block;
    return 0;
}
static inline void cedei_guard_bury(void *block) { (void)block; }
static inline const struct cedei_guard_note *cedei_guard_buried(const void *address) {
    (void)address;
    return NULL;
}
static inline bool cedei_guard_explain(const void *address, const void *pc) {
    (void)address, (void)pc;
    return false;
}
#endif

#if CEDEI_GUARDS || CEDEI_GUARD_NOTES
/* What the calling thread buries, until it says something else; NULL: nothing is known. */
void cedei_guard_say(const struct cedei_guard_note *note);
#else
static inline void cedei_guard_say(const struct cedei_guard_note *note) { (void)note; }
#endif

#if CEDEI_GUARD_NOTES
/* `block` is about to be freed. The last 4096 are known. */
void cedei_guard_note(const void *block, size_t size);
/* The same of memory from malloc, if the thread has said what it buries. */
void cedei_guard_note_malloc(void *block);
#else
static inline void cedei_guard_note_malloc(void *block) { (void)block; }
static inline void cedei_guard_note(const void *block, size_t size) { (void)block, (void)size; }
#endif

#endif
