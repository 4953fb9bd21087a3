/* The mailbox word, one thread at a time (tests/model explores the interleavings), and a race of real threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sync/mailbox.h"

struct item {
    _Alignas(16) struct cedei_node node;
    uint32_t sender, number;
};

static struct cedei_mailbox mailbox;
static struct item items[8];

static int mailbox_setup(void **state) {
    (void)state;
    cedei_mailbox_init(&mailbox, CEDEI_MAILBOX_IDLE);
    memset(items, 0, sizeof items);
    return 0;
}

static uint64_t word_now(void) {
    /* relaxed: nobody else is there. */
    return atomic_load_explicit(&mailbox.word, memory_order_relaxed);
}

static uint64_t push(struct item *item) {
    uint64_t before = 0;
    assert_true(cedei_mailbox_push(&mailbox, &item->node, 5, INT32_MAX, 0, &before));
    return before;
}

static void mailbox_push_says_who_has_to_schedule(void **state) {
    (void)state;
    assert_int_equal(push(&items[0]) & CEDEI_MAILBOX_IDLE, CEDEI_MAILBOX_IDLE);
    assert_int_equal(push(&items[1]) & CEDEI_MAILBOX_IDLE, 0);
    assert_int_equal(cedei_mailbox_count(word_now()), 2);
}

static void mailbox_take_all_gives_everything_in_push_order(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) push(&items[i]);
    struct cedei_mailbox_batch batch = cedei_mailbox_take_all(&mailbox);
    assert_int_equal(batch.count, 5);
    assert_ptr_equal(batch.newest, &items[4].node);
    struct cedei_node *node = batch.oldest;
    for (int i = 0; i < 5; i++, node = node->next) {
        assert_ptr_equal(node, &items[i].node);
        assert_int_equal(node->depth_and_tag >> 32, 5);
    }
    assert_null(node);
    assert_true(cedei_mailbox_rest(&mailbox, CEDEI_MAILBOX_IDLE));
}

static void mailbox_refuses_at_its_bound_counting_what_the_consumer_has(void **state) {
    (void)state;
    uint64_t before = 0;
    assert_true(cedei_mailbox_push(&mailbox, &items[0].node, 0, 3, 0, &before));
    assert_false(cedei_mailbox_push(&mailbox, &items[1].node, 0, 3, 2, &before));
    assert_true(cedei_mailbox_push(&mailbox, &items[1].node, 0, 3, 1, &before));
    assert_false(cedei_mailbox_push(&mailbox, &items[2].node, 0, 3, 1, &before));
    assert_true(cedei_mailbox_push(&mailbox, &items[2].node, 0, 3, 0, &before));
    assert_int_equal(cedei_mailbox_take_all(&mailbox).count, 3);
}

static void mailbox_single_is_taken_once_and_rest_follows_without_it(void **state) {
    (void)state;
    push(&items[0]);
    assert_ptr_equal(cedei_mailbox_take_single(&mailbox), &items[0].node);
    assert_null(cedei_mailbox_take_single(&mailbox));
    assert_false(cedei_mailbox_has_news(&mailbox));
    assert_true(cedei_mailbox_rest(&mailbox, CEDEI_MAILBOX_IDLE));
    assert_int_equal(word_now(), CEDEI_MAILBOX_IDLE);
}

/* The single message is pushed again, by its handler, while the mailbox still names it. */
static void mailbox_single_pushed_again_links_to_itself_and_comes_once(void **state) {
    (void)state;
    push(&items[0]);
    assert_ptr_equal(cedei_mailbox_take_single(&mailbox), &items[0].node);
    push(&items[0]);
    push(&items[1]);
    assert_false(cedei_mailbox_rest(&mailbox, CEDEI_MAILBOX_IDLE));
    struct cedei_mailbox_batch batch = cedei_mailbox_take_all(&mailbox);
    assert_int_equal(batch.count, 2);
    assert_ptr_equal(batch.oldest, &items[0].node);
    assert_ptr_equal(batch.oldest->next, &items[1].node);
    assert_null(batch.oldest->next->next);
}

static void mailbox_signal_is_news_keeps_messages_and_ends_rest(void **state) {
    (void)state;
    assert_int_equal(cedei_mailbox_signal(&mailbox), CEDEI_MAILBOX_IDLE);
    assert_true(cedei_mailbox_has_news(&mailbox));
    assert_false(cedei_mailbox_rest(&mailbox, CEDEI_MAILBOX_IDLE));
    assert_int_equal(push(&items[0]) & CEDEI_MAILBOX_IDLE, 0);
    assert_null(cedei_mailbox_take_single(&mailbox)); /* not beside a signal */
    struct cedei_mailbox_batch batch = cedei_mailbox_take_all(&mailbox);
    assert_int_equal(batch.count, 1);
    assert_ptr_equal(batch.oldest, &items[0].node);
    assert_true(cedei_mailbox_rest(&mailbox, CEDEI_MAILBOX_RECV));
    assert_int_equal(cedei_mailbox_signal(&mailbox), CEDEI_MAILBOX_RECV);
}

