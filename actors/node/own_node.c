/* own_node.c - this system as a node: made, listening, dialing, ended; see own_node.h.
 * Owns the node and the list of its links. Invariant: a link is on the list from before its first event until the
 * keeper has buried it, and the list holds one reference to it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/actor/remote.h"
#include "actors/node/own_node.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/clock.h"
#include "core/sys/random.h"

#define WINDOW_MESSAGES 1024u
#define WINDOW_BYTES (4u * 1024u * 1024u)
#define HALF_OPEN_MAX 128u
#define HEARTBEAT_NS 250000000u
#define SILENCE_NS 900000000u
#define HANDSHAKE_NS 5000000000u
#define DURATION_NS_MAX 3600000000000u
#define LOG_LINES_MAX 20u /* a second */
#define SECOND_NS 1000000000u

void cedei_own_node_log(struct cedei_own_node *node, enum cede_log_level level, const char *format,
                        ...) {
    char line[320];
    uint32_t omitted = 0;
    va_list arguments;
    cedei_mutex_lock(&node->log_lock);
    uint64_t now_ns = cedei_clock_now_ns();
    if (now_ns - node->log_window_ns >= SECOND_NS) {
        omitted = node->log_omitted;
        node->log_window_ns = now_ns;
        node->log_lines = 0;
        node->log_omitted = 0;
    }
    bool write = node->log_lines < LOG_LINES_MAX;
    if (write) node->log_lines++;
    if (!write) node->log_omitted++;
    cedei_mutex_unlock(&node->log_lock);
    if (omitted != 0)
        cedei_log(node->system, CEDE_LOG_WARNING, "node: %u lines were left out", omitted);
    if (!write) return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cedei_log(node->system, level, "%s", line);
}

/* ---- options ---- */

static bool take_u32(uint32_t value, uint32_t standard, uint32_t least, uint32_t most,
                     uint32_t *out) {
    *out = value == 0 ? standard : value;
    return *out >= least && *out <= most;
}

static bool take_ns(uint64_t value, uint64_t standard, uint64_t *out) {
    *out = value == 0 ? standard : value;
    return *out >= 1000000u && *out <= DURATION_NS_MAX;
}

/* The name of the option that is out of range, or NULL. */
static const char *take_options(struct cedei_own_node *node,
                                const struct cede_node_options *options) {
    struct cedei_hello *hello = &node->hello;
    const char *cluster = options->cluster != NULL ? options->cluster : "cede";
    hello->version_min = CEDEI_WIRE_VERSION_MIN;
    hello->version_max = CEDEI_WIRE_VERSION_MAX;
    hello->features = CEDEI_FEATURE_TYPES;
    if (options->name == NULL || !cedei_node_name_valid(options->name)) return "name";
    if (!cedei_node_name_valid(cluster)) return "cluster";
    (void)snprintf(hello->name, sizeof hello->name, "%s", options->name);
    (void)snprintf(hello->cluster, sizeof hello->cluster, "%s", cluster);
    if (!take_u32(options->frame_max, CEDEI_FRAME_MAX_DEFAULT, CEDEI_FRAME_MAX_LEAST, 1u << 30,
                  &hello->frame_max)) {
        return "frame_max";
    }
    if (!take_u32(options->window_messages, WINDOW_MESSAGES, 1, 1u << 20, &hello->window_messages)) {
        return "window_messages";
    }
    if (!take_u32(options->window_bytes, WINDOW_BYTES, 1, 1u << 30, &hello->window_bytes))
        return "window_bytes";
    if (!take_u32(options->half_open_max, HALF_OPEN_MAX, 1, 65536, &node->half_open_max))
        return "half_open_max";
    if (!take_ns(options->heartbeat_ns, HEARTBEAT_NS, &node->heartbeat_ns)) return "heartbeat_ns";
    if (!take_ns(options->silence_ns, SILENCE_NS, &node->silence_ns)) return "silence_ns";
    if (node->silence_ns <= node->heartbeat_ns) return "silence_ns";
    if (!take_ns(options->handshake_ns, HANDSHAKE_NS, &node->handshake_ns)) return "handshake_ns";
    node->window = (struct cedei_window){hello->window_messages, hello->window_bytes};
    return NULL;
}

/* ---- links ---- */

