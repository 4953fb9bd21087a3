/* workload.c - peers that do at random what actors can do to each other, and a referee who knows what must be true of it:
 * messages of a pair in order and none missing while both live, no message for another tenant of the slot, nothing early, each ask
 * with exactly one end, each job run at most once and never after it was withdrawn, exactly one DOWN for each watch, behind all
 * that the dead had sent and with its reason, each cleanup once, and everything comes to an end.
 * All threads are one, so what the referee knows is plain variables; they may change at every call of Cede. */
#include "tests/sim/workload.h"

#include <string.h>

enum { PEERS = 4, STEPS = 12, CHILDREN = 4, IDS = 1024 };

#define BEGIN(F)                                                                                   \
    F(u32, index)                                                                                  \
    F(u64, seed)
CEDE_MESSAGE(begin, BEGIN);
#define STEP(F) F(u32, left)
CEDE_MESSAGE(step, STEP);
#define NUMBER(F)                                                                                  \
    F(ref, to)                                                                                     \
    F(u32, from)                                                                                   \
    F(u64, value)
CEDE_MESSAGE(number, NUMBER);
#define QUESTION(F)                                                                                \
    F(u64, token)                                                                                  \
    F(u32, mode)                                                                                   \
    F(u64, due_ns)
CEDE_MESSAGE(question, QUESTION);
#define ANSWER(F) F(u64, token)
CEDE_MESSAGE(answer, ANSWER);
#define LATER(F)                                                                                   \
    F(u32, id)                                                                                     \
    F(u64, due_ns)
CEDE_MESSAGE(later, LATER);
#define WORK(F) F(u32, id)
CEDE_MESSAGE(work, WORK);
#define CHORE(F)                                                                                   \
    F(ref, parent)                                                                                 \
    F(u32, id)                                                                                     \
    F(u32, mode)                                                                                   \
    F(u32, count)
CEDE_MESSAGE(chore, CHORE);
#define PROGRESS(F) F(u32, id)
CEDE_MESSAGE(progress, PROGRESS);
#define ORDER(F) F(u64, sent_ns)
CEDE_CONTROL_MESSAGE(order, ORDER);

enum { MODE_REPLY, MODE_KEEP, MODE_DROP, MODE_FORWARD, MODE_ASK_ON, MODE_COUNT };
enum { CHILD_STOPS, CHILD_FAILS, CHILD_IS_STOPPED, CHILD_IS_KILLED, CHILD_MODES };
enum { TIMER_SET = 1, TIMER_FIRED, TIMER_CANCELLED, JOB_SET = 1, JOB_RAN, JOB_WITHDRAWN };

/* What the referee knows. */
static struct {
    cede_ref peers[PEERS], vault, referee;
    uint64_t sent[PEERS][PEERS], heard[PEERS][PEERS];
    uint32_t timers_next, timers[IDS];
    uint32_t jobs_next, jobs[IDS];
    uint32_t children_next, progress_sent[IDS], progress_waits[IDS], cleanups_set[IDS],
        cleanups[IDS];
    uint64_t ended_ns[IDS];
    uint64_t tokens_next;
    uint32_t downs[PEERS + 2];
} book;

/* ---- what may go wrong, and what must be true then ---- */

static bool is_fault(cede_result r) {
    return r == CEDE_ENOMEM || r == CEDE_EFULL || r == CEDE_ELIMIT || r == CEDE_ENOACTOR;
}

/* Ends of actors that faults bring about. */
static bool is_end_by_fault(cede_result r) {
    return r == CEDE_EKILLED || r == CEDE_EFAILED || r == CEDE_ENOMEM || r == CEDE_ELIMIT ||
           r == CEDE_EFULL;
}

struct peer {
    uint32_t index;
    uint64_t random;
    struct question *kept;
    cede_timer timer;  /* the last one */
    uint32_t timer_id; /* 0: none */
    struct child {
        cede_ref ref;
        uint32_t id, mode, heard;
        bool used, gone;
        uint64_t killed_ns; /* 0: not yet */
    } children[CHILDREN];
};

