/* node.c - the public face of the node layer, and what the actor runtime calls when a ref lives elsewhere.
 * Owns nothing: the node hangs on its system, which ends it. */
#include <cede/node.h>

#include <stdio.h>
#include <string.h>

#include "actors/actor/remote.h"
#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "actors/node/own_node.h"
#include "core/sys/clock.h"
#include "core/sys/random.h"

#define BACKOFF_FIRST_NS 5000000u
#define BACKOFF_MOST_NS 250000000u

CEDE_MESSAGE_DEFINE(cede_node_lookup, CEDEI_NODE_LOOKUP);
CEDE_MESSAGE_DEFINE(cede_node_found, CEDEI_NODE_FOUND);

/* ---- called by the runtime ---- */

static cede_result node_send(void *context, cede_ref to, struct cedei_msg *msg,
                             struct cedei_return back, uint64_t deadline_ns) {
    struct cedei_link *link = cedei_own_node_lock_to(context, to.node);
    return link != NULL ? cedei_link_send(link, to, msg, back, deadline_ns) : CEDE_ENODE;
}

static cede_result node_await_room(void *context, cede_ref to, cede_ref waiter, uint32_t sequence) {
    struct cedei_link *link = cedei_own_node_link_to(context, to.node);
    if (link == NULL) return CEDE_ENODE;
    cede_result result = cedei_link_await_room(link, to, waiter, sequence);
    cedei_link_unref(link);
    return result;
}

static cede_result node_reply(void *context, struct cedei_return back, struct cedei_msg *msg,
                              cede_result code) {
    struct cedei_own_node *node = context;
    struct cedei_link *link = cedei_own_node_lock_numbered(node, back.peer);
    if (link == NULL) return CEDE_ENODE;
    const struct cede_type *type = msg != NULL ? msg->type : NULL;
    cede_result result =
        cedei_link_reply(link, back, type, msg != NULL ? cedei_msg_body(msg) : NULL, code);
    if (result == CEDE_OK && msg != NULL) cedei_msg_free(node->system, msg);
    if (result == CEDE_OK || result == CEDE_EFULL || result == CEDE_ENODE) return result;
    /* This answer can never leave, and the request counts as answered: the asker must not wait for ever. */
    link = cedei_own_node_lock_numbered(node, back.peer);
    if (link != NULL) (void)cedei_link_reply(link, back, NULL, NULL, result);
    return result;
}

static void node_consumed(void *context, uint32_t account, uint32_t slot) {
    struct cedei_own_node *node = context;
    uint32_t peer = 0;
    if (!cedei_account_leave(&node->accounts, account, &peer)) return;
    struct cedei_link *link = cedei_own_node_lock_numbered(context, peer);
    if (link == NULL) return;
    cedei_link_consumed(link, slot);
    cedei_mutex_unlock(&link->lock);
}

static cede_result node_monitor(void *context, cede_ref watcher, cede_ref target) {
    struct cedei_own_node *node = context;
    struct cedei_link *link = cedei_own_node_link_to(node, target.node);
    cede_result result = CEDE_ENODE;
    if (link != NULL) result = cedei_link_monitor(link, watcher, target);
    cedei_link_unref(link);
    if (result != CEDE_ENODE) return result;
    cedei_down_deliver(node->system, watcher, target, CEDE_ENODE);
    return CEDE_OK;
}

static cede_result node_demonitor(void *context, cede_ref watcher, cede_ref target) {
    struct cedei_link *link = cedei_own_node_link_to(context, target.node);
    cede_result result = link != NULL ? cedei_link_demonitor(link, watcher, target) : CEDE_ENOENT;
    cedei_link_unref(link);
    return result;
}

static void node_down(void *context, cede_ref watcher, cede_ref target, cede_result reason) {
    struct cedei_link *link = cedei_own_node_link_to(context, watcher.node);
    if (link == NULL) return;
    cedei_link_down(link, watcher, target, reason);
    cedei_link_unref(link);
}

static void node_destroy(void *context) { cedei_own_node_destroy(context, true); }

static const struct cedei_remote_ops node_ops = {
    .send = node_send,
    .await_room = node_await_room,
    .reply = node_reply,
    .consumed = node_consumed,
    .monitor = node_monitor,
    .demonitor = node_demonitor,
    .down = node_down,
    .destroy = node_destroy,
};

