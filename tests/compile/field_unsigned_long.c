// expect: field 'it' of type 'unsigned long' is no field kind: use u8, u16, u32 or u64, list(u32) or bytes for several
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u64, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(unsigned long, it)                                                                           \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
