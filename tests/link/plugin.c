/* plugin.c - a shared library that is loaded while the program runs. */
#include "crates.h"

#define PLUGIN_ONLY(F) F(u8, it)
CEDE_MESSAGE(plugin_only, PLUGIN_ONLY);

__attribute__((visibility("default"))) struct cede_type *crate_in_plugin(void) {
    return &cede_type_crate;
}

__attribute__((visibility("default"))) struct cede_type *plugin_only(void) {
    return &cede_type_plugin_only;
}
