/* missing_yields.c - a helper yields and does not say so. Its callers, and the analyzer in other files, believe that
 * they stay on their thread. */
#include <cede/cede.h>

#define JOB(F) F(u32, rounds)
CEDE_MESSAGE(job, JOB);

struct worker {
    uint64_t rounds;
};

static void be_polite(cede_self *self, uint32_t round) {
    if (round % 64 == 0) cede_yield(self);
}

CEDE_YIELDS static cede_result on_job(cede_self *self, struct worker *worker, struct job *job) {
    for (uint32_t i = 0; i < job->rounds; i++) {
        worker->rounds++;
        be_polite(self, i);
    }
    return CEDE_OK;
}

#define WORKER(ON) ON(job, on_job)
CEDE_BEHAVIOUR(worker, struct worker, WORKER);

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref here;
    cede_result r = cede_spawn(self, &worker, CEDE_NOTHING, &here);
    if (r != CEDE_OK) return r;
    struct job *job = cede_new(self, job);
    if (job == NULL) return CEDE_ENOMEM;
    job->rounds = 1000;
    r = cede_send(self, here, &job);
    cede_drop(self, &job);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