static void mailbox_signal_after_a_single_does_not_bring_it_back(void **state) {
    (void)state;
    push(&items[0]);
    assert_non_null(cedei_mailbox_take_single(&mailbox));
    cedei_mailbox_signal(&mailbox);
    assert_true(cedei_mailbox_has_news(&mailbox));
    struct cedei_mailbox_batch batch = cedei_mailbox_take_all(&mailbox);
    assert_int_equal(batch.count, 0);
    assert_null(batch.oldest);
}

static void mailbox_claim_takes_only_the_flag_that_is_set(void **state) {
    (void)state;
    assert_false(cedei_mailbox_claim(&mailbox, CEDEI_MAILBOX_RECV));
    assert_true(cedei_mailbox_claim(&mailbox, CEDEI_MAILBOX_IDLE));
    assert_false(cedei_mailbox_claim(&mailbox, CEDEI_MAILBOX_IDLE));
    assert_int_equal(push(&items[0]), 0);
}

static void mailbox_counts_more_than_its_word_can(void **state) {
    (void)state;
    enum { MANY = CEDEI_MAILBOX_COUNT_MAX + 500 };
    struct item *many = calloc(MANY, sizeof *many);
    assert_non_null(many);
    for (uint32_t i = 0; i < MANY; i++) push(&many[i]);
    assert_int_equal(cedei_mailbox_count(word_now()), CEDEI_MAILBOX_COUNT_MAX);
    struct cedei_mailbox_batch batch = cedei_mailbox_take_all(&mailbox);
    assert_int_equal(batch.count, MANY);
    uint32_t length = 0;
    for (struct cedei_node *node = batch.oldest; node != NULL; node = node->next) length++;
    assert_int_equal(length, MANY);
    free(many);
}

/* ---- real threads ---- */

enum { SENDERS = 3, PER_SENDER = 20000 };

static struct item *sent[SENDERS];

static void *send_all(void *context) {
    uint32_t sender = *(uint32_t *)context;
    for (uint32_t i = 0; i < PER_SENDER; i++) {
        sent[sender][i] = (struct item){.sender = sender, .number = i};
        uint64_t before = 0;
        cedei_mailbox_push(&mailbox, &sent[sender][i].node, 0, INT32_MAX, 0, &before);
    }
    return NULL;
}

static void mailbox_of_real_threads_keeps_each_senders_order(void **state) {
    (void)state;
    pthread_t threads[SENDERS];
    uint32_t indices[SENDERS], next[SENDERS] = {0}, total = 0;
    cedei_mailbox_init(&mailbox, 0); /* the consumer runs all the time */
    for (uint32_t i = 0; i < SENDERS; i++) {
        indices[i] = i;
        sent[i] = calloc(PER_SENDER, sizeof *sent[i]);
        assert_non_null(sent[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &indices[i]), 0);
    }
    while (total < SENDERS * PER_SENDER) { /* every push arrives */
        struct cedei_node *node = cedei_mailbox_take_single(&mailbox);
        if (node == NULL) {
            if (!cedei_mailbox_has_news(&mailbox)) continue;
            node = cedei_mailbox_take_all(&mailbox).oldest;
        } else {
            node->next = NULL;
        }
        for (; node != NULL; node = node->next, total++) {
            struct item *item = CEDEI_CONTAINER_OF(node, struct item, node);
            assert_int_equal(item->number, next[item->sender]);
            next[item->sender]++;
        }
    }
    for (uint32_t i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        free(sent[i]);
    }
}

int main(void) {
#define WITH_MAILBOX(name) cmocka_unit_test_setup(name, mailbox_setup)
    const struct CMUnitTest tests[] = {
        WITH_MAILBOX(mailbox_push_says_who_has_to_schedule),
        WITH_MAILBOX(mailbox_take_all_gives_everything_in_push_order),
        WITH_MAILBOX(mailbox_refuses_at_its_bound_counting_what_the_consumer_has),
        WITH_MAILBOX(mailbox_single_is_taken_once_and_rest_follows_without_it),
        WITH_MAILBOX(mailbox_single_pushed_again_links_to_itself_and_comes_once),
        WITH_MAILBOX(mailbox_signal_is_news_keeps_messages_and_ends_rest),
        WITH_MAILBOX(mailbox_signal_after_a_single_does_not_bring_it_back),
        WITH_MAILBOX(mailbox_claim_takes_only_the_flag_that_is_set),
        WITH_MAILBOX(mailbox_counts_more_than_its_word_can),
        WITH_MAILBOX(mailbox_of_real_threads_keeps_each_senders_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