static void link_insert(struct cedei_own_node *node, struct cedei_link *link) {
    cedei_mutex_lock(&link->lock); /* for who takes its memory for the link that it was */
    link->number = node->next_number++;
    cedei_mutex_unlock(&link->lock);
    link->next = node->links;
    if (node->links != NULL) node->links->previous = link;
    node->links = link;
    cedei_hash_insert(&node->by_number, &link->by_number, link->number);
}

void cedei_own_node_forget(struct cedei_own_node *node, struct cedei_link *link) {
    struct cede_node_metrics *sum = &node->buried;
    if (link->previous != NULL) link->previous->next = link->next;
    if (link->previous == NULL) node->links = link->next;
    if (link->next != NULL) link->next->previous = link->previous;
    cedei_hash_remove(&node->by_number, &link->by_number);
    if (link->listed_by_uid) cedei_hash_remove(&node->by_uid, &link->by_uid);
    sum->links_opened += link->was_up;
    sum->links_lost += link->was_up;
    sum->handshakes_failed += !link->was_up;
    sum->messages_sent += link->messages_sent;
    sum->messages_credited += link->messages_credited;
    sum->messages_maybe_lost += link->messages_sent - link->messages_credited;
    sum->messages_received += link->messages_received;
    sum->messages_bounced += link->messages_bounced;
    sum->bounces_received += link->bounces_received;
    sum->replies_late += link->replies_late;
    sum->bytes_sent += link->bytes_sent;
    sum->bytes_received += cedei_link_bytes_received(link);
    if (node->links == NULL) cedei_cond_broadcast(&node->links_gone);
}

void cedei_own_node_metrics(struct cedei_own_node *node, struct cede_node_metrics *out) {
    cedei_mutex_lock(&node->lock);
    *out = node->buried;
    for (struct cedei_link *link = node->links; link != NULL; link = link->next) {
        cedei_mutex_lock(&link->lock);
        out->links_up += link->state == CEDEI_LINK_UP;
        out->links_opened += link->was_up;
        out->messages_sent += link->messages_sent;
        out->messages_credited += link->messages_credited;
        out->messages_received += link->messages_received;
        out->messages_bounced += link->messages_bounced;
        out->bounces_received += link->bounces_received;
        out->replies_late += link->replies_late;
        out->bytes_sent += link->bytes_sent;
        out->bytes_received += cedei_link_bytes_received(link);
        cedei_mutex_unlock(&link->lock);
    }
    cedei_mutex_unlock(&node->lock);
}

/* Under the node's lock. The newest of equal keys comes first: the link that stands. */
static struct cedei_link *link_with_uid(struct cedei_own_node *node, uint64_t uid) {
    struct cedei_hash_node *found = cedei_hash_find(&node->by_uid, uid);
    return found != NULL ? CEDEI_CONTAINER_OF(found, struct cedei_link, by_uid) : NULL;
}

static struct cedei_link *link_numbered(struct cedei_own_node *node, uint64_t number) {
    struct cedei_hash_node *found = cedei_hash_find(&node->by_number, number);
    return found != NULL ? CEDEI_CONTAINER_OF(found, struct cedei_link, by_number) : NULL;
}

struct cedei_link *cedei_own_node_link_to(struct cedei_own_node *node, uint64_t uid) {
    cedei_mutex_lock(&node->lock);
    struct cedei_link *link = link_with_uid(node, uid);
    if (link != NULL) cedei_link_ref(link);
    cedei_mutex_unlock(&node->lock);
    return link;
}

/* Under the link's lock. Only of one that is UP: of others there may be several with the same uid, and the table knows which. */
static bool is_it(const struct cedei_link *link, bool by_number, uint64_t key) {
    return link->state == CEDEI_LINK_UP && (by_number ? link->number : link->peer.uid) == key;
}

static struct cedei_link *lock_by(struct cedei_own_node *node, bool by_number, uint64_t key) {
    _Atomic(struct cedei_link *) *recent = &node->recent[by_number][key % CEDEI_RECENT_LINKS];
    /* acquire: pairs with the release below: the lock has been made. */
    struct cedei_link *link = atomic_load_explicit(recent, memory_order_acquire);
    if (link != NULL) {
        cedei_mutex_lock(&link->lock);
        if (is_it(link, by_number, key)) return link;
        cedei_mutex_unlock(&link->lock);
    }
    cedei_mutex_lock(&node->lock);
    link = by_number ? link_numbered(node, key) : link_with_uid(node, key);
    if (link != NULL) cedei_mutex_lock(&link->lock);
    cedei_mutex_unlock(&node->lock);
    /* release: pairs with the acquire above. */
    if (link != NULL) atomic_store_explicit(recent, link, memory_order_release);
    return link;
}

