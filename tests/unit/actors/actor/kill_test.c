/* One long turn that waits in every way there is, and is ended at each of its waits in turn: killed, stopped, by an error,
 * and with its system. At each it holds messages that it made, received and kept, and has cleanups registered. How many
 * waits there are is found out by the runs: the last is the one that reaches its end.
 * After each run: the cleanups ran once each, the last registered first; every message was dropped (fixture_end); no
 * descriptor is left open; and under AddressSanitizer no memory is. */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cede/defer.h>
#include <cede/io.h>
#include <cede/job.h>
#include <cede/node.h>
#include <cede/pending.h>

#include "tests/support/actors.h"
#include "tests/unit/actors/actor/kill_share.h"

enum { POINTS_MAX = 64, WRITE_SIZE = 1 << 20 };
enum how { KILL, STOP, FAIL, SYSTEM_ENDS, WAYS };
static const char *const WAYS_TEXT[] = {"killed", "stopped", "failing", "ended with its system"};

/* A place where a thread of the blocking pool waits. */
struct barrier {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool is_open, stays_open; /* under lock */
};

/* One run. Written by the long turn: `at`, `registered`, `job`s; by its cleanups: `ran`; else by the director. */
static struct world {
    enum how how;
    uint32_t target;               /* the wait at which it is ended */
    _Atomic uint32_t at;           /* the wait that it is in, plus 1 */
    _Atomic uint32_t spinning;     /* 1: it waits by cede_yield, and is never parked */
    _Atomic uint32_t yield_enough; /* 1: ends that */
    _Atomic uint32_t drain;        /* 1: the sink takes its messages */
    _Atomic uint32_t is_done;      /* 1: the turn has been ended, or its system may be */
    uint32_t registered, ran_count;
    uint32_t ran[POINTS_MAX];
    uint32_t marks[POINTS_MAX]; /* arguments of the cleanups: their numbers */
    cede_ref director, victim, sink;
    struct barrier barrier;
    struct cede_stream *reader, *writer; /* the director's ends of the pipes */
    cede_job *job, *second_job;
    int listener_fd, filling_fd, accepted_fd;
    struct sockaddr_un listener_address;
    uint16_t port;
} world;

static void barrier_pass(struct barrier *barrier) {
    pthread_mutex_lock(&barrier->lock);
    while (!barrier->is_open) pthread_cond_wait(&barrier->opened, &barrier->lock);
    pthread_mutex_unlock(&barrier->lock);
}

static void barrier_set(struct barrier *barrier, bool is_open) {
    pthread_mutex_lock(&barrier->lock);
    barrier->is_open = is_open || barrier->stays_open;
    pthread_cond_broadcast(&barrier->opened);
    pthread_mutex_unlock(&barrier->lock);
}

/* ---- the waits: what the turn does, and what the director does to let it go on ---- */

/* For waits that only time ends (not even a stop): for ever where the turn is to be ended in it, else short. */
static uint64_t time_limit(void) {
    bool is_for_ever = world.how == KILL || world.how == SYSTEM_ENDS;
    return is_for_ever && flag_get(&world.at) == world.target + 1 ? CEDE_SECONDS(3600)
                                                                  : CEDE_MILLIS(1);
}

static CEDE_YIELDS cede_result ask_for(cede_self *self, uint64_t timeout_ns) {
    struct question *request = cede_new(self, question);
    if (request == NULL) return CEDE_ENOMEM;
    struct answer *reply = NULL; /* stays the turn's */
    return cede_ask(self, world.director, &request, answer, &reply, timeout_ns);
}
static CEDE_YIELDS cede_result wait_ask(cede_self *self) { return ask_for(self, CEDE_FOREVER); }
static CEDE_YIELDS cede_result wait_ask_with_limit(cede_self *self) {
    return ask_for(self, CEDE_SECONDS(3600));
}
static CEDE_YIELDS cede_result wait_for_any(cede_self *self) {
    cede_pending *asks[2] = {NULL, NULL}; /* what they lead to is left to the actor's end */
    size_t which = 0;
    for (int i = 0; i < 2; i++) {
        struct question *request = cede_new(self, question);
        if (request == NULL) return CEDE_ENOMEM;
        cede_result r = cede_ask_start(self, world.director, &request, answer, &asks[i],
                                       i == 0 ? CEDE_FOREVER : CEDE_SECONDS(3600));
        if (r != CEDE_OK) return r;
    }
    return cede_await_any(self, asks, 2, CEDE_FOREVER, &which);
}
static CEDE_YIELDS cede_result release_ask(cede_self *self) {
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, 1);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result release_ask_twice(cede_self *self) {
    EXPECT_OK(release_ask(self));
    return release_ask(self);
}

