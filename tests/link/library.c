/* library.c - a shared library that the program is linked with. */
#include "crates.h"

__attribute__((visibility("default"))) struct cede_type *crate_in_library(void) {
    return &cede_type_crate;
}
