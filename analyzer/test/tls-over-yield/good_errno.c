/* Near misses: each path has all its uses on one side of the yields. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <cede/cede.h>

static _Thread_local int counter;
static _Thread_local int other;
static int shared;

void log_code(int code);
CEDE_YIELDS void refresh(cede_self *self CEDE_BORROWED);

CEDE_YIELDS int only_before(cede_self *self, const char *path);
int only_before(cede_self *self, const char *path) {
    int fd = open(path, O_RDONLY);
    int code = fd < 0 ? errno : 0;
    cede_yield(self);
    return code;
}

CEDE_YIELDS int only_after(cede_self *self, const char *path);
int only_after(cede_self *self, const char *path) {
    cede_yield(self);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        log_code(errno);
    return fd;
}

CEDE_YIELDS int exclusive(cede_self *self, int wait);
int exclusive(cede_self *self, int wait) {
    if (wait) {
        cede_yield(self);
        return 0;
    }
    counter++;
    return counter;
}

CEDE_YIELDS int by_accessor(cede_self *self);
int by_accessor(cede_self *self) {
    cede_errno = 0;
    cede_yield(self);
    return cede_errno;
}

/* The library's accessor on one side, errno on the other. */
CEDE_YIELDS int mixed(cede_self *self);
int mixed(cede_self *self) {
    int before = errno;
    cede_yield(self);
    return before + cede_errno;
}

static __attribute__((noinline)) int read_counter(void) {
    __asm__ volatile("");
    return counter;
}
static __attribute__((noinline)) void write_counter(int value) {
    __asm__ volatile("");
    counter = value;
}

CEDE_YIELDS int by_noinline(cede_self *self);
int by_noinline(cede_self *self) {
    write_counter(1);
    cede_yield(self);
    return read_counter();
}

/* A copy of the value is not the variable. */
CEDE_YIELDS int copied(cede_self *self);
int copied(cede_self *self) {
    int code = errno;
    refresh(self);
    log_code(code);
    return code;
}

CEDE_YIELDS int no_thread_local(cede_self *self);
int no_thread_local(cede_self *self) {
    shared = 1;
    cede_yield(self);
    return shared;
}

int no_yield(const char *path);
int no_yield(const char *path) {
    errno = 0;
    int fd = open(path, O_RDONLY);
    if (errno != 0)
        counter++;
    counter++;
    return fd;
}

CEDE_YIELDS void yield_on_the_way_out(cede_self *self, int fd);
void yield_on_the_way_out(cede_self *self, int fd) {
    char byte;
    while (read(fd, &byte, 1) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            break;
    }
    cede_yield(self);
}

CEDE_YIELDS void loop_with_accessor(cede_self *self, int fd);
void loop_with_accessor(cede_self *self, int fd) {
    char byte;
    while (read(fd, &byte, 1) < 0 && cede_errno == EAGAIN)
        cede_yield(self);
}

/* The address is taken again after the yield, and was not used before it. */
CEDE_YIELDS void pointer_to_other(cede_self *self, int *place);
void pointer_to_other(cede_self *self, int *place) {
    int *at = place;
    *at = 1;
    cede_yield(self);
    *at = 2;
}

CEDE_YIELDS void pointer_set_anew(cede_self *self, int *place);
void pointer_set_anew(cede_self *self, int *place) {
    int *at = &counter;
    *at = 1;
    cede_yield(self);
    at = place;
    *at = 2;
}

/* Two of them, each on its side. */
CEDE_YIELDS int two_variables(cede_self *self);
int two_variables(cede_self *self) {
    counter = 1;
    cede_yield(self);
    return other;
}

static int helper(void) { return counter; }

CEDE_YIELDS int callee_before(cede_self *self);
int callee_before(cede_self *self) {
    int value = helper();
    cede_yield(self);
    return value;
}

CEDE_YIELDS size_t unevaluated(cede_self *self);
size_t unevaluated(cede_self *self) {
    counter = 1;
    cede_yield(self);
    return sizeof counter;
}

/* perror reads errno itself, in the library. */
CEDE_YIELDS void library_reads(cede_self *self, const char *path);
void library_reads(cede_self *self, const char *path) {
    if (open(path, O_RDONLY) < 0)
        perror(path);
    cede_yield(self);
    if (open(path, O_RDONLY) < 0)
        perror(path);
}

CEDE_YIELDS bool fresh_identity(cede_self *self, pthread_t main_thread);
bool fresh_identity(cede_self *self, pthread_t main_thread) {
    cede_yield(self);
    pthread_t me = pthread_self();
    return pthread_equal(me, main_thread) != 0;
}

CEDE_YIELDS void asked_again(cede_self *self, pthread_key_t key);
void asked_again(cede_self *self, pthread_key_t key) {
    int *mine = pthread_getspecific(key);
    *mine = 1;
    cede_yield(self);
    mine = pthread_getspecific(key);
    *mine = 2;
}
