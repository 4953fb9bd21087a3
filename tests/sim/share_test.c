/* What actors share, under the simulator: a lock is held by one, permits are never more than there are, none is lost with
 * an actor that dies while it holds or waits, and a channel gives each message to one receiver, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cede/async_mutex.h>
#include <cede/cede.h>
#include <cede/channel.h>
#include <cede/semaphore.h>
#include <cede/sim.h>

enum { USERS = 5, ROUNDS = 6, PERMITS = 3, ITEMS = 12 };

#define USE(F) F(u32, index)
CEDE_MESSAGE(use, USE);
#define ITEM(F)                                                                                    \
    F(u32, from)                                                                                   \
    F(u32, number)
CEDE_MESSAGE(item, ITEM);

/* All threads are one, and each run is a process of its own. */
static struct {
    cede_async_mutex *mutex;
    cede_semaphore *semaphore;
    cede_channel_sender *sender;
    cede_channel_receiver *receiver;
    cede_ref users[USERS];
    uint32_t holder, entered; /* USERS + 1 and more: nobody */
    uint32_t sent[2], heard[2][2], received[2][ITEMS + 1];
} book;

static bool is_fault(cede_result r) {
    return r == CEDE_ENOMEM || r == CEDE_ELIMIT || r == CEDE_EFULL || r == CEDE_ENOACTOR;
}

static void run(struct cede_sim_options options, cede_block_fn *scenario) {
    const char *seeds = getenv("CEDE_TEST_SEEDS");
    if (seeds != NULL) options.seeds = (uint32_t)strtoul(seeds, NULL, 10);
    assert_int_equal(cede_sim_run(&options, scenario, NULL), CEDE_OK);
}

/* ---- a lock and a semaphore ---- */

struct user {
    int unused;
};

/* Nobody else is inside, whatever happens meanwhile. */
static CEDE_YIELDS cede_result inside(cede_self *self, uint32_t index) {
    CEDE_SIM_CHECK(book.holder == 0);
    book.holder = index + 1;
    book.entered++;
    cede_yield(self);
    cede_result r = cede_sleep(self, cede_sim_random() % 3000);
    CEDE_SIM_CHECK(book.holder == index + 1);
    book.holder = 0;
    return r;
}

static CEDE_YIELDS cede_result lock_use(cede_self *self, uint32_t index) {
    uint64_t limit_ns = cede_sim_random() % 3 == 0 ? 1000 : CEDE_FOREVER;
    cede_result r = cede_async_mutex_lock(self, book.mutex, limit_ns);
    if (r == CEDE_EPOISONED) {
        r = cede_async_mutex_repair(self, book.mutex, limit_ns);
        if (r == CEDE_OK) book.holder = 0;
    }
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r) || (r == CEDE_ETIMEDOUT && limit_ns == 1000));
    if (r != CEDE_OK) return CEDE_OK;
    r = inside(self, index);
    cede_async_mutex_unlock(self, book.mutex);
    return is_fault(r) ? CEDE_OK : r;
}

static CEDE_YIELDS cede_result permits_use(cede_self *self) {
    uint64_t count = 1 + cede_sim_random() % PERMITS;
    uint64_t limit_ns = cede_sim_random() % 3 == 0 ? 1000 : CEDE_FOREVER;
    cede_result r = cede_semaphore_acquire(self, book.semaphore, count, limit_ns);
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r) || (r == CEDE_ETIMEDOUT && limit_ns == 1000));
    if (r != CEDE_OK) return CEDE_OK;
    CEDE_SIM_CHECK(cede_semaphore_available(book.semaphore) <= PERMITS - count);
    cede_yield(self);
    cede_semaphore_release(self, book.semaphore, count);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result on_use(cede_self *self, struct user *state, struct use *m) {
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        cede_result r = lock_use(self, m->index);
        if (r == CEDE_OK) r = permits_use(self);
        if (r != CEDE_OK) return r;
    }
    return CEDE_STOP;
}

#define USER(ON) ON(use, on_use)
CEDE_BEHAVIOUR(user, struct user, USER);

static CEDE_YIELDS void downs_await(cede_self *self, uint32_t count) {
    while (count-- > 0) {
        struct cede_down *m = NULL;
        CEDE_SIM_CHECK(cede_recv(self, cede_down, &m, CEDE_FOREVER) == CEDE_OK);
        cede_drop(self, &m);
    }
}

