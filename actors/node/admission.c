/* admission.c - which of several links to one node stands: simultaneous dials, dead links not noticed yet, restarted
 * peers. Owns no state. A READY carries a stamp, a number that its sender counts up over all its links. Rules:
 * (1) A dialed link is not confirmed while another to the same node is up.
 * (2) Both sides dialed at once: the dial of the node with the smaller uid stands.
 * (3) A link is up and another arrives from the same node: the later stamp stands. It is the older one only if the
 *     peer sent it before it accepted ours, and then ours stands by (2).
 * (4) Another node of the same name: the newcomer is a new start of the peer, and stands.
 * What has to go is buried, with everybody told, before the one that stands comes up. */
#include <string.h>

#include "actors/node/own_node.h"
#include "core/base/base.h"

/* What is looked at of another link, in one section of its lock. */
struct rival {
    enum cedei_link_state state;
    bool was_up;
    bool same_uid, same_name;
    uint64_t peer_stamp;
};

static struct rival rival_look(struct cedei_link *other, const struct cedei_hello *peer) {
    cedei_mutex_lock(&other->lock);
    struct rival rival = {.state = other->state,
                          .was_up = other->was_up,
                          .same_uid = other->peer.uid == peer->uid,
                          .same_name =
                              other->peer.uid != 0 && strcmp(other->peer.name, peer->name) == 0,
                          .peer_stamp = other->peer_stamp};
    cedei_mutex_unlock(&other->lock);
    return rival;
}

static bool link_is_up(struct cedei_link *link) {
    cedei_mutex_lock(&link->lock);
    bool up = link->state == CEDEI_LINK_UP;
    cedei_mutex_unlock(&link->lock);
    return up;
}

static bool node_is_linked(struct cedei_own_node *node, uint64_t uid) {
    struct cedei_hash_node *found = cedei_hash_find(&node->by_uid, uid);
    for (; found != NULL; found = found->next) {
        if (found->key != uid) continue;
        if (link_is_up(CEDEI_CONTAINER_OF(found, struct cedei_link, by_uid))) return true;
    }
    return false;
}

static void dial_note_uid(struct cedei_own_node *node, const struct cedei_link *link) {
    for (struct cedei_dial *dial = node->dials; dial != NULL; dial = dial->next) {
        if (dial->link == link) dial->uid = link->peer.uid;
    }
}

cede_result cedei_admission_confirm(struct cedei_own_node *node, struct cedei_link *link) {
    cede_result result = CEDE_OK;
    uint8_t *body = NULL;
    cedei_mutex_lock(&node->lock);
    if (link->dialed) dial_note_uid(node, link);
    if (link->dialed && node_is_linked(node, link->peer.uid)) {
        result = CEDE_ECANCELED;
        goto unlock;
    }
    cedei_mutex_lock(&link->lock);
    if (link->state == CEDEI_LINK_GREETING && link->dialed) {
        body = cedei_link_frame(link, CEDEI_FRAME_READY, CEDEI_READY_SIZE);
        if (body == NULL) result = CEDE_ENOMEM;
    } else if (link->state == CEDEI_LINK_GREETING) {
        link->state = CEDEI_LINK_GREETED;
    }
    if (body != NULL) {
        link->own_stamp = ++node->stamp;
        cedei_ready_write(link->own_stamp, body);
        link->state = CEDEI_LINK_CONFIRMED;
        cedei_link_push(link);
    }
    cedei_mutex_unlock(&link->lock);
unlock:
    cedei_mutex_unlock(&node->lock);
    return result;
}

enum verdict { STANDS, WAITS, REFUSED };

