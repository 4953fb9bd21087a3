/* Every way to go on using a message that was given away: through what holds the alias, which part of the message, read or
 * written, before or after its receiver has dropped it. Each must end the process with a report of both places: where
 * it was used and where it was given away. So must the other ways of giving it away. */
#include <cede/job.h>
#include <cede/timer.h>

#include "core/sys/guard.h"
#include "tests/support/actors.h"

#define LINE(F)                                                                                    \
    F(u64, amount)                                                                                 \
    F(str, text)
CEDE_MESSAGE(line, LINE);
#define PARCEL(F)                                                                                  \
    F(u64, id)                                                                                     \
    F(str, text)                                                                                   \
    F(bytes, data)                                                                                 \
    F(list(line), lines)                                                                           \
    F(opt(line), gift)
CEDE_MESSAGE(parcel, PARCEL);

#if CEDEI_GUARD_NOTES
/* Names of functions cost AddressSanitizer a quarter of a second for each report; the line of ours has the one that counts. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "symbolize=0:abort_on_error=1"; }
#endif

/* ---- one mistake ---- */

enum holder { IN_GLOBAL, IN_STATE, ON_ANOTHER_STACK, IN_THREAD, IN_JOB, HOLDERS };
enum part { STRUCT, TEXT, BYTES, LIST, TEXT_IN_LIST, BOX, PARTS };
enum way { SEND, SPAWN, ASK, REPLY, SEND_AFTER, RUN_BLOCKING, JOB, DROP, KEEP, WAYS };

static const char *const HOLDER_TEXT[] = {"a global", "the state", "another actor's stack",
                                          "a plain thread", "a job"};
static const char *const PART_TEXT[] = {"struct", "text", "bytes", "list", "text in a list", "box"};
static const char *const WAY_TEXT[] = {
    "sent",       "given to a new actor", "asked",          "replied",
    "sent later", "lent to the pool",     "given to a job", "dropped",
    "kept"};

static struct mistake {
    enum holder holder;
    enum part part;
    enum way way;
    bool writes, after_drop;
} mistake;

static unsigned char *alias;     /* into the message, as it was before it was given away */
static _Atomic uint32_t is_away; /* 1: it has been given away */
static _Atomic uint32_t is_gone; /* 1: and been dropped by whoever had it then */
static cede_ref receiver_ref;

CEDEI_NOINLINE static void use_alias(unsigned char *at, bool writes) {
    volatile unsigned char *byte = at;
    if (writes)
        *byte = 7;
    else
        (void)*byte;
}

static struct parcel *parcel_make(cede_self *self) {
    struct parcel *parcel = cede_new(self, parcel);
    EXPECT(parcel != NULL);
    EXPECT_OK(cede_str_set(&parcel->text, "a text of some length"));
    EXPECT_OK(cede_bytes_set(&parcel->data, "some bytes", 10));
    struct line *line = cede_list_add(&parcel->lines);
    EXPECT(line != NULL);
    EXPECT_OK(cede_str_set(&line->text, "a text in a list"));
    EXPECT(cede_opt_make(&parcel->gift) != NULL);
    return parcel;
}

static unsigned char *part_of(struct parcel *parcel, enum part part) {
    switch (part) {
    case STRUCT: return (unsigned char *)&parcel->id;
    case TEXT: return (unsigned char *)parcel->text.data;
    case BYTES: return parcel->data.data;
    case LIST: return (unsigned char *)parcel->lines.items;
    case TEXT_IN_LIST: return (unsigned char *)parcel->lines.items[0].text.data;
    default: return (unsigned char *)parcel->gift;
    }
}

/* ---- who gets it ---- */

struct receiver {
    struct parcel *kept;
};

static CEDE_YIELDS cede_result on_receiver_parcel(cede_self *self, struct receiver *state,
                                                  struct parcel *message) {
    (void)state;
    if (!mistake.after_drop) (void)cede_sleep(self, CEDE_FOREVER); /* has it for good */
    cede_drop(self, &message);
    flag_set(&is_gone, 1);
    return CEDE_OK;
}
#define RECEIVER(ON) ON(parcel, on_receiver_parcel)
CEDE_BEHAVIOUR(receiver, struct receiver, RECEIVER);

