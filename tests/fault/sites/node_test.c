/* The calls for memory of actors/node: of its parts by themselves, then of two nodes in this process. What fails is told where
 * it can be; what only the other side would notice ends the link, and the next one works. */
#include <stdlib.h>
#include <unistd.h>

#include <cede/node.h>

#include "actors/node/account.h"
#include "actors/node/credit.h"
#include "actors/node/exports.h"
#include "actors/node/hash.h"
#include "actors/node/outbox.h"
#include "tests/fault/sites/sites.h"

/* ---- parts ---- */

static void a_table_goes_without_growing(void **state) {
    enum { MANY = 100 };
    static struct cedei_hash_node nodes[MANY];
    struct cedei_hash hash;
    (void)state;
    cedei_hash_init(&hash, 1);
    site_arm("actors/node/hash.c", "hash_grow");
    for (uint64_t i = 0; i < MANY; i++) cedei_hash_insert(&hash, &nodes[i], i);
    site_disarm();
    for (uint64_t i = 0; i < MANY; i++) EXPECT(cedei_hash_find(&hash, i) == &nodes[i]);
    cedei_hash_fini(&hash);
}

/* A frame that got no memory takes no number: the next one must not look like a gap. */
static void a_frame_is_queued_by_the_next_call(void **state) {
    struct cedei_outbox outbox;
    (void)state;
    cedei_outbox_init(&outbox);
    EXPECT_SHORT_NULL("actors/node/outbox.c", "chunk_alloc",
                      cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 500));
    EXPECT_SHORT_NULL("actors/node/outbox.c", "chunk_alloc", cedei_chunk_create(500));
    EXPECT(outbox.bytes == 0 && cedei_outbox_next(&outbox) == NULL);
    EXPECT(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 500) != NULL);
    struct cedei_frame frame;
    EXPECT_OK(cedei_frame_read(cedei_outbox_next(&outbox)->bytes, &frame));
    EXPECT_EQUAL(frame.sequence, 0);
    cedei_outbox_fini(&outbox);
}

static void an_account_is_opened_by_the_next_call(void **state) {
    struct cedei_accounts accounts;
    (void)state;
    cedei_accounts_init(&accounts);
    EXPECT_SHORT_NULL("actors/node/account.c", "chunk_add", cedei_account_open(&accounts, 1));
    EXPECT(cedei_account_open(&accounts, 1) != NULL);
    cedei_accounts_fini(&accounts);
}

static void a_charge_is_noted_by_the_next_call(void **state) {
    static const struct cedei_window window = {.messages = 8, .bytes = 1000};
    struct cedei_charge charge = {1, 1};
    struct cedei_debt debt;
    (void)state;
    cedei_debt_init(&debt, 3, 1);
    EXPECT_SHORT("actors/node/credit.c", "mailbox_grow", cedei_debt_enter(&debt, charge, &window),
                 CEDE_ENOMEM);
    EXPECT_EQUAL(debt.mailbox_count, 0);
    EXPECT_OK(cedei_debt_enter(&debt, charge, &window));
    EXPECT_EQUAL(debt.mailbox_count, 1);
    cedei_debt_fini(&debt);
}

static void a_ref_is_let_out_by_the_next_call(void **state) {
    struct cedei_exports exports;
    struct cedei_wire_actor actor = {1, 1};
    (void)state;
    cedei_exports_init(&exports, 5, 7);
    EXPECT_SHORT("actors/node/exports.c", "cedei_exports_add",
                 cedei_exports_add(&exports, (cede_ref){5, 1, 1}), CEDE_ENOMEM);
    EXPECT(!cedei_exports_has(&exports, actor));
    EXPECT_OK(cedei_exports_add(&exports, (cede_ref){5, 1, 1}));
    EXPECT(cedei_exports_has(&exports, actor));
    cedei_exports_fini(&exports);
}

/* ---- two nodes ---- */

enum { WINDOW = 8 }; /* room for the look-ups, whose credit comes a little later */

static struct pair {
    struct fixture *listener, *dialler;
    char folder[32], url[64];
    _Atomic uint32_t release; /* lets `holder` go on */
    cede_ref echo, holder, far_echo, far_holder;
    uint64_t uid; /* of the listener */
} pair;

/* A busy machine must not look like a dead peer. */
static struct cede_node_options node_options(const char *name) {
    return (struct cede_node_options){.name = name,
                                      .window_messages = WINDOW,
                                      .silence_ns = CEDE_SECONDS(600),
                                      .handshake_ns = CEDE_SECONDS(600)};
}

static cede_result echo_run(cede_self *self, void *context) {
    (void)context;
    for (;;) { /* until it is stopped */
        struct question *request = NULL;
        cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        EXPECT_OK(r);
        answer_give(self, request, request->value + 1);
        cede_drop(self, &request);
    }
}

