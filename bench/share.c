/* share.c - what the shared types cost, one program with a workload each; prints a line as bench_workloads does:
 *   workload TAB op TAB ops TAB nanoseconds TAB extra
 * usage: bench_share WORKLOAD WORKERS      (no arguments: the names)
 * peers/tokio_sync has the same workloads with Tokio's types, where there are such. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

#define NUMBER(F) F(u64, value)
CEDE_MESSAGE(number, NUMBER);

/* What a further actor does. */
struct part {
    CEDE_YIELDS cede_result (*run)(cede_self *self, void *context);
    void *context;
    CEDE_MESSAGE_MARK;
};
static void part_drop(struct part *part) { (void)part; }
CEDE_OPAQUE_MESSAGE(part, part_drop);

struct nothing {
    int unused;
};
static CEDE_YIELDS cede_result on_part(cede_self *self, struct nothing *state,
                                       struct part *message) {
    (void)state;
    return message->run(self, message->context);
}
#define PLAYER(ON) ON(part, on_part)
CEDE_BEHAVIOUR(player, struct nothing, PLAYER);

struct outcome {
    const char *op;
    uint64_t ops, ns;
};

/* Everything here fails only for lack of memory, which ends the program. */
static void sure(cede_result r) {
    if (r == CEDE_OK) return;
    fprintf(stderr, "bench_share: %s\n", cede_result_text(r));
    exit(1);
}

static void start(cede_self *self, CEDE_YIELDS cede_result (*run)(cede_self *, void *),
                  void *context) {
    struct part *first = cede_new(self, part);
    if (first == NULL) sure(CEDE_ENOMEM);
    first->run = run;
    first->context = context;
    sure(cede_spawn_monitored(self, &player, &first, NULL));
}

static CEDE_YIELDS void ends_await(cede_self *self, int count) {
    for (int i = 0; i < count; i++) {
        struct cede_down *down = NULL;
        sure(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
}

static struct number *number_new(cede_self *self, uint64_t value) {
    struct number *number = cede_new(self, number);
    if (number == NULL) sure(CEDE_ENOMEM);
    number->value = value;
    return number;
}

enum { MANY = 4, LOOP = 5000000, CONTENDED = 200000, MESSAGES = 1000000, ROUNDS = 300000 };

static void done(struct outcome *outcome, const char *op, uint64_t ops, uint64_t ns) {
    *outcome = (struct outcome){op, ops, ns};
}

/* ---- locks and permits: nobody else wants them ---- */

static CEDE_YIELDS cede_result lock_run(cede_self *self, void *context) {
    cede_async_mutex *mutex = NULL;
    sure(cede_async_mutex_create(self, &mutex));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) {
        sure(cede_async_mutex_lock(self, mutex, CEDE_FOREVER));
        cede_async_mutex_unlock(self, mutex);
    }
    done(context, "lock and unlock", LOOP, cede_now(self) - begun_ns);
    cede_shared_unref(&mutex);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result read_lock_run(cede_self *self, void *context) {
    cede_rwlock *lock = NULL;
    sure(cede_rwlock_create(self, &lock));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) {
        sure(cede_rwlock_read_lock(self, lock, CEDE_FOREVER));
        cede_rwlock_unlock(self, lock);
    }
    done(context, "read lock and unlock", LOOP, cede_now(self) - begun_ns);
    cede_shared_unref(&lock);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result semaphore_run(cede_self *self, void *context) {
    cede_semaphore *semaphore = NULL;
    sure(cede_semaphore_create(self, 2, &semaphore));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) {
        sure(cede_semaphore_acquire(self, semaphore, 1, CEDE_FOREVER));
        cede_semaphore_release(self, semaphore, 1);
    }
    done(context, "acquire and release", LOOP, cede_now(self) - begun_ns);
    cede_shared_unref(&semaphore);
    return CEDE_OK;
}

/* ---- a lock that several want, held over a yield ---- */

static CEDE_YIELDS cede_result lock_often(cede_self *self, void *mutex) {
    for (int i = 0; i < CONTENDED; i++) {
        sure(cede_async_mutex_lock(self, mutex, CEDE_FOREVER));
        if (i % 16 == 0) cede_yield(self);
        cede_async_mutex_unlock(self, mutex);
    }
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result lock_contended_run(cede_self *self, void *context) {
    cede_async_mutex *mutex = NULL;
    sure(cede_async_mutex_create(self, &mutex));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < MANY; i++) start(self, lock_often, mutex);
    ends_await(self, MANY);
    done(context, "lock and unlock", (uint64_t)MANY * CONTENDED, cede_now(self) - begun_ns);
    cede_shared_unref(&mutex);
    return CEDE_OK;
}

/* ---- channels ---- */

static cede_channel_sender *channel_in;
static cede_channel_receiver *channel_out;
static uint64_t channel_each;

static CEDE_YIELDS cede_result produce(cede_self *self, void *context) {
    (void)context;
    for (uint64_t i = 0; i < channel_each; i++) {
        struct number *message = number_new(self, i);
        sure(cede_channel_send(self, channel_in, &message, CEDE_FOREVER));
    }
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result channel_from(cede_self *self, struct outcome *outcome,
                                            int producers) {
    struct number *message = NULL;
    channel_each = MESSAGES / (uint64_t)producers;
    sure(cede_channel_create(self, number, 64, &channel_in, &channel_out));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < producers; i++) start(self, produce, NULL);
    for (uint64_t i = 0; i < channel_each * (uint64_t)producers; i++) {
        sure(cede_channel_recv(self, channel_out, number, &message, CEDE_FOREVER));
        cede_drop(self, &message);
    }
    done(outcome, "message", channel_each * (uint64_t)producers, cede_now(self) - begun_ns);
    ends_await(self, producers);
    cede_shared_unref(&channel_in);
    cede_shared_unref(&channel_out);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result channel_run(cede_self *self, void *context) {
    return channel_from(self, context, 1);
}

static CEDE_YIELDS cede_result channel_many_run(cede_self *self, void *context) {
    return channel_from(self, context, MANY);
}

static CEDE_YIELDS cede_result oneshot_run(cede_self *self, void *context) {
    uint64_t begun_ns = cede_now(self);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        cede_oneshot_sender *sender = NULL;
        cede_oneshot_receiver *receiver = NULL;
        struct number *message = number_new(self, i);
        sure(cede_oneshot_create(self, number, &sender, &receiver));
        sure(cede_oneshot_send(self, &sender, &message));
        sure(cede_oneshot_recv(self, receiver, number, &message, CEDE_FOREVER));
        cede_drop(self, &message);
        cede_shared_unref(&receiver);
    }
    done(context, "create, send and receive", MESSAGES, cede_now(self) - begun_ns);
    return CEDE_OK;
}

/* ---- news ---- */

static CEDE_YIELDS cede_result watch_look_run(cede_self *self, void *context) {
    cede_watch *watch = NULL;
    const struct number *now = NULL;
    struct number *first = number_new(self, 1);
    sure(cede_watch_create(self, number, &first, &watch));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) sure(cede_watch_get(watch, number, &now));
    done(context, "look", LOOP, cede_now(self) - begun_ns);
    cede_shared_unref(&now);
    cede_shared_unref(&watch);
    return CEDE_OK;
}

