/* node_peer.c - the other process of the node tests; see node_peer.h. */
#include <stdio.h>
#include <string.h>

#include "node_peer.h"

/* ---- its actors ---- */

struct echo_state {
    struct echo_request *kept;
};

static cede_result on_echo(cede_self *self, struct echo_state *state, struct echo_request *request) {
    if (request->number == ECHO_FORGET) return CEDE_OK;
    if (request->number == ECHO_NEVER) {
        cede_drop(self, &state->kept);
        state->kept = cede_keep(self, &request);
        return CEDE_OK;
    }
    struct echo_reply *reply = cede_new(self, echo_reply);
    if (reply == NULL) return CEDE_ENOMEM;
    reply->number = request->number;
    uint64_t deadline_ns = cede_deadline(self);
    if (request->number == ECHO_LEFT)
        reply->number = deadline_ns == CEDE_FOREVER ? CEDE_FOREVER : deadline_ns - cede_now(self);
    reply->ballast = request->ballast;
    request->ballast = (cede_bytes){NULL, 0};
    cede_result result = cede_reply(self, request, &reply);
    cede_drop(self, &reply);
    return result == CEDE_ENOACTOR || result == CEDE_ENODE ? CEDE_OK : result;
}

CEDE_YIELDS static cede_result on_fail(cede_self *self, struct echo_state *state,
                                       struct fail *message) {
    (void)state;
    for (uint32_t i = 1; i <= message->items; i++) {
        struct item *item = cede_new(self, item);
        if (item == NULL) return CEDE_ENOMEM;
        item->number = i;
        cede_result result = cede_send_wait(self, message->to, &item, CEDE_SECONDS(60));
        cede_drop(self, &item);
        if (result != CEDE_OK) return result;
    }
    return (cede_result)message->code;
}

#define ECHO(ON)                                                                                   \
    ON(echo_request, on_echo)                                                                      \
    ON(fail, on_fail)
CEDE_BEHAVIOUR(echo, struct echo_state, ECHO);

struct counter_state {
    uint64_t count, last;
    bool disorder, released;
    cede_ref gate; /* of stuck */
};

static cede_result on_item(cede_self *self, struct counter_state *state, struct item *message) {
    (void)self;
    if (state->count != 0 && message->number <= state->last) state->disorder = true;
    state->last = message->number;
    state->count++;
    return CEDE_OK;
}

static cede_result on_count(cede_self *self, struct counter_state *state,
                            struct count_request *request) {
    struct count_reply *reply = cede_new(self, count_reply);
    if (reply == NULL) return CEDE_ENOMEM;
    reply->count = state->count;
    reply->in_order = !state->disorder;
    cede_result result = cede_reply(self, request, &reply);
    cede_drop(self, &reply);
    return result;
}

#define COUNTER(ON)                                                                                \
    ON(item, on_item)                                                                              \
    ON(count_request, on_count)
CEDE_BEHAVIOUR(counter, struct counter_state, COUNTER);

/* Waits for a reply, not for a message: nothing more goes into its full mailbox. */
CEDE_YIELDS static cede_result on_stuck_item(cede_self *self, struct counter_state *state,
                                             struct item *message) {
    struct go *go = NULL;
    cede_result result = on_item(self, state, message);
    if (state->released || result != CEDE_OK) return result;
    struct count_request *request = cede_new(self, count_request);
    if (request == NULL) return CEDE_ENOMEM;
    result = cede_ask(self, state->gate, &request, go, &go, CEDE_FOREVER);
    state->released = true;
    cede_drop(self, &request);
    cede_drop(self, &go);
    return result;
}

static cede_result on_stuck_first(cede_self *self, struct counter_state *state,
                                  struct peer_hello *message) {
    (void)self;
    state->gate = message->gate;
    return CEDE_OK;
}

#define STUCK(ON)                                                                                  \
    ON(item, on_stuck_item)                                                                        \
    ON(count_request, on_count)                                                                    \
    ON(peer_hello, on_stuck_first)
/* A mailbox much smaller than the link's window: what does not fit must wait in the link, not get lost. */
CEDE_BEHAVIOUR(stuck, struct counter_state, STUCK, .mailbox_max = 16);

/* Brings the waiting request and `go` together, whichever is first. */
struct gate_state {
    struct count_request *waiting;
    struct go *go;
};

static cede_result gate_open(cede_self *self, struct gate_state *state) {
    if (state->waiting == NULL || state->go == NULL) return CEDE_OK;
    cede_result result = cede_reply(self, state->waiting, &state->go);
    cede_drop(self, &state->waiting);
    return result;
}

