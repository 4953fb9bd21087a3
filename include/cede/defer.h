/* defer.h - cleanups: what a turn has to undo, however it ends.
 *
 * A turn that waits in the middle may never go on: its actor may be killed, or the system may end. Its stack is then
 * given up as it is. Messages that the turn owns are dropped all the same, but nobody closes a FILE that only a local
 * variable knew. A cleanup is how the runtime learns of it:
 *
 *     static void report_close(cede_self *self, void *report) { (void)self, (void)fclose(report); }
 *
 *     FILE *report = fopen(path, "w");
 *     if (report == NULL) return CEDE_EIO;
 *     cede_result r = cede_defer(self, report_close, report);
 *     if (r != CEDE_OK) return r;                       // it has been closed already
 *     r = cede_ask(self, bank, &request, totals, &reply, CEDE_SECONDS(5));
 *     ...
 *     return r;                                         // closed behind every return, and by a kill in the ask
 */
#ifndef CEDE_DEFER_H
#define CEDE_DEFER_H

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// A cleanup. `self` is the actor's, as in its handlers: a cleanup may send, reply, spawn and drop. It must not wait: a
/// call that would yield returns CEDE_ECONTEXT instead, with a line in the log. NULL when the system is being
/// destroyed, where such calls give CEDE_ECONTEXT or do nothing, as without a cede_self anywhere.
typedef CEDE_NOYIELD void cede_cleanup_fn(cede_self *self CEDE_BORROWED, void *argument);

/// Has `run(self, argument)` called once when the present turn ends: when its handler has returned, whatever it returned,
/// or when the actor is killed or the system ends while the turn is suspended. The last registered runs first. All of
/// them run before the messages of the turn are dropped and before the behaviour's `fini`, so `argument` may lead to a message or the state.
/// When this fails, `run(self, argument)` has been called already: what it is to undo is undone in either case.
/// The handler's own variables are gone when it has returned (but not when it is killed in the middle): an `argument` that points to
/// one is right only together with cede_defer_run or cede_defer_cancel before the return; else it is an error that is
/// logged, and that checking builds abort on, and the cleanup does not run.
/// Ownership: `argument` is the cleanup's from now on. `run` is a `cede_cleanup_fn`.
/// Threads: the turn's; of an inbox: the handler that cede_inbox_handle runs, or outside of one until cede_inbox_close. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_EINVAL `run` is NULL; CEDE_ECONTEXT `self` is NULL.
#define cede_defer(self, run, argument)                                                            \
    (CEDEI_EXPECT(_Generic((run), cede_cleanup_fn *: 1, default: 0),                               \
                  "'" #run "' cannot be a cleanup: it must be  void " #run                         \
                  "(cede_self *self, void *argument)"),                                            \
     cedei_defer((self), (run), (argument), CEDEI_HERE))

/// Takes back the cleanup that this turn registered last with these two arguments, and calls it now.
/// Ownership: `argument` only compared; then the cleanup's. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOENT the turn has no such cleanup (any more); CEDE_ECONTEXT.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_defer_run(cede_self *self CEDE_BORROWED,
                                                       cede_cleanup_fn *run CEDE_BORROWED,
                                                       const void *argument CEDE_BORROWED);

/// The same without calling it: what `argument` leads to is the caller's again.
/// Ownership: `argument` only compared. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: as cede_defer_run.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_defer_cancel(cede_self *self CEDE_BORROWED,
                                                          cede_cleanup_fn *run CEDE_BORROWED,
                                                          const void *argument CEDE_BORROWED);

/* ---- what the macro above stands on; not for direct use ---- */

/* `argument` has no annotation: where it goes from here is the cleanup's. */
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_defer(cede_self *self CEDE_BORROWED,
                                                    cede_cleanup_fn *run CEDE_BORROWED,
                                                    void *argument, const char *here CEDE_BORROWED);

CEDE_C_END
#endif