/* ---- look-ups from other nodes ---- */

cede_result cedei_own_node_serve(struct cedei_own_node *node, struct cedei_link *link,
                                 const struct cedei_data_head *head, const uint8_t *bytes,
                                 size_t size) {
    const struct cede_type *type = &cede_type_cede_node_lookup;
    struct cede_node_lookup lookup;
    struct cede_node_found found = {.actor = {0, 0, 0}};
    if (head->target.generation != CEDEI_SERVICE_GENERATION || head->ask_sequence == 0)
        return CEDE_ENOACTOR;
    if (head->type_id != cedei_type_id(type)) return CEDE_EUNHANDLED;
    struct cedei_mismatch why;
    cede_result result = cedei_message_read(type, head->schema, bytes, size, NULL, &lookup, &why);
    if (result != CEDE_OK) return result;
    result =
        cedei_names_find(&node->names, cede_str_text(&lookup.name), lookup.name.size, &found.actor);
    cedei_message_clear(type, &lookup);
    if (result != CEDE_OK) return result;
    struct cedei_return back = {
        .peer = link->number, .slot = head->asker_slot, .sequence = head->ask_sequence};
    cedei_mutex_lock(&link->lock);
    return cedei_link_reply(link, back, &cede_type_cede_node_found, &found, CEDE_OK);
}

/* ---- the public functions ---- */

/* NULL: this system is no node, or nobody calls. */
static struct cedei_own_node *node_of(cede_self *self) {
    return self != NULL ? cedei_system_remote(cede_self_system(self)) : NULL;
}

/* What a call says that finds no node. */
static cede_result no_node(const cede_self *self) {
    return self == NULL ? CEDE_ECONTEXT : CEDE_ENOENT;
}

cede_result cedei_node_start(cede_system *system, const struct cede_node_options *options,
                             const struct cedei_transport *transport) {
    struct cedei_own_node *node = NULL;
    if (options == NULL) return CEDE_EINVAL;
    if (cedei_system_remote(system) != NULL) return CEDE_EEXIST;
    cede_result result =
        cedei_own_node_create(system, cedei_system_uid(system), options, transport, &node);
    if (result != CEDE_OK) return result;
    result = cedei_system_set_remote(system, &node_ops, node);
    if (result != CEDE_OK) cedei_own_node_destroy(node, false);
    return result;
}

cede_result cede_node_start(cede_self *self, const struct cede_node_options *options) {
    if (self == NULL) return CEDE_ECONTEXT;
    return cedei_node_start(cede_self_system(self), options, NULL);
}

cede_result cede_node_url(cede_self *self, char *url, size_t size) {
    const struct cedei_own_node *node = node_of(self);
    if (node == NULL || node->url[0] == '\0') return no_node(self);
    if (strlen(node->url) >= size) return CEDE_ETOOBIG;
    memcpy(url, node->url, strlen(node->url) + 1);
    return CEDE_OK;
}

uint64_t cede_node_uid(cede_self *self) {
    return self != NULL ? cedei_system_uid(cede_self_system(self)) : 0;
}

static uint64_t remaining_ns(uint64_t deadline_ns) {
    if (deadline_ns == CEDE_FOREVER) return CEDE_FOREVER;
    uint64_t now_ns = cedei_clock_now_ns();
    return now_ns < deadline_ns ? deadline_ns - now_ns : 0;
}

/* One attempt: CEDE_OK with `*uid`, or why not. */
CEDE_YIELDS static cede_result connect_once(cede_self *self, struct cedei_own_node *node,
                                            const char *url, uint64_t deadline_ns, uint64_t *uid) {
    uint32_t sequence = cedei_park_begin(self);
    cede_result result = cedei_own_node_dial(node, url, cede_self_ref(self), sequence, uid);
    if (result == CEDE_EEXIST) return CEDE_OK;
    if (result != CEDE_OK) return result;
    result = cedei_park(self, sequence, remaining_ns(deadline_ns));
    /* What was woken for is looked up again: the link may be down by now, or another one up. */
    return cedei_own_node_dialed_uid(node, url, uid) ? CEDE_OK
           : result == CEDE_OK                       ? CEDE_ENODE
                                                     : result;
}