static cede_watch *there, *back;

static CEDE_YIELDS cede_result watch_answer(cede_self *self, void *context) {
    (void)context;
    const struct number *now = NULL;
    uint64_t seen = 1;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        sure(cede_watch_await(self, there, number, &seen, &now, CEDE_FOREVER));
        struct number *next = number_new(self, i);
        sure(cede_watch_set(self, back, &next));
    }
    cede_shared_unref(&now);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result watch_round_run(cede_self *self, void *context) {
    const struct number *now = NULL;
    uint64_t seen = 1;
    struct number *first = number_new(self, 0), *second = number_new(self, 0);
    sure(cede_watch_create(self, number, &first, &there));
    sure(cede_watch_create(self, number, &second, &back));
    uint64_t begun_ns = cede_now(self);
    start(self, watch_answer, NULL);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct number *next = number_new(self, i);
        sure(cede_watch_set(self, there, &next));
        sure(cede_watch_await(self, back, number, &seen, &now, CEDE_FOREVER));
    }
    done(context, "change seen", 2 * ROUNDS, cede_now(self) - begun_ns);
    ends_await(self, 1);
    cede_shared_unref(&now);
    cede_shared_unref(&there);
    cede_shared_unref(&back);
    return CEDE_OK;
}

static cede_notify *ping, *pong;

static CEDE_YIELDS cede_result notify_answer(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        sure(cede_notify_await(self, ping, CEDE_FOREVER));
        cede_notify_one(pong);
    }
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result notify_round_run(cede_self *self, void *context) {
    sure(cede_notify_create(self, &ping));
    sure(cede_notify_create(self, &pong));
    uint64_t begun_ns = cede_now(self);
    start(self, notify_answer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        cede_notify_one(ping);
        sure(cede_notify_await(self, pong, CEDE_FOREVER));
    }
    done(context, "call taken", 2 * ROUNDS, cede_now(self) - begun_ns);
    ends_await(self, 1);
    cede_shared_unref(&ping);
    cede_shared_unref(&pong);
    return CEDE_OK;
}

static cede_broadcast *broadcast;
enum { NEWS = 200000 };

