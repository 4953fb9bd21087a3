/* system.h - core/sys for the model tests: locks and futexes of the explorer, its clock, and no threads of the system. */
#ifndef CEDE_TESTS_MODEL_SYSTEM_H
#define CEDE_TESTS_MODEL_SYSTEM_H

#include <stdlib.h>

#include "core/sys/clock.h"
#include "core/sys/log.h"
#include "core/sys/thread.h"
#include "tests/model/explore.h"

void cedei_mutex_init(cedei_mutex *mutex) { (void)mutex; }
void cedei_mutex_fini(cedei_mutex *mutex) { (void)mutex; }
void cedei_mutex_lock(cedei_mutex *mutex) { model_lock(mutex); }
void cedei_mutex_unlock(cedei_mutex *mutex) { model_unlock(mutex); }
void cedei_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns) {
    model_futex_wait((const void *)word, expected, deadline_ns);
}
void cedei_futex_wake(_Atomic uint32_t *word, int count) {
    model_futex_wake((const void *)word, count);
}
uint64_t cedei_clock_now_ns(void) { return model_now_ns(); }
void cedei_cpu_relax(void) {}
void cedei_log_line(const struct cedei_log *log, enum cede_log_level level, const char *format,
                    ...) {
    (void)log, (void)level, (void)format;
}

#endif
