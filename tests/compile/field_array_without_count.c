// expect: field 'it' of type 'array(u8)' is not Send: a field is
// errors: 4
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(array(u8, 4), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(array(u8), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