/* Nobody there yet, gone again, or both sides dialed at once. */
static bool worth_another_try(cede_result result) {
    return result == CEDE_ENODE || result == CEDE_ECLOSED || result == CEDE_ECANCELED ||
           result == CEDE_EIO;
}

cede_result cede_node_connect(cede_self *self, const char *url, uint64_t timeout_ns, uint64_t *uid) {
    struct cedei_own_node *node = node_of(self);
    if (node == NULL) return no_node(self);
    if (url == NULL) return CEDE_EINVAL;
    cede_result result = cedei_url_check(url);
    if (result != CEDE_OK) return result;
    uint64_t now_ns = cedei_clock_now_ns(), backoff_ns = BACKOFF_FIRST_NS, found = 0;
    uint64_t deadline_ns = timeout_ns < CEDE_FOREVER - now_ns ? now_ns + timeout_ns : CEDE_FOREVER;
    cede_result before = CEDE_ETIMEDOUT;
    for (;;) {
        result = connect_once(self, node, url, deadline_ns, &found);
        /* The time ran out in the middle of a further attempt: what the others met with says more. */
        if (result == CEDE_ETIMEDOUT) result = before;
        uint64_t left_ns = remaining_ns(deadline_ns);
        if (!worth_another_try(result) || left_ns == 0 || cedei_own_node_is_leaving(node)) break;
        before = result;
        /* Half fixed, half random, so that peers that lost each other do not meet in step. */
        uint64_t pause_ns = backoff_ns / 2 + cedei_random_u64() % (backoff_ns / 2 + 1);
        cede_result slept = cede_sleep(self, pause_ns < left_ns ? pause_ns : left_ns);
        if (slept != CEDE_OK) return slept;
        if (backoff_ns < BACKOFF_MOST_NS) backoff_ns *= 2;
    }
    if (result == CEDE_ECANCELED || result == CEDE_EIO) result = CEDE_ENODE;
    if (result == CEDE_OK && uid != NULL) *uid = found;
    return result;
}

cede_result cede_publish(cede_self *self, const char *name, cede_ref ref) {
    struct cedei_own_node *node = node_of(self);
    if (node == NULL) return no_node(self);
    if (name == NULL) return CEDE_EINVAL;
    return cedei_names_set(&node->names, name, ref, &node->exports);
}

CEDE_YIELDS static cede_result lookup_there(cede_self *self, uint64_t uid, const char *name,
                                            uint64_t timeout_ns, cede_ref *out) {
    cede_ref service = {uid, CEDEI_SERVICE_SLOT, CEDEI_SERVICE_GENERATION};
    struct cede_node_found *found = NULL;
    struct cede_node_lookup *lookup = cede_new(self, cede_node_lookup);
    if (lookup == NULL) return CEDE_ENOMEM;
    cede_result result = cede_str_set(&lookup->name, name);
    if (result == CEDE_OK)
        result = cede_ask(self, service, &lookup, cede_node_found, &found, timeout_ns);
    cede_drop(self, &lookup);
    if (result != CEDE_OK) return result;
    *out = found->actor;
    cede_drop(self, &found);
    return CEDE_OK;
}

cede_result cede_lookup(cede_self *self, uint64_t uid, const char *name, uint64_t timeout_ns,
                        cede_ref *out) {
    struct cedei_own_node *node = node_of(self);
    if (node == NULL) return no_node(self);
    if (out == NULL || name == NULL || name[0] == '\0' ||
        strnlen(name, CEDEI_NAME_SIZE_MAX + 1) > CEDEI_NAME_SIZE_MAX) {
        return CEDE_EINVAL;
    }
    if (uid == 0 || uid == node->hello.uid)
        return cedei_names_find(&node->names, name, strlen(name), out);
    return lookup_there(self, uid, name, timeout_ns, out);
}

void cede_node_metrics(cede_self *self, struct cede_node_metrics *out) {
    struct cedei_own_node *node = node_of(self);
    memset(out, 0, sizeof *out);
    if (node != NULL) cedei_own_node_metrics(node, out);
}
