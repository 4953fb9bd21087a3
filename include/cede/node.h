/* node.h - actors in other processes: this system as a node, links to others, published names.
 *
 * A node is one start of a process: a name, chosen by the program, and a uid, drawn at random at each start. Links are
 * made by cede_node_connect or by the other side. Over a link, refs work as at home: send, ask, reply, monitor. What is
 * different: a link can break (CEDE_ENODE) and stays broken until somebody connects again; a message that was sent when
 * it broke may or may not have arrived; and only actors whose ref was published or sent out can be reached. This version
 * stays on the machine (ipc://, abstract://, loopback tcp:// and ws://): it knows no encryption yet, and trusts every process of
 * the same user (ipc, abstract) or machine (tcp, ws). docs/NODES.md has what is promised. */
#ifndef CEDE_NODE_H
#define CEDE_NODE_H

#include <stddef.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/ref.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// How to set this system up as a node. Zeroes mean the defaults.
struct cede_node_options {
    const char *name;    /* required: 1 to 63 of A-Z a-z 0-9 . _ -; unlike that of every peer */
    const char *cluster; /* the same on both sides of a link; NULL: "cede" */
    const char *
        listen_url; /* "ipc:///run/x.sock", "tcp://127.0.0.1:0", "abstract://x", "ws://127.0.0.1:0/x"; NULL: only dials */
    uint32_t frame_max; /* bytes of an encoded message that it accepts, at least 4096; 0: 16 MiB */
    uint32_t window_messages; /* that may wait for one of its actors on behalf of one peer; 0: 1024 */
    uint32_t window_bytes;    /* of those messages; 0: 4 MiB */
    uint32_t half_open_max; /* peers that have not introduced themselves yet; the oldest gives way; 0: 128 */
    uint64_t heartbeat_ns; /* asks for a sign of life when nothing came for this long; 0: 250 ms */
    uint64_t silence_ns;   /* gives a peer up when nothing came for this long; 0: 900 ms */
    uint64_t handshake_ns; /* gives up a peer that has not introduced itself; 0: 5 s */
};

/// Makes this system a node. It ends with the system, which then says goodbye to its peers and waits up to a second
/// until they have what was sent.
/// Ownership: `options` borrowed. Threads: the turn's. Yields: no. Blocks: shortly, to start threads and bind.
/// Units: nanoseconds, bytes.
/// Errors: CEDE_EINVAL an option out of range or an URL that is none (logged); CEDE_EACCES the URL leaves this machine
/// or the path may not be bound; CEDE_EEXIST this system is a node already or the address is taken; CEDE_ENOMEM;
/// CEDE_ELIMIT; CEDE_EIO.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_node_start(cede_self *self CEDE_BORROWED,
                                                        const struct cede_node_options *options
                                                        CEDE_BORROWED);

/// Writes the URL that this node listens on, with the port that the system chose for port 0.
/// Ownership: `url` written. Threads: the turn's. Yields: no. Blocks: no. Units: `size` in bytes, with the NUL.
/// Errors: CEDE_ENOENT it does not listen or is no node; CEDE_ETOOBIG `size` is too small.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_node_url(cede_self *self CEDE_BORROWED,
                                                      char *url CEDE_BORROWED, size_t size);

/// The uid of this process in refs, drawn at random when the system was made.
/// Ownership: none. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD uint64_t cede_node_uid(cede_self *self CEDE_BORROWED);

/// Links this node to the one that listens on `url`, or finds the link that exists. While nobody listens there it
/// tries again until the time is over, so a peer may be started at the same moment.
/// Ownership: `url` borrowed; `*uid` written on CEDE_OK, may be NULL.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_ENODE nobody listened in time; CEDE_ETIMEDOUT it did not introduce itself in time; CEDE_EACCES the URL
/// leaves this machine, the peer runs as another user, or is of another cluster; CEDE_EINVAL no URL, or our own;
/// CEDE_EEXIST it has our name; CEDE_EVERSION; CEDE_EPROTO it is no Cede node; CEDE_ENOENT this system is no node;
/// CEDE_ECLOSED it, or this node, is ending; CEDE_ENOMEM; CEDE_ELIMIT.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_node_connect(cede_self *self CEDE_BORROWED,
                                                         const char *url CEDE_BORROWED,
                                                         uint64_t timeout_ns,
                                                         uint64_t *uid CEDE_BORROWED);

/// Lets others find `ref` under `name`, in this node and over links. What had the name before loses it; the ref of
/// nobody takes the name back.
/// Ownership: copied. Threads: the turn's. Yields: no. Blocks: no. Units: a name has 1 to 255 bytes.
/// Errors: CEDE_EINVAL; CEDE_ENOENT this system is no node, or nothing to take back; CEDE_ELIMIT 65536 names; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_publish(cede_self *self CEDE_BORROWED,
                                                     const char *name CEDE_BORROWED, cede_ref ref);

/// Finds what node `uid` published as `name`; uid 0 or our own: this node, at once. Does not wait for the name.
/// Ownership: `name` borrowed; `*out` written on CEDE_OK.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_ENOENT no such name there, or this system is no node; CEDE_EINVAL; CEDE_ENODE no link, or it went down;
/// CEDE_ETIMEDOUT; CEDE_EFULL too many look-ups under way there; CEDE_ENOMEM.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_lookup(cede_self *self CEDE_BORROWED, uint64_t uid,
                                                   const char *name CEDE_BORROWED,
                                                   uint64_t timeout_ns, cede_ref *out CEDE_BORROWED);

/// Counts since cede_node_start. A message that was sent is later credited (it reached its actor or bounced), may be
/// lost (the link broke before the credit came), or is still out: sent = credited + maybe_lost + out.
struct cede_node_metrics {
    uint64_t links_up;          /* now */
    uint64_t links_opened;      /* came up, ever */
    uint64_t links_lost;        /* went down after they were up */
    uint64_t handshakes_failed; /* never came up: garbage, refused, too slow, nobody there */
    uint64_t messages_sent, messages_credited, messages_maybe_lost;
    uint64_t messages_received; /* handed to the actor's mailbox */
    uint64_t messages_bounced; /* received but not delivered: actor gone or not exported, unknown type */
    uint64_t bounces_received; /* peers' reports of the same */
    uint64_t replies_late;     /* nobody waited for them any more */
    uint64_t bytes_sent, bytes_received;
};

/// Reads the counts; all zero if this system is no node.
/// Ownership: `*out` written. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_node_metrics(cede_self *self CEDE_BORROWED,
                                    struct cede_node_metrics *out CEDE_BORROWED);

/* ---- what cede_lookup asks, and is answered, over a link; not for direct use ---- */

#define CEDEI_NODE_LOOKUP(F) F(str, name)
CEDE_MESSAGE_DECLARE(cede_node_lookup, CEDEI_NODE_LOOKUP);
#define CEDEI_NODE_FOUND(F) F(ref, actor)
CEDE_MESSAGE_DECLARE(cede_node_found, CEDEI_NODE_FOUND);

CEDE_C_END
#endif
