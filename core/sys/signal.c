/* signal.c - see signal.h. The handler sets a bit and an event, and nothing else: both are async-signal-safe. */
#include "core/sys/signal.h"

#include <signal.h>
#include <stdatomic.h>

#include "core/sys/event.h"

enum { SIGNALS_MAX = 64 };

static cedei_event event = {.fd = -1}; /* set up before the first handler, closed after the last */
static _Atomic uint64_t came;          /* a bit per signal since the last wait */
static struct sigaction former[SIGNALS_MAX]; /* of caught signals; touched by the catcher only */

static void on_signal(int number) {
    /* release: pairs with the exchange in cedei_signals_wait. */
    atomic_fetch_or_explicit(&came, (uint64_t)1 << (number - 1), memory_order_release);
    cedei_event_set(&event);
}

cede_result cedei_signals_open(void) { return cedei_event_open(&event); }

void cedei_signals_close(void) { cedei_event_close(&event); }

static bool is_the_runtimes(int number) {
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGTRAP || number == SIGABRT;
}

cede_result cedei_signal_catch(int number) {
    if (number < 1 || number > SIGNALS_MAX || is_the_runtimes(number)) return CEDE_EINVAL;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigfillset(&action.sa_mask);
    return sigaction(number, &action, &former[number - 1]) == 0 ? CEDE_OK : CEDE_EINVAL;
}

void cedei_signal_release(int number) { (void)sigaction(number, &former[number - 1], NULL); }

uint64_t cedei_signals_wait(void) {
    (void)cedei_event_wait_until(&event, UINT64_MAX);
    cedei_event_clear(&event);
    /* acquire: pairs with the handler's release; after the clearing, so that a signal in between sets it again. */
    return atomic_exchange_explicit(&came, 0, memory_order_acquire);
}

void cedei_signals_wake(void) { cedei_event_set(&event); }
