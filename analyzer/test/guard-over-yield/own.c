/* Guards of a user's own, by annotations alone. */
#include <stddef.h>
#include <cede/annotate.h>
/* own */
struct co;

struct lk {
    int v;
};

struct dev {
    struct lk lock;
    int n;
};

CEDE_YIELDS void co_wait(struct co *co CEDE_BORROWED);
void lk_take(struct lk *l CEDE_ACQUIRED);
int lk_try(struct lk *l CEDE_ACQUIRED_ON_OK);
_Bool lk_trylock(struct lk *l CEDE_ACQUIRED_ON_OK);
void lk_give(struct lk *l CEDE_RELEASED);
CEDE_ACQUIRED void preempt_off(void);
CEDE_RELEASED void preempt_on(void);

struct CEDE_GUARD span {
    int depth;
};
struct span span_open(struct dev *d);
void span_close(struct span s CEDE_RELEASED);
typedef CEDE_YIELDS void step(struct co *);

struct ops {
    CEDE_YIELDS int (*read)(struct co *, struct dev *);
    int (*peek)(struct dev *);
};

CEDE_YIELDS void a1(struct co *co, struct dev *d) {
    lk_take(&d->lock);
    co_wait(co); // expect: guard-over-yield
    lk_give(&d->lock);
}

CEDE_YIELDS void a2(struct co *co, struct dev *d) {
    if (lk_try(&d->lock) == 0) {
        co_wait(co); // expect: guard-over-yield
        lk_give(&d->lock);
    }
}

CEDE_YIELDS void a3(struct co *co, struct dev *d) {
    if (!lk_trylock(&d->lock))
        return;
    co_wait(co); // expect: guard-over-yield
    lk_give(&d->lock);
}

CEDE_YIELDS void a4(struct co *co) {
    preempt_off();
    co_wait(co); // expect: guard-over-yield
    preempt_on();
}

CEDE_YIELDS void a5(struct co *co, struct dev *d) {
    struct span s = span_open(d);
    d->n++;
    co_wait(co); // expect: guard-over-yield
    span_close(s);
}

CEDE_YIELDS int a6(struct co *co, struct dev *d, const struct ops *ops) {
    lk_take(&d->lock);
    int n = ops->read(co, d); // expect: guard-over-yield
    lk_give(&d->lock);
    return n;
}

CEDE_YIELDS void a7(struct co *co, struct dev *d, step *const *steps) {
    lk_take(&d->lock);
    for (int i = 0; steps[i] != NULL; i++)
        steps[i](co); // expect: guard-over-yield
    lk_give(&d->lock);
}

CEDE_YIELDS void a8(struct co *co) {
    struct span s = span_open(NULL);
    {
        struct span t = s;
        (void)t;
        co_wait(co); // expect: guard-over-yield
    }

    span_close(s);
}

static void undeclared_wait(struct co *co) {
    co_wait(co);
}

CEDE_YIELDS void a9(struct co *co, struct dev *d) {
    lk_take(&d->lock);
    undeclared_wait(co); // expect: guard-over-yield
    lk_give(&d->lock);
}

/* an infinite loop with a guard */
CEDE_YIELDS void a10(struct co *co, struct dev *d) {
    for (;;) {
        lk_take(&d->lock);
        if (d->n)
            break;
        co_wait(co); // expect: guard-over-yield
        lk_give(&d->lock);
    }
    lk_give(&d->lock);
}

/* a value that no call made */
CEDE_YIELDS int a_value_by_a_list(struct co *co, struct dev *d) {
    struct span s = {.depth = d->n};
    co_wait(co); // expect: guard-over-yield
    return s.depth;
}

CEDE_YIELDS void a_value_assigned(struct co *co, struct dev *d) {
    struct span s = {0};
    co_wait(co); /* nothing is held yet */
    s = (struct span){d->n + 1};
    co_wait(co); // expect: guard-over-yield
    span_close(s);
}

/* the neighbour is given back */
CEDE_YIELDS void another_of_the_array(struct co *co, struct dev *d) {
    lk_take(&d[1].lock);
    lk_give(&d[0].lock);
    co_wait(co); // expect: guard-over-yield
    lk_give(&d[1].lock);
}

struct pair {
    struct lk left, right;
};

CEDE_YIELDS void another_of_the_struct(struct co *co, struct pair *pair) {
    lk_take(&pair->left);
    lk_give(&pair->right);
    co_wait(co); // expect: guard-over-yield
}

/* silent */
CEDE_YIELDS void the_same_of_the_array(struct co *co, struct dev *d, int i) {
    lk_take(&d[1].lock);
    lk_give(&d[i].lock); /* it may be that one */
    co_wait(co);
}

CEDE_YIELDS int a_value_that_has_ended(struct co *co, struct dev *d) {
    struct span s = {d->n};
    span_close(s);
    co_wait(co);
    return d->n;
}

CEDE_YIELDS void a_value_of_zeroes(struct co *co) {
    struct span s = {0}, t = {};
    (void)s, (void)t;
    co_wait(co);
}

CEDE_YIELDS void o1(struct co *co, struct dev *d) {
    lk_take(&d->lock);
    d->n++;
    lk_give(&d->lock);
    co_wait(co);
}

CEDE_YIELDS void o2(struct co *co, struct dev *d) {
    if (lk_try(&d->lock) != 0) {
        co_wait(co);
        return;
    }
    d->n++;
    lk_give(&d->lock);
    co_wait(co);
}

CEDE_YIELDS void o3(struct co *co) {
    preempt_off();
    preempt_on();
    co_wait(co);
}

CEDE_YIELDS void o4(struct co *co, struct dev *d) {
    {
        struct span s = span_open(d);
        d->n++;
        span_close(s);
    }
    co_wait(co);
}

CEDE_YIELDS int o5(struct co *co, struct dev *d, const struct ops *ops) {
    lk_take(&d->lock);
    int n = ops->peek(d);
    lk_give(&d->lock);
    return n + ops->read(co, d);
}

CEDE_YIELDS void o6(struct co *co, struct dev *d) {
    for (;;) {
        lk_take(&d->lock);
        int n = d->n;
        lk_give(&d->lock);
        if (n)
            break;
        co_wait(co);
    }
}
