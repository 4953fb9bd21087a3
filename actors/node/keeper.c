/* keeper.c - the thread that keeps time for the links of a node: heartbeats, deadlines, credits that are owed,
 * admissions and burials. It depends on no worker, so a busy program does not look dead. It sleeps until something is
 * due; an idle node with one link wakes it four times a second.
 * Owns nothing; see own_node.h for what only it may do. */
#include "actors/actor/remote.h"
#include "actors/node/own_node.h"
#include "core/base/base.h"
#include "core/sys/clock.h"

void cedei_keeper_call(struct cedei_own_node *node, uint64_t due_ns) {
    cedei_mutex_lock(&node->keeper_lock);
    if (due_ns < node->keeper_due_ns) {
        node->keeper_due_ns = due_ns;
        cedei_cond_signal(&node->keeper_cond);
    }
    cedei_mutex_unlock(&node->keeper_lock);
}

static bool link_is_closed(struct cedei_link *link) {
    cedei_mutex_lock(&link->lock);
    bool closed = link->state == CEDEI_LINK_CLOSED;
    cedei_mutex_unlock(&link->lock);
    return closed;
}

static struct cedei_link *first_link(struct cedei_own_node *node) {
    cedei_mutex_lock(&node->lock);
    struct cedei_link *link = node->links;
    cedei_mutex_unlock(&node->lock);
    return link;
}

/* Others only add in front, so a link's `next` stays what it is until the keeper itself removes that one. */
static struct cedei_link *next_link(struct cedei_own_node *node, const struct cedei_link *link) {
    cedei_mutex_lock(&node->lock);
    struct cedei_link *next = link->next;
    cedei_mutex_unlock(&node->lock);
    return next;
}

static void bury_one(struct cedei_own_node *node, struct cedei_link *link) {
    cedei_mutex_lock(&node->lock);
    bool silent = node->leaving;
    cedei_mutex_unlock(&node->lock);
    /* Waits for events that run; after it nothing comes over this link any more. */
    if (link->stream != NULL) link->transport->destroy(link->stream);
    cedei_link_bury(link, silent);
    cedei_mutex_lock(&node->lock);
    struct cedei_link_waiter *waiters = cedei_admission_dial_finish(node, link);
    cedei_own_node_forget(node, link);
    cede_result end = link->end;
    cedei_mutex_unlock(&node->lock);
    cedei_waiters_wake(silent ? NULL : node, waiters, end);
    /* Whoever found it on the list and took its lock, not a reference, is done after this. */
    cedei_mutex_lock(&link->lock);
    cedei_mutex_unlock(&link->lock);
    cedei_link_unref(link);
}

static void bury_closed(struct cedei_own_node *node) {
    struct cedei_link *next = NULL;
    for (struct cedei_link *link = first_link(node); link != NULL; link = next) {
        next = next_link(node, link);
        if (link_is_closed(link)) bury_one(node, link);
    }
}

/* One look at everything. Returns when the next one is due. */
static uint64_t keeper_look(struct cedei_own_node *node, uint64_t lag_ns) {
    uint64_t due_ns = UINT64_MAX;
    cedei_mutex_lock(&node->lock);
    bool alone = node->alone;
    cedei_mutex_unlock(&node->lock);
    do bury_closed(node);
    while (cedei_admission_run(node));
    for (struct cedei_link *link = first_link(node); link != NULL; link = next_link(node, link)) {
        if (lag_ns > node->heartbeat_ns) cedei_link_excuse(link, lag_ns);
        uint64_t look_ns = cedei_link_look(link, cedei_clock_now_ns(), alone);
        cedei_link_settle(link);
        uint64_t link_due_ns = cedei_link_tick(link, cedei_clock_now_ns());
        if (look_ns < link_due_ns) link_due_ns = look_ns;
        if (link_due_ns < due_ns) due_ns = link_due_ns;
    }
    return due_ns;
}

void *cedei_keeper_run(void *context) {
    struct cedei_own_node *node = context;
    cedei_mutex_lock(&node->keeper_lock);
    while (!node->keeper_stop) {
        uint64_t planned_ns = node->keeper_due_ns, now_ns = cedei_clock_now_ns();
        if (now_ns < planned_ns) {
            (void)cedei_cond_wait_until(&node->keeper_cond, &node->keeper_lock, planned_ns);
            continue;
        }
        node->keeper_due_ns = UINT64_MAX;
        cedei_mutex_unlock(&node->keeper_lock);
        /* Called at once (0) is no lag. When we are late, so is everybody's sign of life: not the peers' fault. */
        uint64_t due_ns = keeper_look(node, planned_ns == 0 ? 0 : now_ns - planned_ns);
        cedei_keeper_call(node, due_ns);
        cedei_mutex_lock(&node->keeper_lock);
    }
    cedei_mutex_unlock(&node->keeper_lock);
    return NULL;
}