static uint64_t draw(struct peer *state, uint64_t below) {
    state->random = state->random * 6364136223846793005u + 1442695040888963407u;
    return (state->random >> 33) % below;
}

static cede_ref somebody(struct peer *state) { return book.peers[draw(state, PEERS)]; }

static uint64_t short_time(struct peer *state) {
    static const uint64_t TIMES[] = {0, 1000, 200000, 1000000, 7000000, 60000000, 2000000000};
    return TIMES[draw(state, sizeof TIMES / sizeof *TIMES)];
}

/* ---- numbers: order, completeness, the right tenant ---- */

static CEDE_YIELDS void number_send(cede_self *self, struct peer *state) {
    uint32_t to = (uint32_t)draw(state, PEERS);
    struct number *m = cede_new(self, number);
    if (m == NULL) return;
    m->to = book.peers[to];
    m->from = state->index;
    m->value = book.sent[state->index][to] + 1;
    cede_result r = CEDE_OK;
    if (draw(state, 3) != 0)
        r = cede_send(self, book.peers[to], &m);
    else
        r = cede_send_wait(self, book.peers[to], &m, CEDE_SECONDS(5));
    CEDE_SIM_CHECK((m == NULL) == (r == CEDE_OK));
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r) || r == CEDE_EDEADLK || r == CEDE_ETIMEDOUT);
    if (r == CEDE_OK) book.sent[state->index][to]++;
    cede_drop(self, &m);
}

static cede_result on_number(cede_self *self, struct peer *state, struct number *m) {
    CEDE_SIM_CHECK(cede_ref_equal(m->to, cede_self_ref(self)));
    CEDE_SIM_CHECK(m->value == book.heard[m->from][state->index] + 1);
    book.heard[m->from][state->index] = m->value;
    return CEDE_OK;
}

/* ---- asks: one end each, not early, the answer to the question ---- */

static CEDE_YIELDS void question_ask(cede_self *self, struct peer *state) {
    cede_ref to = draw(state, 5) == 0 ? book.vault : somebody(state);
    struct question *m = cede_new(self, question);
    struct answer *reply = NULL;
    if (m == NULL) return;
    bool endless = draw(state, 4) == 0 && !cede_ref_equal(to, book.vault);
    uint64_t limit_ns = endless ? CEDE_FOREVER : short_time(state) + 1000,
             before_ns = cede_now(self);
    uint64_t token = m->token = ++book.tokens_next;
    m->mode = (uint32_t)draw(state, MODE_COUNT);
    if (endless && m->mode == MODE_FORWARD) m->mode = MODE_REPLY; /* no cycle is seen that way */
    m->due_ns = endless ? CEDE_FOREVER : before_ns + limit_ns;
    cede_result r = cede_ask(self, to, &m, answer, &reply, limit_ns);
    uint64_t after_ns = cede_now(self);
    CEDE_SIM_CHECK((reply != NULL) == (r == CEDE_OK));
    CEDE_SIM_CHECK(r != CEDE_OK || (m == NULL && reply->token == token));
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r) || r == CEDE_ETIMEDOUT || r == CEDE_ENOREPLY ||
                   r == CEDE_EDEADLK);
    CEDE_SIM_CHECK(r != CEDE_ETIMEDOUT || (!endless && after_ns >= before_ns + limit_ns));
    /* Late by what a busy processor may be late, not more. */
    CEDE_SIM_CHECK(endless || after_ns < before_ns + limit_ns + CEDE_SECONDS(1));
    cede_drop(self, &m);
    cede_drop(self, &reply);
}

static cede_result question_answer(cede_self *self, struct question *m) {
    struct answer *reply = cede_new(self, answer);
    if (reply == NULL) return CEDE_OK; /* dropped without an answer: the asker hears of that */
    reply->token = m->token;
    cede_result r = cede_reply(self, m, &reply);
    CEDE_SIM_CHECK(r == CEDE_OK);
    return CEDE_OK;
}

