/* mutex.c - cede_mutex over a native lock. */
#include <cede/mutex.h>

#include <errno.h>

#include "core/base/base.h"
#include "core/sched/sched.h"

/* In checking builds a worker knows how many it holds, and cedei_worker_suspend refuses to switch with any. */
static void held_add(int by) {
#if CEDEI_CHECKS
    struct cedei_worker *worker = cedei_worker_current();
    if (worker != NULL) worker->mutexes_held += by;
#else
    (void)by;
#endif
}

cede_result cede_mutex_init(cede_mutex *mutex) {
    pthread_mutexattr_t attributes;
    if (mutex == NULL) return CEDE_EINVAL;
    if (pthread_mutexattr_init(&attributes) != 0) return CEDE_ENOMEM;
    if (CEDEI_CHECKS) (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    int error = pthread_mutex_init(&mutex->native, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    return error == 0 ? CEDE_OK : CEDE_ENOMEM;
}

void cede_mutex_fini(cede_mutex *mutex) {
    if (mutex != NULL) pthread_mutex_destroy(&mutex->native);
}

void cede_mutex_lock(cede_mutex *mutex) {
    int error = pthread_mutex_lock(&mutex->native);
    if (CEDEI_UNLIKELY(error == EDEADLK))
        cedei_worker_mutex_misused("locks a cede_mutex that it holds already");
    CEDEI_CHECK(error == 0);
    held_add(1);
}

void cede_mutex_unlock(cede_mutex *mutex) {
    int error = pthread_mutex_unlock(&mutex->native);
    if (CEDEI_UNLIKELY(error == EPERM))
        cedei_worker_mutex_misused("unlocks a cede_mutex that it does not hold");
    CEDEI_CHECK(error == 0);
    held_add(-1);
}