static CEDE_YIELDS cede_result locks(cede_self *self, void *context) {
    (void)context;
    cede_sim_calm(true);
    CEDE_SIM_CHECK(cede_async_mutex_create(self, &book.mutex) == CEDE_OK);
    CEDE_SIM_CHECK(cede_semaphore_create(self, PERMITS, &book.semaphore) == CEDE_OK);
    for (uint32_t i = 0; i < USERS; i++) {
        struct use *m = cede_new(self, use);
        CEDE_SIM_CHECK(m != NULL);
        m->index = i;
        CEDE_SIM_CHECK(cede_spawn_monitored(self, &user, &m, &book.users[i]) == CEDE_OK);
    }
    cede_sim_calm(false);
    downs_await(self, USERS);
    cede_sim_calm(true);
    /* Whoever died: nothing is held any more, and nobody stands in line. */
    CEDE_SIM_CHECK(cede_semaphore_available(book.semaphore) == PERMITS);
    cede_result r = cede_async_mutex_repair(self, book.mutex, 0);
    CEDE_SIM_CHECK(r == CEDE_OK);
    cede_async_mutex_unlock(self, book.mutex);
    cede_shared_unref(&book.mutex);
    cede_shared_unref(&book.semaphore);
    return CEDE_OK;
}

static const cede_behaviour *const USERS_MORTAL[] = {&user, NULL};

static void locks_hold(void **state) {
    (void)state;
    run((struct cede_sim_options){.name = "locks", .seeds = 150}, locks);
}

static void locks_hold_whoever_dies(void **state) {
    (void)state;
    run((struct cede_sim_options){.name = "locks_faults",
                                  .seeds = 150,
                                  .kill_one_in = 4,
                                  .memory_one_in = 30,
                                  .mortal = USERS_MORTAL},
        locks);
}

/* ---- a channel ---- */

static CEDE_YIELDS cede_result on_produce(cede_self *self, struct user *state, struct use *m) {
    (void)state;
    for (uint32_t number = 1; number <= ITEMS; number++) {
        struct item *item = cede_new(self, item);
        if (item == NULL) continue;
        item->from = m->index;
        item->number = number;
        cede_result r = cede_channel_send(self, book.sender, &item, CEDE_FOREVER);
        CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
        if (r == CEDE_OK) book.sent[m->index]++;
        cede_drop(self, &item);
    }
    return CEDE_STOP;
}
#define PRODUCER(ON) ON(use, on_produce)
CEDE_BEHAVIOUR(producer, struct user, PRODUCER);

static CEDE_YIELDS cede_result on_consume(cede_self *self, struct user *state, struct use *m) {
    (void)state;
    for (;;) { /* until it is closed and empty */
        struct item *item = NULL;
        cede_result r = cede_channel_recv(self, book.receiver, item, &item, CEDE_FOREVER);
        if (r == CEDE_ECLOSED) return CEDE_STOP;
        CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
        if (r != CEDE_OK) continue;
        CEDE_SIM_CHECK(book.received[item->from][item->number]++ == 0);
        CEDE_SIM_CHECK(item->number > book.heard[m->index][item->from]);
        book.heard[m->index][item->from] = item->number;
        cede_drop(self, &item);
        if (cede_sim_random() % 2 == 0) cede_yield(self);
    }
}
#define CONSUMER(ON) ON(use, on_consume)
CEDE_BEHAVIOUR(consumer, struct user, CONSUMER);

static void pair_start(cede_self *self, const cede_behaviour *behaviour) {
    for (uint32_t i = 0; i < 2; i++) {
        struct use *m = cede_new(self, use);
        cede_ref ref = {0};
        CEDE_SIM_CHECK(m != NULL);
        m->index = i;
        CEDE_SIM_CHECK(cede_spawn_monitored(self, behaviour, &m, &ref) == CEDE_OK);
    }
}

static CEDE_YIELDS cede_result channel(cede_self *self, void *context) {
    (void)context;
    cede_sim_calm(true);
    CEDE_SIM_CHECK(cede_channel_create(self, item, 2, &book.sender, &book.receiver) == CEDE_OK);
    pair_start(self, &producer);
    downs_await(self, 0);
    pair_start(self, &consumer);
    cede_sim_calm(false);
    downs_await(self, 2); /* the producers: consumers go on until it is closed */
    cede_sim_calm(true);
    cede_channel_close(book.sender);
    downs_await(self, 2);
    uint32_t received = 0;
    for (uint32_t from = 0; from < 2; from++)
        for (uint32_t number = 1; number <= ITEMS; number++)
            received += book.received[from][number];
    CEDE_SIM_CHECK(received == book.sent[0] + book.sent[1]);
    cede_shared_unref(&book.sender);
    cede_shared_unref(&book.receiver);
    return CEDE_OK;
}

static void channels_hold(void **state) {
    (void)state;
    run((struct cede_sim_options){.name = "channel", .seeds = 150, .memory_one_in = 30}, channel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_hold),
        cmocka_unit_test(locks_hold_whoever_dies),
        cmocka_unit_test(channels_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
