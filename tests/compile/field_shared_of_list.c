// expect: field 'it' of type 'shared(list(line))' is not Send: a field is
// errors: 5
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
    F(shared(list(line)), it)
#endif
CEDE_MESSAGE(order, ORDER);
