// expect: field 'it' of type 'enum color' lacks its range: use enum(tag, FIRST, LAST)
// errors: 1
#include <cede/message.h>

enum color { RED, BLUE };

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(enum(color, RED, BLUE), it)                                                                  \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(enum color, it)                                                                              \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