static cede_result on_gate_wait(cede_self *self, struct gate_state *state,
                                struct count_request *request) {
    state->waiting = cede_keep(self, &request);
    return gate_open(self, state);
}

static cede_result on_gate_go(cede_self *self, struct gate_state *state, struct go *message) {
    state->go = cede_keep(self, &message);
    return gate_open(self, state);
}

#define GATE(ON)                                                                                   \
    ON(count_request, on_gate_wait)                                                                \
    ON(go, on_gate_go)
CEDE_BEHAVIOUR(gate, struct gate_state, GATE);

cede_result peer_spawn(cede_self *self, struct peer_hello *hello) {
    hello->uid = cede_node_uid(self);
    cede_result result = cede_spawn(self, &echo, CEDE_NOTHING, &hello->echo);
    if (result == CEDE_OK) result = cede_spawn(self, &counter, CEDE_NOTHING, &hello->counter);
    if (result == CEDE_OK) result = cede_spawn(self, &gate, CEDE_NOTHING, &hello->gate);
    struct peer_hello *first = cede_new(self, peer_hello);
    if (first == NULL) return CEDE_ENOMEM;
    first->gate = hello->gate;
    if (result == CEDE_OK) result = cede_spawn(self, &stuck, &first, &hello->stuck);
    cede_drop(self, &first);
    return result;
}

/* ---- the program ---- */

/* Dials the controller and finds what it published as `name`. */
CEDE_YIELDS static cede_result peer_begin(cede_self *self, char **argv, const char *name,
                                          cede_ref *out) {
    struct cede_node_options options = {.name = argv[2], .silence_ns = SILENCE_IS_FINE};
    uint64_t uid = 0;
    cede_result result = cede_node_start(self, &options);
    if (result == CEDE_OK) result = cede_node_connect(self, argv[3], CEDE_SECONDS(10), &uid);
    return result == CEDE_OK ? cede_lookup(self, uid, name, CEDE_SECONDS(10), out) : result;
}

/* Lives until its link to the controller is gone. */
CEDE_YIELDS static cede_result peer_run(cede_self *self, int argc, char **argv) {
    (void)argc;
    cede_ref controller = {0, 0, 0};
    cede_result result = peer_begin(self, argv, "controller", &controller);
    if (result == CEDE_OK) result = cede_monitor(self, controller);
    struct peer_hello *hello = cede_new(self, peer_hello);
    if (hello == NULL) return CEDE_ENOMEM;
    if (result == CEDE_OK) result = peer_spawn(self, hello);
    if (result == CEDE_OK) result = cede_send(self, controller, &hello);
    cede_drop(self, &hello);
    if (result != CEDE_OK) return result;
    struct cede_down *down = NULL;
    result = cede_recv(self, cede_down, &down, CEDE_FOREVER);
    cede_drop(self, &down);
    return result;
}

/* Sends items to the controller's counter and ends at once. */
CEDE_YIELDS static cede_result burst_run(cede_self *self, int argc, char **argv) {
    (void)argc;
    cede_ref to = {0, 0, 0};
    cede_result result = peer_begin(self, argv, "counter", &to);
    for (uint64_t i = 1; result == CEDE_OK && i <= BURST_ITEMS; i++) {
        struct item *message = cede_new(self, item);
        if (message == NULL) return CEDE_ENOMEM;
        message->number = i;
        result = cede_send_wait(self, to, &message, CEDE_SECONDS(60));
        cede_drop(self, &message);
    }
    return result;
}

bool peer_main(int argc, char **argv, int *status) {
    if (argc != 4) return false;
    bool burst = strcmp(argv[1], "burst") == 0;
    if (!burst && strcmp(argv[1], "peer") != 0) return false;
    *status = 1;
    if (cede_process_follow_parent() != CEDE_OK) return true;
    *status = cede_main(argc, argv, burst ? burst_run : peer_run);
    return true;
}

cede_result peer_start(cede_self *self, const char *role, const char *name, const char *url,
                       cede_process *out) {
    char program[] = "/proc/self/exe", role_copy[16], name_copy[64], url_copy[128];
    (void)snprintf(role_copy, sizeof role_copy, "%s", role);
    (void)snprintf(name_copy, sizeof name_copy, "%s", name);
    (void)snprintf(url_copy, sizeof url_copy, "%s", url);
    char *argv[] = {program, role_copy, name_copy, url_copy, NULL};
    return cede_process_start(self, argv, out);
}
