// expect: field 'it' of type 'list(struct line *)' is not Send: declare the struct with CEDE_MESSAGE
// errors: 4
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(opt(order)), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(struct line *), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