static cede_result pass(void *message) {
    (void)message;
    flag_set(&is_away, 1);
    use_alias(alias, mistake.writes); /* the turn's address, which is not the job's */
    return CEDE_OK;
}

static cede_result pass_job(void *message, const cede_cancel *cancel) {
    (void)cancel;
    return pass(message);
}

/* Tells the parent where it is given away. */
#define GIVE(call) (fprintf(stderr, "given at %s by", CEDEI_HERE), (call))

static CEDE_YIELDS void give_away(cede_self *self, struct parcel *parcel) {
    struct parcel *reply = NULL;
    cede_job *job = NULL;
    struct parcel *kept = NULL;
    cede_result r = CEDE_OK;
    switch (mistake.way) {
    case SEND: r = GIVE(cede_send(self, receiver_ref, &parcel)); break;
    case SPAWN: r = GIVE(cede_spawn(self, &receiver, &parcel, NULL)); break;
    case ASK: r = GIVE(cede_ask(self, receiver_ref, &parcel, parcel, &reply, 1)); break;
    case SEND_AFTER: r = GIVE(cede_send_after(self, receiver_ref, &parcel, 1, NULL)); break;
    case RUN_BLOCKING: r = GIVE(cede_run_blocking(self, pass, &parcel)); break;
    case JOB: r = GIVE(cede_job_start_blocking(self, NULL, pass_job, &parcel, &job)); break;
    case DROP: GIVE(cede_drop(self, &parcel)); break;
    case KEEP:
        kept = GIVE(cede_keep(self, &parcel));
        break; /* the state has it, at another address */
    default: break;
    }
    if (mistake.way == ASK && r == CEDE_ETIMEDOUT) r = CEDE_OK;
    EXPECT_OK(r);
    if (mistake.way == KEEP)
        EXPECT(strcmp(cede_str_text(&kept->text), "a text of some length") == 0);
    if (mistake.after_drop) flag_await(self, &is_gone, 1);
    flag_set(&is_away, 1);
}

/* ---- who still has an alias ---- */

struct holder_state {
    unsigned char *held;
};

static cede_result on_holder_number(cede_self *self, struct holder_state *state,
                                    struct number *message) {
    (void)self;
    if (message->value == 0)
        state->held = alias;
    else
        use_alias(state->held, mistake.writes);
    return CEDE_OK;
}
#define HOLDER(ON) ON(number, on_holder_number)
CEDE_BEHAVIOUR(holder, struct holder_state, HOLDER);

static CEDE_YIELDS cede_result hold_on_the_stack(cede_self *self, void *context) {
    (void)context;
    unsigned char *held = alias;
    flag_await(self, &is_away, 1);
    use_alias(held, mistake.writes);
    return CEDE_STOP;
}

static void *hold_in_a_thread(void *held) {
    while (flag_get(&is_away) == 0) sched_yield();
    use_alias(held, mistake.writes);
    return NULL;
}

