/* supervisor.h - children and their restarts, inside the actor that supervises them: a supervisor, or a pool.
 *
 *   state of a child | leaves it when                      | to
 *   ENDED            | its strategy restarts all           | WAITING
 *   WAITING          | its time has come                   | RUNNING; or WAITING again, if it cannot be started
 *   RUNNING          | it has ended                        | DIED; ENDED if it was asked to end
 *   DIED             | the supervisor has seen to it       | WAITING, ENDED, or gone from the list
 *
 * Everything belongs to the supervising actor's turn. */
#ifndef CEDEI_STD_SUPERVISOR_H
#define CEDEI_STD_SUPERVISOR_H

#include <cede/failure.h>
#include <cede/supervisor.h>

#include "actors/std/refmap.h"

enum cedei_child_state {
    CEDEI_CHILD_ENDED = 0,
    CEDEI_CHILD_WAITING,
    CEDEI_CHILD_RUNNING,
    CEDEI_CHILD_DIED
};

struct cedei_child {
    const struct cede_child *spec;
    void *first; /* kept by the actor: the model of its first message, or NULL */
    cede_ref ref;
    uint64_t started_ns, due_ns; /* RUNNING: since when; WAITING: until when */
    uint32_t failures;           /* in a row */
    int32_t reason;              /* DIED */
    enum cedei_child_state state;
    bool is_added; /* not of the table */
};

struct cedei_supervision {
    const struct cede_supervisor *spec;
    cede_ref parent;
    struct {
        struct cedei_child *items;
        uint32_t count, capacity;
    } children;                /* in the order in which they are started */
    struct cedei_refmap index; /* ref of a RUNNING child: its place in `children` */
    struct {
        uint64_t *items;
        uint32_t count, capacity;
    } restarts; /* when, the last ones, a ring */
    uint64_t restart_count, random, timer_ns;
    uint32_t states[4]; /* how many children are in each */
    bool stopping;      /* somebody wants the end */
    void (*changed)(cede_self *self,
                    struct cedei_supervision *sup); /* a child runs or has ended; may be NULL */
};

static inline uint32_t cedei_supervision_restarts_max(const struct cede_supervisor *spec) {
    return spec->restarts_max != 0 ? spec->restarts_max : 3;
}
static inline uint64_t cedei_supervision_period_ns(const struct cede_supervisor *spec) {
    return spec->period_ns != 0 ? spec->period_ns : CEDE_SECONDS(5);
}

/* Checks the tables and traps exits. `sup` is zeroed. */
cede_result cedei_supervision_begin(cede_self *self, struct cedei_supervision *sup,
                                    const struct cede_supervisor *spec, cede_ref parent);
/* Starts all children in order; on failure those that were started have ended again. */
CEDE_YIELDS cede_result cedei_supervision_start(cede_self *self, struct cedei_supervision *sup);
/* Adds one that is to be started. `first` is kept by the actor or NULL. */
cede_result cedei_supervision_add(cede_self *self, struct cedei_supervision *sup,
                                  const struct cede_child *spec, void *first);
CEDE_YIELDS cede_result cedei_supervision_child_start(cede_self *self,
                                                      struct cedei_supervision *sup, uint32_t at);
/* Handlers: CEDE_OK to go on; CEDE_STOP or a reason: everything has been ended, return it. */
CEDE_YIELDS cede_result cedei_supervision_exit(cede_self *self, struct cedei_supervision *sup,
                                               const struct cede_exit *news);
CEDE_YIELDS cede_result cedei_supervision_go_on(cede_self *self, struct cedei_supervision *sup);
/* Ends the children from `from` on, the last first. */
CEDE_YIELDS void cedei_supervision_stop(cede_self *self, struct cedei_supervision *sup,
                                        uint32_t from);
/* Ends one, and takes it off the list if it is not of the table. */
CEDE_YIELDS void cedei_supervision_remove(cede_self *self, struct cedei_supervision *sup,
                                          uint32_t at);
/* Takes an entry that does not run off the list. */
void cedei_supervision_forget(cede_self *self, struct cedei_supervision *sup, uint32_t at);
/* For the actor's fini. */
void cedei_supervision_fini(struct cedei_supervision *sup);

/* supervisor.c: cede_supervisor_start; `is_root`: nobody supervises it. */
CEDE_YIELDS cede_result cedei_supervisor_spawn(cede_self *self, const struct cede_supervisor *spec,
                                               bool is_root, uint64_t timeout_ns, cede_ref *out);

/* Spawns an actor that has children, linked, and asks it to begin, by `*begin`; it answers by the two below. */
CEDE_YIELDS cede_result cedei_supervised_start(cede_self *self, const cede_behaviour *behaviour,
                                               void **begin CEDE_ASKED, uint64_t timeout_ns,
                                               cede_ref *out);
/* `*reply` NULL: there was no memory for it, and the asker gets CEDE_ENOREPLY when the request is dropped. */
void cedei_supervised_answer(cede_self *self, void *request, struct cede_supervised **reply,
                             cede_result result, cede_ref actor);
cede_result cedei_supervision_look(cede_self *self, const struct cedei_supervision *sup,
                                   struct cede_supervisor_look *look);

/* Whether an entry makes sense; a line in the log if not. */
cede_result cedei_child_check(cede_self *self, const struct cede_child *child, bool needs_id);

#endif
