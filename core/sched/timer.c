/* timer.c - the timing wheel.
 * A timer due at tick d is at the lowest level where d lies in the present window or in the next one; a window of level l
 * is what one slot of level l + 1 covers. Its slot is d's digit there, modulo twice the window, so both windows have room.
 * Invariants: (1) a timer is linked in exactly one slot or none, and `linked` says which; (2) `next_ns` is never later
 * than the first timer due; (3) no slot of level 0 before `tick` holds a timer, and no slot of a level above whose span has
 * passed; (4) a bit is set for each slot that holds timers; cancels leave bits behind, which are cleared when looked at. */
#include "core/sched/timer.h"

#include <stddef.h>
#include <string.h>

#include "core/sys/map.h"

enum { NEAR_MASK = CEDEI_WHEEL_NEAR_SLOTS - 1, FAR_MASK = CEDEI_WHEEL_FAR_SLOTS - 1 };
#define POSTS_BYTES ((size_t)CEDEI_POSTS_MAX * sizeof(struct cedei_post))

/* Ticks per slot of a far level, as a shift; one more for the window of the last. */
static uint32_t far_shift(uint32_t level) {
    return CEDEI_WHEEL_NEAR_BITS + CEDEI_WHEEL_FAR_BITS * level;
}

static uint64_t tick_of(uint64_t ns) { return ns >> CEDEI_WHEEL_TICK_SHIFT; }

static uint64_t ns_of(uint64_t tick) {
    return tick <= UINT64_MAX >> CEDEI_WHEEL_TICK_SHIFT ? tick << CEDEI_WHEEL_TICK_SHIFT
                                                        : UINT64_MAX;
}

/* Rounded up: a timer may not fire early. */
static uint64_t tick_due(uint64_t expires_ns) {
    return tick_of(expires_ns) + (expires_ns != ns_of(tick_of(expires_ns)));
}

static void linked_set(struct cedei_timer *timer, uint16_t value) {
    if (timer->fire == NULL) {
        /* relaxed: whether a post is set is looked at under the lock only. */
        atomic_store_explicit(&timer->linked, value, memory_order_relaxed);
        return;
    }
    /* seq_cst: see cedei_timer_is_linked. */
    atomic_store_explicit(&timer->linked, value, memory_order_seq_cst);
}

static bool linked_get(struct cedei_timer *timer) {
    /* relaxed: under the lock, which every writer holds. */
    return atomic_load_explicit(&timer->linked, memory_order_relaxed) != 0;
}

static void next_set(struct cedei_wheel *wheel, uint64_t next_ns) {
    /* seq_cst: see cedei_wheel_next_ns. */
    atomic_store_explicit(&wheel->next_ns, next_ns, memory_order_seq_cst);
}

void cedei_wheel_init(struct cedei_wheel *wheel, uint32_t index, uint64_t now_ns,
                      cedei_post_fn *post_fire, void *post_context) {
    cedei_mutex_init(&wheel->lock);
    wheel->index = index;
    wheel->tick = tick_of(now_ns);
    wheel->post_fire = post_fire;
    wheel->post_context = post_context;
    next_set(wheel, UINT64_MAX);
}

void cedei_wheel_fini(struct cedei_wheel *wheel) {
    if (wheel->posts != NULL) cedei_map_release(wheel->posts, POSTS_BYTES);
    cedei_mutex_fini(&wheel->lock);
}

/* ---- slots ---- */

static bool slot_is_empty(const struct cedei_wheel_slot *slot) {
    return slot->lists[0] == NULL && slot->lists[1] == NULL && slot->lists[2] == NULL &&
           slot->lists[3] == NULL;
}
_Static_assert(CEDEI_SLOT_LISTS == 4, "slot_is_empty");

static void list_link(struct cedei_wheel *wheel, struct cedei_wheel_slot *slot,
                      struct cedei_timer *timer) {
    struct cedei_timer **head = &slot->lists[wheel->list_next++ % CEDEI_SLOT_LISTS];
    timer->next = *head;
    timer->back = head;
    if (timer->next != NULL) timer->next->back = &timer->next;
    *head = timer;
}

static void list_unlink(struct cedei_timer *timer) {
    *timer->back = timer->next;
    if (timer->next != NULL) timer->next->back = timer->back;
}

static void near_mark(struct cedei_wheel *wheel, uint32_t slot) {
    wheel->near_bits[slot / 64] |= (uint64_t)1 << slot % 64;
    wheel->near_words[slot / 64 / 64] |= (uint64_t)1 << slot / 64 % 64;
}

static void near_clear(struct cedei_wheel *wheel, uint32_t slot) {
    wheel->near_bits[slot / 64] &= ~((uint64_t)1 << slot % 64);
    if (wheel->near_bits[slot / 64] == 0)
        wheel->near_words[slot / 64 / 64] &= ~((uint64_t)1 << slot / 64 % 64);
}

