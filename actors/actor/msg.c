/* msg.c - making and freeing messages, and moving them between owners.
 * Invariant: a message in state TURN or KEPT names its actor in `owner` and is that actor's `current` or linked in its
 * `turn_list` or `kept_list`; in any other state it is in no such list. */
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/births.h"
#include "actors/actor/tally.h"
#include "actors/message/message.h"
#include "core/mem/part.h"
#include "core/sys/guard.h"

_Static_assert((int)CEDEI_BLOCK_SMALL == (int)CEDEI_CACHE_LINE,
               "a message of one line is a small block");

static uintptr_t owner_make(cede_self *self, enum cedei_msg_state state) {
    return (uintptr_t)self | (uintptr_t)state;
}

CEDEI_INLINE struct cedei_msg *block_make(cede_system *system, struct cedei_worker *worker,
                                          size_t size) {
    if (CEDEI_GUARDS && system->strict) {
        struct cedei_msg *guarded = cedei_guard_take(size);
        if (guarded != NULL) return guarded;
    }
    return cedei_block_take(&system->sched.depot, worker != NULL ? &worker->blocks : NULL, size);
}

CEDEI_INLINE struct cedei_msg *msg_take(cede_system *system, struct cedei_worker *worker,
                                        struct cede_type *type, const char *here) {
    size_t size = sizeof(struct cedei_msg) + type->size;
    struct cedei_msg *msg = block_make(system, worker, size);
    if (CEDEI_UNLIKELY(msg == NULL)) return NULL;
    if (CEDEI_LIKELY(!CEDEI_ASAN && size <= CEDEI_CACHE_LINE)) /* blocks are whole cache lines */
        memset(__builtin_assume_aligned(msg, CEDEI_CACHE_LINE), 0, CEDEI_CACHE_LINE);
    else
        memset(msg, 0, size);
    msg->type = type;
    msg->owner = CEDEI_MSG_LINK;
    cedei_tally(system, worker, type, CEDEI_TALLY_ALLOCATED);
    cedei_birth_note(system, worker, msg, here);
    return msg;
}

struct cedei_msg *cedei_msg_take_at(cede_system *system, struct cedei_worker *worker,
                                    struct cede_type *type, const char *here) {
    return msg_take(system, worker, type, here);
}

CEDEI_INLINE void block_release(cede_system *system, struct cedei_worker *worker,
                                struct cedei_msg *msg) {
    size_t size = sizeof *msg + msg->type->size;
    msg->owner = CEDEI_MSG_FREE;
    if (CEDEI_GUARDS && cedei_guard_has(msg)) {
        cedei_guard_bury(msg);
        return;
    }
    if (CEDEI_GUARD_NOTES && system->strict) cedei_guard_note(msg, size);
    cedei_block_give(&system->sched.depot, worker != NULL ? &worker->blocks : NULL, msg, size);
}

CEDEI_INLINE void msg_release(cede_system *system, struct cedei_worker *worker,
                              struct cedei_msg *msg) {
    const struct cede_type *type = msg->type;
    if (CEDEI_UNLIKELY(type->owning != 0 || type->drop != NULL))
        cedei_message_clear(type, cedei_msg_body(msg));
    cedei_birth_forget(system, msg);
    block_release(system, worker, msg);
    cedei_tally(system, worker, type, CEDEI_TALLY_DROPPED);
}

void cedei_msg_release(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg) {
    msg_release(system, worker, msg);
}

/* The calling thread may well be a worker: a link encodes and frees inside cede_send, and decodes in a task. */
static struct cedei_worker *own_worker(cede_system *system) {
    struct cedei_worker *worker = cedei_worker_current();
    return cedei_sched_has(&system->sched, worker) ? worker : NULL;
}

struct cedei_msg *cedei_msg_create_at(cede_system *system, struct cede_type *type,
                                      const char *here) {
    return cedei_msg_take_at(system, own_worker(system), type, here);
}

void cedei_msg_free(cede_system *system, struct cedei_msg *msg) {
    cedei_msg_release(system, own_worker(system), msg);
}

