/* supervisor.c - the supervisor as an actor: what it is asked, and the calls that ask it. What it does with its children is in
 * supervision.c. Invariant: a request for a child that is being started again is kept in `finds` until it runs, or will not. */
#include <string.h>

#include <cede/system.h>

#include "actors/std/supervisor.h"

static void begin_drop(struct cede_supervisor_begin *begin) { (void)begin; }
static void more_drop(struct cede_supervisor_more *more) { (void)more; }
CEDE_OPAQUE_MESSAGE_DEFINE(cede_supervisor_begin, begin_drop);
CEDE_OPAQUE_MESSAGE_DEFINE(cede_supervisor_more, more_drop);
CEDE_MESSAGE_DEFINE(cede_supervised, CEDEI_SUPERVISED);
CEDE_MESSAGE_DEFINE(cede_supervisor_find, CEDEI_SUPERVISOR_FIND);
CEDE_MESSAGE_DEFINE(cede_supervisor_end, CEDEI_SUPERVISOR_END);
CEDE_MESSAGE_DEFINE(cede_supervisor_look, CEDEI_NOTHING);
CEDE_MESSAGE_DEFINE(cede_supervisor_retry, CEDEI_NOTHING);

struct supervisor {
    struct cedei_supervision children; /* first: `changed` is called with it */
    struct {
        struct cede_supervisor_find **items;
        uint32_t count, capacity;
    } finds; /* kept */
};

static void supervisor_fini(void *state) {
    struct supervisor *supervisor = state;
    cedei_supervision_fini(&supervisor->children);
    cedei_std_free(&supervisor->finds);
}

/* ---- answers ---- */

void cedei_supervised_answer(cede_self *self, void *request, struct cede_supervised **reply,
                             cede_result result, cede_ref actor) {
    if (*reply == NULL) return;
    (*reply)->result = (int32_t)result;
    (*reply)->actor = actor;
    if (cedei_reply(self, request, (void **)reply, CEDEI_HERE) != CEDE_OK)
        cede_drop(self, reply); /* nobody asked */
}

/* Where the child `id` is: CEDE_OK and its ref; CEDE_EFULL: to come; CEDE_ENOENT. */
static cede_result child_locate(const struct supervisor *supervisor, const char *id, cede_ref *out) {
    const struct cedei_supervision *sup = &supervisor->children;
    for (uint32_t i = 0; i < sup->children.count; i++) {
        const struct cedei_child *child = &sup->children.items[i];
        if (child->spec->id == NULL || strcmp(child->spec->id, id) != 0) continue;
        if (child->state == CEDEI_CHILD_ENDED) return CEDE_ENOENT;
        if (child->state != CEDEI_CHILD_RUNNING) return CEDE_EFULL;
        *out = child->ref;
        return CEDE_OK;
    }
    return CEDE_ENOENT;
}

static void finds_answer(cede_self *self, struct cedei_supervision *sup) {
    struct supervisor *supervisor = (struct supervisor *)sup;
    uint32_t left = 0;
    for (uint32_t i = 0; i < supervisor->finds.count; i++) {
        struct cede_supervisor_find *find = supervisor->finds.items[i];
        supervisor->finds.items[i] = NULL;
        cede_ref actor = {0};
        cede_result r = child_locate(supervisor, cede_str_text(&find->id), &actor);
        if (r == CEDE_EFULL && cede_deadline_of(self, find) != 0) {
            supervisor->finds.items[left++] = find;
            continue;
        }
        struct cede_supervised *reply = cede_new(self, cede_supervised);
        cedei_supervised_answer(self, find, &reply, r, actor);
        cede_drop(self, &find);
    }
    supervisor->finds.count = left;
}

/* ---- handlers ---- */

/* What changes something makes its answer first: without memory for that nothing is done, and the asker gets CEDE_ENOREPLY. */

CEDE_YIELDS static cede_result on_begin(cede_self *self, struct supervisor *supervisor,
                                        struct cede_supervisor_begin *begin) {
    struct cedei_supervision *sup = &supervisor->children;
    struct cede_supervised *reply = cede_new(self, cede_supervised);
    if (reply == NULL) return CEDE_STOP;
    sup->changed = finds_answer;
    cede_result r = cedei_supervision_begin(self, sup, begin->spec, begin->parent);
    if (r == CEDE_OK && begin->is_root) r = cede_root(self);
    if (r == CEDE_OK) r = cedei_supervision_start(self, sup);
    cedei_supervised_answer(self, begin, &reply, r, cede_self_ref(self));
    /* Who started it has been told, and need not die of it, too. */
    return r == CEDE_OK ? cedei_supervision_go_on(self, sup) : CEDE_STOP;
}