static CEDE_YIELDS cede_result wait_recv(cede_self *self) {
    struct number *message = NULL; /* stays the turn's */
    return cede_recv(self, number, &message, CEDE_FOREVER);
}
static CEDE_YIELDS cede_result wait_recv_with_limit(cede_self *self) {
    struct number *message = NULL;
    return cede_recv(self, number, &message, CEDE_SECONDS(3600));
}
static cede_result release_recv(cede_self *self) {
    struct number *message = cede_new(self, number);
    if (message == NULL) return CEDE_ENOMEM;
    cede_result r = cede_send(self, world.victim, &message);
    cede_drop(self, &message); /* it has been stopped meanwhile */
    return r;
}

static CEDE_YIELDS cede_result wait_sleep(cede_self *self) {
    return cede_sleep(self, time_limit());
}
static cede_result release_nothing(cede_self *self) {
    (void)self;
    return CEDE_OK;
}

static CEDE_YIELDS cede_result wait_yield(cede_self *self) {
    flag_set(&world.spinning, 1);
    flag_await(self, &world.yield_enough, 1);
    flag_set(&world.spinning, 0);
    return CEDE_OK;
}
static cede_result release_yield(cede_self *self) {
    (void)self;
    flag_set(&world.yield_enough, 1);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result wait_for_room(cede_self *self) {
    struct number *message = NULL;
    for (int i = 0; i < 4; i++) { /* the sink has room for two */
        if ((message = cede_new(self, number)) == NULL) return CEDE_ENOMEM;
        cede_result r = cede_send_wait(self, world.sink, &message, CEDE_FOREVER);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}
static cede_result release_room(cede_self *self) {
    (void)self;
    flag_set(&world.drain, 1);
    return CEDE_OK;
}

static cede_result blocking_run(void *message) {
    (void)message;
    barrier_pass(&world.barrier);
    return CEDE_OK;
}
static CEDE_YIELDS cede_result wait_blocking(cede_self *self) {
    struct note *message = cede_new(self, note);
    if (message == NULL) return CEDE_ENOMEM;
    EXPECT_OK(cede_str_set(&message->text, "lent"));
    return cede_run_blocking(self, blocking_run, &message);
}
static cede_result release_barrier(cede_self *self) {
    (void)self;
    barrier_set(&world.barrier, true);
    return CEDE_OK;
}

static cede_result job_run(void *message, const cede_cancel *cancel) {
    (void)cancel;
    return blocking_run(message);
}
static cede_result job_begin(cede_self *self, cede_job **job) {
    struct note *message = cede_new(self, note);
    if (message == NULL) return CEDE_ENOMEM;
    EXPECT_OK(cede_str_set(&message->text, "given"));
    barrier_set(&world.barrier, false);
    return cede_job_start_blocking(self, NULL, job_run, &message, job);
}
static CEDE_YIELDS cede_result wait_job(cede_self *self) {
    struct note *message = NULL;
    cede_result r = job_begin(self, &world.job);
    if (r != CEDE_OK) return r;
    return cede_job_await(self, &world.job, note, &message, CEDE_FOREVER);
}
/* The fixture allows three unfinished jobs. */
static CEDE_YIELDS cede_result wait_for_a_job_to_start(cede_self *self) {
    struct note *message = NULL;
    cede_job *others[3] = {NULL};
    cede_result r = CEDE_OK;
    for (int i = 0; i < 3 && r == CEDE_OK; i++) r = job_begin(self, &others[i]);
    if (r == CEDE_OK) message = cede_new(self, note);
    if (r != CEDE_OK || message == NULL) return CEDE_ENOMEM;
    return cede_job_start_wait(self, NULL, CEDE_BLOCKING, job_run, &message, &world.second_job,
                               CEDE_FOREVER); /* the handles are left to the actor's end */
}

/* ---- sockets and pipes ---- */

static CEDE_YIELDS cede_result wait_accept(cede_self *self) {
    struct cede_listener *listener = NULL;
    struct cede_stream *stream = NULL;
    cede_result r = cede_tcp_listen(self, "127.0.0.1", 0, &listener);
    if (r != CEDE_OK) return r;
    world.port = cede_listener_port(self, listener);
    return cede_accept(self, listener, &stream, CEDE_FOREVER);
}
static CEDE_YIELDS cede_result release_accept(cede_self *self) {
    struct cede_stream *stream = NULL;
    return cede_tcp_connect(self, "127.0.0.1", world.port, &stream, CEDE_FOREVER);
}

/* A listener with a queue for one, which is taken. */
static int unix_socket(bool waits) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0);
    EXPECT(fd >= 0);
    return fd;
}
static CEDE_YIELDS cede_result wait_connect(cede_self *self) {
    struct sockaddr_un *address = &world.listener_address;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "cede-kill-%d", (int)getpid());
    socklen_t size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address->sun_path + 1));
    world.listener_fd = unix_socket(true);
    EXPECT(bind(world.listener_fd, (struct sockaddr *)address, size) == 0);
    EXPECT(listen(world.listener_fd, 0) == 0);
    world.filling_fd = unix_socket(false);
    EXPECT(connect(world.filling_fd, (struct sockaddr *)address, size) == 0);
    char name[sizeof address->sun_path] = "@";
    snprintf(name + 1, sizeof name - 1, "%s", address->sun_path + 1);
    struct cede_stream *stream = NULL;
    return cede_unix_connect(self, name, &stream, CEDE_SECONDS(3600));
}
static cede_result release_connect(cede_self *self) {
    (void)self;
    world.accepted_fd = accept4(world.listener_fd, NULL, NULL, SOCK_CLOEXEC);
    EXPECT(world.accepted_fd >= 0);
    return CEDE_OK;
}

