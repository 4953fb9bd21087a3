/* Every interleaving of senders, signallers and two workers that take turns as the consumer of one mailbox.
 * Claims: each message is handled exactly once, in the order of its sender; the consumer is scheduled once per rest and
 * never runs twice at a time; no signal and no wake-up is lost; the bound holds; the count is right. */
#include <stddef.h>
#include <string.h>

#include "tests/model/atomics.h"

#include "core/sync/mailbox.h"

enum { SENDERS = 4, ITEMS = 4 };

struct item {
    struct cedei_node node;
    uint32_t sender, number; /* the number-th of its sender, from 1 */
    uint32_t resend;         /* times that the handler sends it again */
    bool is_in_flight;
};

static _Alignas(64) struct item items[SENDERS][ITEMS];
static struct cedei_mailbox mailbox;
static struct model_event token; /* signalled: the consumer is queued to run */
static uint32_t holders;         /* workers that hold the consumer's rights */
static uint32_t sent[SENDERS], last_handled[SENDERS], handled, refused, count_max;
static _Atomic uint32_t signal_word; /* what the signal in the mailbox stands for */
static bool signal_seen;
static struct model_event freed[ITEMS]; /* item of sender 0 was handled and may be used again */
static struct {                         /* what the consumer alone may touch */
    struct cedei_node *pending, **end;
    uint32_t activations;
} consumer;
static struct item trap = {.is_in_flight = false}; /* what a handled message's links lead to */

static void consumer_schedule(void) {
    MODEL_CLAIM(token.count == 0);
    MODEL_CLAIM(holders == 0);
    model_signal(&token);
}

/* Returns whether it was taken. */
static bool item_push(struct item *item, uint32_t sender) {
    uint64_t before = 0;
    MODEL_CLAIM(!item->is_in_flight);
    item->is_in_flight = true;
    item->sender = sender;
    item->number = sent[sender] + 1;
    if (!cedei_mailbox_push(&mailbox, &item->node, 7, (int32_t)count_max, 0, &before)) {
        item->is_in_flight = false;
        refused++;
        return false;
    }
    sent[sender]++;
    MODEL_CLAIM(cedei_mailbox_count(before) < count_max);
    if (before & CEDEI_MAILBOX_IDLE) consumer_schedule();
    return true;
}

static void item_handle(struct cedei_node *node) {
    struct item *item = CEDEI_CONTAINER_OF(node, struct item, node);
    MODEL_CLAIM(item->is_in_flight);
    MODEL_CLAIM(item->number == last_handled[item->sender] + 1);
    MODEL_CLAIM(node->depth_and_tag >> 32 == 7);
    last_handled[item->sender] = item->number;
    handled++;
    item->is_in_flight = false;
    node->next = &trap.node; /* it is freed: who follows its link is caught */
    node->depth_and_tag = UINT64_MAX;
    if (item->resend > 0) {
        item->resend--;
        (void)item_push(item, SENDERS - 1);
    } else if (item >= items[0] && item < items[0] + ITEMS) {
        model_signal(&freed[item - items[0]]);
    }
}

static bool consumer_fetch(void) {
    if (!cedei_mailbox_has_news(&mailbox)) return false;
    struct cedei_mailbox_batch batch = cedei_mailbox_take_all(&mailbox);
    uint32_t length = 0;
    for (struct cedei_node *node = batch.oldest; node != NULL && length < 100; node = node->next)
        length++;
    MODEL_CLAIM(length == batch.count);
    if (batch.oldest != NULL) {
        *consumer.end = batch.oldest;
        consumer.end = &batch.newest->next;
    }
    return true;
}

static bool consumer_rest(void) {
    holders--; /* before: afterwards another may hold the rights */
    if (cedei_mailbox_rest(&mailbox, CEDEI_MAILBOX_IDLE)) return true;
    holders++;
    return false;
}

/* As cedei_turn_run. */
static void consumer_activate(void) {
    MODEL_CLAIM(holders++ == 0);
    consumer.activations++;
    for (;;) {
        /* acquire: as the look at `identity`. */
        if (atomic_load_explicit(&signal_word, memory_order_acquire) != 0) signal_seen = true;
        struct cedei_node *node = consumer.pending;
        if (node != NULL) {
            consumer.pending = node->next;
            if (consumer.pending == NULL) consumer.end = &consumer.pending;
        } else if ((node = cedei_mailbox_take_single(&mailbox)) == NULL) {
            if (consumer_fetch()) continue;
            if (consumer_rest()) return;
            continue;
        }
        item_handle(node);
        if (consumer.pending == NULL && consumer_rest()) return;
    }
}

static void worker(void *context) {
    (void)context;
    for (;;) {
        model_wait(&token);
        consumer_activate();
    }
}

