/* transport.c - in place of nng's streams: there are no links between simulated nodes yet. Whoever adds them fills this table
 * with streams whose bytes the world delivers, cuts and delays. */
#include <stdio.h>

#include "actors/node/transport.h"

static cede_result links_refuse(void) {
    static bool said;
    if (!said) fputs("cede-sim: links to other nodes are not simulated: CEDE_ENOTSUP\n", stderr);
    said = true;
    return CEDE_ENOTSUP;
}

static cede_result sim_listen(cede_system *system, const char *url, cedei_accept_fn *accepted,
                              void *context, struct cedei_listener **out) {
    (void)system, (void)url, (void)accepted, (void)context, (void)out;
    return links_refuse();
}
static uint16_t sim_listener_port(struct cedei_listener *listener) {
    (void)listener;
    return 0;
}
static void sim_listener_close(struct cedei_listener *listener) { (void)listener; }
static cede_result sim_dial(cede_system *system, const char *url,
                            const struct cedei_stream_events *events, void *context,
                            struct cedei_stream **out) {
    (void)system, (void)url, (void)events, (void)context, (void)out;
    return links_refuse();
}

const struct cedei_transport cedei_transport_nng = {
    .listen = sim_listen,
    .listener_port = sim_listener_port,
    .listener_close = sim_listener_close,
    .dial = sim_dial,
};
