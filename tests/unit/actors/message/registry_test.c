/* Every type of the process is found by its number; two types that claim one name end the process. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "tests/support/sample_messages.h"

static void registry_finds_the_types_of_this_file_before_main(void **state) {
    (void)state;
    struct cede_type *types[] = {&cede_type_sample_empty, &cede_type_sample_point,
                                 &cede_type_sample_line,  &cede_type_sample_numbers,
                                 &cede_type_sample_all,   &cede_type_sample_branch};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_ptr_equal(cedei_type_find(cedei_type_id(types[i])), types[i]);
    }
}

static void registry_finds_the_types_of_the_library(void **state) {
    (void)state;
    assert_ptr_equal(cedei_type_find(cedei_type_id(&cede_type_cede_down)), &cede_type_cede_down);
    assert_ptr_equal(cedei_type_find(cedei_type_id(&cede_type_cede_nothing)),
                     &cede_type_cede_nothing);
}

static void registry_knows_no_number_that_no_type_has(void **state) {
    (void)state;
    assert_null(cedei_type_find(0));
    assert_null(cedei_type_find(UINT64_MAX));
    /* In the bucket of a type that is there. */
    assert_null(cedei_type_find(cedei_type_id(&cede_type_sample_point) ^ ((uint64_t)1 << 63)));
}

/* A list that held itself would make the next search endless. */
static void registry_takes_a_type_once_however_many_files_declare_it(void **state) {
    (void)state;
    struct cede_type *type = &cede_type_sample_point;
    for (int i = 0; i < 3; i++) {
        cedei_type_register(type, type->size, type->field_count, type->fields());
    }
    assert_ptr_not_equal(type->next_registered, type);
    assert_ptr_equal(cedei_type_find(cedei_type_id(type)), type);
    assert_null(cedei_type_find(cedei_type_id(type) ^ ((uint64_t)1 << 63)));
}

struct registration {
    struct cede_type *type;
    size_t size, count;
    const struct cedei_field *fields;
};

/* Whether it aborts, saying `text`. */
static void expect_abort(struct registration r, const char *text) {
    int pipe_fds[2];
    char said[512];
    assert_int_equal(pipe(pipe_fds), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(pipe_fds[1], STDERR_FILENO);
        close(pipe_fds[0]);
        cedei_type_register(r.type, r.size, r.count, r.fields);
        _exit(0);
    }
    close(pipe_fds[1]);
    size_t used = 0;
    for (ssize_t n = 1; n > 0 && used < sizeof said - 1; used += n > 0 ? (size_t)n : 0) {
        n = read(pipe_fds[0], said + used, sizeof said - 1 - used);
    }
    said[used] = '\0';
    close(pipe_fds[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || strstr(said, text) == NULL) {
        fail_msg("status %x, said: %s", (unsigned)status, said);
    }
}

static struct registration registration_of(struct cede_type *type) {
    return (struct registration){type, type->size, type->field_count, type->fields()};
}

static const struct cedei_field *other_fields(void) {
    static struct cedei_field fields[2];
    memcpy(fields, cede_type_sample_point.fields(), sizeof fields);
    fields[1].kind = CEDEI_FIELD_U32;
    return fields;
}

static void registry_ends_the_process_when_files_disagree_on_a_name(void **state) {
    (void)state;
    struct registration r = registration_of(&cede_type_sample_point);
    r.size += 4;
    expect_abort(r, "'sample_point' is declared twice");
    r = registration_of(&cede_type_sample_point);
    r.count += 1;
    expect_abort(r, "'sample_point' is declared twice");
    r = registration_of(&cede_type_sample_point);
    r.fields = other_fields();
    expect_abort(r, "'sample_point' is declared twice");
}

/* As a library that hides its symbols would bring it. */
static void registry_ends_the_process_when_libraries_disagree_on_a_name(void **state) {
    (void)state;
    struct cede_type hidden = cede_type_sample_line;
    hidden.name = "sample_point";
    hidden.registered = 0;
    hidden.id_cached = 0;
    hidden.schema_hash_cached = 0;
    expect_abort(registration_of(&hidden), "'sample_point' is declared twice");
}

static void registry_ends_the_process_when_two_names_have_one_number(void **state) {
    (void)state;
    struct cede_type twin = cede_type_sample_line;
    twin.registered = 0;
    twin.id_cached = cedei_type_id(&cede_type_sample_point);
    expect_abort(registration_of(&twin), "have the same number");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry_finds_the_types_of_this_file_before_main),
        cmocka_unit_test(registry_finds_the_types_of_the_library),
        cmocka_unit_test(registry_knows_no_number_that_no_type_has),
        cmocka_unit_test(registry_takes_a_type_once_however_many_files_declare_it),
        cmocka_unit_test(registry_ends_the_process_when_files_disagree_on_a_name),
        cmocka_unit_test(registry_ends_the_process_when_libraries_disagree_on_a_name),
        cmocka_unit_test(registry_ends_the_process_when_two_names_have_one_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
