/* link.h - one connection to one peer: handshake, frames, credits, and what has to be told when it ends.
 *
 *   state     | left by  | on                                      | to
 *   DIALING   | event    | connected                               | GREETING
 *   GREETING  | event    | HELLO is good                           | dialed: CONFIRMED, accepted: GREETED
 *   GREETED   | event    | READY (accepted links)                  | ADMISSION
 *   CONFIRMED | event    | READY (dialed links)                    | ADMISSION
 *   ADMISSION | keeper   | no older link stands against it         | UP
 *   any above | any      | the peer must be told why not           | LEAVING, after a REFUSE
 *   UP        | any      | this node ends                          | LEAVING, after a GOODBYE
 *   any       | any      | error, deadline, close, GOODBYE, REFUSE | CLOSED
 *   CLOSED    | keeper   | buried: everybody was told              | freed with the last reference
 *
 * Locks, in this order: the node's, then a link's, then leaves (exports, names, accounts, the keeper's). No lock is held over a
 * call into the actor runtime or the log. A link is referenced by its node's list until it is buried, and by whoever
 * looked it up without keeping its lock. Its memory is a link's for as long as the node lives, so that whoever comes late finds a
 * lock, and under it another link. Its stream's events run without a reference: the keeper destroys the stream before it buries. */
#ifndef CEDEI_NODE_LINK_H
#define CEDEI_NODE_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cede/ref.h>
#include <cede/result.h>

#include "actors/message/header.h"
#include "actors/message/message.h"
#include "actors/node/credit.h"
#include "actors/node/hash.h"
#include "actors/node/outbox.h"
#include "actors/node/transport.h"
#include "actors/node/wire.h"
#include "core/sys/thread.h"

struct cedei_own_node;

enum cedei_link_state {
    CEDEI_LINK_DIALING,
    CEDEI_LINK_GREETING,
    CEDEI_LINK_GREETED,
    CEDEI_LINK_CONFIRMED,
    CEDEI_LINK_ADMISSION,
    CEDEI_LINK_UP,
    CEDEI_LINK_LEAVING,
    CEDEI_LINK_CLOSED
};

#define CEDEI_LINK_REASON_SIZE 96u

/* A turn that waits: for credit, for room, or for the end of a handshake. */
struct cedei_link_waiter {
    struct cedei_hash_node node;    /* in the link's `waiters`, key: slot */
    struct cedei_link_waiter *next; /* of the same target, or of the link */
    cede_ref actor;
    uint32_t sequence;
    struct cedei_target *target; /* NULL: waits for room in the outbox */
};

/* Messages that came one behind the other for one actor: they are delivered together. */
struct cedei_batch {
    struct cedei_wire_actor target;
    struct cedei_msg *first, *last;
    uint32_t count;
};

/* Access: I = set before the stream's first event, then constant; R = whoever runs the receiving side: the stream's
 *         event, or the keeper while `paused`; L = under `lock`; N = under the node's lock; P = any thread, atomic. */
struct cedei_link {
    cedei_mutex lock;            /* made once for this memory */
    struct cedei_own_node *node; /* I */
    uint32_t number; /* I (set under `lock`): never used twice in this process, never 0 */
    bool dialed;     /* I */
    const struct cedei_transport *transport; /* I: of `stream` */
    struct cedei_stream *stream;             /* I */
    _Atomic uint32_t references;             /* P */
    char dial_url[128];                      /* I: of a dialed link, else "" */

    struct cedei_link *previous, *next; /* N: the node's list */
    struct cedei_hash_node by_number;   /* N */
    struct cedei_hash_node by_uid;      /* N: while UP */
    bool listed_by_uid;                 /* N */
    uint64_t peer_stamp;                /* L and N: from its READY */
    uint64_t own_stamp;                 /* N: in our READY */

    enum cedei_link_state state;             /* L; ADMISSION to UP also N */
    bool was_up;                             /* L */
    bool paused;                             /* L: received bytes wait until the keeper goes on */
    cede_result end;                         /* L: why it is CLOSED */
    char end_reason[CEDEI_LINK_REASON_SIZE]; /* L */
    bool end_expected;                       /* L: no need to warn */
    uint64_t deadline_ns;                    /* L: of the handshake, or of leaving */
    struct cedei_hello peer;                 /* L until GREETED, then constant */
    char address[64];                        /* as `peer` */

    /* P: bits of types, by their number here, that the peer declares as we do. One that is not set yet is only slower. */
    _Atomic(uint64_t) types_alike[CEDEI_TYPES_MAX / 64];

