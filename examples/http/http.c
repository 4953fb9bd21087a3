/* http.c - asks one HTTP server for several documents over one connection: `http ADDRESS PORT PATH...`.
 * A session in straight-line code: request, status line, header, body; bodies end by Content-Length, in chunks, or with
 * the connection. Prints each status and body; says what is wrong when a server does not keep to the protocol. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cede/cede.h>

enum { LINE_MAX_SIZE = 1024, HEADERS_MAX = 100 };
#define PATIENCE_NS CEDE_SECONDS(5)

struct answer {
    int status;
    bool is_chunked, closes, has_length;
    uint64_t length;
};

/* Says what is wrong, and fails with `r`. */
static cede_result complain(cede_result r, const char *what) {
    fprintf(stderr, "http: %s: %s\n", what, cede_result_text(r));
    return r;
}

/* One line without its end. */
CEDE_YIELDS static cede_result line_read(cede_self *self, struct cede_stream *server,
                                         char line[LINE_MAX_SIZE], const char *what) {
    size_t got = 0;
    cede_result r = cede_read_until(self, server, '\n', line, LINE_MAX_SIZE - 1, &got, PATIENCE_NS);
    if (r != CEDE_OK) return complain(r, what);
    while (got > 0 && (line[got - 1] == '\n' || line[got - 1] == '\r')) got--;
    line[got] = '\0';
    return CEDE_OK;
}

static bool number_parse(const char *text, int base, uint64_t *out) {
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, base);
    if (end == text || *text == '-' || *text == '+' || value > 1u << 30) return false;
    while (*end == ' ' || *end == '\t') end++;
    *out = value;
    return *end == '\0' || *end == ';'; /* chunk extensions are not for us */
}

static cede_result header_take(char *line, struct answer *answer) {
    char *value = strchr(line, ':');
    if (value == NULL) return complain(CEDE_EPROTO, "a header without a colon");
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "Content-Length") == 0) {
        answer->has_length = true;
        if (!number_parse(value, 10, &answer->length))
            return complain(CEDE_EPROTO, "Content-Length is no number, or too large");
    } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        answer->is_chunked = strcasecmp(value, "chunked") == 0;
        if (!answer->is_chunked) return complain(CEDE_ENOTSUP, "a transfer encoding");
    } else if (strcasecmp(line, "Connection") == 0) {
        answer->closes = strcasecmp(value, "close") == 0;
    }
    return CEDE_OK;
}

CEDE_YIELDS static cede_result head_read(cede_self *self, struct cede_stream *server,
                                         struct answer *answer) {
    char line[LINE_MAX_SIZE];
    cede_result r = line_read(self, server, line, "the status line");
    if (r != CEDE_OK) return r;
    if (sscanf(line, "HTTP/1.%*1d %3d", &answer->status) != 1)
        return complain(CEDE_EPROTO, "this is no HTTP/1 server");
    for (int count = 0; count < HEADERS_MAX; count++) {
        r = line_read(self, server, line, "a header");
        if (r != CEDE_OK || line[0] == '\0') return r;
        if ((r = header_take(line, answer)) != CEDE_OK) return r;
    }
    return complain(CEDE_ETOOBIG, "the headers");
}

/* Prints `length` bytes of the body. */
CEDE_YIELDS static cede_result bytes_copy(cede_self *self, struct cede_stream *server,
                                          uint64_t length) {
    char bytes[512];
    while (length > 0) {
        size_t got = 0, size = length < sizeof bytes ? (size_t)length : sizeof bytes;
        cede_result r = cede_read(self, server, bytes, size, &got, PATIENCE_NS);
        if (r != CEDE_OK) return complain(r, "the body is not complete");
        fwrite(bytes, 1, got, stdout);
        length -= got;
    }
    return CEDE_OK;
}

CEDE_YIELDS static cede_result chunks_copy(cede_self *self, struct cede_stream *server) {
    char line[LINE_MAX_SIZE];
    for (;;) {
        uint64_t size = 0;
        cede_result r = line_read(self, server, line, "the size of a chunk");
        if (r != CEDE_OK) return r;
        if (!number_parse(line, 16, &size)) return complain(CEDE_EPROTO, "the size of a chunk");
        if (size == 0) break;
        if ((r = bytes_copy(self, server, size)) != CEDE_OK) return r;
        if ((r = line_read(self, server, line, "the end of a chunk")) != CEDE_OK) return r;
        if (line[0] != '\0') return complain(CEDE_EPROTO, "a chunk is longer than it says");
    }
    for (int count = 0; count < HEADERS_MAX; count++) { /* headers may follow */
        cede_result r = line_read(self, server, line, "the end of the chunks");
        if (r != CEDE_OK || line[0] == '\0') return r;
    }
    return complain(CEDE_ETOOBIG, "the headers behind the chunks");
}

CEDE_YIELDS static cede_result rest_copy(cede_self *self, struct cede_stream *server) {
    char bytes[512];
    for (;;) {
        size_t got = 0;
        cede_result r = cede_read(self, server, bytes, sizeof bytes, &got, PATIENCE_NS);
        if (r == CEDE_ECLOSED) return CEDE_OK;
        if (r != CEDE_OK) return complain(r, "the body");
        fwrite(bytes, 1, got, stdout);
    }
}

CEDE_YIELDS static cede_result document_get(cede_self *self, struct cede_stream *server,
                                            const char *host, const char *path, bool *closes) {
    struct answer answer = {0};
    const struct cede_piece request[] = {
        {"GET ", 4},          {path, strlen(path)}, {" HTTP/1.1\r\nHost: ", 17},
        {host, strlen(host)}, {"\r\n\r\n", 4},
    };
    cede_result r = cede_write_pieces(self, server, request, 5, PATIENCE_NS);
    if (r != CEDE_OK) return complain(r, "the request");
    if ((r = head_read(self, server, &answer)) != CEDE_OK) return r;
    printf("%s: %d\n", path, answer.status);
    bool has_body = answer.status != 204 && answer.status != 304 && answer.status >= 200;
    if (!has_body)
        r = CEDE_OK;
    else if (answer.is_chunked)
        r = chunks_copy(self, server);
    else if (answer.has_length)
        r = bytes_copy(self, server, answer.length);
    else
        r = rest_copy(self, server);
    *closes = answer.closes || (has_body && !answer.is_chunked && !answer.has_length);
    return r;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    struct cede_stream *server = NULL;
    uint64_t port = 0;
    cede_result r = CEDE_OK;
    if (argc < 4 || !number_parse(argv[2], 10, &port) || port > 65535) {
        fprintf(stderr, "usage: http ADDRESS PORT PATH...\n");
        return CEDE_EINVAL;
    }
    for (int i = 3; i < argc && r == CEDE_OK; i++) {
        bool closes = false;
        if (server == NULL) {
            r = cede_tcp_connect(self, argv[1], (uint16_t)port, &server, PATIENCE_NS);
            if (r != CEDE_OK) return complain(r, argv[1]);
        }
        r = document_get(self, server, argv[1], argv[i], &closes);
        if (closes) cede_drop(self, &server);
    }
    cede_drop(self, &server);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