/* Its deadline travels along: an ask without a limit to one that never answers ends all the same, unless the asker had none. */
static CEDE_YIELDS void ask_on(cede_self *self, struct question *m) {
    uint64_t due_ns = cede_deadline(self);
    CEDE_SIM_CHECK(due_ns == 0 || due_ns >= m->due_ns); /* the asker's clock went on meanwhile */
    if (m->due_ns == CEDE_FOREVER) return;
    CEDE_SIM_CHECK(due_ns < m->due_ns + CEDE_SECONDS(1));
    struct question *further = cede_new(self, question);
    struct answer *reply = NULL;
    if (further == NULL) return;
    further->mode = MODE_KEEP;
    further->due_ns = due_ns;
    cede_result r = cede_ask(self, book.vault, &further, answer, &reply, CEDE_FOREVER);
    uint64_t now_ns = cede_now(self);
    CEDE_SIM_CHECK(r == CEDE_ETIMEDOUT || r == CEDE_ENOREPLY || is_fault(r) || r == CEDE_EDEADLK);
    CEDE_SIM_CHECK(r != CEDE_ETIMEDOUT || now_ns >= due_ns);
    CEDE_SIM_CHECK(now_ns < due_ns + CEDE_SECONDS(1) || due_ns == 0);
    cede_drop(self, &further);
}

static CEDE_YIELDS cede_result on_question(cede_self *self, struct peer *state, struct question *m) {
    switch (m->mode) {
    case MODE_REPLY: return question_answer(self, m);
    case MODE_KEEP:
        if (state->kept != NULL) return CEDE_OK;
        state->kept = cede_keep(self, &m);
        return CEDE_OK;
    case MODE_FORWARD: {
        m->mode = MODE_REPLY;
        cede_result r = cede_send(self, somebody(state), &m);
        CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
        return CEDE_OK;
    }
    case MODE_ASK_ON: ask_on(self, m); return question_answer(self, m);
    default: return CEDE_OK;
    }
}

static void kept_answer(cede_self *self, struct peer *state) {
    if (state->kept == NULL) return;
    (void)question_answer(self, state->kept);
    cede_drop(self, &state->kept);
}

/* ---- timers: once, not early, never after they were cancelled ---- */

static void later_send(cede_self *self, struct peer *state) {
    struct later *m = cede_new(self, later);
    cede_timer timer = {0};
    if (m == NULL || book.timers_next + 1 == IDS) return;
    uint32_t id = m->id = ++book.timers_next;
    uint64_t delay_ns = short_time(state);
    m->due_ns = cede_now(self) + delay_ns;
    book.timers[id] = TIMER_SET;
    cede_result r = cede_send_after(self, somebody(state), &m, delay_ns, &timer);
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
    if (r != CEDE_OK) return;
    state->timer = timer;
    state->timer_id = id;
}

/* Perhaps long after it has fired, when another one has its place. */
static void later_cancel(cede_self *self, struct peer *state) {
    uint32_t id = state->timer_id;
    if (id == 0) return;
    cede_result r = cede_timer_cancel(self, state->timer);
    CEDE_SIM_CHECK(r == CEDE_OK || r == CEDE_ENOENT);
    if (r != CEDE_OK) return;
    CEDE_SIM_CHECK(book.timers[id] == TIMER_SET);
    book.timers[id] = TIMER_CANCELLED;
}

static cede_result later_take(cede_self *self, const struct later *m) {
    CEDE_SIM_CHECK(cede_now(self) >= m->due_ns);
    CEDE_SIM_CHECK(book.timers[m->id] == TIMER_SET);
    book.timers[m->id] = TIMER_FIRED;
    return CEDE_OK;
}

static cede_result on_later(cede_self *self, struct peer *state, struct later *m) {
    (void)state;
    return later_take(self, m);
}

static CEDE_YIELDS void rest(cede_self *self, struct peer *state) {
    uint64_t duration_ns = short_time(state), before_ns = cede_now(self);
    cede_result r = cede_sleep(self, duration_ns);
    uint64_t slept_ns = cede_now(self) - before_ns;
    CEDE_SIM_CHECK(is_fault(r) || (r == CEDE_OK && slept_ns >= duration_ns));
    CEDE_SIM_CHECK(slept_ns < duration_ns + CEDE_SECONDS(1));
}

