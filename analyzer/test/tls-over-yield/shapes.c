/* Members, elements, thread-specific data, and loops that end before it matters. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <cede/cede.h>
static _Thread_local int d;

static _Thread_local struct {
    int x, y;
} pt;

static _Thread_local int arr[4];
CEDE_YIELDS void nap(cede_self *self CEDE_BORROWED);
void use(int);
pthread_key_t key;

__attribute__((always_inline)) static inline void bump(void) {
    d++;
}

CEDE_YIELDS void t1(cede_self *self) {
    bump();
    nap(self);
    bump(); // expect: tls-over-yield
}

CEDE_YIELDS void t2(cede_self *self) {
    arr[0] = 1;
    nap(self);
    arr[1] = 2; // expect: tls-over-yield
}

CEDE_YIELDS void t3(cede_self *self) {
    pt.x = 1;
    nap(self);
    use(pt.y); // expect: tls-over-yield
}

CEDE_YIELDS void t4(cede_self *self) {
    int *v = pthread_getspecific(key);
    nap(self);
    *v = 1; // expect: tls-over-yield
}

CEDE_YIELDS void t5(cede_self *self) {
    int *v = pthread_getspecific(key);
    *v = 3;
    nap(self);
    v = pthread_getspecific(key);
    *v = 1;
}

CEDE_YIELDS void t6(cede_self *self, int n) {
    while (n--) {
        if (n & 1) {
            use(d); // expect: tls-over-yield
            continue;
        }
        nap(self);
    }
}

CEDE_YIELDS void t7(cede_self *self) {
    for (int i = 0; i < 1; i++) {
        use(d);
        nap(self);
        break;
    }
}

CEDE_YIELDS void t8(cede_self *self, int k) {
    if (k) {
        errno = 0;
        goto out;
    }
    nap(self);
    use(errno);
out:
    use(k);
}

CEDE_YIELDS int use_it(cede_self *self);

CEDE_YIELDS int t10(cede_self *self) {
    int e;
    do {
        errno = 0; // expect: tls-over-yield
        e = use_it(self);
    } while (e);
    return e;
}
