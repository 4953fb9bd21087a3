/* signal.c - signals as messages. One thread in the process, started with the first watch, sleeps until a signal has
 * come and then sends; the handler itself only sets a bit (core/sys/signal.c).
 * Invariants: (1) a signal is caught exactly while somebody in `watches` wants it; (2) the thread lives from the first
 * watch of a system to the end of the last system that had one; (3) each watch has its next message made beforehand, so
 * that no shortage loses the first signal. */
#include "actors/actor/signal.h"

#include <signal.h>

#include "actors/actor/deliver.h"
#include "core/sys/alloc.h"
#include "core/sys/signal.h"

CEDE_MESSAGE_DEFINE(cede_signal, CEDEI_SIGNAL);

struct watch {
    struct watch *next;
    cede_system *system;
    cede_ref actor;
    int number;
    struct cedei_msg *spare; /* the message for the next signal; NULL: memory was short */
    void (*signalled)(void *context, int number); /* in place of an actor, while none watches */
    void *context;
};

/* Access: F = under `life_lock`, which is taken first; L = under `lock`. */
static cedei_mutex life_lock = {PTHREAD_MUTEX_INITIALIZER};
static uint32_t systems;    /* F: that have had a watch */
static cedei_thread teller; /* F */
static cedei_mutex lock = {PTHREAD_MUTEX_INITIALIZER};
static struct watch *watches; /* L */
static bool stopping;         /* L */

/* Under `lock`. */
static bool is_wanted(int number) {
    for (struct watch *watch = watches; watch != NULL; watch = watch->next)
        if (watch->number == number) return true;
    return false;
}

/* Under `lock`. */
static bool is_watched_by_actors(int number) {
    for (struct watch *watch = watches; watch != NULL; watch = watch->next)
        if (watch->number == number && watch->signalled == NULL) return true;
    return false;
}

/* Under `lock`. */
static void tell(struct watch *watch) {
    if (watch->signalled != NULL) {
        if (!is_watched_by_actors(watch->number)) watch->signalled(watch->context, watch->number);
        return;
    }
    struct cedei_msg *msg = watch->spare;
    if (msg == NULL) msg = cedei_msg_create(watch->system, &cede_type_cede_signal);
    if (msg == NULL) {
        cedei_log(watch->system, CEDE_LOG_ERROR, "out of memory: signal %d for an actor is lost",
                  watch->number);
        return;
    }
    watch->spare = NULL;
    ((struct cede_signal *)cedei_msg_body(msg))->number = watch->number;
    cedei_control_send(watch->system, NULL, watch->actor, msg);
    watch->spare = cedei_msg_create(watch->system, &cede_type_cede_signal);
}

static void *teller_main(void *context) {
    (void)context;
    for (;;) { /* until the last system is gone */
        uint64_t came = cedei_signals_wait();
        cedei_mutex_lock(&lock);
        bool end = stopping;
        for (struct watch *watch = watches; watch != NULL; watch = watch->next)
            if ((came & (uint64_t)1 << (watch->number - 1)) != 0) tell(watch);
        cedei_mutex_unlock(&lock);
        if (end) return NULL;
    }
}

/* Under `life_lock`: the first watch of `system`. */
static cede_result system_join(cede_system *system) {
    if (system->watches_signals) return CEDE_OK;
    if (systems == 0) {
        cede_result r = cedei_signals_open();
        if (r != CEDE_OK) return r;
        stopping = false;
        r = cedei_thread_start(&teller, "cede-signals", teller_main, NULL);
        if (r != CEDE_OK) {
            cedei_signals_close();
            return r;
        }
    }
    systems++;
    system->watches_signals = true;
    return CEDE_OK;
}

/* Under `lock`. */
static struct watch *watch_find(cede_self *self, int number) {
    cede_ref me = cedei_ref_of(self);
    for (struct watch *watch = watches; watch != NULL; watch = watch->next)
        if (watch->number == number && watch->system == self->system &&
            cede_ref_equal(watch->actor, me))
            return watch;
    return NULL;
}