/* ---- orders: ahead of the rest, and heard at once by whoever waits for one ---- */

/* To the referee as well, in whose lane they stay while it waits for something else that comes there. */
static void order_send(cede_self *self, struct peer *state) {
    struct order *m = cede_new(self, order);
    if (m == NULL) return;
    m->sent_ns = cede_now(self);
    cede_result r = cede_send(self, draw(state, 2) == 0 ? book.referee : somebody(state), &m);
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
}

static CEDE_YIELDS void order_await(cede_self *self, struct peer *state) {
    struct order *m = NULL;
    uint64_t before_ns = cede_now(self), limit_ns = short_time(state);
    cede_result r = cede_recv(self, order, &m, limit_ns);
    uint64_t after_ns = cede_now(self);
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r) ||
                   (r == CEDE_ETIMEDOUT && after_ns >= before_ns + limit_ns));
    if (r != CEDE_OK) return;
    uint64_t there_ns = m->sent_ns > before_ns ? m->sent_ns : before_ns;
    CEDE_SIM_CHECK(after_ns < there_ns + CEDE_SECONDS(1));
    cede_drop(self, &m);
}

static cede_result on_order(cede_self *self, struct peer *state, struct order *m) {
    (void)state;
    CEDE_SIM_CHECK(m->sent_ns <= cede_now(self));
    return CEDE_OK;
}

/* ---- jobs ---- */

static cede_result work_do(void *message, const cede_cancel *cancel) {
    struct work *m = message;
    (void)cancel;
    CEDE_SIM_CHECK(book.jobs[m->id] == JOB_SET);
    book.jobs[m->id] = JOB_RAN;
    return CEDE_OK;
}

static cede_result work_block(void *message) { return work_do(message, NULL); }

static CEDE_YIELDS void work_start(cede_self *self, struct peer *state) {
    struct work *m = cede_new(self, work);
    cede_job *job = NULL;
    if (m == NULL || book.jobs_next + 1 == IDS) return;
    uint32_t id = m->id = ++book.jobs_next;
    book.jobs[id] = JOB_SET;
    if (draw(state, 3) == 0) {
        cede_result r = cede_run_blocking(self, work_block, &m);
        CEDE_SIM_CHECK(m != NULL && m->id == id);
        CEDE_SIM_CHECK(is_fault(r) || (r == CEDE_OK && book.jobs[id] == JOB_RAN));
        cede_drop(self, &m);
        return;
    }
    cede_result r = draw(state, 2) == 0 ? cede_job_start(self, NULL, work_do, &m, &job)
                                        : cede_job_start_blocking(self, NULL, work_do, &m, &job);
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
    if (r != CEDE_OK) return;
    if (draw(state, 4) == 0) {
        cede_job_drop(self, &job);
        return;
    }
    if (draw(state, 2) == 0) CEDE_SIM_CHECK(cede_job_cancel(self, job) == CEDE_OK);
    r = cede_job_await(self, &job, work, &m, CEDE_FOREVER);
    CEDE_SIM_CHECK(r == CEDE_OK || r == CEDE_ECANCELED || is_fault(r));
    if (r == CEDE_ECANCELED) {
        CEDE_SIM_CHECK(book.jobs[id] == JOB_SET);
        book.jobs[id] = JOB_WITHDRAWN;
    }
    CEDE_SIM_CHECK(r != CEDE_OK || book.jobs[id] == JOB_RAN);
}

/* ---- children: ends, and who is told ---- */

struct chores {
    int unused;
};

static void chore_undo(cede_self *self, void *argument) {
    uint32_t id = (uint32_t)((uint32_t *)argument - book.cleanups);
    book.cleanups[id]++;
    book.ended_ns[id] = cede_now(self);
}

/* Sent on the off chance to one that is about to end: it reaches that one or nobody. */
static cede_result on_child_number(cede_self *self, struct chores *state, struct number *m) {
    (void)state;
    CEDE_SIM_CHECK(cede_ref_equal(m->to, cede_self_ref(self)));
    return CEDE_OK;
}

