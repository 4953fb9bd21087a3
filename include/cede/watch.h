/* watch.h - the newest value of something, for any number of actors that read it or wait for the next.
 *
 *     r = cede_watch_create(self, settings, &first, &watch);                  first is NULL: frozen
 *     r = cede_watch_set(self, watch, &next);                                 so is next; everybody who waits is woken
 *     ...
 *     struct office { const struct settings *settings; uint64_t seen; };      a reader keeps it in its state
 *     r = cede_watch_await(self, state->watch, settings, &state->seen, &state->settings, CEDE_FOREVER);
 *
 * Values are frozen messages: a reader holds the one that it saw for as long as it likes, over yields too, while newer ones
 * come. Who is slow misses those in between, never the newest. The reference in the reader's variable is given back by
 * the next call that replaces it, at last by cede_shared_unref, in the `fini` of its behaviour if it is kept in the state; a
 * variable on the stack is lost with an actor that is killed while it waits.
 * A wait that ends by its limit, by cede_stop or by a kill misses nothing: what was not seen is there at the next look.
 * When to use it: settings, prices, positions. Every value: cede_broadcast; to look often and briefly: cede_rcu, where a look
 * writes nothing. Costs: about 12 ns for a look, about 130 ns for a new value and the switch to whoever waited
 * for it. */
#ifndef CEDE_WATCH_H
#define CEDE_WATCH_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// A counted reference: more by cede_shared_ref, given back by cede_shared_unref, sent in fields of kind sync(cede_watch).
CEDEI_SYNC_DECLARE(cede_watch);

/// Makes a watch for messages of type T, the first of which is `*first`; `out` is a `cede_watch **`.
/// Ownership: `*first` moved and nulled on CEDE_OK, still the caller's otherwise; `*out` is one reference, the caller's.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_ETYPE; CEDE_EINVAL, also for a request that has not been answered; CEDE_EOWNER.
#define cede_watch_create(self, T, first, out)                                                     \
    cedei_watch_create((self), &cede_type_##T, CEDEI_MOVED_ARG(first), (out), CEDEI_HERE)

/// Makes `*message` the newest value.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise. Threads: the turn's. Yields: no.
/// Blocks: no. Errors: CEDE_ECLOSED; CEDE_ETYPE; CEDE_EINVAL, also for a request that has not been answered; CEDE_EOWNER.
#define cede_watch_set(self, watch, message)                                                       \
    cedei_watch_set((self), (watch), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// The newest value, of type T: `out` is a `const struct T **`, which holds a reference or NULL before the call.
/// Ownership: `*out` is one reference, the caller's; what it held is given back. Threads: any. Yields: no. Blocks: no.
/// Errors: CEDE_ETYPE; CEDE_EINVAL.
#define cede_watch_get(watch, T, out)                                                              \
    cedei_watch_get((watch), &cede_type_##T, CEDEI_SHARED_OUT_OF(T, out))

/// The newest value, when it is not the one that `*seen` stands for; waits for it. `*seen` is 0 before the first look.
/// Ownership: `*out` as for cede_watch_get on CEDE_OK, untouched otherwise. Threads: the turn's, or an inbox's own.
/// Yields: yes, when it has to wait. Blocks: only on an inbox's thread. Units: nanoseconds to wait, 0 to look only, or
/// CEDE_FOREVER. Errors: CEDE_ECLOSED the newest was seen, and is the last; CEDE_ETIMEDOUT; CEDE_ECANCELED the actor was asked to
/// stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_ETYPE; CEDE_ECONTEXT; CEDE_EINVAL.
#define cede_watch_await(self, watch, T, seen, out, timeout_ns)                                    \
    cedei_watch_await((self), (watch), &cede_type_##T, (seen), CEDEI_SHARED_OUT_OF(T, out),        \
                      (timeout_ns))

/// The value is the last one. Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_watch_close(cede_watch *watch CEDE_BORROWED);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_watch_create(
    cede_self *self CEDE_BORROWED, const struct cede_type *type CEDE_BORROWED,
    void **first CEDE_MOVED, cede_watch **out CEDE_BORROWED, const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_watch_set(cede_self *self CEDE_BORROWED,
                                                        cede_watch *watch CEDE_BORROWED,
                                                        void **message CEDE_MOVED,
                                                        const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_watch_get(cede_watch *watch CEDE_BORROWED,
                                                        const struct cede_type *type CEDE_BORROWED,
                                                        const void **out CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_watch_await(cede_self *self CEDE_BORROWED,
                                                         cede_watch *watch CEDE_BORROWED,
                                                         const struct cede_type *type CEDE_BORROWED,
                                                         uint64_t *seen CEDE_BORROWED,
                                                         const void **out CEDE_BORROWED,
                                                         uint64_t timeout_ns);

CEDE_C_END
#endif