CEDE_YIELDS static cede_result on_exit(cede_self *self, struct supervisor *supervisor,
                                       struct cede_exit *news) {
    return cedei_supervision_exit(self, &supervisor->children, news);
}

CEDE_YIELDS static cede_result on_drained(cede_self *self, struct supervisor *supervisor,
                                          struct cede_drained *end) {
    (void)end;
    supervisor->children.stopping = true;
    return cedei_supervision_go_on(self, &supervisor->children);
}

CEDE_YIELDS static cede_result on_retry(cede_self *self, struct supervisor *supervisor,
                                        struct cede_supervisor_retry *retry) {
    (void)retry;
    return cedei_supervision_go_on(self, &supervisor->children);
}

static cede_result on_find(cede_self *self, struct supervisor *supervisor,
                           struct cede_supervisor_find *find) {
    cede_ref actor = {0};
    cede_result r = child_locate(supervisor, cede_str_text(&find->id), &actor);
    if (r == CEDE_EFULL) {
        struct cede_supervisor_find **kept = cede_list_add(&supervisor->finds);
        if (kept != NULL) {
            *kept = cede_keep(self, &find);
            return CEDE_OK;
        }
        r = CEDE_ENOMEM;
    }
    struct cede_supervised *reply = cede_new(self, cede_supervised);
    cedei_supervised_answer(self, find, &reply, r, actor);
    return CEDE_OK;
}

/* The last in the list is to be started; it is forgotten if it cannot be. */
CEDE_YIELDS static cede_result added_start(cede_self *self, struct supervisor *supervisor,
                                           cede_ref *actor) {
    struct cedei_supervision *sup = &supervisor->children;
    uint32_t at = sup->children.count - 1;
    cede_result r = cedei_supervision_child_start(self, sup, at);
    if (r == CEDE_OK)
        *actor = sup->children.items[at].ref;
    else
        cedei_supervision_forget(self, sup, at);
    return r;
}

CEDE_YIELDS static cede_result on_more(cede_self *self, struct supervisor *supervisor,
                                       struct cede_supervisor_more *more) {
    struct cedei_supervision *sup = &supervisor->children;
    struct cede_supervised *reply = cede_new(self, cede_supervised);
    cede_ref actor = {0};
    if (reply == NULL) return CEDE_OK;
    cede_result r = cedei_child_check(self, more->child, true);
    if (sup->spec->strategy == CEDE_SIMPLE_ONE_FOR_ONE) r = CEDE_EINVAL;
    for (uint32_t i = 0; r == CEDE_OK && i < sup->children.count; i++)
        if (strcmp(sup->children.items[i].spec->id, more->child->id) == 0) r = CEDE_EEXIST;
    if (r == CEDE_OK) r = cedei_supervision_add(self, sup, more->child, NULL);
    if (r == CEDE_OK) r = added_start(self, supervisor, &actor);
    cedei_supervised_answer(self, more, &reply, r, actor);
    return cedei_supervision_go_on(self, sup);
}

CEDE_YIELDS static cede_result on_end(cede_self *self, struct supervisor *supervisor,
                                      struct cede_supervisor_end *end) {
    struct cedei_supervision *sup = &supervisor->children;
    struct cede_supervised *reply = cede_new(self, cede_supervised);
    uint32_t at = 0;
    if (reply == NULL) return CEDE_OK;
    cede_result r = cedei_refmap_find(&sup->index, end->child, &at) ? CEDE_OK : CEDE_ENOENT;
    if (r == CEDE_OK) cedei_supervision_remove(self, sup, at);
    cedei_supervised_answer(self, end, &reply, r, end->child);
    return cedei_supervision_go_on(self, sup);
}