/* Takes no message before it is released; then a window full, and one more. */
static cede_result holder_run(cede_self *self, void *context) {
    (void)context;
    while (flag_get(&pair.release) == 0) EXPECT_OK(cede_sleep(self, 1000000));
    for (uint64_t i = 0; i <= WINDOW; i++) EXPECT_EQUAL(number_await(self), i);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result listener_run(cede_self *self, void *context) {
    struct cede_node_options options = node_options("listener");
    (void)context;
    options.listen_url = pair.url;
    pair.echo = play(self, echo_run, NULL);
    pair.holder = play(self, holder_run, NULL);
    EXPECT_SHORT("actors/node/own_node.c", "cedei_own_node_create", cede_node_start(self, &options),
                 CEDE_ENOMEM);
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT_SHORT("actors/node/names.c", "entry_add", cede_publish(self, "echo", pair.echo),
                 CEDE_ENOMEM);
    EXPECT_OK(cede_publish(self, "echo", pair.echo));
    EXPECT_OK(cede_publish(self, "holder", pair.holder));
    return CEDE_OK;
}

/* Whatever happens to a link on the way. */
static CEDE_YIELDS void far_find(cede_self *self) {
    cede_result r;
    do {
        EXPECT_OK(cede_node_connect(self, pair.url, CEDE_FOREVER, &pair.uid));
        r = cede_lookup(self, pair.uid, "echo", CEDE_FOREVER, &pair.far_echo);
        if (r == CEDE_OK) r = cede_lookup(self, pair.uid, "holder", CEDE_FOREVER, &pair.far_holder);
    } while (r == CEDE_ENODE);
    EXPECT_OK(r);
}

static CEDE_YIELDS void far_answers(cede_self *self) {
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, pair.far_echo, 1, &value));
    EXPECT_EQUAL(value, 2);
}

static CEDE_YIELDS void connect_is_short(cede_self *self) {
    static const char *const FUNCTIONS[][2] = {{"actors/node/own_node.c", "cedei_own_node_dial"},
                                               {"actors/node/own_node.c", "dial_get"},
                                               {"actors/node/link.c", "link_take"}};
    struct cede_node_metrics metrics;
    for (int i = 0; i < 3; i++)
        EXPECT_SHORT(FUNCTIONS[i][0], FUNCTIONS[i][1],
                     cede_node_connect(self, pair.url, CEDE_FOREVER, &pair.uid), CEDE_ENOMEM);
    cede_node_metrics(self, &metrics);
    EXPECT(metrics.links_opened == 0 && metrics.handshakes_failed == 0);
    /* The side that listens hangs up, and the other dials again. */
    cedei_alloc_fail_at("actors/node/link.c", "link_take", 1, true);
    far_find(self);
    EXPECT(cedei_alloc_fail_never() > 2);
    far_answers(self);
}

static CEDE_YIELDS cede_result dialling_is_short(cede_self *self, void *context) {
    struct cede_node_options options = node_options("dialler");
    struct cede_node_metrics metrics;
    (void)context;
    EXPECT_OK(cede_node_start(self, &options));
    connect_is_short(self);
    cede_node_metrics(self, &metrics);
    EXPECT_EQUAL(metrics.links_lost, 0);
    return CEDE_OK;
}

/* Whichever side it meets ends the link. */
static CEDE_YIELDS cede_result first_bytes_are_short(cede_self *self, void *context) {
    struct cede_node_options options = node_options("dialler");
    (void)context;
    EXPECT_OK(cede_node_start(self, &options));
    site_arm("actors/node/link_in.c", "buffer_resize");
    far_find(self);
    site_disarm();
    far_answers(self);
    return CEDE_OK;
}

/* The other side cannot account for a message: it ends the link, which is what the sender sees. */
static CEDE_YIELDS cede_result delivery_is_short(cede_self *self, void *context) {
    struct cede_node_options options = node_options("dialler");
    uint64_t value = 0;
    (void)context;
    EXPECT_OK(cede_node_start(self, &options));
    far_find(self);
    EXPECT_OK(cede_monitor(self, pair.far_echo));
    site_arm("actors/node/link_credit.c", "debt_get");
    EXPECT_RESULT(question_ask(self, pair.far_echo, 1, &value), CEDE_ENODE);
    site_disarm();
    EXPECT_RESULT(down_await(self, pair.far_echo), CEDE_ENODE);
    far_find(self);
    far_answers(self);
    return CEDE_OK;
}

