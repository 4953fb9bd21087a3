/* What looks like blocking and is not, or not in a turn. */
#include <cede/cede.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <pthread.h>
#include <string.h>
#define JOB(F) F(str, path) F(u32, n)
CEDE_MESSAGE(job, JOB);
struct st { int n; pthread_t th; };
/* the job on pool */
static cede_result load(void *m) { struct job *j = m; FILE *f = fopen(cede_str_text(&j->path), "r"); char b[8]; if (!f) return CEDE_EIO; if (fgets(b, 8, f)) j->n++; fclose(f); sleep(1); return CEDE_OK; }
CEDE_YIELDS static cede_result on_job(cede_self *self, struct st *s, struct job *j) {
    cede_result r = cede_run_blocking(self, load, &j);
    s->n++;
    printf("%d\n", s->n);
    fprintf(stderr, "x");
    char *e = getenv("HOME");
    (void)e;
    free(strdup("x"));
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    return r;
}
#define A(ON) ON(job, on_job)
CEDE_BEHAVIOUR(a, struct st, A);
/* a blocking actor */
static cede_result on_slow(cede_self *self, struct st *s, struct job *j) { (void)self; (void)j; sleep(1); s->n++; return CEDE_OK; }
#define B(ON) ON(job, on_slow)
CEDE_BEHAVIOUR(b, struct st, B, .kind = CEDE_BLOCKING);
/* a plain thread */
static void *thread(void *arg) { for (;;) { sleep(1); if (arg) return NULL; } }
static cede_result on_start(cede_self *self, struct st *s, struct job *j) { (void)self; (void)j; return pthread_create(&s->th, NULL, thread, s) == 0 ? CEDE_OK : CEDE_EFAILED; }
static int cmp(const void *a, const void *b) { return memcmp(a, b, 4); }
static void at_end(void) { sleep(1); }
static cede_result on_start2(cede_self *self, struct st *s, struct job *j) { (void)self; (void)j; int v[3] = {3, 2, 1}; qsort(v, 3, sizeof v[0], cmp); s->n = v[0]; atexit(at_end); return CEDE_OK; }
#define C(ON) ON(job, on_start)
CEDE_BEHAVIOUR(c, struct st, C);
#define D(ON) ON(job, on_start2)
CEDE_BEHAVIOUR(d, struct st, D);
/* struct with callback run elsewhere */
struct task { void *(*run)(void *); };
static const struct task tasks[] = {{thread}};
void pool_add(const struct task *t);
static cede_result on_start3(cede_self *self, struct st *s, struct job *j) { (void)self; (void)j; (void)s; pool_add(&tasks[0]); return CEDE_OK; }
#define E_(ON) ON(job, on_start3)
CEDE_BEHAVIOUR(e, struct st, E_);
CEDE_YIELDS static cede_result body(cede_self *self, int argc, char **argv) { (void)argv; sleep((unsigned)argc); cede_yield(self); return CEDE_OK; }
int main(int argc, char **argv) { return cede_main(argc, argv, body); }
/* if (0) */
static cede_result on_never(cede_self *self, struct st *s, struct job *j) { (void)self; (void)s; (void)j; if (0) sleep(1); return sizeof(sleep(1)) > 1 ? CEDE_OK : CEDE_STOP; }
#define F_(ON) ON(job, on_never)
CEDE_BEHAVIOUR(f, struct st, F_);