    bool in_up;                              /* R: the handshake is done */
    bool in_greeted;                         /* R: HELLO came */
    bool in_ready;                           /* R: READY came; pause at the end of the parse */
    uint8_t *in_bytes;                       /* R: received, not parsed yet */
    size_t in_size;                          /* R */
    size_t in_capacity;                      /* R */
    uint64_t in_sequences[CEDEI_LANE_COUNT]; /* R: of the next frame */
    struct cedei_wire_actor in_target; /* R: the last that was found exported, which it stays */
    struct cedei_batch in_batch;       /* R: empty outside of cedei_link_parse */
    uint64_t last_in_ns;               /* L: when bytes came last */
    uint64_t last_ping_ns;             /* L */
    uint8_t in_first[2 * CEDEI_FRAME_HANDSHAKE_MAX]; /* R: `in_bytes` until the link is up */

    struct cedei_outbox outbox; /* L */
    bool sending;               /* L: the stream takes no more at present; its event goes on */
    bool soon;                  /* L: what is queued leaves when the present turn is over */
    uint64_t sending_since_ns;  /* L: since it last made progress */

    struct cedei_hash targets;              /* L: struct cedei_target by actor */
    struct cedei_hash waiters;              /* L: struct cedei_link_waiter by local slot */
    struct cedei_link_waiter *room_waiters; /* L: those without target */
    struct cedei_hash asks;                 /* L: struct cedei_pending_ask by local slot */
    struct cedei_pending_ask *ask_spare;    /* L: one that is done, for the next; or NULL */
    struct cedei_hash monitors;      /* L: struct cedei_remote_monitor, ours on actors there */
    uint32_t monitors_in;            /* L: theirs on actors here */
    struct cedei_hash debts;         /* L: struct cedei_debt by local slot */
    struct cedei_debt *debts_listed; /* L: owed or stashed: the keeper looks at them */
    uint64_t held_bytes;             /* L: of all debts; the sum that one peer can make us hold */

    uint64_t messages_sent, messages_credited, messages_received, messages_bounced; /* L */
    uint64_t bounces_received, replies_late, bytes_sent;                            /* L */
    _Atomic uint64_t bytes_received; /* P: written by R */
};

/* ---- link.c: life ---- */

/* A link of `node` in state DIALING or GREETING, with one reference for the caller; nothing has been started. */
struct cedei_link *cedei_link_create(struct cedei_own_node *node,
                                     const struct cedei_transport *transport, bool dialed);
void cedei_link_ref(struct cedei_link *link);
void cedei_link_unref(struct cedei_link *link);
static inline uint64_t cedei_link_bytes_received(struct cedei_link *link) {
    /* relaxed: a figure. */
    return atomic_load_explicit(&link->bytes_received, memory_order_relaxed);
}
/* Ends the link, now: CLOSED, stream closed, keeper told. The first call counts. Without the link's lock. */
void cedei_link_fail(struct cedei_link *link, cede_result code, const char *format, ...)
    CEDE_PRINTF(3, 4);
/* The same under the link's lock. */
void cedei_link_fail_locked(struct cedei_link *link, cede_result code, const char *format, ...)
    CEDE_PRINTF(3, 4);
/* Tells the peer why and then ends: REFUSE before it is up, GOODBYE after. Without the link's lock. */
void cedei_link_leave(struct cedei_link *link, cede_result code, const char *reason);
/* Keeper, under the node's lock: sets an admitted link UP and says so to the peer. */
void cedei_link_admit(struct cedei_link *link, uint64_t own_stamp);
/* Keeper, after admit, without locks: goes on with what was received meanwhile. */
void cedei_link_resume(struct cedei_link *link);
/* Keeper: takes what has come if nobody else seems to. `alone`: nobody else will. Returns when to look again. */
uint64_t cedei_link_look(struct cedei_link *link, uint64_t now_ns, bool alone);
/* Keeper: what time has brought. Returns when to look again. */
uint64_t cedei_link_tick(struct cedei_link *link, uint64_t now_ns);
/* Keeper: the link stood still for `lag_ns` because we did; not the peer's fault. */
void cedei_link_excuse(struct cedei_link *link, uint64_t lag_ns);
/* Keeper, CLOSED and stream destroyed: ends asks, monitors and waits with CEDE_ENODE; `silent`: tells nobody. */
void cedei_link_bury(struct cedei_link *link, bool silent);

/* ---- link_stream.c: bytes in and out, the greeting ---- */

/* Starts the handshake of an accepted link; its stream is set. */
void cedei_link_accept(struct cedei_link *link);
extern const struct cedei_stream_events cedei_link_events;
/* Asks the stream for more; R. */
void cedei_link_receive(struct cedei_link *link);

