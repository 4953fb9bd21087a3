/* shared.h - one message for many readers: frozen, never changed again, dropped with its last reference.
 *
 *     struct settings *s = cede_new(self, settings);       filled in, as any message
 *     const struct settings *shared = NULL;
 *     r = cede_freeze(self, &s, &shared);                  s is NULL: nobody can change it any more
 *     first->settings = cede_shared_ref(shared);           in a field of kind shared(settings), for another actor
 *     second->settings = cede_shared_ref(shared);
 *     cede_shared_unref(&shared);                          when this actor does not read it any more
 *
 * A reference is a plain `const struct T *` that somebody has to give back. One in a field of a message is given back when
 * the message is dropped, however its owner ends; one in an actor's state by the behaviour's `fini`. A variable on the
 * stack is lost when its actor is killed in a wait: keep no counted reference only there over a yield.
 * When to use it: the same data, larger than a cache line, for several actors; what is for one is sent. Costs: freezing
 * takes no memory; a reference taken and given back 10 ns (two atomic additions), more while several processors do so
 * at once; reading is reading a struct. */
#ifndef CEDE_SHARED_H
#define CEDE_SHARED_H

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/message.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// Freezes `*message`, which the turn or the actor owns, with all that it holds. `out` is a `const struct T **`.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise; `*out` is one reference, the caller's.
/// It must be given back before the system is destroyed. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EINVAL it is a request that has not been answered (reply first, or freeze what is in it); CEDE_EOWNER.
#define cede_freeze(self, message, out)                                                            \
    cedei_freeze((self), CEDEI_MOVED_ARG(message), CEDEI_SHARED_OUT_ARG(message, out), CEDEI_HERE)

/// As cede_freeze, for a type of one's own that several actors may change at once, because it is a CEDE_OPAQUE_MESSAGE that
/// guards what is in it: `struct CEDE_SYNC cache { cede_mutex lock; ... CEDE_MESSAGE_MARK; };`. `out` is a `struct T **`; further
/// references travel in fields of kind sync(T).
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise; `*out` is one reference, the caller's.
/// The last one calls the type's drop. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EINVAL the type has no drop of its own, so nothing guards it; CEDE_EOWNER.
#define cede_share(self, message, out)                                                             \
    cedei_share((self), CEDEI_MOVED_ARG(message), CEDEI_SHARE_OUT_ARG(message, out), CEDEI_HERE)

/// One more reference to `shared`, a frozen message or any of the counted types of this library, such as a cede_channel_sender.
/// Returns `shared`; NULL for NULL.
/// Ownership: `shared` stays the caller's; what is returned has to be given back too. Threads: any. Yields: no. Blocks: no.
#define cede_shared_ref(shared) ((__typeof__(shared))(uintptr_t)cedei_shared_ref((shared)))

/// Gives the reference `*shared` back and sets it to NULL; the last one drops the message with what it holds. NULL in
/// `*shared` does nothing. Ownership: dropped. Threads: any. Yields: no. Blocks: no.
#define cede_shared_unref(shared)                                                                  \
    (CEDEI_EXPECT(__builtin_classify_type(*(shared)) == 5,                                         \
                  "'" #shared "' must be the address of a reference, such as &config, which the "  \
                  "call sets to NULL"),                                                            \
     cedei_shared_unref((const void **)(shared)))

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_freeze(cede_self *self CEDE_BORROWED,
                                                     void **message CEDE_MOVED,
                                                     const void **out CEDE_BORROWED,
                                                     const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_share(cede_self *self CEDE_BORROWED,
                                                    void **message CEDE_MOVED,
                                                    const void **out CEDE_BORROWED,
                                                    const char *here CEDE_BORROWED);
CEDE_NOYIELD const void *cedei_shared_ref(const void *shared CEDE_BORROWED);
CEDE_NOYIELD void cedei_shared_unref(const void **shared CEDE_BORROWED);

/* Declares the shared type T, which only this library makes: an opaque struct that is counted as a frozen message is. */
#define CEDEI_SYNC_DECLARE(T)                                                                      \
    CEDE_MESSAGE_FORWARD(T);                                                                       \
    enum {                                                                                         \
        CEDE_MESSAGE_declares_##T##_before_it_is_used = 1,                                         \
        cedei_owning_##T = 1,                                                                      \
        cedei_opaque_##T = CEDEI_HOLDS_OPAQUE,                                                     \
        cedei_wire_min_##T = 1                                                                     \
    };                                                                                             \
    typedef struct T T

#define CEDEI_SHARE_OUT_ARG(message, out)                                                          \
    (CEDEI_EXPECT(_Generic((out), __typeof__(**(message)) **: 1, default: 0),                      \
                  "'" #out "' must be the address of a pointer to the message's type, such as "    \
                  "struct cache *shared = NULL; ... &shared"),                                     \
     (const void **)(out))
#define CEDEI_SHARED_OUT_OF(T, out)                                                                \
    (CEDEI_EXPECT(_Generic((out), const struct T **: 1, default: 0),                               \
                  "'" #out "' must be the address of a 'const struct " #T                          \
                  " *' variable, which receives a reference"),                                     \
     (const void **)(out))
#define CEDEI_SHARED_OUT_ARG(message, out)                                                         \
    (CEDEI_EXPECT(_Generic((out), const __typeof__(**(message)) **: 1, default: 0),                \
                  "'" #out "' must be the address of a pointer to const of the message's type, "   \
                  "such as const struct order *shared = NULL; ... &shared"),                       \
     (const void **)(out))

CEDE_C_END
#endif