static struct cedei_msg *maker_make(void *system, struct cede_type *type) {
    return cedei_msg_create(system, type);
}

static void maker_release(void *system, struct cedei_msg *msg) { cedei_msg_free(system, msg); }

struct cedei_maker cedei_system_maker(cede_system *system) {
    return (struct cedei_maker){.make = maker_make, .release = maker_release, .context = system};
}

/* ---- lists ---- */

void cedei_msg_own_by_turn(cede_self *self, struct cedei_msg *msg) {
    msg->owner = owner_make(self, CEDEI_MSG_TURN);
    cedei_msg_link(&self->turn_list, msg);
}

/* In strict mode of checking builds a message that was moved or dropped cannot even be looked at: ends the process. */
static void buried_check(cede_self *self, const struct cedei_msg *msg, const char *call,
                         const char *here) {
    const struct cedei_guard_note *note = cedei_guard_buried(msg);
    if (CEDEI_LIKELY(note == NULL)) return;
    bool is_known = *note->to != '\0';
    cedei_fatal("cede: %s at %s in actor '%s': the message is not the caller's: it is freed or "
                "already moved: %s was %s, moved at %s by actor '%s'%s%s%s",
                call, here, self->behaviour->name, note->what, note->how, note->here, note->by,
                is_known ? " to actor '" : "", note->to, is_known ? "'" : "");
}

static void misuse(cede_self *self, struct cedei_msg *msg, const char *call, const char *here) {
    static const char *const STATES[] = {
        "freed, already moved, or not made by cede_new",
        "owned by another turn",
        "kept by another actor",
        "in a mailbox (already sent)",
        "lent to a job",
        "on a link",
        "in a timer (cede_send_after)",
        "frozen (cede_freeze): it may be read, and shared in a field"};
    enum cedei_msg_state state = cedei_msg_state(msg);
    const char *what = state <= CEDEI_MSG_FROZEN ? STATES[state] : "no message of Cede";
    /* In strict mode a poisoned block still says where it was moved. */
    const char *moved = self->system->strict && state == CEDEI_MSG_FREE && msg->next != NULL
                            ? (const char *)(void *)msg->next
                            : NULL;
#if CEDEI_CHECKS
    cedei_fatal("cede: %s at %s in actor '%s': the message is not the caller's: it is %s%s%s", call,
                here, self->behaviour->name, what, moved != NULL ? ", moved at " : "",
                moved != NULL ? moved : "");
#else
    cedei_log_line(&self->system->log, CEDE_LOG_ERROR,
                   "%s at %s in actor '%s': the message is not the caller's: it is %s%s%s", call,
                   here, self->behaviour->name, what, moved != NULL ? ", moved at " : "",
                   moved != NULL ? moved : "");
#endif
}

bool cedei_msg_is_own(cede_self *self, struct cedei_msg *msg, const struct cede_type *type,
                      const char *call) {
    buried_check(self, msg, call, "?");
    if ((msg->owner == owner_make(self, CEDEI_MSG_TURN) ||
         msg->owner == owner_make(self, CEDEI_MSG_KEPT)) &&
        msg->type == type)
        return true;
    misuse(self, msg, call, "?");
    return false;
}

struct cedei_msg *cedei_msg_disown_slow(cede_self *self, void **body, const char *call,
                                        const char *here, cede_result *why) {
    if (CEDEI_UNLIKELY(self == NULL)) {
        *why = CEDE_ECONTEXT;
        return NULL;
    }
    cedei_self_check(self, call, here);
    if (CEDEI_UNLIKELY(body == NULL || *body == NULL)) {
        *why = CEDE_EINVAL;
        return NULL;
    }
    struct cedei_msg *msg = cedei_msg_of(*body);
    buried_check(self, msg, call, here);
    if (CEDEI_LIKELY(msg == self->current)) {
        self->current = NULL;
        return msg;
    }
    if (CEDEI_UNLIKELY(msg->owner != owner_make(self, CEDEI_MSG_TURN) &&
                       msg->owner != owner_make(self, CEDEI_MSG_KEPT))) {
        misuse(self, msg, call, here);
        *why = CEDE_EOWNER;
        return NULL;
    }
    cedei_msg_unlink(msg);
    return msg;
}

