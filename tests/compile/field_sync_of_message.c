// expect: field 'it': sync(T) is for a type that guards itself: one of docs/SHARING.md, or a CEDE_OPAQUE_MESSAGE; use shared(T)
// errors: 1
#include <cede/message.h>

#define LINE(F) F(u32, amount)
CEDE_MESSAGE(line, LINE);
#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(shared(line), it)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(sync(line), it)
#endif
CEDE_MESSAGE(order, ORDER);
