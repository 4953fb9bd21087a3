/* scan.c - finds the open TCP ports of an address: `scan [ADDRESS [FIRST LAST]]`, by default all ports of 127.0.0.1.
 * A fixed number of probers ask for ports until there are none left, so no more than PROBERS connections are under way. */
#include <stdio.h>
#include <stdlib.h>

#include <cede/cede.h>

enum { PROBERS = 64, PORT_MAX = 65535 };
#define PROBE_NS CEDE_MILLIS(500)

#define PROBE(F)                                                                                   \
    F(str, address)                                                                                \
    F(u16, port)                                                                                   \
    F(i32, result)                                                                                 \
    F(ref, scanner)                                                                                \
    F(ref, prober)
CEDE_MESSAGE(probe, PROBE);

/* Connects, writes down how it went, and sends the message back: it will come again with another port. */
CEDE_YIELDS static cede_result on_probe(cede_self *self, void *state, struct probe *probe) {
    struct cede_stream *stream = NULL;
    const char *address = cede_str_text(&probe->address);
    (void)state;
    probe->prober = cede_self_ref(self);
    probe->result = (int32_t)cede_tcp_connect(self, address, probe->port, &stream, PROBE_NS);
    cede_drop(self, &stream);
    return cede_send(self, probe->scanner, &probe);
}
#define PROBER(ON) ON(probe, on_probe)
CEDE_BEHAVIOUR(prober, void, PROBER);

struct scan {
    uint32_t open, silent, unreachable;
    cede_result failed; /* something else than what a port can answer */
};

static void count(struct scan *scan, const struct probe *probe) {
    switch (probe->result) {
    case CEDE_OK:
        scan->open++;
        printf("%s %u open\n", cede_str_text(&probe->address), probe->port);
        break;
    case CEDE_EREFUSED: break;
    case CEDE_ETIMEDOUT: scan->silent++; break;
    case CEDE_ERESET:
    case CEDE_EUNREACH: scan->unreachable++; break;
    default: scan->failed = (cede_result)probe->result;
    }
}

static cede_result prober_start(cede_self *self, const char *address, uint32_t port) {
    struct probe *probe = cede_new(self, probe);
    if (probe == NULL) return CEDE_ENOMEM;
    probe->scanner = cede_self_ref(self);
    probe->port = (uint16_t)port;
    cede_result r = cede_str_set(&probe->address, address);
    if (r == CEDE_OK) r = cede_spawn(self, &prober, &probe, NULL);
    cede_drop(self, &probe);
    return r;
}

CEDE_YIELDS static cede_result scan_ports(cede_self *self, const char *address, uint32_t next,
                                          uint32_t last, struct scan *scan) {
    uint32_t under_way = 0;
    cede_result r = CEDE_OK;
    for (; r == CEDE_OK && under_way < PROBERS && next <= last; under_way++)
        r = prober_start(self, address, next++);
    while (r == CEDE_OK && under_way > 0) {
        struct probe *probe = NULL;
        r = cede_recv(self, probe, &probe, CEDE_FOREVER);
        if (r != CEDE_OK) break;
        count(scan, probe);
        if (next <= last && scan->failed == CEDE_OK) {
            probe->port = (uint16_t)next++;
            r = cede_send(self, probe->prober, &probe);
        } else {
            under_way--;
        }
        cede_drop(self, &probe);
    }
    return r != CEDE_OK ? r : scan->failed;
}

static bool port_parse(const char *text, uint32_t *port) {
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > PORT_MAX) return false;
    *port = (uint32_t)value;
    return true;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    uint32_t first = 1, last = PORT_MAX;
    struct scan scan = {0};
    const char *address = argc > 1 ? argv[1] : "127.0.0.1";
    bool given = argc == 4 && port_parse(argv[2], &first) && port_parse(argv[3], &last);
    if ((argc > 2 && !given) || first > last) {
        fprintf(stderr, "usage: scan [ADDRESS [FIRST LAST]], ports from 1 to 65535\n");
        return CEDE_EINVAL;
    }
    cede_result r = scan_ports(self, address, first, last, &scan);
    if (r == CEDE_OK)
        printf("%u of %u ports open, %u silent, %u unreachable\n", scan.open, last - first + 1,
               scan.silent, scan.unreachable);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