void cedei_msg_reown(cede_self *self, struct cedei_msg *msg, void **body, bool was_kept) {
    msg->owner = owner_make(self, was_kept ? CEDEI_MSG_KEPT : CEDEI_MSG_TURN);
    *body = cedei_msg_body(msg);
    /* The message that the handler was called with comes back as such: to leave it to the end of the turn is not to
     * forget it. Another one of its type may take its place; nothing but the count of forgotten ones depends on it. */
    if (!was_kept && self->current == NULL && msg->type == self->turn_type)
        self->current = msg;
    else
        cedei_msg_link(was_kept ? &self->kept_list : &self->turn_list, msg);
}

/* ---- strict mode ---- */

enum { POISON = 0xA5 };

static void quarantine(cede_system *system, struct cedei_msg *msg, const char *here) {
    memset(cedei_msg_body(msg), POISON, msg->type->size);
    msg->owner = CEDEI_MSG_FREE;
    msg->next = (struct cedei_msg *)(void *)(uintptr_t)here;
    enum { PLACES = sizeof system->quarantine / sizeof system->quarantine[0] };
    cedei_mutex_lock(&system->strict_lock);
    struct cedei_msg *oldest = system->quarantine[system->quarantine_next];
    system->quarantine[system->quarantine_next] = msg;
    system->quarantine_next = (system->quarantine_next + 1) % PLACES;
    cedei_mutex_unlock(&system->strict_lock);
    if (oldest != NULL) block_release(system, NULL, oldest);
}

/* A block that a message owns; `block` itself when memory is short. */
static void *part_move(void *block, size_t size) {
    void *copy = cedei_part_take(size);
    if (copy == NULL) return block;
    memcpy(copy, block, size);
    cedei_part_give(block);
    return copy;
}

/* Who has the message now, for the report of a late use. */
static const char *receiver_name(cede_system *system, cede_ref to) {
    /* ThreadSanitizer's builds do not show it: the name is read of an actor that may end at this moment. */
    if ((!CEDEI_GUARDS && !CEDEI_GUARD_NOTES) || to.node != system->uid) return "";
    struct cede_self *actor = cedei_table_find(system, to);
    return actor != NULL && actor->behaviour != NULL ? actor->behaviour->name : "";
}

struct cedei_msg *cedei_msg_relocate_to(cede_self *self, struct cedei_msg *msg, cede_ref to,
                                        const char *here) {
    cede_system *system = self->system;
    struct cedei_worker *worker = self->worker;
    size_t size = sizeof *msg + msg->type->size;
    struct cedei_msg *copy = block_make(system, worker, size);
    if (copy == NULL) return msg; /* strictness must not make a send fail */
    struct cedei_guard_note note = {.what = msg->type->name,
                                    .how = "moved",
                                    .here = here,
                                    .by = self->behaviour->name,
                                    .to = receiver_name(system, to)};
    cedei_guard_say(&note);
    memcpy(copy, msg, size);
    cedei_birth_move(system, msg, copy);
    if (CEDEI_GUARDS || CEDEI_ASAN) cedei_message_move(copy->type, cedei_msg_body(copy), part_move);
    if (CEDEI_ASAN || (CEDEI_GUARDS && cedei_guard_has(msg)))
        block_release(system, worker, msg); /* a late use is reported with both places */
    else
        quarantine(system, msg, here);
    cedei_guard_say(NULL);
    return copy;
}

struct cedei_msg *cedei_msg_relocate(cede_self *self, struct cedei_msg *msg, const char *here) {
    return cedei_msg_relocate_to(self, msg, (cede_ref){0}, here);
}

void cedei_quarantine_fini(cede_system *system) {
    for (size_t i = 0; i < sizeof system->quarantine / sizeof system->quarantine[0]; i++)
        if (system->quarantine[i] != NULL) block_release(system, NULL, system->quarantine[i]);
}

