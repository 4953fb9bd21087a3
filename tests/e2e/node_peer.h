/* node_peer.h - the process at the other end of the node tests: the test program itself, started with other arguments.
 * It dials the test's node, looks up "controller" and sends it a peer_hello with refs to its actors. */
#ifndef CEDE_TESTS_NODE_PEER_H
#define CEDE_TESTS_NODE_PEER_H

#include <cede/cede.h>
#include <cede/node.h>
#include <cede/process.h>

#define PEER_HELLO(F)                                                                              \
    F(u64, uid)                                                                                    \
    F(ref, echo)                                                                                   \
    F(ref, counter)                                                                                \
    F(ref, stuck)                                                                                  \
    F(ref, gate)
CEDE_MESSAGE(peer_hello, PEER_HELLO);

/* Echo replies with the same number; a number of NEVER is kept and not answered, FORGET dropped; LEFT is answered with how long
 * the asker still waits. */
#define ECHO_NEVER UINT64_MAX
#define ECHO_FORGET (UINT64_MAX - 1)
#define ECHO_LEFT (UINT64_MAX - 2)
#define ECHO_REQUEST(F)                                                                            \
    F(u64, number)                                                                                 \
    F(bytes, ballast)
CEDE_MESSAGE(echo_request, ECHO_REQUEST);
#define ECHO_REPLY(F)                                                                              \
    F(u64, number)                                                                                 \
    F(bytes, ballast)
CEDE_MESSAGE(echo_reply, ECHO_REPLY);

/* Counter and stuck count items, and whether they came in the order of their numbers. Stuck takes one and then waits
 * until `go` was sent to gate. */
#define ITEM(F) F(u64, number)
CEDE_MESSAGE(item, ITEM);
#define COUNT_REQUEST(F)
CEDE_MESSAGE(count_request, COUNT_REQUEST);
#define COUNT_REPLY(F)                                                                             \
    F(u64, count)                                                                                  \
    F(bool, in_order)
CEDE_MESSAGE(count_reply, COUNT_REPLY);
#define GO(F)
CEDE_MESSAGE(go, GO);
/* Has echo send that many items to `to` and then fail with `code`, which ends it. */
#define FAIL(F)                                                                                    \
    F(i32, code)                                                                                   \
    F(ref, to)                                                                                     \
    F(u32, items)
CEDE_MESSAGE(fail, FAIL);

/* For both sides of a link where silence is not the subject: on a busy machine a process may get no time for a second. */
#define SILENCE_IS_FINE CEDE_SECONDS(60)

/* If these are a peer's arguments, runs it and sets `*status`. */
bool peer_main(int argc, char **argv, int *status);
/* Starts the program again as node `name` that dials `url`. Role "peer": as above. Role "burst": sends BURST_ITEMS items
 * to what is published as "counter" and ends. */
#define BURST_ITEMS 20000u
cede_result peer_start(cede_self *self, const char *role, const char *name, const char *url,
                       cede_process *out);

/* Spawns the actors of a peer in this process; the refs go to `*hello`. */
cede_result peer_spawn(cede_self *self, struct peer_hello *hello);

#endif
