// expect: field 'it' of type 'array(char *, 4)' is not Send: use str (owned text) or bytes
// errors: 5
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(array(str, 4), it)                                                                           \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(array(char *, 4), it)                                                                        \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
