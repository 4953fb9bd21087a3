/* mutex.h - a lock for short sections that several actors enter; it blocks the thread, so it must not cross a yield. */
#ifndef CEDE_MUTEX_H
#define CEDE_MUTEX_H

#include <pthread.h>

#include <cede/annotate.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// Guards data that several actors share. Costs 12 ns uncontended; a waiter stops its whole worker, so keep the
/// section shorter than a microsecond. Holding it over a yield is an error that the analyzer finds and that debug
/// builds abort on: the turn may continue on another thread, which does not own the lock.
typedef struct CEDE_SYNC cede_mutex {
    pthread_mutex_t native;
} cede_mutex;

/// Prepares `mutex`, which the caller stores where all its users can reach it and outlives them.
/// Ownership: borrowed. Threads: before it is shared. Yields: no. Blocks: no. Errors: CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_mutex_init(cede_mutex *mutex CEDE_BORROWED);

/// Ends `mutex`, which nobody holds. Ownership: borrowed. Threads: after sharing ended. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_mutex_fini(cede_mutex *mutex CEDE_BORROWED);

/// Takes the lock. Ownership: borrowed. Threads: any. Yields: no. Blocks: while another holds it (short by contract).
CEDE_NOYIELD void cede_mutex_lock(cede_mutex *mutex CEDE_BORROWED CEDE_ACQUIRED);

/// Gives the lock back, on the thread that took it. Ownership: borrowed. Threads: the holder's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_mutex_unlock(cede_mutex *mutex CEDE_BORROWED CEDE_RELEASED);

CEDE_C_END
#endif
