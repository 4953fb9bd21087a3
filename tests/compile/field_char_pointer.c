// expect: field 'it' of type 'char *' is not Send: use str (owned text) or bytes
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(str, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(char *, it)                                                                                  \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