static void state_begin(uint32_t bound) {
    memset(items, 0, sizeof items);
    memset(sent, 0, sizeof sent);
    memset(last_handled, 0, sizeof last_handled);
    memset(freed, 0, sizeof freed);
    token.count = holders = handled = refused = 0;
    count_max = bound;
    signal_seen = false;
    signal_word = 0;
    consumer.pending = NULL;
    consumer.end = &consumer.pending;
    consumer.activations = 0;
    trap.node.next = NULL;
    cedei_mailbox_init(&mailbox, CEDEI_MAILBOX_IDLE);
    model_watch("a message", items, sizeof items);
    model_watch("the mailbox", &mailbox, sizeof mailbox);
    model_watch("the consumer", &consumer, sizeof consumer);
    model_thread_add(worker, NULL);
    model_thread_add(worker, NULL);
}

static void all_is_handled(void) {
    uint32_t total = 0;
    for (int i = 0; i < SENDERS; i++) total += sent[i];
    MODEL_CLAIM(handled == total);
    MODEL_CLAIM(token.count == 0 && holders == 0 && consumer.pending == NULL);
    MODEL_CLAIM(mailbox.word == CEDEI_MAILBOX_IDLE);
    MODEL_CLAIM(signal_word == 0 || signal_seen);
}

/* ---- two senders ---- */

static void send_two(void *sender) {
    uint32_t index = *(uint32_t *)sender;
    (void)item_push(&items[index][0], index);
    (void)item_push(&items[index][1], index);
}

static void send_one(void *sender) {
    uint32_t index = *(uint32_t *)sender;
    (void)item_push(&items[index][0], index);
}

static uint32_t sender_zero = 0, sender_one = 1;

static void two_senders_begin(void) {
    state_begin(INT32_MAX);
    model_thread_add(send_two, &sender_zero);
    model_thread_add(send_two, &sender_one);
}

static void bounded_begin(void) {
    state_begin(2);
    model_thread_add(send_two, &sender_zero);
    model_thread_add(send_two, &sender_one);
}

/* ---- a message that is used again as soon as it was handled, while the mailbox still names it ---- */

static void send_again_when_handled(void *context) {
    (void)context;
    (void)item_push(&items[0][0], 0);
    model_wait(&freed[0]);
    (void)item_push(&items[0][0], 0);
    (void)item_push(&items[0][1], 0);
}

static void reuse_begin(void) {
    state_begin(INT32_MAX);
    model_thread_add(send_again_when_handled, NULL);
    model_thread_add(send_one, &sender_one);
}

/* ---- a handler that sends the message it has to its own mailbox ---- */

static void send_that_comes_again(void *context) {
    (void)context;
    items[0][0].resend = 2;
    (void)item_push(&items[0][0], 0);
}

static void resend_begin(void) {
    state_begin(INT32_MAX);
    model_thread_add(send_that_comes_again, NULL);
    model_thread_add(send_two, &sender_one);
}

/* ---- signals ---- */

static void signal_once(void *context) {
    (void)context;
    /* release: as the change of `identity`, before the signal. */
    atomic_store_explicit(&signal_word, 1, memory_order_release);
    if (cedei_mailbox_signal(&mailbox) & CEDEI_MAILBOX_IDLE) consumer_schedule();
}

static void signal_begin(void) {
    state_begin(INT32_MAX);
    model_thread_add(send_two, &sender_one);
    model_thread_add(signal_once, NULL);
}

/* ---- a claim, as a spawn makes it on a free slot, against senders that are late ---- */

static void claim_once(void *context) {
    (void)context;
    if (cedei_mailbox_claim(&mailbox, CEDEI_MAILBOX_IDLE)) consumer_schedule();
}

static void claim_begin(void) {
    state_begin(INT32_MAX);
    model_thread_add(send_two, &sender_one);
    model_thread_add(claim_once, NULL);
}

int main(int argc, char **argv) {
    static const struct model_scenario SCENARIOS[] = {
        {"two senders", two_senders_begin, all_is_handled, 2, 1},
        {"two senders, a mailbox for two", bounded_begin, all_is_handled, 2, 1},
        {"a message sent again", reuse_begin, all_is_handled, 2, 1},
        {"a handler that sends to itself", resend_begin, all_is_handled, 2, 1},
        {"a sender and a signal", signal_begin, all_is_handled, 2, 1},
        {"a sender and a claim", claim_begin, all_is_handled, 2, 1},
    };
    static const char *const OWNS[] = {"core/sync/mailbox.h",
                                       "!core/sync/mailbox.h cedei_mailbox_rest", NULL};
    static const struct model_test TEST = {SCENARIOS, sizeof SCENARIOS / sizeof SCENARIOS[0], OWNS};
    return model_main(argc, argv, &TEST);
}
