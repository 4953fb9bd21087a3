/* other.c - a second file of the program. */
#include "crates.h"

struct cede_type *crate_in_other_file(void) { return &cede_type_crate; }