/* A pipe of which the director gets one end, while the other stays the turn's. */
static cede_result pipe_make(cede_self *self, struct cede_stream **reader,
                             struct cede_stream **writer, struct cede_stream **director_s) {
    cede_result r = cede_pipe(self, reader, writer);
    return r == CEDE_OK ? cede_send(self, world.director, director_s) : r;
}
static CEDE_YIELDS struct cede_stream *pipe_take(cede_self *self) {
    struct cede_stream *stream = NULL;
    EXPECT_OK(cede_recv(self, cede_stream, &stream, CEDE_FOREVER));
    return stream;
}
static CEDE_YIELDS cede_result wait_read(cede_self *self) {
    struct cede_stream *reader = NULL, *writer = NULL;
    char byte;
    size_t got = 0;
    cede_result r = pipe_make(self, &reader, &writer, &writer);
    return r == CEDE_OK ? cede_read(self, reader, &byte, 1, &got, CEDE_FOREVER) : r;
}
static CEDE_YIELDS cede_result wait_read_exact(cede_self *self) {
    struct cede_stream *reader = NULL, *writer = NULL;
    char bytes[2];
    cede_result r = pipe_make(self, &reader, &writer, &writer);
    return r == CEDE_OK ? cede_read_exact(self, reader, bytes, sizeof bytes, CEDE_SECONDS(3600)) : r;
}
static CEDE_YIELDS cede_result wait_read_until(cede_self *self) {
    struct cede_stream *reader = NULL, *writer = NULL;
    char bytes[100];
    size_t got = 0;
    cede_result r = pipe_make(self, &reader, &writer, &writer);
    if (r != CEDE_OK) return r;
    return cede_read_until(self, reader, '\n', bytes, sizeof bytes, &got, CEDE_FOREVER);
}
static CEDE_YIELDS cede_result release_read(cede_self *self) {
    struct cede_stream *writer = pipe_take(self);
    return cede_write(self, writer, "a\n", 2, CEDE_FOREVER);
}