struct cedei_link *cedei_own_node_lock_to(struct cedei_own_node *node, uint64_t uid) {
    return lock_by(node, false, uid);
}

struct cedei_link *cedei_own_node_lock_numbered(struct cedei_own_node *node, uint32_t number) {
    return lock_by(node, true, number);
}

/* The oldest accepted link that has not finished its handshake, if there are too many. Under the node's lock. */
static struct cedei_link *half_open_surplus(struct cedei_own_node *node) {
    struct cedei_link *oldest = NULL;
    uint32_t count = 0;
    for (struct cedei_link *link = node->links; link != NULL; link = link->next) {
        cedei_mutex_lock(&link->lock);
        bool half_open = !link->dialed && !link->was_up && link->state != CEDEI_LINK_CLOSED;
        cedei_mutex_unlock(&link->lock);
        if (half_open) oldest = link;
        count += half_open;
    }
    return count >= node->half_open_max ? oldest : NULL;
}

static void node_on_accepted(void *context, struct cedei_stream *stream) {
    struct cedei_own_node *node = context;
    const struct cedei_transport *transport = node->listens_by;
    struct cedei_link *link = cedei_link_create(node, transport, false);
    if (link == NULL) {
        transport->destroy(stream);
        return;
    }
    link->stream = stream;
    transport->bind(stream, &cedei_link_events, link);
    cedei_mutex_lock(&node->lock);
    bool take = !node->leaving && node->next_number != 0;
    /* A newcomer may be honest, the oldest has had its time: silence must not lock others out. */
    struct cedei_link *surplus = take ? half_open_surplus(node) : NULL;
    if (surplus != NULL)
        cedei_link_fail(surplus, CEDE_ELIMIT, "too many peers that have not introduced themselves");
    if (take) link_insert(node, link);
    if (take) cedei_link_ref(link);
    cedei_mutex_unlock(&node->lock);
    if (take) {
        /* The deadline is read before the first event, which may change it. */
        cedei_keeper_call(node, link->deadline_ns);
        cedei_link_accept(link);
    } else {
        transport->destroy(stream);
    }
    cedei_link_unref(link);
}

/* ---- dialing ---- */

static struct cedei_dial *dial_find(struct cedei_own_node *node, const char *url) {
    struct cedei_dial *dial = node->dials;
    while (dial != NULL && strcmp(dial->url, url) != 0) dial = dial->next;
    return dial;
}

/* Makes room among the URLs that are remembered: the oldest that nobody waits for. */
static void dial_forget_oldest(struct cedei_own_node *node) {
    struct cedei_dial **oldest = NULL;
    for (struct cedei_dial **place = &node->dials; *place != NULL; place = &(*place)->next) {
        if ((*place)->link == NULL && (*place)->waiters == NULL) oldest = place;
    }
    if (oldest == NULL) return;
    struct cedei_dial *dial = *oldest;
    *oldest = dial->next;
    node->dial_count--;
    cedei_free(dial);
}

static cede_result dial_get(struct cedei_own_node *node, const char *url, struct cedei_dial **out) {
    struct cedei_dial *dial = dial_find(node, url);
    if (dial == NULL) {
        if (node->dial_count >= CEDEI_DIALS_MAX) dial_forget_oldest(node);
        if (node->dial_count >= CEDEI_DIALS_MAX) return CEDE_ELIMIT;
        dial = cedei_alloc_zeroed(sizeof *dial);
        if (dial == NULL) return CEDE_ENOMEM;
        (void)snprintf(dial->url, sizeof dial->url, "%s", url);
        dial->next = node->dials;
        node->dials = dial;
        node->dial_count++;
    }
    *out = dial;
    return CEDE_OK;
}