static CEDE_YIELDS void progress_send(cede_self *self, const struct chore *m) {
    struct progress *p = cede_new(self, progress);
    if (p == NULL) return;
    p->id = m->id;
    /* While we wait for room the message may go, and we be killed before we know. */
    book.progress_waits[m->id] = 1;
    if (cede_send_wait(self, m->parent, &p, CEDE_SECONDS(5)) == CEDE_OK)
        book.progress_sent[m->id]++;
    book.progress_waits[m->id] = 0;
}

static CEDE_YIELDS cede_result on_chore(cede_self *self, struct chores *state, struct chore *m) {
    (void)state;
    cede_result r = cede_defer(self, chore_undo, &book.cleanups[m->id]);
    book.cleanups_set[m->id]++; /* has run already, if it was refused */
    if (r != CEDE_OK) return r;
    for (uint32_t i = 0; i < m->count; i++) {
        progress_send(self, m);
        cede_yield(self);
    }
    if (m->mode == CHILD_FAILS) return CEDE_EPROTO;
    if (m->mode == CHILD_STOPS) return CEDE_STOP;
    if (m->mode == CHILD_IS_KILLED) {
        r = cede_sleep(self, CEDE_SECONDS(20));
        return r == CEDE_OK ? CEDE_STOP : r;
    }
    struct step *never = NULL;
    r = cede_recv(self, step, &never, CEDE_SECONDS(20));
    CEDE_SIM_CHECK(r == CEDE_ECANCELED || r == CEDE_ETIMEDOUT || is_fault(r));
    progress_send(self, m);
    return CEDE_STOP;
}

#define CHORES(ON)                                                                                 \
    ON(chore, on_chore)                                                                            \
    ON(number, on_child_number)
CEDE_BEHAVIOUR(chores, struct chores, CHORES);

static void child_start(cede_self *self, struct peer *state) {
    struct child *child = &state->children[draw(state, CHILDREN)];
    struct chore *m = child->used || book.children_next + 1 == IDS ? NULL : cede_new(self, chore);
    if (m == NULL) return;
    uint32_t id = m->id = ++book.children_next;
    m->parent = cede_self_ref(self);
    m->mode = (uint32_t)draw(state, CHILD_MODES);
    m->count = (uint32_t)draw(state, 4);
    uint32_t mode = m->mode;
    cede_ref ref = {0};
    cede_result r = cede_spawn_monitored(self, &chores, &m, &ref);
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
    if (r == CEDE_OK) *child = (struct child){.ref = ref, .id = id, .mode = mode, .used = true};
}

static void child_end(cede_self *self, struct peer *state) {
    struct child *child = &state->children[draw(state, CHILDREN)];
    if (!child->used || child->gone) return;
    struct number *m = draw(state, 2) == 0 ? cede_new(self, number) : NULL;
    if (m != NULL) {
        m->to = child->ref;
        (void)!cede_send(self, child->ref, &m);
        cede_drop(self, &m);
    }
    if (child->mode < CHILD_IS_STOPPED) return;
    if (child->mode == CHILD_IS_KILLED && child->killed_ns == 0) child->killed_ns = cede_now(self);
    cede_result r =
        child->mode == CHILD_IS_STOPPED ? cede_stop(self, child->ref) : cede_kill(self, child->ref);
    CEDE_SIM_CHECK(r == CEDE_OK || r == CEDE_ENOACTOR);
}

static struct child *child_of(struct peer *state, uint32_t id) {
    for (uint32_t i = 0; i < CHILDREN; i++)
        if (state->children[i].used && state->children[i].id == id) return &state->children[i];
    cede_sim_fail("news of a child that is none");
}

static cede_result on_progress(cede_self *self, struct peer *state, struct progress *m) {
    struct child *child = child_of(state, m->id);
    (void)self;
    CEDE_SIM_CHECK(!child->gone);
    child->heard++;
    return CEDE_OK;
}