/* What `other` means for `link`, which asks for admission. */
static enum verdict rival_judge(struct cedei_own_node *node, struct cedei_link *link,
                                struct cedei_link *other) {
    struct rival rival = rival_look(other, &link->peer);
    bool older = rival.same_uid && link->peer_stamp < rival.peer_stamp;
    if (!rival.same_uid && !rival.same_name) return STANDS;
    switch (rival.state) {
    case CEDEI_LINK_UP:
        if (older) return REFUSED;
        cedei_link_fail(other, CEDE_ENODE, "%s",
                        rival.same_uid ? "replaced by a newer link" : "the peer has started anew");
        return WAITS;
    case CEDEI_LINK_LEAVING:
        if (!rival.was_up) return STANDS;
        cedei_link_fail(other, CEDE_ENODE, "replaced by a newer link");
        return WAITS;
    case CEDEI_LINK_CLOSED: return rival.was_up ? WAITS : STANDS;
    case CEDEI_LINK_CONFIRMED:
        if (!rival.same_uid || link->dialed) return STANDS;
        if (node->hello.uid < link->peer.uid) return REFUSED;
        cedei_link_fail(other, CEDE_ECANCELED, "both sides dialed");
        return STANDS;
    case CEDEI_LINK_ADMISSION:
        /* Both may come up. The later one of the peer's READYs says which it took. */
        if (!rival.same_uid) return STANDS;
        if (older) return REFUSED;
        cedei_link_fail(other, CEDE_ECANCELED, "both sides dialed");
        return STANDS;
    default: return STANDS;
    }
}

static enum verdict link_judge(struct cedei_own_node *node, struct cedei_link *link) {
    enum verdict verdict = STANDS;
    for (struct cedei_link *other = node->links; other != NULL; other = other->next) {
        if (other == link) continue;
        enum verdict one = rival_judge(node, link, other);
        if (one == REFUSED) return REFUSED;
        if (one == WAITS) verdict = WAITS;
    }
    return verdict;
}

static bool link_asks(struct cedei_link *link) {
    cedei_mutex_lock(&link->lock);
    bool asks = link->state == CEDEI_LINK_ADMISSION && link->paused;
    cedei_mutex_unlock(&link->lock);
    return asks;
}

/* The turns that wait for this dial; the dial is over. */
static struct cedei_link_waiter *dial_finish(struct cedei_own_node *node,
                                             const struct cedei_link *link) {
    struct cedei_link_waiter *waiters = NULL;
    for (struct cedei_dial *dial = node->dials; dial != NULL; dial = dial->next) {
        if (dial->link != link) continue;
        waiters = dial->waiters;
        dial->waiters = NULL;
        dial->link = NULL;
    }
    return waiters;
}

struct cedei_link_waiter *cedei_admission_dial_finish(struct cedei_own_node *node,
                                                      const struct cedei_link *link) {
    return link->dialed ? dial_finish(node, link) : NULL;
}

/* Under the node's lock. */
static struct cedei_link_waiter *link_set_up(struct cedei_own_node *node, struct cedei_link *link) {
    if (!link->dialed) link->own_stamp = ++node->stamp;
    cedei_hash_insert(&node->by_uid, &link->by_uid, link->peer.uid);
    link->listed_by_uid = true;
    cedei_link_admit(link, link->own_stamp);
    return cedei_admission_dial_finish(node, link);
}

bool cedei_admission_run(struct cedei_own_node *node) {
    bool bury_first = false;
    struct cedei_link *next = NULL;
    cedei_mutex_lock(&node->lock);
    struct cedei_link *link = node->links;
    cedei_mutex_unlock(&node->lock);
    for (; link != NULL; link = next) {
        struct cedei_link_waiter *woken = NULL;
        enum verdict verdict = WAITS;
        bool asks = link_asks(link);
        cedei_mutex_lock(&node->lock);
        if (asks) verdict = node->leaving ? REFUSED : link_judge(node, link);
        if (asks && verdict == STANDS) woken = link_set_up(node, link);
        next = link->next;
        cedei_mutex_unlock(&node->lock);
        if (!asks) continue;
        if (verdict == REFUSED)
            cedei_link_leave(link, CEDE_ECANCELED, "a link to that node is up already");
        if (verdict == STANDS) cedei_waiters_wake(node, woken, CEDE_OK);
        /* A refused one is read, too: until the peer hangs up. */
        if (verdict != WAITS) cedei_link_resume(link);
        if (verdict == WAITS) bury_first = true;
    }
    return bury_first;
}
