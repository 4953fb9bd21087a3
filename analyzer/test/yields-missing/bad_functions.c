/* Functions and pointers that yield and do not say so. */
#include <cede/cede.h>

#define JOB(F) F(u32, rounds)
CEDE_MESSAGE(job, JOB);

struct state {
    int count;
};

static void pause_a_little(cede_self *self) { cede_yield(self); } // expect: yields-missing // expect-fix: CEDE_YIELDS static void pause_a_little

/* Through another function of the file: both are missing it. */
static void work(cede_self *self, int rounds) { // expect: yields-missing // expect-fix: CEDE_YIELDS static void work
    for (int i = 0; i < rounds; i++)
        pause_a_little(self);
}

static cede_result on_job(cede_self *self, struct state *state, struct job *message) { // expect: yields-missing
    state->count++;
    work(self, (int)message->rounds);
    return CEDE_OK;
}
#define WORKER(ON) ON(job, on_job)
CEDE_BEHAVIOUR(worker, struct state, WORKER);

/* A promise that is broken. */
CEDE_NOYIELD static cede_result quick(cede_self *self) {
    return cede_sleep(self, 10); // expect: yields-missing
}

/* Declared in front: the declaration is what callers see. */
cede_result declared_before(cede_self *self);
cede_result declared_before(cede_self *self) { // expect: yields-missing
    cede_yield(self);
    return quick(self);
}

struct ops {
    void (*plain)(cede_self *self);
    CEDE_YIELDS void (*step)(cede_self *self);
};
typedef CEDE_YIELDS void step_fn(cede_self *self);
typedef void plain_fn(cede_self *self);

/* Through a pointer whose type says that it yields. */
static void through_field(cede_self *self, const struct ops *ops) { ops->step(self); } // expect: yields-missing

static void through_parameter(cede_self *self, step_fn *step) { // expect: yields-missing
    step(self);
}

CEDE_YIELDS static void declared(cede_self *self) { cede_yield(self); }

/* A yielding function loses its colour in a pointer. */
static const struct ops table = {
    .plain = declared, // expect: yields-missing
    .step = declared,
};
static const struct ops both[2] = {
    {declared, declared}, // expect: yields-missing
    {NULL, declared},
};
static plain_fn *const list[] = {declared, NULL}; // expect: yields-missing

void run_plain(plain_fn *run, cede_self *self);

CEDE_YIELDS void assignments(cede_self *self, struct ops *ops, step_fn *step, int which);
void assignments(cede_self *self, struct ops *ops, step_fn *step, int which) {
    plain_fn *local = declared; // expect: yields-missing
    ops->plain = &declared; // expect: yields-missing
    ops->plain = which ? declared : NULL; // expect: yields-missing
    ops->plain = step; // expect: yields-missing
    run_plain(declared, self); // expect: yields-missing
    run_plain(pause_a_little, self); // expect: yields-missing
    local(self);
    list[which](self);
    table.step(self);
    both[0].step(self);
    through_field(self, ops);
    through_parameter(self, step);
    declared_before(self);
}

static plain_fn *choose(void) {
    return declared; // expect: yields-missing
}

/* Mutually recursive. */
static void even(cede_self *self, int n);
static void odd(cede_self *self, int n) { // expect: yields-missing
    if (n > 0)
        even(self, n - 1);
}
static void even(cede_self *self, int n) { // expect: yields-missing
    if (n == 0)
        cede_yield(self);
    else
        odd(self, n - 1);
}

CEDE_YIELDS void use_all(cede_self *self);
void use_all(cede_self *self) {
    choose()(self);
    odd(self, 3);
}

static cede_result program(cede_self *self, int argc, char **argv) { // expect: yields-missing // expect-fix: CEDE_YIELDS static cede_result program
    (void)argv;
    use_all(self);
    return argc > 5 ? CEDE_EINVAL : CEDE_OK;
}

int main(int argc, char **argv) { return cede_main(argc, argv, program); }

/* A label in a branch that is never taken can be jumped to. */
void jumps(cede_self *self, int back);
void jumps(cede_self *self, int back) { // expect: yields-missing
    if (0) {
    again:
        cede_yield(self);
    }
    if (back-- > 0)
        goto again;
}

/* Tables of tables. */
static void (*grid[2][2])(cede_self *self) = {
    {declared, NULL}, // expect: yields-missing
    {NULL, declared}, // expect: yields-missing
};
void use_grid(void);
void use_grid(void) { (void)grid; }
