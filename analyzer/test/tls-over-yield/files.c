/* Files that are opened and described in turns. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cede/cede.h>
#define OPENF(F) F(str, path)
CEDE_MESSAGE(openf, OPENF);

struct st {
    int fd;
    unsigned long tries;
};

static _Thread_local char errbuf[128];

static const char *describe(int code) {
    snprintf(errbuf, sizeof errbuf, "error %d", code);
    return errbuf;
}

static void log_line(const char *t) {
    fputs(t, stderr);
}

CEDE_YIELDS static cede_result on_open(cede_self *self, struct st *st, struct openf *m) {
    for (;;) {
        st->fd = open(cede_str_text(&m->path), O_RDONLY);
        if (st->fd >= 0)
            return CEDE_OK;
        int e = errno; // expect: tls-over-yield
        if (e != EMFILE)
            return CEDE_EIO;
        (void)cede_sleep(self, CEDE_MILLIS(10));
    }
}

CEDE_YIELDS static cede_result on_open_ok(cede_self *self, struct st *st, struct openf *m) {
    for (;;) {
        st->fd = open(cede_str_text(&m->path), O_RDONLY);
        if (st->fd >= 0)
            return CEDE_OK;
        int e = cede_errno;
        if (e != EMFILE)
            return CEDE_EIO;
        (void)cede_sleep(self, CEDE_MILLIS(10));
    }
}

CEDE_YIELDS static cede_result described(cede_self *self, struct st *st) {
    const char *t = describe(cede_errno);
    st->tries++;
    cede_yield(self);
    log_line(t); // expect: tls-over-yield
    return CEDE_OK;
}

__attribute__((unused)) CEDE_YIELDS static cede_result described_ok(cede_self *self, struct st *st) {
    log_line(describe(st->fd));
    cede_yield(self);
    return CEDE_OK;
}

CEDE_YIELDS cede_result close_all(cede_self *self, struct st *st, int n) {
    cede_result r = CEDE_OK;
    for (int i = 0; i < n; i++)
        if (close(st[i].fd) != 0) {
            r = errno == EINTR ? CEDE_OK : CEDE_EIO;
            break;
        }
    cede_yield(self);
    return r;
}

CEDE_YIELDS void use(cede_self *self, struct st *st, struct openf *m);

void use(cede_self *self, struct st *st, struct openf *m) {
    (void)on_open;
    (void)on_open_ok;
    (void)self;
    (void)m;
    (void)described;
}