static char much[WRITE_SIZE];
static CEDE_YIELDS cede_result wait_write(cede_self *self) {
    struct cede_stream *reader = NULL, *writer = NULL;
    cede_result r = pipe_make(self, &reader, &writer, &reader);
    return r == CEDE_OK ? cede_write(self, writer, much, sizeof much, CEDE_FOREVER) : r;
}
static CEDE_YIELDS cede_result wait_write_pieces(cede_self *self) {
    struct cede_stream *reader = NULL, *writer = NULL;
    struct cede_piece pieces[2] = {{much, WRITE_SIZE / 2}, {much, WRITE_SIZE / 2}};
    cede_result r = pipe_make(self, &reader, &writer, &reader);
    return r == CEDE_OK ? cede_write_pieces(self, writer, pieces, 2, CEDE_FOREVER) : r;
}
static CEDE_YIELDS cede_result release_write(cede_self *self) {
    static char taken[WRITE_SIZE];
    struct cede_stream *reader = pipe_take(self);
    return cede_read_exact(self, reader, taken, sizeof taken, CEDE_FOREVER);
}

/* ---- nodes ---- */

static CEDE_YIELDS cede_result wait_for_a_node(cede_self *self) {
    struct cede_node_options options = {.name = "lonely"};
    cede_result r = cede_node_start(self, &options);
    if (r != CEDE_OK) return r;
    r = cede_node_connect(self, "tcp://127.0.0.1:1", time_limit(), NULL);
    return r == CEDE_ENODE || r == CEDE_ETIMEDOUT ? CEDE_OK : r;
}

static const struct wait_point OWN_POINTS[] = {
    {"cede_ask", wait_ask, release_ask},
    {"cede_ask with a limit", wait_ask_with_limit, release_ask},
    {"cede_await_any", wait_for_any, release_ask_twice},
    {"cede_recv", wait_recv, release_recv},
    {"cede_recv with a limit", wait_recv_with_limit, release_recv},
    {"cede_sleep", wait_sleep, release_nothing},
    {"cede_yield", wait_yield, release_yield},
    {"cede_send_wait", wait_for_room, release_room},
    {"cede_run_blocking", wait_blocking, release_barrier},
    {"cede_job_await", wait_job, release_barrier},
    {"cede_job_start_wait", wait_for_a_job_to_start, release_barrier},
    {"cede_accept", wait_accept, release_accept},
    {"cede_unix_connect", wait_connect, release_connect},
    {"cede_read", wait_read, release_read},
    {"cede_read_exact", wait_read_exact, release_read},
    {"cede_read_until", wait_read_until, release_read},
    {"cede_write", wait_write, release_write},
    {"cede_write_pieces", wait_write_pieces, release_write},
    {"cede_node_connect", wait_for_a_node, release_nothing},
};
enum { OWN_COUNT = sizeof OWN_POINTS / sizeof OWN_POINTS[0] };

static uint32_t points_count(void) { return OWN_COUNT + KILL_SHARE_POINTS_COUNT; }
/* From 0; behind the last one it is that again, for a name. */
static const struct wait_point *point(uint32_t number) {
    if (number < OWN_COUNT) return &OWN_POINTS[number];
    uint32_t at = number - OWN_COUNT;
    return &KILL_SHARE_POINTS[at < KILL_SHARE_POINTS_COUNT ? at : at - 1];
}

/* ---- the long turn ---- */

static void cleanup(cede_self *self, void *mark) {
    (void)self;
    EXPECT(world.ran_count < POINTS_MAX);
    world.ran[world.ran_count++] = *(const uint32_t *)mark;
}

