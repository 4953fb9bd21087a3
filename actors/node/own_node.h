/* own_node.h - this system as a node: its links, its names, and the thread that keeps time for them.
 *
 * The keeper is the only thread that admits, buries and frees links, so these never race: a link comes up only after
 * every link that it replaces is buried, and "the old one is down" is told before anything comes over the new one. */
#ifndef CEDEI_NODE_OWN_NODE_H
#define CEDEI_NODE_OWN_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/node.h>
#include <cede/system.h>

#include "actors/node/account.h"
#include "actors/node/exports.h"
#include "actors/node/hash.h"
#include "actors/node/link.h"
#include "actors/node/names.h"
#include "actors/node/transport.h"
#include "core/sys/thread.h"

#define CEDEI_DIALS_MAX 1024u
enum { CEDEI_RECENT_LINKS = 8 };

/* The slot of the node itself: look-ups are asks to it. No actor has it. */
#define CEDEI_SERVICE_SLOT UINT32_MAX
#define CEDEI_SERVICE_GENERATION 1u

/* What is known of an URL that was dialed. Under the node's lock; kept for the next connect. */
struct cedei_dial {
    struct cedei_dial *next;
    char url[CEDEI_URL_SIZE];
    uint64_t uid;                      /* who answered last; 0: nobody yet */
    struct cedei_link *link;           /* the attempt under way, or NULL; no reference */
    struct cedei_link_waiter *waiters; /* turns in cede_node_connect */
};

/* Access: I = set before the keeper starts, then constant; L = under `lock`; K = the keeper's; Q = under keeper_lock. */
struct cedei_own_node {
    cede_system *system;                             /* I */
    const struct cedei_transport *only;              /* I: for every URL; NULL: each has its own */
    const struct cedei_transport *listens_by;        /* I: the transport of `listener` */
    struct cedei_hello hello;                        /* I, but for the nonce */
    struct cedei_window window;                      /* I: what we let peers have */
    uint32_t half_open_max;                          /* I */
    uint64_t heartbeat_ns, silence_ns, handshake_ns; /* I */
    uint64_t seed;                                   /* I: of the hash tables */
    char url[CEDEI_URL_SIZE];                        /* I: "" if it does not listen */
    struct cedei_listener *listener;                 /* of the thread that creates and destroys */

    cedei_mutex lock;
    struct cedei_link *links;        /* L: newest first */
    struct cedei_hash by_number;     /* L */
    struct cedei_hash by_uid;        /* L: links that are UP */
    struct cedei_dial *dials;        /* L */
    uint32_t dial_count;             /* L */
    uint32_t next_number;            /* L; 0: used up */
    uint64_t stamp;                  /* L: of the newest READY */
    bool leaving;                    /* L: no new links */
    bool alone;                      /* L: no worker is left: the keeper looks at the streams */
    struct cede_node_metrics buried; /* L: counts of links that are no more */

    /* P: links that were found lately, by uid and by number: tried before the tables. They may be no more, or be another's memory
     * by now: whoever takes one looks under its lock what it is. */
    _Atomic(struct cedei_link *) recent[2][CEDEI_RECENT_LINKS];
    cedei_mutex shelf_lock;
    struct cedei_link *shelf; /* under shelf_lock: memory of links that are no more */

    struct cedei_accounts accounts;
    struct cedei_exports exports;
    struct cedei_names names;

    cedei_mutex log_lock;
    uint64_t log_window_ns; /* under log_lock: when the present second began */
    uint32_t log_lines;     /* under log_lock: in the present second */
    uint32_t log_omitted;   /* under log_lock */

    cedei_thread keeper;
    cedei_mutex keeper_lock;
    cedei_cond keeper_cond;
    uint64_t keeper_due_ns; /* Q: when to look next */
    bool keeper_stop;       /* Q */
    cedei_cond links_gone;  /* with `lock`: the last link was freed */
};

/* ---- own_node.c ---- */

/* Checks the options, starts the keeper, binds, and fills `*out`. */
cede_result cedei_own_node_create(cede_system *system, uint64_t uid,
                                  const struct cede_node_options *options,
                                  const struct cedei_transport *transport,
                                  struct cedei_own_node **out);
/* Says goodbye, waits, ends the keeper, frees everything. `alone`: the system's workers have stopped. NULL does nothing. */
void cedei_own_node_destroy(struct cedei_own_node *node, bool alone);
/* With a reference; NULL if there is none. */
struct cedei_link *cedei_own_node_link_to(struct cedei_own_node *node, uint64_t uid);
/* The same with the link's lock, which keeps it there, in place of a reference. */
struct cedei_link *cedei_own_node_lock_to(struct cedei_own_node *node, uint64_t uid);
struct cedei_link *cedei_own_node_lock_numbered(struct cedei_own_node *node, uint32_t number);
/* Starts to dial `url`, or joins who does; (actor, sequence) will be woken with CEDE_OK when the link is up, or why it
 * is not: CEDE_ECANCELED another link to that node is up, or coming up. CEDE_EEXIST: `*uid` is linked already. */
cede_result cedei_own_node_dial(struct cedei_own_node *node, const char *url, cede_ref actor,
                                uint32_t sequence, uint64_t *uid);
/* Whether the node that last answered at `url` is linked now; then `*uid` is its uid. */
bool cedei_own_node_dialed_uid(struct cedei_own_node *node, const char *url, uint64_t *uid);
bool cedei_own_node_is_leaving(struct cedei_own_node *node);
void cedei_own_node_metrics(struct cedei_own_node *node, struct cede_node_metrics *out);
/* Takes a buried link off the lists and keeps its counts. Under the node's lock. */
void cedei_own_node_forget(struct cedei_own_node *node, struct cedei_link *link);
/* One line about a peer, at most 20 a second; says how many were left out. */
void cedei_own_node_log(struct cedei_own_node *node, enum cede_log_level level, const char *format,
                        ...) CEDE_PRINTF(3, 4);
/* Answers an ask to CEDEI_SERVICE_SLOT; `bytes` are behind the head of its DATA frame. CEDE_OK: a reply was queued. */
cede_result cedei_own_node_serve(struct cedei_own_node *node, struct cedei_link *link,
                                 const struct cedei_data_head *head, const uint8_t *bytes,
                                 size_t size);

/* ---- node.c ---- */

/* cede_node_start over one transport for every URL (NULL: its own): how tests and the simulator come in. Plain threads, too. */
cede_result cedei_node_start(cede_system *system, const struct cede_node_options *options,
                             const struct cedei_transport *transport);

/* ---- keeper.c ---- */

/* Has the keeper look at the links by `due_ns`; 0: now. Any thread, any lock but the keeper's. */
void cedei_keeper_call(struct cedei_own_node *node, uint64_t due_ns);
void *cedei_keeper_run(void *node);

/* ---- admission.c ---- */

/* Event of a dialed link, HELLO is good: whether to confirm it. CEDE_EEXIST: a link to that node is up. */
cede_result cedei_admission_confirm(struct cedei_own_node *node, struct cedei_link *link);
/* The turns that wait for this link to come up; they are to be woken. Under the node's lock. */
struct cedei_link_waiter *cedei_admission_dial_finish(struct cedei_own_node *node,
                                                      const struct cedei_link *link);
/* Keeper: admits what can be admitted. True: links were ended that must be buried first. */
bool cedei_admission_run(struct cedei_own_node *node);

#endif