/* What cannot be sent is still the caller's. */
static CEDE_YIELDS cede_result sending_is_short(cede_self *self, void *context) {
    struct cede_node_options options = node_options("dialler");
    struct number *number = cede_new(self, number);
    (void)context;
    EXPECT(number != NULL);
    number->value = WINDOW;
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT_OK(cede_node_connect(self, pair.url, CEDE_FOREVER, &pair.uid));
    EXPECT_SHORT("actors/node/link_out.c", "ask_reserve",
                 cede_lookup(self, pair.uid, "echo", CEDE_FOREVER, &pair.far_echo), CEDE_ENOMEM);
    far_find(self);
    EXPECT_SHORT("actors/node/link_out.c", "target_get", cede_send(self, pair.far_holder, &number),
                 CEDE_ENOMEM);
    EXPECT(number != NULL && number->value == WINDOW);
    EXPECT_SHORT("actors/node/link_out.c", "cedei_link_monitor",
                 cede_monitor(self, pair.far_holder), CEDE_ENOMEM);
    EXPECT_OK(cede_monitor(self, pair.far_holder));
    for (uint64_t i = 0; i < WINDOW; i++) number_send(self, pair.far_holder, i);
    EXPECT_RESULT(cede_send(self, pair.far_holder, &number), CEDE_EFULL);
    EXPECT_SHORT("actors/node/link_out.c", "waiter_list",
                 cede_send_wait(self, pair.far_holder, &number, CEDE_FOREVER), CEDE_ENOMEM);
    EXPECT(number != NULL && number->value == WINDOW);
    flag_set(&pair.release, 1);
    EXPECT_OK(cede_send_wait(self, pair.far_holder, &number, CEDE_FOREVER));
    EXPECT_RESULT(down_await(self, pair.far_holder), CEDE_OK);
    far_answers(self);
    return CEDE_OK;
}

static void pair_begin(const char *url) {
    struct cede_options options = {.workers = 1};
    snprintf(pair.folder, sizeof pair.folder, "/tmp/cede-sites-XXXXXX");
    EXPECT(mkdtemp(pair.folder) != NULL);
    snprintf(pair.url, sizeof pair.url, url, pair.folder);
    flag_set(&pair.release, 0);
    pair.listener = fixture_begin(options);
    pair.dialler = fixture_begin(options);
}

/* Messages that the other side got are counted there: sent and handled are so only in sum. */
static void pair_end(void) {
    struct fixture *both[] = {pair.dialler, pair.listener};
    for (int i = 0; i < 2; i++) {
        cedei_system_destroy(both[i]->system, &both[i]->last);
        EXPECT_EQUAL(both[i]->last.messages_allocated, both[i]->last.messages_dropped);
        EXPECT_EQUAL(both[i]->last.actors_spawned, both[i]->last.actors_ended);
        fixture_free(both[i]);
    }
    EXPECT(rmdir(pair.folder) == 0);
}

static void pair_run(cede_block_fn *run) {
    pair_begin("ipc://%s/node");
    fixture_run(pair.listener, listener_run, NULL);
    fixture_run(pair.dialler, run, NULL);
    pair_end();
}

static void a_node_is_linked_by_the_next_call(void **state) {
    (void)state;
    pair_run(dialling_is_short);
}

static void a_link_without_memory_for_its_bytes_ends(void **state) {
    (void)state;
    pair_run(first_bytes_are_short);
}

static void a_link_without_memory_for_a_message_ends(void **state) {
    (void)state;
    pair_run(delivery_is_short);
}

static void what_is_not_sent_stays_with_the_caller(void **state) {
    (void)state;
    pair_run(sending_is_short);
}

/* ---- by nng ---- */

static CEDE_YIELDS cede_result abstract_listener_run(cede_self *self, void *context) {
    struct cede_node_options options = node_options("listener");
    (void)context;
    options.listen_url = pair.url;
    pair.echo = play(self, echo_run, NULL);
    EXPECT_SHORT("actors/node/transport_nng.c", "listener_listen", cede_node_start(self, &options),
                 CEDE_ENOMEM);
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT_OK(cede_publish(self, "echo", pair.echo));
    EXPECT_OK(cede_publish(self, "holder", pair.echo));
    return CEDE_OK;
}

static CEDE_YIELDS cede_result abstract_dialler_run(cede_self *self, void *context) {
    struct cede_node_options options = node_options("dialler");
    (void)context;
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT_SHORT("actors/node/transport_nng.c", "stream_create",
                 cede_node_connect(self, pair.url, CEDE_FOREVER, &pair.uid), CEDE_ENOMEM);
    cedei_alloc_fail_at("actors/node/transport_nng.c", "stream_create", 1, true);
    far_find(self); /* as above: the first is hung up on */
    EXPECT(cedei_alloc_fail_never() > 2);
    far_answers(self);
    return CEDE_OK;
}

static void a_node_is_linked_by_nng_by_the_next_call(void **state) {
    (void)state;
    pair_begin("abstract://%s");
    fixture_run(pair.listener, abstract_listener_run, NULL);
    fixture_run(pair.dialler, abstract_dialler_run, NULL);
    pair_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_goes_without_growing),
        cmocka_unit_test(a_frame_is_queued_by_the_next_call),
        cmocka_unit_test(an_account_is_opened_by_the_next_call),
        cmocka_unit_test(a_charge_is_noted_by_the_next_call),
        cmocka_unit_test(a_ref_is_let_out_by_the_next_call),
        cmocka_unit_test(a_node_is_linked_by_the_next_call),
        cmocka_unit_test(a_link_without_memory_for_its_bytes_ends),
        cmocka_unit_test(a_link_without_memory_for_a_message_ends),
        cmocka_unit_test(what_is_not_sent_stays_with_the_caller),
        cmocka_unit_test(a_node_is_linked_by_nng_by_the_next_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