static CEDE_YIELDS cede_result listen_to_all(cede_self *self, void *receiver) {
    const struct number *now = NULL;
    while (cede_broadcast_recv(self, receiver, number, &now, NULL, CEDE_FOREVER) == CEDE_OK) {}
    cede_shared_unref(&now);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result broadcast_run(cede_self *self, void *context) {
    cede_broadcast_receiver *receivers[MANY] = {0};
    sure(cede_broadcast_create(self, number, NEWS, &broadcast)); /* nobody misses anything */
    for (int i = 0; i < MANY; i++) sure(cede_broadcast_subscribe(self, broadcast, &receivers[i]));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < MANY; i++) start(self, listen_to_all, receivers[i]);
    for (uint64_t i = 0; i < NEWS; i++) {
        struct number *message = number_new(self, i);
        sure(cede_broadcast_send(self, broadcast, &message));
        if (i % 64 == 0) cede_yield(self);
    }
    cede_broadcast_close(broadcast);
    ends_await(self, MANY);
    done(context, "message received", (uint64_t)NEWS * MANY, cede_now(self) - begun_ns);
    for (int i = 0; i < MANY; i++) cede_shared_unref(&receivers[i]);
    cede_shared_unref(&broadcast);
    return CEDE_OK;
}

/* ---- reading ---- */

static CEDE_YIELDS cede_result shared_ref_run(cede_self *self, void *context) {
    struct number *message = number_new(self, 1);
    const struct number *shared = NULL;
    sure(cede_freeze(self, &message, &shared));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) {
        const struct number *mine = cede_shared_ref(shared);
        cede_shared_unref(&mine);
    }
    done(context, "reference taken and given back", LOOP, cede_now(self) - begun_ns);
    cede_shared_unref(&shared);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result rcu_read_run(cede_self *self, void *context) {
    struct number *first = number_new(self, 1);
    cede_rcu *rcu = NULL;
    uint64_t sum = 0;
    sure(cede_rcu_create(self, number, &first, &rcu));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) {
        sum += cede_rcu_enter(rcu, number)->value;
        cede_rcu_leave(rcu);
    }
    done(context, "section", sum, cede_now(self) - begun_ns);
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result rcu_publish_run(cede_self *self, void *context) {
    struct number *first = number_new(self, 1);
    cede_rcu *rcu = NULL;
    sure(cede_rcu_create(self, number, &first, &rcu));
    uint64_t begun_ns = cede_now(self);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        struct number *next = number_new(self, i);
        sure(cede_rcu_publish(self, rcu, &next));
    }
    done(context, "version", MESSAGES, cede_now(self) - begun_ns);
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result counter_run(cede_self *self, void *context) {
    cede_counter *counter = NULL;
    sure(cede_counter_create(self, &counter));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) cede_counter_add(counter, 1);
    done(context, "addition", (uint64_t)cede_counter_sum(counter), cede_now(self) - begun_ns);
    cede_shared_unref(&counter);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result mutex_run(cede_self *self, void *context) {
    cede_mutex mutex;
    sure(cede_mutex_init(&mutex));
    uint64_t begun_ns = cede_now(self);
    for (int i = 0; i < LOOP; i++) {
        cede_mutex_lock(&mutex);
        cede_mutex_unlock(&mutex);
    }
    done(context, "lock and unlock", LOOP, cede_now(self) - begun_ns);
    cede_mutex_fini(&mutex);
    return CEDE_OK;
}

/* ---- running one ---- */

static const struct workload {
    const char *name;
    cede_block_fn *run;
} WORKLOADS[] = {
    {"share_mutex", mutex_run},
    {"share_lock", lock_run},
    {"share_lock_contended", lock_contended_run},
    {"share_read_lock", read_lock_run},
    {"share_semaphore", semaphore_run},
    {"share_channel", channel_run},
    {"share_channel_many", channel_many_run},
    {"share_oneshot", oneshot_run},
    {"share_watch_look", watch_look_run},
    {"share_watch_round", watch_round_run},
    {"share_notify_round", notify_round_run},
    {"share_broadcast", broadcast_run},
    {"share_reference", shared_ref_run},
    {"share_rcu_read", rcu_read_run},
    {"share_rcu_publish", rcu_publish_run},
    {"share_counter", counter_run},
};
enum { WORKLOAD_COUNT = sizeof WORKLOADS / sizeof WORKLOADS[0] };

int main(int argc, char **argv) {
    int workers = argc == 3 ? atoi(argv[2]) : 0;
    for (int i = 0; i < WORKLOAD_COUNT && workers > 0; i++) {
        if (strcmp(WORKLOADS[i].name, argv[1]) != 0) continue;
        struct cede_options options = {.workers = (uint32_t)workers,
                                       .turn_warn_ns = CEDE_FOREVER}; /* loops here do not yield */
        struct outcome outcome = {.op = ""};
        cede_system *system = NULL;
        sure(cede_system_create(&system, &options));
        sure(cede_block_on(system, WORKLOADS[i].run, &outcome));
        printf("%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t\n", argv[1], outcome.op, outcome.ops, outcome.ns);
        cede_system_destroy(system);
        return 0;
    }
    fprintf(stderr, "usage: bench_share WORKLOAD WORKERS\nworkloads:");
    for (int i = 0; i < WORKLOAD_COUNT; i++) fprintf(stderr, " %s", WORKLOADS[i].name);
    fprintf(stderr, "\n");
    return 2;
}
