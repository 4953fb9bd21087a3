// expect: duplicate member 'it'
// errors: 2
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u32, it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u32, it) F(u64, it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
