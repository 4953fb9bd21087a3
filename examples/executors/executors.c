/* executors.c - computing beside serving: what requests wait when pieces of 10 ms of computation share their workers, and
 * what they wait when the computation has an executor of its own, whose threads give way to the others.
 * usage: executors [REQUESTS]      (default 200, one every 2 ms) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <cede/cede.h>

enum { REQUESTS_DEFAULT = 200, REQUESTS_MAX = 10000, PIECES_AT_ONCE = 8, LOOK_EVERY = 1 << 14 };
#define PERIOD_NS CEDE_MILLIS(2)
#define PIECE_NS CEDE_MILLIS(10)

#define REQUEST(F) F(u64, number)
CEDE_MESSAGE(request, REQUEST);
#define PIECE(F)                                                                                   \
    F(u64, steps)                                                                                  \
    F(u64, sum)
CEDE_MESSAGE(piece, PIECE);

/* ---- the side that computes ---- */

/* Nothing but arithmetic; it looks now and then whether anybody still wants it. */
static cede_result compute(void *message, const cede_cancel *cancel) {
    struct piece *piece = message;
    for (uint64_t i = 1; i <= piece->steps; i++) {
        piece->sum = (piece->sum ^ i) * 0x9e3779b97f4a7c15u;
        if (i % LOOK_EVERY == 0 && cede_cancel_is_requested(cancel)) return CEDE_ECANCELED;
    }
    return CEDE_OK;
}

struct miner {
    cede_job *jobs[PIECES_AT_ONCE]; /* called off when the miner ends, however it ends */
};

CEDE_YIELDS static cede_result on_piece(cede_self *self, struct miner *miner, struct piece *piece) {
    cede_result r = CEDE_OK;
    for (int i = 0; i < PIECES_AT_ONCE; i++) {
        struct piece *one = cede_new(self, piece);
        if (one == NULL) return CEDE_ENOMEM;
        one->steps = piece->steps;
        r = cede_job_start(self, NULL, compute, &one,
                           &miner->jobs[i]); /* NULL: where the miner runs */
        if (r != CEDE_OK) {
            cede_drop(self, &one);
            return r;
        }
    }
    for (int i = 0; r == CEDE_OK; i = (i + 1) % PIECES_AT_ONCE) { /* until it is killed */
        struct piece *done = NULL;
        r = cede_job_await(self, &miner->jobs[i], piece, &done, CEDE_FOREVER);
        if (r == CEDE_OK) r = cede_job_start(self, NULL, compute, &done, &miner->jobs[i]);
        cede_drop(self, &done); /* NULL, unless something failed */
    }
    return r;
}

#define MINER(ON) ON(piece, on_piece)
CEDE_BEHAVIOUR(miner, struct miner, MINER);

/* How many steps take PIECE_NS here. */
static uint64_t steps_measure(cede_self *self) {
    cede_cancel never;
    cede_cancel_init(&never, NULL);
    struct piece piece = {.steps = 1 << 20};
    uint64_t start_ns = cede_now(self);
    (void)compute(&piece, &never);
    uint64_t took_ns = cede_now(self) - start_ns;
    return took_ns > 0 ? piece.steps * PIECE_NS / took_ns : piece.steps;
}

/* ---- the side that serves ---- */

static cede_result on_request(cede_self *self, void *state, struct request *request) {
    (void)state;
    return cede_reply(self, request, &request);
}

#define SERVER(ON) ON(request, on_request)
CEDE_BEHAVIOUR(server, void, SERVER);

struct times {
    uint64_t *ns; /* from when each request was due until it was answered */
    uint32_t count;
};

CEDE_YIELDS static cede_result requests_send(cede_self *self, cede_ref to, struct times *times) {
    struct request *request = cede_new(self, request);
    if (request == NULL) return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    uint64_t due_ns = cede_now(self);
    for (uint32_t i = 0; r == CEDE_OK && i < times->count; i++) {
        due_ns += PERIOD_NS;
        uint64_t now_ns = cede_now(self);
        if (now_ns < due_ns) r = cede_sleep(self, due_ns - now_ns);
        if (r == CEDE_OK) r = cede_ask(self, to, &request, request, &request, CEDE_SECONDS(10));
        times->ns[i] = cede_now(self) - due_ns;
    }
    cede_drop(self, &request);
    return r;
}

/* ---- one beside the other ---- */

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void times_print(struct times *times, const char *what) {
    qsort(times->ns, times->count, sizeof *times->ns, by_size);
    printf("%s: %u requests, p50 %.3f ms, p99 %.3f ms\n", what, times->count,
           (double)times->ns[times->count / 2] / 1e6,
           (double)times->ns[(uint64_t)times->count * 99 / 100] / 1e6);
}

/* Requests to a server here, while a miner on `executor` computes. */
CEDE_YIELDS static cede_result serve_beside(cede_self *self, cede_executor *executor,
                                            uint64_t steps, struct times *times) {
    cede_ref server_ref = {0}, miner_ref = {0};
    struct piece *piece = cede_new(self, piece);
    if (piece == NULL) return CEDE_ENOMEM;
    piece->steps = steps;
    cede_result r = cede_spawn(self, &server, CEDE_NOTHING, &server_ref);
    if (r == CEDE_OK) r = cede_spawn_monitored_on(self, executor, &miner, &piece, &miner_ref);
    if (r != CEDE_OK) {
        cede_drop(self, &piece);
        return r;
    }
    r = requests_send(self, server_ref, times);
    cede_result stopped = cede_kill(self, miner_ref);
    struct cede_down *down = NULL;
    if (stopped == CEDE_OK) stopped = cede_recv(self, cede_down, &down, CEDE_FOREVER);
    cede_drop(self, &down);
    (void)!cede_stop(self, server_ref);
    return r == CEDE_OK ? stopped : r;
}

CEDE_YIELDS static cede_result compare(cede_self *self, struct times *times) {
    uint64_t steps = steps_measure(self);
    cede_result r = serve_beside(self, cede_self_executor(self), steps, times);
    if (r != CEDE_OK) return r;
    times_print(times, "one executor for all      ");
    struct cede_executor_options options = {.name = "compute", .nice = 10};
    cede_executor *executor = NULL;
    r = cede_executor_create(cede_self_system(self), &options, &executor);
    if (r == CEDE_OK) r = serve_beside(self, executor, steps, times);
    if (r != CEDE_OK) return r; /* an executor ends with its system */
    times_print(times, "an executor to compute    ");
    cede_executor_close(executor);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : REQUESTS_DEFAULT;
    if (count < 1 || count > REQUESTS_MAX) return CEDE_EINVAL;
    struct times times = {.ns = calloc((size_t)count, sizeof *times.ns), .count = (uint32_t)count};
    if (times.ns == NULL) return CEDE_ENOMEM;
    cede_result r = compare(self, &times);
    free(times.ns);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
