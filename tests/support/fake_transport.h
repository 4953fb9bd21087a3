/* fake_transport.h - a transport whose other end is the test: it connects, feeds bytes, and reads what the node sent.
 * One node at a time. The test's thread runs the events; nothing happens behind its back but what the keeper does. */
#ifndef CEDE_TESTS_FAKE_TRANSPORT_H
#define CEDE_TESTS_FAKE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actors/node/transport.h"

extern const struct cedei_transport fake_transport;

struct fake_peer;

/* Somebody connects to the node that listens. */
struct fake_peer *fake_connect(void);
/* Hands over `size` bytes, at most `piece` at a time, as the node asks for them. False: it hung up before it had all. */
bool fake_feed(struct fake_peer *peer, const void *bytes, size_t size, size_t piece);
/* Waits until the node has asked for more, so all that was fed is dealt with. False: it hung up. */
bool fake_settle(struct fake_peer *peer);
/* Takes over what the node sent since the last call, at most `size` bytes; waits until it sent something or hung up. */
size_t fake_take(struct fake_peer *peer, void *bytes, size_t size);
/* The same without waiting; 0: nothing. */
size_t fake_take_now(struct fake_peer *peer, void *bytes, size_t size);
/* Waits until the node has hung up. */
void fake_await_close(struct fake_peer *peer);
/* Hangs up, if the node did not, waits until it has let go, and frees the peer. */
void fake_hang_up(struct fake_peer *peer);

#endif
