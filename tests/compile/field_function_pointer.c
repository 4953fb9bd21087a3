// expect: field 'it' of type 'void (*)(int, int)' is not Send: use bytes for data, an enum or a ref in place of a function, CEDE_OPAQUE_MESSAGE for a handle
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(ref, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(void (*)(int, int), it)                                                                      \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