/* Puts it where it belongs now; returns the first tick at which something has to be done for it. */
static uint64_t slot_link(struct cedei_wheel *wheel, struct cedei_timer *timer) {
    uint64_t tick = wheel->tick, due = tick_due(cedei_timer_expires_ns(timer));
    if (due < tick) due = tick;
    if ((due >> far_shift(0)) - (tick >> far_shift(0)) <= 1) {
        uint32_t slot = (uint32_t)due & NEAR_MASK;
        list_link(wheel, &wheel->near[slot], timer);
        near_mark(wheel, slot);
        return due;
    }
    /* What is later than the wheel reaches waits at its end and is looked at again there. */
    uint64_t reach = (uint64_t)1 << (far_shift(CEDEI_WHEEL_FAR_LEVELS) - 1);
    if (due > tick + reach) due = tick + reach;
    uint32_t level = 0;
    while ((due >> far_shift(level + 1)) - (tick >> far_shift(level + 1)) > 1) level++;
    uint64_t digit = due >> far_shift(level);
    uint32_t slot = (uint32_t)digit & FAR_MASK;
    list_link(wheel, &wheel->far[level][slot], timer);
    wheel->far_bits[level][slot / 64] |= (uint64_t)1 << slot % 64;
    return (digit - 1) << far_shift(level);
}

/* Under the lock. Returns whether `next_ns` became earlier. */
static bool timer_set(struct cedei_wheel *wheel, struct cedei_timer *timer, uint64_t expires_ns) {
    /* relaxed: published by `linked`. */
    atomic_store_explicit(&timer->expires_ns, expires_ns, memory_order_relaxed);
    uint64_t first_ns = ns_of(slot_link(wheel, timer));
    linked_set(timer, 1);
    if (first_ns >= cedei_wheel_next_ns(wheel)) return false;
    next_set(wheel, first_ns);
    return true;
}

static void timer_unset(struct cedei_timer *timer) {
    list_unlink(timer);
    linked_set(timer, 0);
}

bool cedei_timer_add(struct cedei_wheel *wheel, struct cedei_timer *timer, uint64_t expires_ns) {
    bool earlier = false;
    cedei_mutex_lock(&wheel->lock);
    if (!linked_get(timer)) {
        earlier = timer_set(wheel, timer, expires_ns);
    } else if (expires_ns < cedei_timer_expires_ns(timer)) {
        list_unlink(timer);
        earlier = timer_set(wheel, timer, expires_ns);
    }
    cedei_mutex_unlock(&wheel->lock);
    return earlier;
}

void cedei_timer_cancel(struct cedei_wheel *wheel, struct cedei_timer *timer) {
    if (!cedei_timer_is_linked(timer)) return;
    cedei_mutex_lock(&wheel->lock);
    if (linked_get(timer)) timer_unset(timer);
    cedei_mutex_unlock(&wheel->lock);
}

/* ---- posts ---- */

static struct cedei_post *post_of(struct cedei_timer *timer) {
    return CEDEI_CONTAINER_OF(timer, struct cedei_post, timer);
}

static struct cedei_post *post_fresh(struct cedei_wheel *wheel, cede_result *why) {
    if (wheel->posts == NULL) wheel->posts = cedei_map_reserve(POSTS_BYTES, cedei_page_size());
    *why = wheel->posts == NULL ? CEDE_ENOMEM : CEDE_ELIMIT;
    if (wheel->posts == NULL || wheel->posts_ready == CEDEI_POSTS_MAX) return NULL;
    struct cedei_post *post = &wheel->posts[wheel->posts_ready++];
    post->timer.wheel = (uint16_t)wheel->index;
    post->timer.generation = 1;
    return post;
}

static void post_free(struct cedei_wheel *wheel, struct cedei_post *post) {
    if (++post->timer.generation == 0) post->timer.generation = 1;
    post->timer.next = wheel->free;
    wheel->free = &post->timer;
}

cede_result cedei_post_add(struct cedei_wheel *wheel, const struct cedei_cargo *cargo,
                           uint64_t expires_ns, struct cedei_post_name *name, bool *earlier) {
    cede_result r = CEDE_OK;
    struct cedei_post *post = NULL;
    cedei_mutex_lock(&wheel->lock);
    if (wheel->free != NULL) {
        post = post_of(wheel->free);
        wheel->free = post->timer.next;
    } else if ((post = post_fresh(wheel, &r)) == NULL) {
        goto unlock;
    }
    r = CEDE_OK;
    post->cargo = *cargo;
    *name = (struct cedei_post_name){.place = wheel->index << CEDEI_POST_INDEX_BITS |
                                              (uint32_t)(post - wheel->posts),
                                     .generation = post->timer.generation};
    *earlier = timer_set(wheel, &post->timer, expires_ns);
unlock:
    cedei_mutex_unlock(&wheel->lock);
    return r;
}