static bool uid_is_linked(struct cedei_own_node *node, uint64_t uid) {
    struct cedei_hash_node *found = uid == 0 ? NULL : cedei_hash_find(&node->by_uid, uid);
    if (found == NULL) return false;
    struct cedei_link *link = CEDEI_CONTAINER_OF(found, struct cedei_link, by_uid);
    cedei_mutex_lock(&link->lock);
    bool up = link->state == CEDEI_LINK_UP;
    cedei_mutex_unlock(&link->lock);
    return up;
}

static const struct cedei_transport *transport_for(const struct cedei_own_node *node,
                                                   const char *url) {
    return node->only != NULL ? node->only : cedei_transport_of(url);
}

static cede_result dial_start(struct cedei_own_node *node, struct cedei_dial *dial) {
    if (node->next_number == 0) return CEDE_ELIMIT;
    const struct cedei_transport *transport = transport_for(node, dial->url);
    struct cedei_link *link = cedei_link_create(node, transport, true);
    if (link == NULL) return CEDE_ENOMEM;
    (void)snprintf(link->address, sizeof link->address, "%.63s", dial->url);
    uint64_t deadline_ns = link->deadline_ns;
    /* Events may come before the link is on the list. Whoever looks for it there waits for our lock. */
    cede_result result =
        transport->dial(node->system, dial->url, &cedei_link_events, link, &link->stream);
    if (result != CEDE_OK) {
        cedei_link_unref(link);
        return result;
    }
    link_insert(node, link);
    dial->link = link;
    cedei_keeper_call(node, deadline_ns);
    return CEDE_OK;
}

cede_result cedei_own_node_dial(struct cedei_own_node *node, const char *url, cede_ref actor,
                                uint32_t sequence, uint64_t *uid) {
    struct cedei_dial *dial = NULL;
    struct cedei_link_waiter *waiter = cedei_alloc_zeroed(sizeof *waiter);
    if (waiter == NULL) return CEDE_ENOMEM;
    waiter->actor = actor;
    waiter->sequence = sequence;
    cedei_mutex_lock(&node->lock);
    cede_result result = node->leaving ? CEDE_ECLOSED : dial_get(node, url, &dial);
    if (result == CEDE_OK && uid_is_linked(node, dial->uid)) {
        *uid = dial->uid;
        result = CEDE_EEXIST;
    }
    if (result == CEDE_OK && dial->link == NULL) result = dial_start(node, dial);
    if (result == CEDE_OK) {
        waiter->next = dial->waiters;
        dial->waiters = waiter;
        waiter = NULL;
    }
    cedei_mutex_unlock(&node->lock);
    cedei_free(waiter);
    return result;
}

bool cedei_own_node_dialed_uid(struct cedei_own_node *node, const char *url, uint64_t *uid) {
    cedei_mutex_lock(&node->lock);
    const struct cedei_dial *dial = dial_find(node, url);
    bool linked = dial != NULL && uid_is_linked(node, dial->uid);
    if (linked) *uid = dial->uid;
    cedei_mutex_unlock(&node->lock);
    return linked;
}

bool cedei_own_node_is_leaving(struct cedei_own_node *node) {
    cedei_mutex_lock(&node->lock);
    bool leaving = node->leaving;
    cedei_mutex_unlock(&node->lock);
    return leaving;
}

/* ---- start and end ---- */

static void node_init(struct cedei_own_node *node, cede_system *system, uint64_t uid,
                      const struct cedei_transport *transport) {
    node->system = system;
    node->only = transport;
    node->hello.uid = uid;
    node->seed = cedei_random_u64();
    node->next_number = 1;
    node->keeper_due_ns = UINT64_MAX;
    cedei_mutex_init(&node->lock);
    cedei_mutex_init(&node->shelf_lock);
    cedei_mutex_init(&node->log_lock);
    cedei_mutex_init(&node->keeper_lock);
    cedei_cond_init(&node->keeper_cond);
    cedei_cond_init(&node->links_gone);
    cedei_hash_init(&node->by_number, node->seed);
    cedei_hash_init(&node->by_uid, node->seed);
    cedei_accounts_init(&node->accounts);
    cedei_exports_init(&node->exports, uid, node->seed);
    cedei_names_init(&node->names, node->seed);
}