/* ---- dropping ---- */

/* A request that nobody will answer any more says so to its sender. */
CEDEI_NOINLINE static void request_refuse_slow(cede_system *system, struct cedei_worker *worker,
                                               struct cedei_msg *msg, cede_result reason) {
    struct cedei_return back = msg->reply;
    msg->reply.sequence = 0;
    (void)cedei_answer(system, worker, back, NULL, reason); /* the asker may be gone too */
}

CEDEI_INLINE void request_refuse(cede_system *system, struct cedei_worker *worker,
                                 struct cedei_msg *msg, cede_result reason) {
    if (CEDEI_UNLIKELY(msg->reply.sequence != 0)) request_refuse_slow(system, worker, msg, reason);
}

void cedei_msg_drop_one(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg) {
    request_refuse(system, worker, msg, CEDE_ENOREPLY);
    msg_release(system, worker, msg);
}

static void drop_list(cede_self *self, struct cedei_msg **list) {
    while (*list != NULL) { /* each round takes one off */
        struct cedei_msg *msg = *list;
        cedei_msg_unlink(msg);
        request_refuse(self->system, self->worker, msg, CEDE_ENOREPLY);
        cedei_msg_release(self->system, self->worker, msg);
    }
}

void cedei_msg_drop_current(cede_self *self) {
    struct cedei_msg *msg = self->current;
    if (msg == NULL) return;
    self->current = NULL;
    request_refuse(self->system, self->worker, msg, CEDE_ENOREPLY);
    msg_release(self->system, self->worker, msg);
}

CEDEI_NOINLINE static void drop_turn_slow(cede_self *self) {
    if (cedei_has_cleanups(self)) cedei_cleanups_run(self, CEDEI_FRAME_TOP());
    cedei_msg_drop_current(self);
    for (struct cedei_msg *msg = self->turn_list; msg != NULL; msg = msg->next) {
        cedei_tally(self->system, self->worker, msg->type, CEDEI_TALLY_FORGOTTEN);
        cedei_log_line(&self->system->log, CEDE_LOG_DEBUG,
                       "actor '%s' forgot a message '%s' at the end of its turn; it is dropped",
                       self->behaviour->name, msg->type->name);
    }
    drop_list(self, &self->turn_list);
}

/* The short way: a message of one cache line that owns nothing and wants no answer, and nothing else. */
void cedei_msg_drop_turn(cede_self *self) {
    struct cedei_msg *msg = self->current;
    struct cedei_worker *worker = self->worker;
    if (CEDEI_UNLIKELY(!CEDEI_BLOCKS_POOLED || msg == NULL || self->turn_list != NULL ||
                       msg->reply.sequence != 0)) {
        drop_turn_slow(self);
        return;
    }
    const struct cede_type *type = msg->type;
    struct cedei_block_small_list *list = &worker->blocks.small;
    if (CEDEI_UNLIKELY(type->size > CEDEI_CACHE_LINE - sizeof *msg || type->owning != 0 ||
                       type->drop != NULL || list->count + 1 >= CEDEI_BLOCK_SMALL_MAX)) {
        drop_turn_slow(self);
        return;
    }
    self->current = NULL;
    cedei_birth_forget(self->system, msg);
    msg->owner = CEDEI_MSG_FREE;
    list->blocks[list->count++] = msg;
    cedei_tally_on(worker, type, CEDEI_TALLY_DROPPED);
}

void cedei_msg_drop_all(cede_self *self) {
    if (self->current != NULL) cedei_msg_drop_current(self);
    if (self->turn_list != NULL) drop_list(self, &self->turn_list);
    if (self->kept_list != NULL) drop_list(self, &self->kept_list);
}

static void letter_end(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg,
                       cede_result reason) {
    cedei_tally(system, worker, msg->type, CEDEI_TALLY_DEAD_LETTERED);
    request_refuse(system, worker, msg, reason);
    cedei_msg_release(system, worker, msg);
}

