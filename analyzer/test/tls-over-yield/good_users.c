/* All on one side. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>
#include <cede/cede.h>
static thread_local int depth;
extern _Thread_local char name[32];
static int plain;
CEDE_YIELDS void pause_here(cede_self *self CEDE_BORROWED);
void use(int v);
void use_ptr(int *v);

CEDE_YIELDS void one_side(cede_self *self) {
    pause_here(self);
    errno = 0;
    if (errno)
        use(1);
    depth++;
    depth--;
}

CEDE_YIELDS void before(cede_self *self) {
    depth = 3;
    use(errno);
    pause_here(self);
    pause_here(self);
}

CEDE_YIELDS void different(cede_self *self) {
    depth = 3;
    pause_here(self);
    use(errno);
}

CEDE_YIELDS void value(cede_self *self) {
    int e = errno;
    pause_here(self);
    use(e);
}

CEDE_YIELDS void local_static(cede_self *self) {
    static int calls;
    calls++;
    plain++;
    pause_here(self);
    calls++;
    plain++;
}

CEDE_YIELDS void branches(cede_self *self, int k) {
    if (k) {
        depth = 1;
        return;
    }
    pause_here(self);
    use(depth);
}

CEDE_YIELDS void branches2(cede_self *self, int k) {
    if (k)
        depth = 1;
    else
        pause_here(self);
}

CEDE_YIELDS void loop_break(cede_self *self, int n) {
    while (n--) {
        pause_here(self);
        if (n == 3) {
            use(errno);
            break;
        }
    }
}

CEDE_YIELDS void loop_return(cede_self *self, int n) {
    for (;;) {
        if (n-- == 0) {
            use(errno);
            return;
        }
        pause_here(self);
    }
}

CEDE_YIELDS void accessor(cede_self *self) {
    cede_errno = 0;
    pause_here(self);
    use(cede_errno);
}

__attribute__((noinline)) static int get(void) {
    return errno;
}

__attribute__((noinline)) static void set(int e) {
    errno = e;
}

CEDE_YIELDS void noinl(cede_self *self) {
    set(0);
    pause_here(self);
    use(get());
}

CEDE_YIELDS void size_only(cede_self *self) {
    depth = 0;
    pause_here(self);
    use((int)sizeof(depth) + (int)sizeof name);
}

CEDE_YIELDS void strerr(cede_self *self) {
    pause_here(self);
    const char *t = strerror(errno);
    use(t[0]);
}

CEDE_YIELDS void retaken(cede_self *self) {
    int *p;
    pause_here(self);
    p = &depth;
    *p = 1;
    use_ptr(p);
}

CEDE_YIELDS void nulled(cede_self *self) {
    int *p = &plain;
    pause_here(self);
    *p = 2;
}

CEDE_YIELDS void reassigned(cede_self *self) {
    int *p = &depth;
    *p = 1;
    pause_here(self);
    p = &plain;
    *p = 2;
}

void no_yield(void) {
    errno = 0;
    use(1);
    use(errno);
    depth++;
    use(depth);
}

static void nothing(cede_self *self) {
    (void)self;
}

void calls_nothing(cede_self *self) {
    errno = 0;
    nothing(self);
    use(errno);
}

CEDE_YIELDS void assert_like(cede_self *self) {
    if (depth != 0)
        __builtin_trap();
    pause_here(self);
}

CEDE_YIELDS static void reads_after(cede_self *self) {
    pause_here(self);
    use(errno);
}

CEDE_YIELDS void calls_reader(cede_self *self) {
    reads_after(self);
}

CEDE_YIELDS void unreachable_yield(cede_self *self) {
    errno = 0;
    if (0)
        pause_here(self);
    use(errno);
}

CEDE_YIELDS void after_return(cede_self *self, int fd) {
    if (write(fd, "x", 1) < 0) {
        use(errno);
        return;
    }
    pause_here(self);
}

CEDE_YIELDS cede_result err_path(cede_self *self, int fd) {
    pause_here(self);
    if (write(fd, "x", 1) < 0)
        return errno == EPIPE ? CEDE_STOP : CEDE_EIO;
    return CEDE_OK;
}