/* Nobody answers to the ref of a child that has gone, whoever lives in its place now. */
static void stale_try(cede_self *self, cede_ref ref) {
    struct number *m = cede_new(self, number);
    if (m == NULL) return;
    m->to = ref;
    cede_result r = cede_send(self, ref, &m);
    CEDE_SIM_CHECK(r == CEDE_ENOACTOR || r == CEDE_EFULL);
    CEDE_SIM_CHECK(cede_stop(self, ref) == CEDE_ENOACTOR);
}

static cede_result on_down(cede_self *self, struct peer *state, struct cede_down *m) {
    static const cede_result REASONS[] = {CEDE_OK, CEDE_EPROTO, CEDE_OK, CEDE_OK};
    struct child *child = NULL;
    cede_result reason = (cede_result)m->reason;
    for (uint32_t i = 0; i < CHILDREN; i++)
        if (state->children[i].used && cede_ref_equal(state->children[i].ref, m->actor))
            child = &state->children[i];
    CEDE_SIM_CHECK(child != NULL);
    CEDE_SIM_CHECK(!child->gone);
    child->gone = true;
    CEDE_SIM_CHECK(reason == REASONS[child->mode] || is_end_by_fault(reason));
    CEDE_SIM_CHECK(child->heard >= book.progress_sent[child->id]);
    CEDE_SIM_CHECK(child->heard <= book.progress_sent[child->id] + book.progress_waits[child->id]);
    CEDE_SIM_CHECK(book.cleanups[child->id] == book.cleanups_set[child->id]);
    /* A kill ends any wait. */
    CEDE_SIM_CHECK(child->killed_ns == 0 || book.cleanups[child->id] == 0 ||
                   book.ended_ns[child->id] < child->killed_ns + CEDE_SECONDS(1));
    stale_try(self, child->ref);
    return CEDE_OK;
}

/* ---- peers ---- */

static CEDE_YIELDS void step_do(cede_self *self, struct peer *state) {
    switch (draw(state, 16)) {
    case 0:
    case 1:
    case 2: number_send(self, state); break;
    case 3:
    case 4: question_ask(self, state); break;
    case 5: later_send(self, state); break;
    case 6: rest(self, state); break;
    case 7: work_start(self, state); break;
    case 8: child_start(self, state); break;
    case 9:
    case 10: child_end(self, state); break;
    case 11: later_cancel(self, state); break;
    case 12:
    case 13: order_send(self, state); break;
    case 14: order_await(self, state); break;
    default: kept_answer(self, state); break;
    }
}

static CEDE_YIELDS cede_result on_step(cede_self *self, struct peer *state, struct step *m) {
    uint64_t some = 1 + draw(state, 3);
    for (uint64_t i = 0; i < some; i++) step_do(self, state);
    if (m->left-- == 0) {
        order_send(self, state);
        return CEDE_STOP;
    }
    cede_result r = cede_send(self, cede_self_ref(self), &m);
    if (r == CEDE_EFULL) r = cede_send_after(self, cede_self_ref(self), &m, 1000, NULL);
    return r;
}

static cede_result on_begin(cede_self *self, struct peer *state, struct begin *m) {
    (void)self;
    state->index = m->index;
    state->random = m->seed;
    return CEDE_OK;
}

#define PEER(ON)                                                                                   \
    ON(begin, on_begin)                                                                            \
    ON(step, on_step)                                                                              \
    ON(number, on_number)                                                                          \
    ON(question, on_question)                                                                      \
    ON(later, on_later)                                                                            \
    ON(progress, on_progress)                                                                      \
    ON(order, on_order)                                                                            \
    ON(cede_down, on_down)
CEDE_BEHAVIOUR(peer, struct peer, PEER, .mailbox_max = 3);
CEDE_BEHAVIOUR(peer_of_one, struct peer, PEER, .mailbox_max = 1);

/* Keeps every question and answers none. */
struct vault {
    struct question *kept[64];
    uint32_t next;
};

static cede_result on_vault(cede_self *self, struct vault *state, struct question *m) {
    uint32_t at = state->next++ % 64;
    cede_drop(self, &state->kept[at]);
    state->kept[at] = cede_keep(self, &m);
    return CEDE_OK;
}