cede_result cedei_supervision_look(cede_self *self, const struct cedei_supervision *sup,
                                   struct cede_supervisor_look *look) {
    struct cede_supervised *reply = cede_new(self, cede_supervised);
    if (reply == NULL) return CEDE_OK;
    reply->children = sup->children.count;
    reply->running = sup->states[CEDEI_CHILD_RUNNING];
    reply->waiting = sup->states[CEDEI_CHILD_WAITING];
    reply->restarts = sup->restart_count;
    if (cede_reply(self, look, &reply) != CEDE_OK) cede_drop(self, &reply);
    return CEDE_OK;
}

static cede_result on_look(cede_self *self, struct supervisor *supervisor,
                           struct cede_supervisor_look *look) {
    return cedei_supervision_look(self, &supervisor->children, look);
}

/* A message of any other type is the model of a child's first one. */
CEDE_YIELDS static cede_result model_take(cede_self *self, struct supervisor *supervisor,
                                          void *message) {
    struct cedei_supervision *sup = &supervisor->children;
    struct cede_supervised *reply = cede_new(self, cede_supervised);
    cede_ref actor = {0};
    if (reply == NULL) return CEDE_OK;
    cede_result r = cedei_supervision_add(self, sup, &sup->spec->children[0], message);
    if (r == CEDE_OK) {
        struct cedei_child *child = &sup->children.items[sup->children.count - 1];
        r = cedei_supervision_child_start(self, sup, sup->children.count - 1);
        child = &sup->children.items[sup->children.count - 1];
        actor = child->ref;
        child->first = NULL; /* it is the turn's still: answered first, then kept */
        if (r != CEDE_OK) cedei_supervision_forget(self, sup, sup->children.count - 1);
    }
    cedei_supervised_answer(self, message, &reply, r, actor);
    if (r == CEDE_OK && sup->spec->children[0].restart != CEDE_TEMPORARY)
        sup->children.items[sup->children.count - 1].first = cedei_keep(self, &message, CEDEI_HERE);
    return cedei_supervision_go_on(self, sup);
}

#define SUPERVISOR(ON)                                                                             \
    ON(cede_exit, on_exit)                                                                         \
    ON(cede_supervisor_begin, on_begin)                                                            \
    ON(cede_supervisor_find, on_find)                                                              \
    ON(cede_supervisor_more, on_more)                                                              \
    ON(cede_supervisor_end, on_end)                                                                \
    ON(cede_supervisor_look, on_look)                                                              \
    ON(cede_supervisor_retry, on_retry)                                                            \
    ON(cede_drained, on_drained)
CEDE_BEHAVIOUR(cedei_supervisor_known, struct supervisor, SUPERVISOR);

CEDE_YIELDS static cede_result supervisor_dispatch(cede_self *self, const struct cede_type *type,
                                                   void *state, void *message) {
    struct supervisor *supervisor = state;
    cede_result r = cedei_dispatch_cedei_supervisor_known(self, type, state, message);
    if ((int)r != (int)CEDEI_UNMATCHED || supervisor->children.spec == NULL ||
        supervisor->children.spec->strategy != CEDE_SIMPLE_ONE_FOR_ONE)
        return r;
    return model_take(self, supervisor, message);
}

static const cede_behaviour supervisor_behaviour = {.name = "cede_supervisor",
                                                    .state_size = sizeof(struct supervisor),
                                                    .mailbox_max = 65535,
                                                    .fini = supervisor_fini,
                                                    .dispatch = supervisor_dispatch};

/* ---- the calls ---- */

/* A result that came in an answer; the answer is dropped. */
static cede_result answered(cede_self *self, cede_result r, struct cede_supervised **reply,
                            cede_ref *out) {
    if (r != CEDE_OK) return r;
    r = (cede_result)(*reply)->result;
    if (r == CEDE_OK && out != NULL) *out = (*reply)->actor;
    cede_drop(self, reply);
    return r;
}

cede_result cedei_supervised_start(cede_self *self, const cede_behaviour *behaviour, void **begin,
                                   uint64_t timeout_ns, cede_ref *out) {
    struct cede_supervised *reply = NULL;
    cede_ref ref = {0};
    cede_result r = cede_spawn_linked(self, behaviour, CEDE_NOTHING, &ref);
    if (r != CEDE_OK) return r;
    cede_result asked = cedei_ask(self, ref, begin, &cede_type_cede_supervised, (void **)&reply,
                                  timeout_ns, CEDEI_HERE);
    r = answered(self, asked, &reply, NULL);
    if (asked != CEDE_OK) {
        bool was_linked = cede_unlink(self, ref) == CEDE_OK;
        bool has_ended = cede_kill(self, ref) != CEDE_OK && !was_linked;
        /* It was stopped or killed meanwhile, or had no memory for its answer. */
        if (r == CEDE_ENOREPLY) r = has_ended ? CEDE_EFAILED : CEDE_ENOMEM;
    }
    if (r == CEDE_OK) *out = ref;
    return r;
}

