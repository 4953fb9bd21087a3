/* crates.h - declares message types in a header, as programs do, for the four parts that are linked together here. */
#ifndef CEDE_TESTS_CRATES_H
#define CEDE_TESTS_CRATES_H

#include <cede/message.h>

#define CRATE_ITEM(F)                                                                              \
    F(str, name)                                                                                   \
    F(u32, count)
CEDE_MESSAGE(crate_item, CRATE_ITEM);

#define CRATE(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(crate_item), items)
CEDE_MESSAGE(crate, CRATE);

/* The type as another part sees it. */
struct cede_type *crate_in_other_file(void);
struct cede_type *crate_in_library(void);
struct cede_type *crate_in_plugin(void);
struct cede_type *plugin_only(void);

#endif