#define VAULT(ON) ON(question, on_vault)
CEDE_BEHAVIOUR(vault, struct vault, VAULT);

const cede_behaviour *const workload_mortal[] = {&peer, &peer_of_one, &chores, NULL};

/* ---- the referee ---- */

/* Without faults, so that there is something to look at. */
static CEDE_YIELDS void peers_start(cede_self *self) {
    cede_sim_calm(true);
    book.referee = cede_self_ref(self);
    CEDE_SIM_CHECK(cede_spawn(self, &vault, CEDE_NOTHING, &book.vault) == CEDE_OK);
    for (uint32_t i = 0; i < PEERS; i++) {
        struct begin *m = cede_new(self, begin);
        CEDE_SIM_CHECK(m != NULL);
        m->index = i;
        m->seed = cede_sim_random();
        const cede_behaviour *behaviour = i % 2 == 0 ? &peer : &peer_of_one;
        CEDE_SIM_CHECK(cede_spawn_monitored(self, behaviour, &m, &book.peers[i]) == CEDE_OK);
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        struct step *m = cede_new(self, step);
        CEDE_SIM_CHECK(m != NULL);
        m->left = STEPS;
        CEDE_SIM_CHECK(cede_send_wait(self, book.peers[i], &m, CEDE_FOREVER) == CEDE_OK);
    }
    cede_sim_calm(false);
}

/* Each of them comes back. */
static void timers_start(cede_self *self, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct later *m = cede_new(self, later);
        CEDE_SIM_CHECK(m != NULL);
        uint64_t delay_ns = cede_sim_random() % CEDE_SECONDS(4);
        m->id = ++book.timers_next;
        m->due_ns = cede_now(self) + delay_ns;
        book.timers[m->id] = TIMER_SET;
        CEDE_SIM_CHECK(cede_send_after(self, cede_self_ref(self), &m, delay_ns, NULL) == CEDE_OK);
    }
}

static CEDE_YIELDS void timers_await(cede_self *self, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct later *m = NULL;
        CEDE_SIM_CHECK(cede_recv(self, later, &m, CEDE_FOREVER) == CEDE_OK);
        CEDE_SIM_CHECK(later_take(self, m) == CEDE_OK);
        CEDE_SIM_CHECK(cede_now(self) < m->due_ns + CEDE_SECONDS(100)); /* peers may be at it */
        cede_drop(self, &m);
    }
}

static CEDE_YIELDS void downs_await(cede_self *self) {
    for (uint32_t i = 0; i < PEERS; i++) {
        struct cede_down *m = NULL;
        uint32_t at = 0;
        CEDE_SIM_CHECK(cede_recv(self, cede_down, &m, CEDE_FOREVER) == CEDE_OK);
        while (at < PEERS && !cede_ref_equal(book.peers[at], m->actor)) at++;
        CEDE_SIM_CHECK(at < PEERS);
        CEDE_SIM_CHECK(book.downs[at]++ == 0);
        CEDE_SIM_CHECK(m->reason == CEDE_OK || is_end_by_fault((cede_result)m->reason));
        cede_drop(self, &m);
    }
}

CEDE_YIELDS cede_result workload(cede_self *self, void *context) {
    enum { TIMERS = 3 };
    (void)context;
    peers_start(self);
    cede_sim_calm(true);
    timers_start(self, TIMERS);
    cede_sim_calm(false);
    cede_result r = cede_sleep(self, cede_sim_random() % CEDE_SECONDS(1));
    CEDE_SIM_CHECK(r == CEDE_OK || is_fault(r));
    cede_sim_calm(true); /* what has failed by now must be all that does not come to an end */
    downs_await(self);
    timers_await(self, TIMERS);
    CEDE_SIM_CHECK(cede_sleep(self, CEDE_SECONDS(30)) == CEDE_OK);
    struct cede_down *more = NULL;
    CEDE_SIM_CHECK(cede_recv(self, cede_down, &more, 0) == CEDE_ETIMEDOUT);
    return CEDE_OK;
}