/* What it holds at each wait, one more each time. */
static cede_result hold_more(cede_self *self) {
    struct note *made = cede_new(self, note), *kept = cede_new(self, note);
    if (made == NULL || kept == NULL) return CEDE_ENOMEM;
    EXPECT_OK(cede_str_set(&made->text, "of the turn"));
    EXPECT_OK(cede_str_set(&kept->text, "of the actor"));
    kept = cede_keep(self, &kept);
    uint32_t number = world.registered++;
    world.marks[number] = number;
    return cede_defer(self, cleanup, &world.marks[number]);
}

static CEDE_YIELDS cede_result long_turn(cede_self *self, void *context) {
    (void)context;
    for (uint32_t i = 0; i < points_count(); i++) {
        cede_result r = hold_more(self);
        if (r != CEDE_OK) return r;
        flag_set(&world.at, i + 1);
        r = point(i)->wait(self);
        if (r == CEDE_ECANCELED && world.how == STOP) return CEDE_STOP;
        if (r != CEDE_OK && world.how == SYSTEM_ENDS) return r; /* its jobs end before it does */
        if (r != CEDE_OK) {
            fprintf(stderr, "%s gave %s\n", point(i)->name, cede_result_name(r));
            abort();
        }
        if (world.how == FAIL && i == world.target) return CEDE_EFAILED;
    }
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result sink_run(cede_self *self, void *context) {
    (void)context;
    flag_await(self, &world.drain, 1);
    for (;;) { /* until it is stopped */
        struct number *message = NULL;
        if (cede_recv(self, number, &message, CEDE_FOREVER) != CEDE_OK) return CEDE_STOP;
        cede_drop(self, &message);
    }
}

/* ---- the director ---- */

static bool victim_is_at(uint32_t at, struct cede_self *slot) {
    if (flag_get(&world.at) != at) return false;
    if (flag_get(&world.spinning) != 0) return true;
    /* acquire: only looked at. */
    return (atomic_load_explicit(&slot->wait, memory_order_acquire) & 3) == CEDEI_WAIT_PARKED;
}

/* Which wait it is in, from `at` on; 0: it has ended. */
static CEDE_YIELDS uint32_t victim_await(cede_self *self, uint32_t at) {
    struct cede_self *slot = cedei_table_slot(self->system, world.victim.slot);
    while (cedei_generation_of(slot) == world.victim.generation) {
        for (uint32_t next = at; next <= points_count(); next++)
            if (victim_is_at(next, slot)) return next;
        cede_yield(self);
    }
    return 0;
}

static cede_result strike(cede_self *self) {
    if (world.how == KILL) return cede_kill(self, world.victim);
    return world.how == STOP ? cede_stop(self, world.victim) : CEDE_OK;
}

/* Lets the turn go on from wait to wait, and ends it at its target. */
static CEDE_YIELDS void direct(cede_self *self) {
    bool has_struck = false;
    for (uint32_t at = 1; (at = victim_await(self, at)) != 0; at++) {
        if (at > world.target && !has_struck) {
            has_struck = true;
            EXPECT_OK(strike(self));
            if (world.how == KILL || world.how == SYSTEM_ENDS) break;
        }
        EXPECT(point(at - 1)->release(self) == CEDE_OK || world.how == STOP);
    }
}

static CEDE_YIELDS cede_result director_run(cede_self *self, void *context) {
    (void)context;
    struct play *first = cede_new(self, play);
    EXPECT(first != NULL);
    first->run = long_turn;
    world.director = cede_self_ref(self);
    world.sink = play_as(self, &player_of_two, sink_run, NULL);
    EXPECT_OK(cede_spawn_monitored(self, &player, &first, &world.victim));
    direct(self);
    if (world.how != SYSTEM_ENDS) {
        cede_result reason = down_await(self, world.victim), wanted = CEDE_OK;
        if (world.target < points_count() && world.how != STOP)
            wanted = world.how == KILL ? CEDE_EKILLED : CEDE_EFAILED;
        EXPECT_RESULT(reason, wanted);
    }
    flag_set(&world.is_done, 1);
    (void)cede_sleep(self, CEDE_FOREVER); /* keeps what the turn waits for */
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result run(cede_self *self, void *context) {
    (void)play(self, director_run, context);
    flag_await(self, &world.is_done, 1);
    pthread_mutex_lock(&world.barrier.lock);
    world.barrier.stays_open = true; /* or the pool's threads would never end */
    pthread_mutex_unlock(&world.barrier.lock);
    barrier_set(&world.barrier, true);
    flag_set(&world.drain, 1);
    kill_share_release();
    return CEDE_OK;
}

static uint32_t descriptors_count(void) {
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    EXPECT(folder != NULL);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static void fd_close(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* What must be so however it was ended. */
static void cleanups_check(void) {
    bool is_right = world.ran_count == world.registered;
    for (uint32_t i = 0; i < world.ran_count; i++)
        is_right = is_right && world.ran[i] == world.registered - 1 - i;
    if (!is_right) {
        fprintf(stderr, "%s at '%s': %u cleanups of %u ran:", WAYS_TEXT[world.how],
                point(world.target)->name, world.ran_count, world.registered);
        for (uint32_t i = 0; i < world.ran_count; i++) fprintf(stderr, " %u", world.ran[i]);
        fputc('\n', stderr);
        abort();
    }
    if (world.how == KILL && world.target < points_count())
        EXPECT_EQUAL(world.registered, world.target + 1); /* and went no further */
}

/* False: the turn came to its end before it reached the target. */
static bool run_with(enum how how, uint32_t target) {
    uint32_t descriptors = descriptors_count();
    memset(&world, 0, sizeof world);
    world.how = how;
    world.target = target;
    world.listener_fd = world.filling_fd = world.accepted_fd = -1;
    pthread_mutex_init(&world.barrier.lock, NULL);
    pthread_cond_init(&world.barrier.opened, NULL);
    struct fixture *fixture =
        fixture_begin((struct cede_options){.blocking_threads_max = 2, .blocking_queue_max = 1});
    fixture_run(fixture, run, NULL);
    fixture_end(fixture);
    kill_share_end();
    cleanups_check();
    fd_close(&world.listener_fd);
    fd_close(&world.filling_fd);
    fd_close(&world.accepted_fd);
    /* nng closes a connection that came to nothing when it has the time. */
    if (flag_get(&world.at) < points_count() && descriptors_count() > descriptors) {
        fprintf(stderr, "%s at '%s': descriptors are left open\n", WAYS_TEXT[how],
                point(target)->name);
        abort();
    }
    pthread_cond_destroy(&world.barrier.opened);
    pthread_mutex_destroy(&world.barrier.lock);
    return flag_get(&world.at) > target;
}

static void turn_ended_at_each_of_its_waits_leaves_nothing(enum how how) {
    uint32_t waits = 0;
    EXPECT(points_count() <= POINTS_MAX);
    while (run_with(how, waits)) waits++; /* until none is left to be ended at */
    printf("%u waits, %s at each\n", waits, WAYS_TEXT[how]);
    EXPECT_EQUAL(waits, points_count());
}

static void turn_killed_at_each_of_its_waits_leaves_nothing(void **state) {
    (void)state;
    turn_ended_at_each_of_its_waits_leaves_nothing(KILL);
}

static void turn_stopped_at_each_of_its_waits_leaves_nothing(void **state) {
    (void)state;
    turn_ended_at_each_of_its_waits_leaves_nothing(STOP);
}

static void turn_that_fails_behind_each_of_its_waits_leaves_nothing(void **state) {
    (void)state;
    turn_ended_at_each_of_its_waits_leaves_nothing(FAIL);
}

static void system_that_ends_at_each_wait_of_a_turn_leaves_nothing(void **state) {
    (void)state;
    turn_ended_at_each_of_its_waits_leaves_nothing(SYSTEM_ENDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turn_killed_at_each_of_its_waits_leaves_nothing),
        cmocka_unit_test(turn_stopped_at_each_of_its_waits_leaves_nothing),
        cmocka_unit_test(turn_that_fails_behind_each_of_its_waits_leaves_nothing),
        cmocka_unit_test(system_that_ends_at_each_wait_of_a_turn_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