cede_result cedei_post_take(struct cedei_wheel *wheel, struct cedei_post_name name,
                            cede_result (*agree)(const struct cedei_cargo *, const void *),
                            const void *context, struct cedei_cargo *out) {
    uint32_t index = name.place & (CEDEI_POSTS_MAX - 1);
    cede_result r = CEDE_ENOENT;
    cedei_mutex_lock(&wheel->lock);
    if (index < wheel->posts_ready) {
        struct cedei_post *post = &wheel->posts[index];
        if (post->timer.generation == name.generation && linked_get(&post->timer))
            r = agree != NULL ? agree(&post->cargo, context) : CEDE_OK;
        if (r == CEDE_OK) {
            timer_unset(&post->timer);
            *out = post->cargo;
            post_free(wheel, post);
        }
    }
    cedei_mutex_unlock(&wheel->lock);
    return r;
}

bool cedei_post_take_any(struct cedei_wheel *wheel, uint32_t *at, struct cedei_cargo *out) {
    bool found = false;
    cedei_mutex_lock(&wheel->lock);
    while (!found && *at < wheel->posts_ready) {
        struct cedei_post *post = &wheel->posts[(*at)++];
        if (!linked_get(&post->timer)) continue;
        found = true;
        timer_unset(&post->timer);
        *out = post->cargo;
        post_free(wheel, post);
    }
    cedei_mutex_unlock(&wheel->lock);
    return found;
}

/* ---- what comes next ---- */

/* The first bit from `from` on, round a ring of 128; -1: none is set. */
static int ring_find(const uint64_t bits[2], uint32_t from) {
    uint32_t word = from / 64;
    uint64_t ahead = bits[word] & UINT64_MAX << from % 64;
    if (ahead != 0) return (int)(word * 64) + __builtin_ctzll(ahead);
    if (bits[word ^ 1] != 0) return (int)((word ^ 1) * 64) + __builtin_ctzll(bits[word ^ 1]);
    if (bits[word] != 0) return (int)(word * 64) + __builtin_ctzll(bits[word]);
    return -1;
}
_Static_assert(CEDEI_WHEEL_NEAR_SLOTS == 128 * 64 && CEDEI_WHEEL_FAR_SLOTS == 128,
               "rings of 128 bits");

/* The first tick whose slot of level 0 holds timers; UINT64_MAX: none does. */
static uint64_t near_next(struct cedei_wheel *wheel) {
    uint32_t now = (uint32_t)wheel->tick & NEAR_MASK;
    for (;;) { /* each round that finds an empty slot clears its bit */
        uint64_t ahead = wheel->near_bits[now / 64] & UINT64_MAX << now % 64;
        uint32_t word = now / 64;
        if (ahead == 0) {
            int found = ring_find(wheel->near_words, (now / 64 + 1) % 128);
            if (found < 0) return UINT64_MAX;
            word = (uint32_t)found;
            ahead = wheel->near_bits[word];
        }
        uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(ahead);
        if (!slot_is_empty(&wheel->near[slot])) return wheel->tick + ((slot - now) & NEAR_MASK);
        near_clear(wheel, slot);
    }
}

/* The first digit of a far level whose slot holds timers; UINT64_MAX: none does. */
static uint64_t far_next(struct cedei_wheel *wheel, uint32_t level) {
    uint64_t now = wheel->tick >> far_shift(level);
    for (;;) { /* as in near_next */
        int found = ring_find(wheel->far_bits[level], (uint32_t)now & FAR_MASK);
        if (found < 0) return UINT64_MAX;
        uint32_t slot = (uint32_t)found;
        if (!slot_is_empty(&wheel->far[level][slot]))
            return now + ((slot - (uint32_t)now) & FAR_MASK);
        wheel->far_bits[level][slot / 64] &= ~((uint64_t)1 << slot % 64);
    }
}

/* What has to be done first at the far levels. */
struct far_work {
    uint64_t may_tick;  /* from here on the slot may be moved down; UINT64_MAX: there is none */
    uint64_t must_tick; /* no timer from here on may fire before some slot was moved */
    uint32_t level, slot;
};

static struct far_work far_look(struct cedei_wheel *wheel) {
    struct far_work work = {.may_tick = UINT64_MAX, .must_tick = UINT64_MAX};
    for (uint32_t level = 0; level < CEDEI_WHEEL_FAR_LEVELS; level++) {
        uint64_t digit = far_next(wheel, level);
        if (digit == UINT64_MAX) continue;
        uint64_t must = digit << far_shift(level);
        uint64_t may = digit != 0 ? (digit - 1) << far_shift(level) : 0;
        if (may < wheel->tick) may = wheel->tick;
        if (must < work.must_tick) work.must_tick = must;
        if (may >= work.may_tick) continue;
        work.may_tick = may;
        work.level = level;
        work.slot = (uint32_t)digit & FAR_MASK;
    }
    return work;
}