/* ---- link_out.c: what local actors want; any thread ---- */

/* Under the link's lock, which it leaves. CEDE_ENODE not up; CEDE_EFULL no credit or outbox full; CEDE_ENOACTOR a bounce said so; CEDE_ETOOBIG; CEDE_ENOMEM. */
cede_result cedei_link_send(struct cedei_link *link, cede_ref to, struct cedei_msg *msg,
                            struct cedei_return back, uint64_t deadline_ns);
cede_result cedei_link_await_room(struct cedei_link *link, cede_ref to, cede_ref waiter,
                                  uint32_t sequence);
/* Under the link's lock, which it leaves. */
cede_result cedei_link_reply(struct cedei_link *link, struct cedei_return back,
                             const struct cede_type *type, const void *message, cede_result code);
cede_result cedei_link_monitor(struct cedei_link *link, cede_ref watcher, cede_ref target);
cede_result cedei_link_demonitor(struct cedei_link *link, cede_ref watcher, cede_ref target);
void cedei_link_down(struct cedei_link *link, cede_ref watcher, cede_ref target, cede_result reason);

/* ---- link_in.c: what the peer sends; R ---- */

/* Takes whole frames from what was received. False: the link failed or is paused; do not receive more. */
bool cedei_link_parse(struct cedei_link *link);
/* CEDE_OK when the frame was taken; anything else fails the link, with `*reason` for the log. */
cede_result cedei_link_take_frame(struct cedei_link *link, const struct cedei_frame *frame,
                                  const uint8_t *body, const char **reason);

/* ---- link_credit.c: what was delivered and what is owed for it ---- */

/* Messages for a local actor came in. Always takes those of the batch, which is empty then. CEDE_EPROTO: the peer had no credit. */
cede_result cedei_link_deliver(struct cedei_link *link, struct cedei_batch *batch);
void cedei_batch_add(struct cedei_batch *batch, struct cedei_wire_actor target, uint32_t charge,
                     struct cedei_msg *msg);
/* A DATA frame that no message is delivered for: credit and, unless `code` is CEDE_OK, bounce or error reply. False:
 * fail the link. */
bool cedei_link_reject(struct cedei_link *link, const struct cedei_data_head *head, uint32_t charge,
                       cede_result code);
/* Messages for local `slot` left its mailbox. Under the link's lock. */
void cedei_link_consumed(struct cedei_link *link, uint32_t slot);
/* Keeper: moves stashed messages to mailboxes that have room again, and sends credits that are owed. */
void cedei_link_settle(struct cedei_link *link);
/* Sends what is owed, before a farewell; under the link's lock. What does not fit counts as lost over there. */
void cedei_link_flush_credits(struct cedei_link *link);
/* Answers what could not be delivered: an error reply if one is expected, else a bounce. False: fail the link. Under
 * the link's lock. */
bool cedei_link_answer(struct cedei_link *link, struct cedei_wire_actor target,
                       struct cedei_return back, uint64_t type_id, cede_result code);

/* ---- shared by these files; under the link's lock ---- */

/* Adds a frame; NULL: no memory, or the peer does not take what we send. The caller then fails the link, unless the
 * frame may be lost. */
uint8_t *cedei_link_frame(struct cedei_link *link, enum cedei_frame_type type, size_t size);
/* Sees to it that what is queued leaves. May end the link. */
void cedei_link_push(struct cedei_link *link);
/* Frees a target that nothing is known of any more. */
void cedei_target_retire(struct cedei_link *link, struct cedei_target *target);
/* Takes all waiters of `*list` out of the table; to be given to cedei_waiters_wake without the lock. */
struct cedei_link_waiter *cedei_waiters_take(struct cedei_link *link,
                                             struct cedei_link_waiter **list);
/* Frees them; wakes nobody if `node` is NULL. */
void cedei_waiters_wake(struct cedei_own_node *node, struct cedei_link_waiter *list,
                        cede_result value);
/* Whether the outbox holds so much that messages are refused. */
bool cedei_link_is_full(const struct cedei_link *link);

struct cedei_pending_ask {
    struct cedei_hash_node node; /* key: slot of the asker, who has one ask at a time */
    struct cedei_return back;
};

struct cedei_remote_monitor {
    struct cedei_hash_node node; /* key: slot of the watcher */
    cede_ref watcher, target;
};
struct cedei_remote_monitor *cedei_link_monitor_find(struct cedei_link *link, cede_ref watcher,
                                                     cede_ref target);

#endif
