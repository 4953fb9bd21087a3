// expect: field 'it' of type 'union either' is not Send: nothing tells which member is alive; use one message type for each
// errors: 1
#include <cede/message.h>

union either {
    int a;
    float b;
};

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u32, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(union either, it)                                                                            \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
