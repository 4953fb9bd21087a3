/* errno and thread-local variables on both sides of a yield. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <cede/cede.h>

static _Thread_local int counter;
static __thread char scratch[64];
struct cache {
    int hits;
    int misses;
};
static _Thread_local struct cache cache;

void log_code(int code);
CEDE_YIELDS void refresh(cede_self *self CEDE_BORROWED);

CEDE_YIELDS int plain_errno(cede_self *self);
int plain_errno(cede_self *self) {
    errno = 0;
    cede_yield(self);
    return errno; // expect: tls-over-yield
}

/* A call in between sets errno, but not the one that is read. */
CEDE_YIELDS int set_after(cede_self *self, const char *path);
int set_after(cede_self *self, const char *path) {
    errno = 0;
    cede_yield(self);
    int fd = open(path, O_RDONLY);
    if (fd < 0 && errno == ENOENT) // expect: tls-over-yield
        log_code(1);
    return fd;
}

CEDE_YIELDS void thread_local_counter(cede_self *self);
void thread_local_counter(cede_self *self) {
    counter++;
    refresh(self);
    counter--; // expect: tls-over-yield
}

CEDE_YIELDS void member(cede_self *self);
void member(cede_self *self) {
    cache.hits++;
    cede_yield(self);
    cache.misses++; // expect: tls-over-yield
}

CEDE_YIELDS void one_branch(cede_self *self, int wait);
void one_branch(cede_self *self, int wait) {
    counter = 1;
    if (wait)
        cede_yield(self);
    log_code(counter); // expect: tls-over-yield
}

/* The next round reads behind the yield of this one. */
CEDE_YIELDS void in_loop(cede_self *self, int fd);
void in_loop(cede_self *self, int fd) {
    char byte;
    while (read(fd, &byte, 1) < 0) {
        if (errno != EAGAIN) // expect: tls-over-yield
            break;
        cede_yield(self);
    }
}

/* Static callees may be inlined. */
static void fail(int code) { errno = code; }
static int last(void) { return errno; }

CEDE_YIELDS int in_callees(cede_self *self);
int in_callees(cede_self *self) {
    fail(0);
    cede_yield(self);
    return last(); // expect: tls-over-yield
}

CEDE_YIELDS static void nested_yield(cede_self *self) { cede_yield(self); }

CEDE_YIELDS int yield_in_callee(cede_self *self);
int yield_in_callee(cede_self *self) {
    counter = 1;
    nested_yield(self);
    return counter; // expect: tls-over-yield
}

CEDE_YIELDS static int yields_then_reads(cede_self *self) {
    cede_yield(self);
    return counter;
}

CEDE_YIELDS int use_then_callee(cede_self *self);
int use_then_callee(cede_self *self) {
    counter = 1;
    return yields_then_reads(self); // expect: tls-over-yield
}

/* The address outlives the yield. */
CEDE_YIELDS void kept_address(cede_self *self);
void kept_address(cede_self *self) {
    int *place = &counter;
    cede_yield(self);
    *place = 1; // expect: tls-over-yield
}

CEDE_YIELDS void kept_errno_address(cede_self *self);
void kept_errno_address(cede_self *self) {
    int *place = &errno;
    refresh(self);
    *place = 0; // expect: tls-over-yield
}

CEDE_YIELDS void kept_buffer(cede_self *self);
void kept_buffer(cede_self *self) {
    char *buffer = scratch;
    strcpy(buffer, "before");
    cede_yield(self);
    log_code(buffer[0]); // expect: tls-over-yield
}

CEDE_YIELDS int kept_member(cede_self *self);
int kept_member(cede_self *self) {
    struct cache *mine = &cache;
    int *hits = &mine->hits;
    (void)hits;
    cede_yield(self);
    return mine->hits; // expect: tls-over-yield
}

CEDE_YIELDS bool thread_identity(cede_self *self);
bool thread_identity(cede_self *self) {
    pthread_t me = pthread_self();
    cede_yield(self);
    return pthread_equal(me, // expect: tls-over-yield
                         pthread_self()) != 0; // expect: tls-over-yield
}

CEDE_YIELDS int by_send_wait(cede_self *self, cede_ref to);

#define JOB(F) F(u32, code)
CEDE_MESSAGE(job, JOB);

int by_send_wait(cede_self *self, cede_ref to) {
    struct job *job = cede_new(self, job);
    if (job == NULL)
        return -1;
    job->code = (uint32_t)errno;
    if (cede_send_wait(self, to, &job, CEDE_FOREVER) != CEDE_OK)
        cede_drop(self, &job);
    return errno; // expect: tls-over-yield
}

/* By goto and by switch. */
CEDE_YIELDS int by_goto(cede_self *self, int tries);
int by_goto(cede_self *self, int tries) {
again:
    if (counter > 3) // expect: tls-over-yield
        return counter;
    if (tries-- > 0) {
        refresh(self);
        goto again;
    }
    return 0;
}

CEDE_YIELDS void kept_text(cede_self *self, int fd);
void kept_text(cede_self *self, int fd) {
    char byte;
    if (read(fd, &byte, 1) >= 0)
        return;
    const char *why = strerror(errno);
    refresh(self);
    log_code(why[0]); // expect: tls-over-yield
}

CEDE_YIELDS void kept_accessor(cede_self *self);
void kept_accessor(cede_self *self) {
    int *code = cede_errno_location();
    refresh(self);
    *code = 0; // expect: tls-over-yield
}

CEDE_YIELDS void kept_specific(cede_self *self, pthread_key_t key);
void kept_specific(cede_self *self, pthread_key_t key) {
    struct cache *mine = pthread_getspecific(key);
    if (mine == NULL)
        return;
    mine->hits++;
    cede_yield(self);
    mine->misses++; // expect: tls-over-yield
}

#define HITS (cache.hits)

CEDE_YIELDS void by_macro(cede_self *self);
void by_macro(cede_self *self) {
    HITS = 1;
    refresh(self);
    HITS = 2; // expect: tls-over-yield
}

CEDE_YIELDS int by_switch(cede_self *self, int step);
int by_switch(cede_self *self, int step) {
    for (;;) {
        switch (step++) {
        case 0:
            counter = 1; // expect: tls-over-yield
            break;
        case 1:
            cede_yield(self);
            break;
        default:
            return counter; // expect: tls-over-yield
        }
    }
}
