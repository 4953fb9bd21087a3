// expect: field 'it' of type 'list(void *)' is not Send: use bytes for data
// errors: 4
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(bytes), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(void *), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
