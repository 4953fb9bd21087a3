/* The calls for memory of actors/share and actors/io. */
#include <cede/broadcast.h>
#include <cede/counter.h>
#include <cede/io.h>
#include <cede/rcu.h>
#include <cede/shared.h>

#include "tests/fault/sites/sites.h"

static struct number *number_make(cede_self *self, uint64_t value) {
    struct number *number = cede_new(self, number);
    EXPECT(number != NULL);
    number->value = value;
    return number;
}

/* ---- share ---- */

TURN_TEST(a_broadcast_is_made_by_the_next_call) {
    (void)context;
    cede_broadcast *broadcast = NULL;
    EXPECT_SHORT("actors/share/broadcast.c", "cedei_broadcast_create",
                 cede_broadcast_create(self, number, 4, &broadcast), CEDE_ENOMEM);
    EXPECT(broadcast == NULL);
    EXPECT_OK(cede_broadcast_create(self, number, 4, &broadcast));
    cede_shared_unref(&broadcast);
    return CEDE_OK;
}

TURN_TEST(a_counter_is_made_by_the_next_call) {
    (void)context;
    cede_counter *counter = NULL;
    EXPECT_SHORT("actors/share/counter.c", "cede_counter_create",
                 cede_counter_create(self, &counter), CEDE_ENOMEM);
    EXPECT(counter == NULL);
    EXPECT_OK(cede_counter_create(self, &counter));
    cede_counter_add(counter, 2);
    EXPECT_EQUAL(cede_counter_sum(counter), 2);
    cede_shared_unref(&counter);
    return CEDE_OK;
}

/* What is refused is still the caller's, and readers go on seeing what they saw. */
TURN_TEST(a_version_is_published_by_the_next_call) {
    (void)context;
    cede_rcu *rcu = NULL;
    struct number *version = number_make(self, 1);
    EXPECT_OK(cede_rcu_create(self, number, &version, &rcu));
    version = number_make(self, 2);
    EXPECT_SHORT("actors/share/rcu.c", "cedei_rcu_publish", cede_rcu_publish(self, rcu, &version),
                 CEDE_ENOMEM);
    EXPECT(version != NULL && version->value == 2);
    EXPECT_EQUAL(cede_rcu_enter(rcu, number)->value, 1);
    cede_rcu_leave(rcu);
    EXPECT_OK(cede_rcu_publish(self, rcu, &version));
    EXPECT_EQUAL(cede_rcu_enter(rcu, number)->value, 2);
    cede_rcu_leave(rcu);
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

/* ---- io ---- */

TURN_TEST(a_file_is_opened_and_read_by_the_next_call) {
    (void)context;
    struct cede_file *file = NULL;
    char bytes[3] = "xy";
    size_t got = 0;
    EXPECT_SHORT("actors/io/file.c", "cede_file_open",
                 cede_file_open(self, "/dev/zero", CEDE_FILE_READ, &file), CEDE_ENOMEM);
    EXPECT_SHORT("actors/io/file.c", "io_call_make",
                 cede_file_open(self, "/dev/zero", CEDE_FILE_READ, &file), CEDE_ENOMEM);
    EXPECT(file == NULL);
    EXPECT_OK(cede_file_open(self, "/dev/zero", CEDE_FILE_READ, &file));
    EXPECT_OK(cede_file_read(self, file, 0, bytes, 2, &got));
    EXPECT(got == 2 && bytes[0] == 0 && bytes[1] == 0);
    cede_drop(self, &file);
    return CEDE_OK;
}

/* Nothing of the line is lost. */
TURN_TEST(a_line_is_read_by_the_next_call) {
    (void)context;
    struct cede_stream *from = NULL, *to = NULL;
    char line[16];
    size_t got = 0;
    EXPECT_OK(cede_pipe(self, &from, &to));
    EXPECT_OK(cede_write(self, to, "one\n", 4, CEDE_FOREVER));
    EXPECT_SHORT("actors/io/stream.c", "ahead_reserve",
                 cede_read_until(self, from, '\n', line, sizeof line, &got, CEDE_FOREVER),
                 CEDE_ENOMEM);
    EXPECT_EQUAL(got, 0);
    EXPECT_OK(cede_read_until(self, from, '\n', line, sizeof line, &got, CEDE_FOREVER));
    EXPECT(got == 4 && memcmp(line, "one\n", 4) == 0);
    cede_drop(self, &from);
    cede_drop(self, &to);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_broadcast_is_made_by_the_next_call),
        SITE_TEST(a_counter_is_made_by_the_next_call),
        SITE_TEST(a_version_is_published_by_the_next_call),
        SITE_TEST(a_file_is_opened_and_read_by_the_next_call),
        SITE_TEST(a_line_is_read_by_the_next_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