/* ---- running ---- */

struct batch {
    struct cedei_timer *timers[CEDEI_WHEEL_STEP];
    struct cedei_cargo cargo[CEDEI_WHEEL_STEP];
    uint32_t timer_count, cargo_count;
};

static uint32_t batch_count(const struct batch *batch) {
    return batch->timer_count + batch->cargo_count;
}

static void timer_take(struct cedei_wheel *wheel, struct cedei_timer *timer, struct batch *batch) {
    timer_unset(timer);
    if (timer->fire != NULL) {
        batch->timers[batch->timer_count++] = timer;
        return;
    }
    struct cedei_post *post = post_of(timer);
    batch->cargo[batch->cargo_count++] = post->cargo;
    cedei_prefetch_write(post->cargo.what);
    post_free(wheel, post);
}

static void slot_fire(struct cedei_wheel *wheel, uint64_t tick, struct batch *batch) {
    struct cedei_wheel_slot *slot = &wheel->near[tick & NEAR_MASK];
    /* Whole rounds, one of each list, while they fit: the step is a multiple of the lists. */
    while (batch_count(batch) + CEDEI_SLOT_LISTS <= CEDEI_WHEEL_STEP && !slot_is_empty(slot))
        for (int i = 0; i < CEDEI_SLOT_LISTS; i++)
            if (slot->lists[i] != NULL) timer_take(wheel, slot->lists[i], batch);
}

static uint32_t slot_move_down(struct cedei_wheel *wheel, const struct far_work *work) {
    struct cedei_wheel_slot *slot = &wheel->far[work->level][work->slot];
    uint32_t moved = 0;
    while (moved + CEDEI_SLOT_LISTS <= CEDEI_WHEEL_STEP && !slot_is_empty(slot)) {
        for (int i = 0; i < CEDEI_SLOT_LISTS; i++) {
            struct cedei_timer *timer = slot->lists[i];
            if (timer == NULL) continue;
            list_unlink(timer);
            (void)slot_link(wheel, timer);
            moved++;
        }
    }
    return moved;
}

/* Under the lock: fires and moves a step's worth each, so that neither waits for the other. Returns what was done. */
static uint32_t wheel_step(struct cedei_wheel *wheel, uint64_t now, struct batch *batch) {
    struct far_work work = far_look(wheel);
    uint64_t near = near_next(wheel);
    while (near <= now && near < work.must_tick &&
           batch_count(batch) + CEDEI_SLOT_LISTS <= CEDEI_WHEEL_STEP) {
        wheel->tick = near;
        slot_fire(wheel, near, batch);
        near = near_next(wheel);
    }
    uint32_t moved = 0;
    /* No timer is passed over: those due before `may_tick` are due before `must_tick` and would have fired above. */
    if (work.may_tick <= now && (near > now || near >= work.may_tick)) {
        if (wheel->tick < work.may_tick) wheel->tick = work.may_tick;
        moved = slot_move_down(wheel, &work);
    }
    return batch_count(batch) + moved;
}

/* Under the lock, with nothing left to do now. */
static void wheel_rest(struct cedei_wheel *wheel, uint64_t now) {
    if (wheel->tick < now) wheel->tick = now;
    uint64_t near = near_next(wheel), far = far_look(wheel).may_tick;
    uint64_t next = near < far ? near : far;
    next_set(wheel, next == UINT64_MAX ? UINT64_MAX : ns_of(next));
}

uint32_t cedei_wheel_run(struct cedei_wheel *wheel, uint64_t now_ns, void *context) {
    struct batch batch;
    uint64_t now = tick_of(now_ns);
    uint32_t fired = 0, done = 0, step = 1;
    while (step != 0 && done + 2 * CEDEI_WHEEL_STEP <= CEDEI_WHEEL_RUN_MAX &&
           cedei_wheel_next_ns(wheel) <= now_ns) {
        batch.timer_count = batch.cargo_count = 0;
        cedei_mutex_lock(&wheel->lock);
        step = wheel_step(wheel, now, &batch);
        if (step == 0) wheel_rest(wheel, now);
        cedei_mutex_unlock(&wheel->lock);
        if (batch.cargo_count != 0)
            wheel->post_fire(wheel->post_context, batch.cargo, batch.cargo_count, context);
        for (uint32_t i = 0; i < batch.timer_count; i++)
            batch.timers[i]->fire(batch.timers[i], context);
        fired += batch_count(&batch);
        done += step;
    }
    return fired;
}