/* Takes `watch` on CEDE_OK. */
static cede_result watch_add(cede_self *self, struct watch *watch) {
    cede_result r = CEDE_OK;
    cedei_mutex_lock(&lock);
    if (watch_find(self, watch->number) != NULL) {
        r = CEDE_EEXIST;
    } else {
        if (!is_wanted(watch->number)) r = cedei_signal_catch(watch->number);
        if (r == CEDE_OK) {
            watch->next = watches;
            watches = watch;
        }
    }
    cedei_mutex_unlock(&lock);
    return r;
}

static void watch_free(struct watch *watch) {
    if (watch->spare != NULL) cedei_msg_free(watch->system, watch->spare);
    cedei_free(watch);
}

void cedei_signals_default(cede_system *system, void (*signalled)(void *context, int number),
                           void *context) {
    const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct watch *watch = cedei_alloc(sizeof *watch);
        if (watch == NULL) return;
        *watch = (struct watch){
            .system = system, .number = numbers[i], .signalled = signalled, .context = context};
        cedei_mutex_lock(&life_lock);
        cede_result r = system_join(system);
        cedei_mutex_lock(&lock);
        if (r == CEDE_OK && !is_wanted(watch->number)) r = cedei_signal_catch(watch->number);
        if (r == CEDE_OK) {
            watch->next = watches;
            watches = watch;
        }
        cedei_mutex_unlock(&lock);
        cedei_mutex_unlock(&life_lock);
        if (r != CEDE_OK) watch_free(watch);
    }
}

cede_result cede_signal_watch(cede_self *self, int number) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_signal_watch", "");
    struct watch *watch = cedei_alloc(sizeof *watch);
    if (watch == NULL) return CEDE_ENOMEM;
    *watch = (struct watch){.system = self->system,
                            .actor = cedei_ref_of(self),
                            .number = number,
                            .spare = cedei_msg_create(self->system, &cede_type_cede_signal)};
    cede_result r = CEDE_ENOMEM;
    if (watch->spare == NULL) goto free_watch;
    cedei_mutex_lock(&life_lock);
    r = system_join(self->system);
    if (r == CEDE_OK) r = watch_add(self, watch);
    cedei_mutex_unlock(&life_lock);
    if (r == CEDE_OK) {
        self->watches_signals = true;
        return CEDE_OK;
    }
free_watch:
    watch_free(watch);
    return r == CEDE_EEXIST ? CEDE_OK : r; /* watched already */
}

/* Takes out every watch of `system` and, unless they are none and 0, of `actor` and `number`. */
static void watches_remove(cede_system *system, const cede_ref *actor, int number) {
    struct watch *out = NULL;
    cedei_mutex_lock(&lock);
    for (struct watch **at = &watches; *at != NULL;) { /* each round goes one on or takes one out */
        struct watch *watch = *at;
        if (watch->system != system || (actor != NULL && !cede_ref_equal(watch->actor, *actor)) ||
            (number != 0 && watch->number != number)) {
            at = &watch->next;
            continue;
        }
        *at = watch->next;
        watch->next = out;
        out = watch;
        if (!is_wanted(watch->number)) cedei_signal_release(watch->number);
    }
    cedei_mutex_unlock(&lock);
    while (out != NULL) { /* a list of our own */
        struct watch *next = out->next;
        watch_free(out);
        out = next;
    }
}

void cede_signal_unwatch(cede_self *self, int number) {
    if (self == NULL || number == 0) return;
    cedei_self_check(self, "cede_signal_unwatch", "");
    cede_ref me = cedei_ref_of(self);
    watches_remove(self->system, &me, number);
}

void cedei_signals_forget(cede_self *self) {
    cede_ref me = cedei_ref_of(self);
    self->watches_signals = false;
    watches_remove(self->system, &me, 0);
}

void cedei_signals_forget_system(cede_system *system) {
    if (!system->watches_signals) return;
    watches_remove(system, NULL, 0);
    cedei_mutex_lock(&life_lock);
    if (--systems == 0) {
        cedei_mutex_lock(&lock);
        stopping = true;
        cedei_mutex_unlock(&lock);
        cedei_signals_wake();
        cedei_thread_join(&teller);
        cedei_signals_close();
    }
    cedei_mutex_unlock(&life_lock);
}
