/* annotate.h - what a declaration promises, in words that the compiler and the analyzer read.
 * Each macro is an attribute under clang and nothing under gcc (gcc 12 warns about unknown annotations),
 * except CEDE_NODISCARD, CEDE_PRINTF and CEDE_NONNULL, which both understand. docs/ANNOTATIONS.md has them all. */
#ifndef CEDE_ANNOTATE_H
#define CEDE_ANNOTATE_H

#if !defined(__cplusplus) && (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L)
#error "Cede needs C11 or later: compile with -std=gnu11, -std=c11, or without -std"
#endif

/* Around all declarations of a public header: C linkage, and visible outside of the shared library, which is compiled
 * with hidden visibility so that its own calls are direct. */
#ifdef __cplusplus
#define CEDE_C_BEGIN _Pragma("GCC visibility push(default)") extern "C" {
#define CEDE_C_END                                                                                 \
    }                                                                                              \
    _Pragma("GCC visibility pop")
#else
#define CEDE_C_BEGIN _Pragma("GCC visibility push(default)")
#define CEDE_C_END _Pragma("GCC visibility pop")
#endif

#if defined(__clang__)
#define CEDEI_ANNOTATE(text) __attribute__((annotate(text)))
#else
#define CEDEI_ANNOTATE(text)
#endif

#define CEDE_NODISCARD __attribute__((warn_unused_result))
#define CEDE_PRINTF(format_index, first_argument)                                                  \
    __attribute__((format(printf, format_index, first_argument)))

/* Functions and function-pointer types. */

/// May give the worker away: after the call the code may be on another thread.
#define CEDE_YIELDS CEDEI_ANNOTATE("cede::yields")
/// Never gives the worker away, and calls nothing that does.
#define CEDE_NOYIELD CEDEI_ANNOTATE("cede::noyield")
/// May stop the calling thread for an unbounded time; not for a worker.
#define CEDE_BLOCKS CEDEI_ANNOTATE("cede::blocks")
/// Returns a message that the turn owns, or NULL.
#define CEDE_RETURNS_OWNED CEDEI_ANNOTATE("cede::returns_owned")
/// Keeps the actor's message alive: the returned pointer is owned by the actor's state.
#define CEDE_RETURNS_KEPT CEDEI_ANNOTATE("cede::returns_kept")

/* Parameters. */

/// `T **`: on CEDE_OK `*p` has moved away and is NULL; on any other result the caller still owns it.
#define CEDE_MOVED CEDEI_ANNOTATE("cede::moved")
/// `T **`: as CEDE_MOVED, but `*p` may have moved also when the result is not CEDE_OK; it is NULL then.
#define CEDE_ASKED CEDEI_ANNOTATE("cede::asked")
/// `T **`: `*p` is gone and NULL after the call, whatever the result.
#define CEDE_DROPPED CEDEI_ANNOTATE("cede::dropped")
/// `T **`: on CEDE_OK `*p` is a message that the turn owns; untouched otherwise.
#define CEDE_GIVEN CEDEI_ANNOTATE("cede::given")
/// Looked at during the call only; neither kept nor moved.
#define CEDE_BORROWED CEDEI_ANNOTATE("cede::borrowed")
/// The pointer that the function returns is a part of what this parameter leads to, and lives as long.
#define CEDE_LENDS CEDEI_ANNOTATE("cede::lends")
/// A guard (mutex, RCU section): held from this call until the matching CEDE_RELEASED.
#define CEDE_ACQUIRED CEDEI_ANNOTATE("cede::acquired")
/// As CEDE_ACQUIRED, but held only when the result is CEDE_OK (0), or true for a bool.
#define CEDE_ACQUIRED_ON_OK CEDEI_ANNOTATE("cede::acquired_on_ok")
/// The guard that ends here.
#define CEDE_RELEASED CEDEI_ANNOTATE("cede::released")

/* Types. */

/// `struct CEDE_SEND name { ... }`: may move to another actor; cede-lint checks its fields.
#define CEDE_SEND CEDEI_ANNOTATE("cede::send")
/// `struct CEDE_SYNC name { ... }`: may be used by several actors at once; cede-lint checks its fields.
#define CEDE_SYNC CEDEI_ANNOTATE("cede::sync")
/// A value of this type must not be alive over a yield.
#define CEDE_GUARD CEDEI_ANNOTATE("cede::guard")

/// On a field: the author vouches that it may be sent although its type does not show it. Give the reason.
#define CEDE_ASSERT_SEND(reason) CEDEI_ANNOTATE("cede::assert_send:" reason)

#define CEDEI_STRINGIZE_(x) #x
#define CEDEI_STRINGIZE(x) CEDEI_STRINGIZE_(x)
/* The place of a call as one constant string: a single register in the calling sequence. */
#define CEDEI_HERE __FILE__ ":" CEDEI_STRINGIZE(__LINE__)

#endif
