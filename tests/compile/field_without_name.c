// expect-gcc: macro "CEDE_MESSAGE_field_is_F_kind_name" requires 2 arguments
// expect-clang: too few arguments provided to function-like macro invocation
// errors: 20
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u32, it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u32)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
