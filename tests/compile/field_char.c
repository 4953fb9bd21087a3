// expect: field 'it' of type 'char' is no field kind: use u8 or i8 (or str for text)
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u8, it)                                                                                      \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(char, it)                                                                                    \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