static cede_result use_in_a_job(void *message) {
    (void)message;
    use_alias(alias, mistake.writes);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result answer_with_it(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    struct parcel *parcel = parcel_make(self);
    alias = part_of(parcel, mistake.part);
    EXPECT_OK(GIVE(cede_reply(self, request, &parcel)));
    use_alias(alias, mistake.writes);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result make_the_mistake(cede_self *self, void *context) {
    (void)context;
    if (mistake.way == REPLY) {
        struct question *request = cede_new(self, question);
        struct parcel *reply = NULL;
        EXPECT(request != NULL);
        EXPECT_OK(cede_ask(self, play(self, answer_with_it, NULL), &request, parcel, &reply,
                           CEDE_FOREVER));
        return cede_sleep(self, CEDE_FOREVER);
    }
    EXPECT_OK(cede_spawn(self, &receiver, CEDE_NOTHING, &receiver_ref));
    struct parcel *parcel = parcel_make(self);
    alias = part_of(parcel, mistake.part);
    cede_ref actor = {0};
    pthread_t thread;
    EXPECT_OK(cede_spawn(self, &holder, CEDE_NOTHING, &actor));
    if (mistake.holder == IN_STATE) number_send(self, actor, 0);
    if (mistake.holder == ON_ANOTHER_STACK) (void)play(self, hold_on_the_stack, NULL);
    if (mistake.holder == IN_THREAD)
        EXPECT(pthread_create(&thread, NULL, hold_in_a_thread, alias) == 0);
    give_away(self, parcel);
    if (mistake.holder == IN_STATE) number_send(self, actor, 1);
    struct number *nothing = cede_new(self, number);
    if (mistake.holder == IN_JOB) (void)cede_run_blocking(self, use_in_a_job, &nothing);
    if (mistake.holder == IN_GLOBAL) use_alias(alias, mistake.writes);
    if (mistake.holder == IN_THREAD) pthread_join(thread, NULL);
    return cede_sleep(self, CEDE_FOREVER);
}

/* ---- the report ---- */

static void mistake_in_a_child(void *context) {
    (void)context;
    cede_system *system = NULL;
    struct cede_options options = {.workers = 2, .strict = true};
    EXPECT_OK(cede_system_create(&system, &options));
    EXPECT_OK(cede_block_on(system, make_the_mistake, NULL));
    cede_system_destroy(system);
}

static uint32_t tried, trapped;

static void expect_trapped(struct mistake next) {
    static struct child_end end;
    mistake = next;
    child_run(&end, mistake_in_a_child, NULL);
    const char *how =
        mistake.way == DROP ? "or a part of it was dropped at " : "or a part of it was moved at ";
    const char *report = strstr(end.text, "cede: strict mode: ");
    const char *given = strstr(end.text, "given at "), *given_end = NULL;
    char place[400] = "";
    if (given != NULL) given_end = strstr(given, " by");
    if (given_end != NULL)
        snprintf(place, sizeof place, "%s%.*s by actor '", how, (int)(given_end - given - 9),
                 given + 9);
    bool says_where_given = report != NULL && *place != '\0' && strstr(report, place) != NULL &&
                            strstr(report, "a message 'parcel'") != NULL;
    bool says_where_used = report != NULL && strstr(report, "used in use_alias") != NULL;
    bool says_to_whom =
        mistake.way != SEND || (report != NULL && strstr(report, "to actor 'receiver'"));
    bool died = WIFSIGNALED(end.status) && WTERMSIG(end.status) != SIGALRM;
    tried++;
    if (died && says_where_given && says_where_used && says_to_whom) {
        trapped++;
        return;
    }
    fprintf(stderr, "not trapped: %s, %s through %s, %s%s: status %x, it said:\n%s\n",
            WAY_TEXT[mistake.way], PART_TEXT[mistake.part], HOLDER_TEXT[mistake.holder],
            mistake.writes ? "written" : "read", mistake.after_drop ? " after it was dropped" : "",
            (unsigned)end.status, end.text);
}

static void alias_is_trapped_whoever_holds_it(void **state) {
    (void)state;
    if (!CEDEI_GUARDS && !CEDEI_GUARD_NOTES) skip(); /* only builds with checks can */
    tried = trapped = 0;
    for (int where = 0; where < HOLDERS; where++)
        for (int part = 0; part < PARTS; part++)
            for (int use = 0; use < 4; use++)
                expect_trapped((struct mistake){.holder = (enum holder)where,
                                                .part = (enum part)part,
                                                .way = SEND,
                                                .writes = (use & 1) != 0,
                                                .after_drop = (use & 2) != 0});
    printf("%u aliasing mistakes, %u trapped\n", tried, trapped);
    assert_int_equal(trapped, tried);
}

static void alias_is_trapped_however_it_was_given_away(void **state) {
    (void)state;
    if (!CEDEI_GUARDS && !CEDEI_GUARD_NOTES) skip(); /* as above */
    tried = trapped = 0;
    for (int way = SPAWN; way < WAYS; way++)
        for (int part = 0; part < PARTS; part++)
            for (int writes = 0; writes < 2; writes++)
                expect_trapped((struct mistake){
                    .way = (enum way)way, .part = (enum part)part, .writes = writes != 0});
    printf("%u further aliasing mistakes, %u trapped\n", tried, trapped);
    assert_int_equal(trapped, tried);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alias_is_trapped_whoever_holds_it),
        cmocka_unit_test(alias_is_trapped_however_it_was_given_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
