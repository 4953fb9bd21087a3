// expect: field 'it' of type '' lacks a kind: write F(kind, name)
// errors: 3
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u8, it)                                                                                      \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(, it)                                                                                        \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