void cedei_msg_dead_letter(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg,
                           cede_result reason) {
    cedei_dead_letter_tell(system, NULL, msg, reason);
    letter_end(system, worker, msg, reason);
}

void cedei_msg_dead_letter_of(struct cede_self *receiver, struct cedei_worker *worker,
                              struct cedei_msg *msg, cede_result reason) {
    cedei_mail_left(receiver);
    cedei_dead_letter_tell(receiver->system, receiver, msg, reason);
    letter_end(receiver->system, worker, msg, reason);
}

/* ---- the public calls ---- */

CEDEI_NOINLINE static void *new_slow(cede_self *self, struct cede_type *type, size_t size,
                                     const char *here) {
    if (self == NULL) return NULL;
    cedei_self_check(self, "cede_new", here);
    if (size != type->size)
        cedei_fatal(
            "cede: cede_new at %s: struct %s has %zu bytes here and %u elsewhere: two definitions "
            "of one message type are linked together",
            here, type->name, size, type->size);
    struct cedei_msg *msg = cedei_msg_take_at(self->system, self->worker, type, here);
    if (msg == NULL) return NULL;
    cedei_msg_own_by_turn(self, msg);
    return cedei_msg_body(msg);
}

/* The short way: a message of one cache line, from the worker's own blocks. Nothing is needed after the other way, so that
 * it does not cost this one a saved register. */
void *cedei_new(cede_self *self, struct cede_type *type, size_t size, const char *here) {
    if (CEDEI_UNLIKELY(CEDEI_CHECKS || !CEDEI_BLOCKS_POOLED || self == NULL || size != type->size ||
                       size > CEDEI_CACHE_LINE - sizeof(struct cedei_msg)))
        return new_slow(self, type, size, here);
    struct cedei_worker *worker = self->worker;
    struct cedei_block_small_list *list = &worker->blocks.small;
    if (CEDEI_UNLIKELY(list->count == 0)) return new_slow(self, type, size, here);
    struct cedei_msg *msg = __builtin_assume_aligned(list->blocks[--list->count], CEDEI_CACHE_LINE);
    memset(msg, 0, CEDEI_CACHE_LINE);
    msg->type = type;
    msg->owner = owner_make(self, CEDEI_MSG_TURN);
    cedei_msg_link(&self->turn_list, msg);
    cedei_tally_on(worker, type, CEDEI_TALLY_ALLOCATED);
    return cedei_msg_body(msg);
}

void cedei_drop(cede_self *self, void **message, const char *here) {
    if (message == NULL || *message == NULL) return;
    cede_result why = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_drop", here, &why);
    *message = NULL;
    if (msg == NULL) return; /* misuse was reported */
    request_refuse(self->system, self->worker, msg, CEDE_ENOREPLY);
    if (self->system->strict && (CEDEI_GUARD_NOTES || cedei_guard_has(msg))) {
        struct cedei_guard_note note = {.what = msg->type->name,
                                        .how = "dropped",
                                        .here = here,
                                        .by = self->behaviour->name,
                                        .to = ""};
        cedei_guard_say(&note);
        cedei_msg_release(self->system, self->worker, msg);
        cedei_guard_say(NULL);
        return;
    }
    if (self->system->strict && !CEDEI_ASAN) {
        const struct cede_type *type = msg->type;
        if (type->owning != 0 || type->drop != NULL) cedei_message_clear(type, cedei_msg_body(msg));
        cedei_tally(self->system, self->worker, type, CEDEI_TALLY_DROPPED);
        cedei_birth_forget(self->system, msg);
        quarantine(self->system, msg, here);
        return;
    }
    cedei_msg_release(self->system, self->worker, msg);
}

void *cedei_keep(cede_self *self, void **message, const char *here) {
    cede_result why = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_keep", here, &why);
    if (msg == NULL) return NULL;
    if (self->system->strict) msg = cedei_msg_relocate(self, msg, here);
    msg->owner = owner_make(self, CEDEI_MSG_KEPT);
    cedei_msg_link(&self->kept_list, msg);
    *message = NULL;
    return cedei_msg_body(msg);
}
