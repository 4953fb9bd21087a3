/* Each call for memory fails once in a run of two linked nodes, and in the start of a child process: the calls say so with
 * a documented result, or the link goes down and they say that; nothing crashes, hangs or is lost. What single calls of
 * one system do is in tests/unit/actors/actor/shortage_test.c. */
#include <sys/wait.h>
#include <unistd.h>

#include <cede/node.h>

#include "core/sys/alloc.h"
#include "core/sys/process.h"
#include "tests/support/actors.h"

static char url[128];
static cede_ref echo;
static uint64_t patience_ns;

/* Answers one question, then ends a little later. */
static cede_result echo_run(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL, *never = NULL;
    if (cede_recv(self, question, &request, CEDE_FOREVER) != CEDE_OK) return CEDE_STOP;
    struct answer *reply = cede_new(self, answer);
    if (reply != NULL) (void)cede_reply(self, request, &reply);
    if (reply != NULL) cede_drop(self, &reply);
    cede_drop(self, &request);
    (void)cede_recv(self, question, &never, 20000000);
    return CEDE_STOP;
}

#define SILENCE_NS CEDE_SECONDS(60) /* a busy machine must not look like a dead peer */

static CEDE_YIELDS cede_result listener_begin(cede_self *self, void *context) {
    (void)context;
    struct cede_node_options options = {
        .name = "listener", .listen_url = url, .window_messages = 1, .silence_ns = SILENCE_NS};
    cede_result r = cede_node_start(self, &options);
    if (r != CEDE_OK) return r;
    struct play *first = cede_new(self, play);
    if (first == NULL) return CEDE_ENOMEM;
    first->run = echo_run;
    r = cede_spawn(self, &player, &first, &echo);
    return r == CEDE_OK ? cede_publish(self, "echo", echo) : r;
}

static CEDE_YIELDS cede_result numbers_send(cede_self *self, cede_ref to) {
    cede_result r = CEDE_OK;
    for (int i = 0; r == CEDE_OK && i < 3;
         i++) { /* more than the window: one of them waits in vain */
        struct number *number = cede_new(self, number);
        if (number == NULL) return CEDE_ENOMEM;
        r = cede_send_wait(self, to, &number, 2000000);
    }
    return r == CEDE_ETIMEDOUT ? CEDE_OK : r;
}

static CEDE_YIELDS cede_result dialler_run(cede_self *self, void *context) {
    (void)context;
    uint64_t uid = 0;
    struct cede_node_options options = {.name = "dialler", .silence_ns = SILENCE_NS};
    cede_ref far = {0};
    cede_result r = cede_node_start(self, &options);
    if (r == CEDE_OK) r = cede_node_connect(self, url, patience_ns, &uid);
    if (r == CEDE_OK) r = cede_lookup(self, uid, "echo", patience_ns, &far);
    if (r != CEDE_OK) return r;
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    r = cede_ask(self, far, &request, answer, &reply, patience_ns);
    if (r == CEDE_OK) r = cede_monitor(self, far);
    if (r == CEDE_OK) r = numbers_send(self, far);
    if (r != CEDE_OK) return r;
    struct cede_down *down = NULL;
    return cede_recv(self, cede_down, &down, patience_ns);
}

static bool is_documented(cede_result r) {
    return r == CEDE_OK || r == CEDE_ENOMEM || r == CEDE_ENODE || r == CEDE_ETIMEDOUT ||
           r == CEDE_ENOACTOR || r == CEDE_ENOREPLY || r == CEDE_ELIMIT;
}

static cede_result nodes_run(uint64_t failing, uint64_t *asked) {
    struct cede_options options = {.workers = 1};
    struct fixture *listener = fixture_begin(options), *dialler = fixture_begin(options);
    cedei_alloc_fail_after(failing, true);
    cede_result r = cede_block_on(listener->system, listener_begin, NULL);
    if (r == CEDE_OK) r = cede_block_on(dialler->system, dialler_run, NULL);
    *asked = cedei_alloc_fail_never();
    struct fixture *both[2] = {dialler, listener};
    for (int i = 0; i < 2; i++) {
        cedei_system_destroy(both[i]->system, &both[i]->last);
        EXPECT_EQUAL(both[i]->last.messages_allocated, both[i]->last.messages_dropped);
        EXPECT_EQUAL(both[i]->last.actors_spawned, both[i]->last.actors_ended);
        if (!is_documented(r)) fprintf(stderr, "%s\n", both[i]->log);
        fixture_free(both[i]);
    }
    return r;
}

static void two_nodes_survive_each_allocation_that_fails(void **state) {
    (void)state;
    char folder[] = "/tmp/cede-memory-XXXXXX";
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(url, sizeof url, "ipc://%s/node", folder);
    uint64_t asked = 0, total = 0;
    patience_ns = CEDE_SECONDS(50);
    EXPECT_OK(nodes_run(UINT64_MAX, &total));
    /* Which allocation has which number differs from run to run, as threads do. */
    for (uint64_t failing = 0; failing < 2 * total + total / 2; failing++) {
        patience_ns = CEDE_SECONDS(1) / 4;
        cede_result r = nodes_run(failing % (total + total / 4 + 1), &asked);
        if (is_documented(r)) continue;
        fprintf(stderr, "allocation %llu fails: %s\n", (unsigned long long)failing,
                cede_result_name(r));
        abort();
    }
    patience_ns = CEDE_SECONDS(50);
    EXPECT_OK(nodes_run(UINT64_MAX, &asked));
    printf("%llu allocations failed in turn\n", (unsigned long long)total);
    EXPECT(rmdir(folder) == 0);
}

static void a_child_process_is_refused_or_started_when_memory_is_short(void **state) {
    (void)state;
    char *argv[] = {"true", NULL};
    for (uint64_t failing = 0, asked = UINT64_MAX; failing < asked; failing++) {
        int32_t pid = 0, lifeline = 0, status = 1;
        cedei_alloc_fail_after(failing, true);
        cede_result r = cedei_process_start(argv, &pid, &lifeline);
        asked = cedei_alloc_fail_never();
        EXPECT(r == (failing < asked ? CEDE_ENOMEM : CEDE_OK));
        if (r != CEDE_OK) {
            asked = UINT64_MAX; /* it ended early: there may be more */
            continue;
        }
        EXPECT_OK(cedei_process_wait(pid, UINT64_MAX, &status));
        EXPECT_EQUAL(status, 0);
        cedei_process_lifeline_close(lifeline);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_survive_each_allocation_that_fails),
        cmocka_unit_test(a_child_process_is_refused_or_started_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
