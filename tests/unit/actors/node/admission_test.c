/* admission_test.c - two nodes in one process that dial each other at the same moment: one link stands, none flaps. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <cede/cede.h>

#define ROUNDS 40
#define PATIENCE CEDE_SECONDS(60)

#define PING_REQUEST(F) F(u32, number)
CEDE_MESSAGE(ping_request, PING_REQUEST);

static cede_result on_ping(cede_self *self, void **state, struct ping_request *request) {
    (void)state;
    struct ping_request *reply = cede_new(self, ping_request);
    if (reply == NULL) return CEDE_ENOMEM;
    reply->number = request->number + 1;
    cede_result result = cede_reply(self, request, &reply);
    cede_drop(self, &reply);
    return result;
}

#define PONGER(ON) ON(ping_request, on_ping)
CEDE_BEHAVIOUR(ponger, void *, PONGER);

/* Both sides wait for each other here, so the dials meet. Blocks one of two workers. */
struct meeting {
    pthread_barrier_t barrier;
};

struct side {
    struct meeting *meeting;
    const char *name, *url, *other_url;
    bool dials;
    cede_system *system;
    cede_result result;
    const char *failed; /* the step */
    struct cede_node_metrics metrics;
    uint64_t uid;
};

CEDE_YIELDS static cede_result step_talk(cede_self *self, uint64_t uid) {
    cede_ref there = {0, 0, 0};
    struct ping_request *reply = NULL;
    cede_result result = cede_lookup(self, uid, "ponger", PATIENCE, &there);
    if (result != CEDE_OK) return result;
    struct ping_request *request = cede_new(self, ping_request);
    if (request == NULL) return CEDE_ENOMEM;
    request->number = 41;
    result = cede_ask(self, there, &request, ping_request, &reply, PATIENCE);
    cede_drop(self, &request);
    if (result == CEDE_OK && reply->number != 42) result = CEDE_EFAILED;
    cede_drop(self, &reply);
    return result;
}

CEDE_YIELDS static cede_result side_run(cede_self *self, void *context) {
    struct side *side = context;
    struct cede_node_options options = {.name = side->name, .listen_url = side->url};
    cede_ref ref = {0, 0, 0};
    uint64_t uid = 0;
    side->uid = cede_node_uid(self);
    side->failed = "start";
    cede_result result = cede_node_start(self, &options);
    if (result == CEDE_OK) result = cede_spawn(self, &ponger, CEDE_NOTHING, &ref);
    if (result == CEDE_OK) result = cede_publish(self, "ponger", ref);
    (void)pthread_barrier_wait(&side->meeting->barrier);
    if (result == CEDE_OK) side->failed = "connect";
    if (result == CEDE_OK && side->dials)
        result = cede_node_connect(self, side->other_url, PATIENCE, &uid);
    if (result == CEDE_OK && side->dials) side->failed = "talk";
    if (result == CEDE_OK && side->dials) result = step_talk(self, uid);
    (void)pthread_barrier_wait(&side->meeting->barrier);
    cede_node_metrics(self, &side->metrics);
    /* Nobody leaves before both have counted. */
    (void)pthread_barrier_wait(&side->meeting->barrier);
    return result;
}

static void *side_thread(void *context) {
    struct side *side = context;
    side->result = cede_block_on(side->system, side_run, side);
    return NULL;
}

static void sides_meet(const char *folder, bool both_dial) {
    struct cede_options options = {.workers = 2, .strict = true};
    struct meeting meeting;
    char urls[2][96];
    struct side sides[2];
    pthread_t threads[2];
    assert_int_equal(pthread_barrier_init(&meeting.barrier, NULL, 2), 0);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "ipc://%s/%d", folder, i);
        sides[i] = (struct side){.meeting = &meeting,
                                 .name = i == 0 ? "left" : "right",
                                 .url = urls[i],
                                 .other_url = urls[1 - i],
                                 .dials = both_dial || i == 0};
        assert_int_equal(cede_system_create(&sides[i].system, &options), CEDE_OK);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, side_thread, &sides[i]), 0);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 2; i++) cede_system_destroy(sides[i].system);
    (void)pthread_barrier_destroy(&meeting.barrier);
    for (int i = 0; i < 2; i++) {
        if (sides[i].result != CEDE_OK)
            print_message("%s failed at %s\n", sides[i].name, sides[i].failed);
        assert_int_equal(sides[i].result, CEDE_OK);
        assert_int_equal(sides[i].metrics.links_up, 1);
        assert_int_equal(sides[i].metrics.links_opened, 1);
        assert_int_equal(sides[i].metrics.links_lost, 0);
    }
}

static void in_folder(bool both_dial, int rounds) {
    char folder[] = "/tmp/cede-admission-XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < rounds; i++) sides_meet(folder, both_dial);
    assert_int_equal(rmdir(folder), 0);
}

static void admission_one_link_stands_when_both_sides_dial(void **state) {
    (void)state;
    in_folder(true, ROUNDS);
}

static void admission_one_side_dials(void **state) {
    (void)state;
    in_folder(false, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admission_one_link_stands_when_both_sides_dial),
        cmocka_unit_test(admission_one_side_dials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
