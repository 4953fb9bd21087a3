/* remote.h - the seam between actors and the links to other nodes (DESIGN: actors know no transport).
 * actors/node fills `struct cedei_remote_ops`; the functions below it are what a link calls, from any thread. */
#ifndef CEDEI_ACTOR_REMOTE_H
#define CEDEI_ACTOR_REMOTE_H

#include <stdint.h>

#include <cede/ref.h>
#include <cede/result.h>
#include <cede/system.h>

#include "actors/message/header.h"
#include "actors/message/message.h"

struct cedei_sched;

/* Called on workers and pool threads; none may block for longer than a short mutex section, none yields. */
struct cedei_remote_ops {
    /* Takes `msg` (encodes and frees it by cedei_msg_free) on CEDE_OK. `back.sequence` not 0: a reply is expected, and
     * must come by cedei_reply_deliver exactly once, with CEDE_ENODE when the link goes down.
     * `deadline_ns`: until when it is waited for; UINT64_MAX: no limit.
     * CEDE_EFULL: no credit for this receiver now. CEDE_ENODE: no link to `to.node`. CEDE_ENOTSUP: opaque type. */
    cede_result (*send)(void *context, cede_ref to, struct cedei_msg *msg, struct cedei_return back,
                        uint64_t deadline_ns);
    /* Registers (waiter, sequence) to be woken by cedei_unpark when credit for `to` comes back or the link goes down.
     * May wake at once. */
    cede_result (*await_room)(void *context, cede_ref to, cede_ref waiter, uint32_t sequence);
    /* Answers a request that came over link `back.peer`: with `msg` (taken on CEDE_OK) or, if msg is NULL, `code`. */
    cede_result (*reply)(void *context, struct cedei_return back, struct cedei_msg *msg,
                         cede_result code);
    /* A message for local slot `slot` that was delivered for `account` has been taken out of its mailbox: credit. */
    void (*consumed)(void *context, uint32_t account, uint32_t slot);
    /* A local actor watches an actor elsewhere. Exactly one cedei_down_deliver follows each CEDE_OK. */
    cede_result (*monitor)(void *context, cede_ref watcher, cede_ref target);
    /* It takes that back, all that it has of it: no cedei_down_deliver follows any more. CEDE_ENOENT: none would, or it is on its way;
     * CEDE_ENOMEM: as it was. */
    cede_result (*demonitor)(void *context, cede_ref watcher, cede_ref target);
    /* A local actor that somebody elsewhere watches has ended: after all that it sent there. */
    void (*down)(void *context, cede_ref watcher, cede_ref target, cede_result reason);
    /* The system is being destroyed; workers have stopped. Close links, free the context. */
    void (*destroy)(void *context);
};

/* This process's uid in refs: random, never 0, drawn at system creation. */
uint64_t cedei_system_uid(cede_system *system);
/* Its first executor, which has the reactor. */
struct cedei_sched *cedei_system_sched(cede_system *system);
/* CEDE_EEXIST if a node layer is set already. ops must outlive the system. */
cede_result cedei_system_set_remote(cede_system *system, const struct cedei_remote_ops *ops,
                                    void *context);
void *cedei_system_remote(cede_system *system);
void cedei_log(cede_system *system, enum cede_log_level level, const char *format, ...)
    CEDE_PRINTF(3, 4);

/* A message that nobody owns yet (state LINK), body zeroed; NULL when memory is short. Counts as allocated. */
struct cedei_msg *cedei_msg_create_at(cede_system *system, struct cede_type *type, const char *here);
#define cedei_msg_create(system, type) cedei_msg_create_at((system), (type), CEDEI_HERE)
/* Frees a message in state LINK with all that it owns. Counts as dropped. */
void cedei_msg_free(cede_system *system, struct cedei_msg *msg);
/* Makes and releases frozen messages of this system, for cedei_message_decode. */
struct cedei_maker cedei_system_maker(cede_system *system);

/* Puts `msg` (state LINK) into the mailbox of the local actor `to`. Takes it on CEDE_OK. `msg->reply` is set before by
 * the link: peer always, the rest if a reply is expected (see cedei_deadline_pack). `account`: what ops->consumed is told, not 0.
 * CEDE_ENOACTOR, CEDE_EFULL: still the link's. */
cede_result cedei_deliver(cede_system *system, cede_ref to, struct cedei_msg *msg, uint32_t account);
/* How long an asker elsewhere waits from now on, for `generation` in the return address of its request, where else nothing
 * would be needed: to about a millisecond; 0: no limit, or more than 13 days. */
uint32_t cedei_deadline_pack(uint64_t left_ns);
/* Ends the wait of the local actor named by `back` with `msg` (always taken; dropped if the asker is gone, gave up, or
 * wants another type) or, msg NULL, with `code`. */
void cedei_reply_deliver(cede_system *system, struct cedei_return back, struct cedei_msg *msg,
                         cede_result code);
/* The local actor `watcher` gets a cede_down message. */
void cedei_down_deliver(cede_system *system, cede_ref watcher, cede_ref target, cede_result reason);
/* `watcher` lives elsewhere, `target` here: ops->down will be called once. CEDE_ENOACTOR: it will not; answer yourself. */
cede_result cedei_monitor_add(cede_system *system, cede_ref watcher, cede_ref target);
/* Takes all those back; how many. */
uint32_t cedei_monitor_remove(cede_system *system, cede_ref watcher, cede_ref target);
void cedei_monitor_remove_node(cede_system *system, uint64_t node);

/* Suspending in node code that runs inside a turn (connect, look-up): take a sequence, hand (cede_self_ref, sequence)
 * to whoever will wake, then park. A wake before the park is not lost; one with an old sequence does nothing. */
uint32_t cedei_park_begin(cede_self *self);
/* The value given to cedei_unpark, or CEDE_ETIMEDOUT. */
CEDE_YIELDS cede_result cedei_park(cede_self *self, uint32_t sequence, uint64_t timeout_ns);
void cedei_unpark(cede_system *system, cede_ref actor, uint32_t sequence, cede_result value);

#endif
