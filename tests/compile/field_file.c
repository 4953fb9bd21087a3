// expect: field 'it' of type 'FILE *' is not Send: keep the file in one actor's state and send its name (str), or declare a CEDE_OPAQUE_MESSAGE
// errors: 1
#include <cede/message.h>
#include <stdio.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(str, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(FILE *, it)                                                                                  \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
