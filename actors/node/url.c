/* url.c - which URLs there are, which of them stay on this machine, and which transport each is for. Owns nothing.
 *
 *   ipc://PATH           a Unix socket, for our own user only             our reactor
 *   tcp://HOST:PORT      loopback                                         our reactor
 *   abstract://NAME      a Unix socket without a file, our own user only  nng
 *   ws://HOST:PORT/PATH  loopback, for what only lets HTTP through        nng */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/node/transport.h"
#include "core/sys/socket.h"

#define SUN_PATH_SIZE 108u

static const struct scheme {
    const char *prefix;
    const struct cedei_transport *transport;
    bool is_network, has_path;
} SCHEMES[] = {
    {"ipc://", &cedei_transport_reactor, false, false},
    {"tcp://", &cedei_transport_reactor, true, false},
    {"abstract://", &cedei_transport_nng, false, false},
    {"ws://", &cedei_transport_nng, true, true},
};

static const struct scheme *scheme_of(const char *url) {
    for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++)
        if (strncmp(url, SCHEMES[i].prefix, strlen(SCHEMES[i].prefix)) == 0) return &SCHEMES[i];
    return NULL;
}

/* The port of a network URL: behind the last colon before the path. NULL: it has none. */
static const char *port_of(const char *url, const struct scheme *scheme, size_t *size) {
    const char *host = url + strlen(scheme->prefix);
    const char *end = host + strcspn(host, "/"), *port = end;
    while (port > host && port[-1] != ':') port--;
    if (port == host || (*end == '/' && !scheme->has_path)) return NULL;
    *size = (size_t)(end - port);
    return port;
}

static bool port_valid(const char *text, size_t size) {
    return size >= 1 && size <= 5 && strspn(text, "0123456789") == size &&
           strtoul(text, NULL, 10) <= 65535;
}

/* 127.x.y.z in plain decimal, nothing that a resolver would have to look at. */
static bool host_is_loopback(const char *host, size_t size) {
    unsigned parts[4];
    char text[16], extra;
    if (size == 9 && memcmp(host, "localhost", 9) == 0) return true;
    if (size == 5 && memcmp(host, "[::1]", 5) == 0) return true;
    if (size >= sizeof text) return false;
    memcpy(text, host, size);
    text[size] = '\0';
    if (strspn(text, "0123456789.") != size) return false;
    if (sscanf(text, "%3u.%3u.%3u.%3u%c", &parts[0], &parts[1], &parts[2], &parts[3], &extra) != 4)
        return false;
    return parts[0] == 127 && parts[1] < 256 && parts[2] < 256 && parts[3] < 256;
}

cede_result cedei_url_check(const char *url) {
    if (strnlen(url, CEDEI_URL_SIZE) >= CEDEI_URL_SIZE) return CEDE_EINVAL;
    const struct scheme *scheme = scheme_of(url);
    if (scheme == NULL) return CEDE_EINVAL;
    const char *rest = url + strlen(scheme->prefix);
    if (!scheme->is_network)
        return rest[0] != '\0' && strlen(rest) < SUN_PATH_SIZE ? CEDE_OK : CEDE_EINVAL;
    size_t port_size = 0;
    const char *port = port_of(url, scheme, &port_size);
    if (port == NULL || !port_valid(port, port_size)) return CEDE_EINVAL;
    return host_is_loopback(rest, (size_t)(port - 1 - rest)) ? CEDE_OK : CEDE_EACCES;
}

const struct cedei_transport *cedei_transport_of(const char *url) {
    const struct scheme *scheme = scheme_of(url);
    return scheme != NULL ? scheme->transport : NULL;
}

void cedei_url_write(const char *url, uint16_t port, char *out, size_t size) {
    const struct scheme *scheme = scheme_of(url);
    size_t port_size = 0;
    const char *at = port != 0 && scheme != NULL ? port_of(url, scheme, &port_size) : NULL;
    if (at == NULL)
        (void)snprintf(out, size, "%s", url);
    else
        (void)snprintf(out, size, "%.*s%u%s", (int)(at - url), url, (unsigned)port, at + port_size);
}

static cede_result path_address(const char *path, struct cedei_address *out) {
    char named[SUN_PATH_SIZE + 2];
    if (path[0] != '@') return cedei_address_of_path(out, path);
    /* A file of that name, not one in the abstract name space, where permissions mean nothing. */
    (void)snprintf(named, sizeof named, "./%s", path);
    return cedei_address_of_path(out, named);
}

cede_result cedei_url_address(const char *url, struct cedei_address *out) {
    const struct scheme *scheme = scheme_of(url);
    char host[CEDEI_URL_SIZE];
    if (scheme == NULL) return CEDE_EINVAL;
    const char *rest = url + strlen(scheme->prefix);
    if (!scheme->is_network) return path_address(rest, out);
    size_t port_size = 0;
    const char *port = port_of(url, scheme, &port_size);
    if (port == NULL) return CEDE_EINVAL;
    (void)snprintf(host, sizeof host, "%.*s", (int)(port - 1 - rest), rest);
    uint16_t number = (uint16_t)strtoul(port, NULL, 10);
    if (strcmp(host, "localhost") == 0) return cedei_address_of_ip(out, "127.0.0.1", number);
    if (strcmp(host, "[::1]") == 0) return cedei_address_of_ip(out, "::1", number);
    return cedei_address_of_ip(out, host, number);
}
