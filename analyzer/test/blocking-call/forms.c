/* Calls that block, directly, behind helpers, pointers and tables. */
#define _GNU_SOURCE
#include <cede/cede.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sys/socket.h>
#include <sys/sendfile.h>
#include <poll.h>
#include <fcntl.h>
#include <time.h>
#include <threads.h>
#include <termios.h>
#include <dirent.h>
#include <syslog.h>
#include <spawn.h>
#include <sys/stat.h>
#define JOB(F) F(str, path) F(u32, n)
CEDE_MESSAGE(job, JOB);
struct st { int fd; FILE *f; sem_t sem; pthread_mutex_t m; pthread_cond_t cv; void (*pause)(unsigned); pthread_t th; cede_ref peer; };
static void nap(void) { usleep(1000); } // expect: blocking-call
static inline int deep3(int fd) { char b[8]; return (int)read(fd, b, sizeof b); } // expect: blocking-call
static int deep2(int fd) { return deep3(fd); }
static int deep1(int fd) { return deep2(fd); }
static cede_result on_job(cede_self *self, struct st *s, struct job *j) {
    (void)self;
    sleep(1); // expect: blocking-call
    nap();
    deep1(s->fd);
    char line[80];
    if (fgets(line, sizeof line, s->f) == NULL) // expect: blocking-call
        return CEDE_EIO;
    struct addrinfo *ai = NULL;
    int rc = getaddrinfo("localhost", "80", NULL, &ai); // expect: blocking-call
    if (rc == 0) freeaddrinfo(ai);
    system("true"); // expect: blocking-call
    FILE *p = popen("ls", "r"); // expect: blocking-call
    if (p) pclose(p); // expect: blocking-call
    sem_wait(&s->sem); // expect: blocking-call
    pthread_cond_wait(&s->cv, &s->m); // expect: blocking-call
    pthread_join(s->th, NULL); // expect: blocking-call
    struct pollfd pf = {s->fd, POLLIN, 0};
    poll(&pf, 1, -1); // expect: blocking-call
    poll(&pf, 1, 0);
    int st;
    waitpid(-1, &st, WNOHANG);
    waitpid(-1, &st, 0); // expect: blocking-call
    flock(s->fd, LOCK_EX); // expect: blocking-call
    flock(s->fd, LOCK_UN);
    flock(s->fd, LOCK_EX | LOCK_NB);
    lockf(s->fd, F_LOCK, 0); // expect: blocking-call
    struct timespec ts = {0, 1000};
    nanosleep(&ts, NULL); // expect: blocking-call
    thrd_sleep(&ts, NULL); // expect: blocking-call
    fsync(s->fd); // expect: blocking-call
    switch (j->n) {
    case 0: do { sched_yield(); } while (0); break;
    default: for (int i = 0; i < 3; i++) usleep(1); // expect: blocking-call
    }
    return j->n > 3 ? (sleep(2), CEDE_OK) : CEDE_STOP; // expect: blocking-call
}
/* function pointers */
static void (*const pauses[])(void) = {nap};
static unsigned (*const waiter)(unsigned) = sleep;
struct vt { unsigned (*wait)(unsigned); };
static const struct vt vt = {.wait = sleep};
static void each(int n, void (*f)(void)) { for (int i = 0; i < n; i++) f(); }
static void snooze(void) { sleep(3); } // expect: blocking-call
static cede_result on_job2(cede_self *self, struct st *s, struct job *j) {
    (void)self; (void)s;
    waiter(1); // expect: blocking-call
    vt.wait(2); // expect: blocking-call
    unsigned (*local)(unsigned) = sleep;
    local(j->n); // expect: blocking-call
    each(2, snooze);
    pauses[0]();
    return CEDE_OK;
}
#define A(ON) ON(job, on_job)
CEDE_BEHAVIOUR(a, struct st, A);
#define B(ON) ON(job, on_job2)
CEDE_BEHAVIOUR(b, struct st, B);
/* declared CEDE_BLOCKS pointer */
struct drv { CEDE_BLOCKS int (*load)(const char *path); int (*peek)(const char *path); };
CEDE_BLOCKS int db_query(const char *sql);
CEDE_YIELDS cede_result step(cede_self *self, const struct drv *drv) {
    drv->peek("x");
    if (drv->load("x") != 0) // expect: blocking-call
        return CEDE_EIO;
    db_query("select"); // expect: blocking-call
    return cede_sleep(self, 1);
}
typedef CEDE_BLOCKS int query_fn(const char *sql);
CEDE_YIELDS cede_result step2(cede_self *self, query_fn *q) {
    q("s"); // expect: blocking-call
    return cede_sleep(self, 1);
}
CEDE_YIELDS cede_result step3(cede_self *self) {
    getchar(); // expect: blocking-call
    scandir(".", NULL, NULL, NULL);
    return cede_sleep(self, 1);
}