static void node_fini(struct cedei_own_node *node) {
    while (node->dials != NULL) {
        struct cedei_dial *dial = node->dials;
        node->dials = dial->next;
        cedei_free(dial);
    }
    while (node->shelf != NULL) {
        struct cedei_link *link = node->shelf;
        node->shelf = link->next;
        cedei_mutex_fini(&link->lock);
        cedei_free(link);
    }
    cedei_names_fini(&node->names);
    cedei_accounts_fini(&node->accounts);
    cedei_exports_fini(&node->exports);
    cedei_hash_fini(&node->by_uid);
    cedei_hash_fini(&node->by_number);
    cedei_cond_fini(&node->links_gone);
    cedei_cond_fini(&node->keeper_cond);
    cedei_mutex_fini(&node->keeper_lock);
    cedei_mutex_fini(&node->log_lock);
    cedei_mutex_fini(&node->shelf_lock);
    cedei_mutex_fini(&node->lock);
    cedei_free(node);
}

static cede_result node_listen(struct cedei_own_node *node, const char *url) {
    if (url == NULL) return CEDE_OK;
    cede_result result = cedei_url_check(url);
    if (result == CEDE_OK) {
        node->listens_by = transport_for(node, url);
        result =
            node->listens_by->listen(node->system, url, node_on_accepted, node, &node->listener);
    }
    if (result == CEDE_EACCES) {
        cedei_log(
            node->system, CEDE_LOG_ERROR,
            "node: will not listen on %s: only ipc:// paths of our own and loopback addresses are allowed "
            "without encryption",
            url);
    } else if (result != CEDE_OK) {
        cedei_log(node->system, CEDE_LOG_ERROR, "node: cannot listen on %s: %s", url,
                  cede_result_text(result));
    }
    if (result != CEDE_OK) return result;
    uint16_t port = node->listens_by->listener_port(node->listener);
    cedei_url_write(url, port, node->url, sizeof node->url);
    return CEDE_OK;
}

cede_result cedei_own_node_create(cede_system *system, uint64_t uid,
                                  const struct cede_node_options *options,
                                  const struct cedei_transport *transport,
                                  struct cedei_own_node **out) {
    struct cedei_own_node *node = cedei_alloc_zeroed(sizeof *node);
    if (node == NULL) return CEDE_ENOMEM;
    node_init(node, system, uid, transport);
    const char *bad = take_options(node, options);
    cede_result result = CEDE_EINVAL;
    if (bad != NULL) {
        cedei_log(
            system, CEDE_LOG_ERROR,
            "struct cede_node_options: %s is missing or out of range; cede/node.h says what may be there",
            bad);
        goto free_node;
    }
    result = cedei_thread_start(&node->keeper, "cede-node", cedei_keeper_run, node);
    if (result != CEDE_OK) goto free_node;
    result = node_listen(node, options->listen_url);
    if (result != CEDE_OK) {
        cedei_own_node_destroy(node, false);
        return result;
    }
    *out = node;
    return CEDE_OK;
free_node:
    node_fini(node);
    return result;
}

static void links_leave(struct cedei_own_node *node) {
    cedei_mutex_lock(&node->lock);
    node->leaving = true;
    for (struct cedei_link *link = node->links; link != NULL; link = link->next) {
        cedei_mutex_lock(&link->lock);
        bool up = link->state == CEDEI_LINK_UP;
        if (link->state != CEDEI_LINK_CLOSED) link->end_expected = true;
        cedei_mutex_unlock(&link->lock);
        if (up) cedei_link_leave(link, CEDE_ECLOSED, "this node ends");
        if (!up) cedei_link_fail(link, CEDE_ECLOSED, "this node ends");
    }
    cedei_keeper_call(node, 0);
    /* Every link has a deadline now, which the keeper enforces. */
    while (node->links != NULL) cedei_cond_wait(&node->links_gone, &node->lock);
    cedei_mutex_unlock(&node->lock);
}

void cedei_own_node_destroy(struct cedei_own_node *node, bool alone) {
    if (node == NULL) return;
    cedei_mutex_lock(&node->lock);
    node->alone = alone;
    cedei_mutex_unlock(&node->lock);
    if (node->listener != NULL) node->listens_by->listener_close(node->listener);
    links_leave(node);
    cedei_mutex_lock(&node->keeper_lock);
    node->keeper_stop = true;
    node->keeper_due_ns = 0;
    cedei_cond_signal(&node->keeper_cond);
    cedei_mutex_unlock(&node->keeper_lock);
    cedei_thread_join(&node->keeper);
    node_fini(node);
}
