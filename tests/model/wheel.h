/* wheel.h - core/sched/timer.c for the model tests. A wheel has a quarter of a megabyte of slots, which cannot be cleared for
 * each execution: only what the last one has used is. */
#ifndef CEDE_TESTS_MODEL_WHEEL_H
#define CEDE_TESTS_MODEL_WHEEL_H

#include <stddef.h>
#include <string.h>

#define tick_of wheel_tick_of /* another file has one */
#include "core/sched/timer.c"
#undef tick_of

/* Posts are no part of the models. */
void *cedei_map_reserve_by(const struct cedei_alloc_site *site, size_t size, size_t align) {
    (void)site, (void)size, (void)align;
    return NULL;
}
size_t cedei_page_size(void) { return 4096; }
void cedei_map_release(void *base, size_t size) { (void)base, (void)size; }

static void wheel_begin(struct cedei_wheel *wheel, uint32_t index) {
    for (uint32_t slot = 0; slot < CEDEI_WHEEL_NEAR_SLOTS; slot++) {
        if (wheel->near_bits[slot / 64] == 0) slot |= 63; /* none of these */
        if (wheel->near_bits[slot / 64] >> slot % 64 & 1)
            memset(&wheel->near[slot], 0, sizeof wheel->near[slot]);
    }
    memset(wheel, 0, offsetof(struct cedei_wheel, near));
    memset(wheel->far, 0, sizeof wheel->far);
    cedei_wheel_init(wheel, index, model_now_ns(), NULL, NULL);
    model_watch("a wheel", wheel, offsetof(struct cedei_wheel, near));
}

#endif
