/* A type that several files and libraries declare is one object, registered once. Argument: the plugin's path. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "crates.h"

static const char *plugin_path;

/* How often the type stands in its chain of the registry. */
static int times_registered(const struct cede_type *type) {
    int times = 0;
    for (struct cede_type *t = cedei_type_find(cedei_type_id(type)); t != NULL;
         t = t->next_registered) {
        times += t == type;
    }
    return times;
}

static void type_is_one_object_in_two_files_and_a_linked_library(void **state) {
    (void)state;
    assert_ptr_equal(crate_in_other_file(), &cede_type_crate);
    assert_ptr_equal(crate_in_library(), &cede_type_crate);
    assert_ptr_equal(cedei_type_find(cedei_type_id(&cede_type_crate)), &cede_type_crate);
    assert_int_equal(times_registered(&cede_type_crate), 1);
}

static void type_is_one_object_in_a_plugin_and_its_own_types_become_known(void **state) {
    (void)state;
    void *plugin = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL) fail_msg("%s", dlerror());
    struct cede_type *(*crate)(void), *(*only)(void);
    *(void **)&crate = dlsym(plugin, "crate_in_plugin");
    *(void **)&only = dlsym(plugin, "plugin_only");
    assert_true(crate != NULL && only != NULL);
    assert_ptr_equal(crate(), &cede_type_crate);
    assert_int_equal(times_registered(&cede_type_crate), 1);
    assert_string_equal(only()->name, "plugin_only");
    assert_ptr_equal(cedei_type_find(cedei_type_id(only())), only());
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_is_one_object_in_two_files_and_a_linked_library),
        cmocka_unit_test(type_is_one_object_in_a_plugin_and_its_own_types_become_known),
    };
    if (argc < 2) return 2;
    plugin_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