cede_result cedei_supervisor_spawn(cede_self *self, const struct cede_supervisor *spec,
                                   bool is_root, uint64_t timeout_ns, cede_ref *out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (spec == NULL || out == NULL) return CEDE_EINVAL;
    struct cede_supervisor_begin *begin = cede_new(self, cede_supervisor_begin);
    if (begin == NULL) return CEDE_ENOMEM;
    begin->spec = spec;
    begin->parent = cede_self_ref(self);
    begin->is_root = is_root;
    cede_result r =
        cedei_supervised_start(self, &supervisor_behaviour, (void **)&begin, timeout_ns, out);
    cede_drop(self, &begin);
    return r;
}

cede_result cede_supervisor_start(cede_self *self, const struct cede_supervisor *spec,
                                  uint64_t timeout_ns, cede_ref *out) {
    return cedei_supervisor_spawn(self, spec, true, timeout_ns, out);
}

cede_result cede_supervisor_child(cede_self *self, cede_ref supervisor, const char *id,
                                  uint64_t timeout_ns, cede_ref *out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (id == NULL || out == NULL) return CEDE_EINVAL;
    struct cede_supervisor_find *find = cede_new(self, cede_supervisor_find);
    struct cede_supervised *reply = NULL;
    if (find == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set(&find->id, id);
    if (r == CEDE_OK) r = cede_ask(self, supervisor, &find, cede_supervised, &reply, timeout_ns);
    r = answered(self, r, &reply, out);
    cede_drop(self, &find);
    return r;
}

cede_result cede_supervisor_add(cede_self *self, cede_ref supervisor,
                                const struct cede_child *child, uint64_t timeout_ns, cede_ref *out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (child == NULL) return CEDE_EINVAL;
    struct cede_supervisor_more *more = cede_new(self, cede_supervisor_more);
    struct cede_supervised *reply = NULL;
    if (more == NULL) return CEDE_ENOMEM;
    more->child = child;
    cede_result r = cede_ask(self, supervisor, &more, cede_supervised, &reply, timeout_ns);
    r = answered(self, r, &reply, out);
    cede_drop(self, &more);
    return r;
}

cede_result cedei_supervisor_add_with(cede_self *self, cede_ref supervisor, void **first,
                                      uint64_t timeout_ns, cede_ref *out, const char *here) {
    struct cede_supervised *reply = NULL;
    cede_result r = cedei_ask(self, supervisor, first, &cede_type_cede_supervised, (void **)&reply,
                              timeout_ns, here);
    return answered(self, r, &reply, out);
}

cede_result cede_supervisor_remove(cede_self *self, cede_ref supervisor, cede_ref child,
                                   uint64_t timeout_ns) {
    if (self == NULL) return CEDE_ECONTEXT;
    struct cede_supervisor_end *end = cede_new(self, cede_supervisor_end);
    struct cede_supervised *reply = NULL;
    if (end == NULL) return CEDE_ENOMEM;
    end->child = child;
    cede_result r = cede_ask(self, supervisor, &end, cede_supervised, &reply, timeout_ns);
    r = answered(self, r, &reply, NULL);
    cede_drop(self, &end);
    return r;
}

cede_result cede_supervisor_ask(cede_self *self, cede_ref supervisor, uint64_t timeout_ns,
                                struct cede_supervisor_status *out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    struct cede_supervisor_look *look = cede_new(self, cede_supervisor_look);
    struct cede_supervised *reply = NULL;
    if (look == NULL) return CEDE_ENOMEM;
    cede_result r = cede_ask(self, supervisor, &look, cede_supervised, &reply, timeout_ns);
    if (r == CEDE_OK)
        *out = (struct cede_supervisor_status){reply->children, reply->running, reply->waiting,
                                               reply->restarts};
    cede_drop(self, &reply);
    cede_drop(self, &look);
    return r;
}
