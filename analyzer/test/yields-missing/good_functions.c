/* Near misses: everything that yields says so, and what does not yield need not. */
#include <stdlib.h>

#include <cede/cede.h>

#define JOB(F) F(u32, rounds)
CEDE_MESSAGE(job, JOB);

struct state {
    int count;
    cede_ref next;
};

typedef CEDE_YIELDS void step_fn(cede_self *self);
typedef void plain_fn(cede_self *self);

CEDE_YIELDS static void pause_a_little(cede_self *self) { cede_yield(self); }

/* Any declaration counts. */
CEDE_YIELDS void declared_in_front(cede_self *self);
void declared_in_front(cede_self *self) { pause_a_little(self); }

/* So does the type that it is declared with. */
static step_fn by_type;
static void by_type(cede_self *self) { cede_yield(self); }

/* Sending does not yield. */
static cede_result forward(cede_self *self, struct state *state, struct job *message) {
    state->count++;
    return cede_send(self, state->next, &message);
}
#define WORKER(ON) ON(job, forward)
CEDE_BEHAVIOUR(worker, struct state, WORKER);

/* Operands that are not evaluated. */
static size_t unevaluated(cede_self *self, int choice) {
    size_t size = sizeof(cede_sleep(self, 1));
    __typeof__(cede_sleep(self, 1)) r = CEDE_OK;
    size += _Generic(choice, int: 1u, default: (pause_a_little(self), 2u));
    return size + (size_t)r;
}

/* A function that is only named. */
static bool is_default(step_fn *step) { return step == pause_a_little || step == by_type; }

/* A pointer that may yield may also be given what does not. */
static void quick(cede_self *self) { (void)cede_now(self); }

struct ops {
    CEDE_YIELDS void (*step)(cede_self *self);
    plain_fn *plain;
    step_fn *typed;
};
static const struct ops table = {.step = quick, .plain = quick, .typed = quick};
static const struct ops more = {by_type, quick, pause_a_little};

CEDE_YIELDS static void run_steps(cede_self *self, step_fn *const *steps, int count) {
    for (int i = 0; i < count; i++)
        steps[i](self);
}

CEDE_YIELDS static cede_result program(cede_self *self, int argc, char **argv) {
    step_fn *steps[] = {quick, pause_a_little, by_type};
    (void)argv;
    run_steps(self, steps, is_default(steps[0]) ? 1 : 3);
    table.plain(self);
    more.step(self);
    declared_in_front(self);
    return unevaluated(self, argc) > 3 ? CEDE_OK : CEDE_EINVAL;
}

/* Passing a yielding function is not calling it. */
int main(int argc, char **argv) { return cede_main(argc, argv, program); }

/* The author's word: an explicit cast. */
typedef void erased_fn(void);
static erased_fn *erased(void) { return (erased_fn *)pause_a_little; }

CEDE_YIELDS void call_erased(cede_self *self, plain_fn *plain);
void call_erased(cede_self *self, plain_fn *plain) {
    if (erased() != NULL)
        plain(self);
}

/* Work for the blocking pool does not yield. */
static cede_result compute(void *message) {
    struct job *job = message;
    job->rounds++;
    return CEDE_OK;
}

CEDE_YIELDS cede_result offload(cede_self *self, struct job *message);
cede_result offload(cede_self *self, struct job *message) {
    cede_result r = cede_run_blocking(self, compute, &message);
    cede_drop(self, &message);
    return r;
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
void sort(int *numbers, size_t count);
void sort(int *numbers, size_t count) { qsort(numbers, count, sizeof *numbers, by_number); }

void never(cede_self *self);

void never(cede_self *self) {
    if (0)
        cede_yield(self);
    if (!1)
        cede_yield(self);
    (void)(1 ? (void)0 : cede_yield(self));
}
