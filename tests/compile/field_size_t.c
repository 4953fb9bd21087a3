// expect: field 'it' of type 'size_t' has no fixed width: use u64
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
    F(size_t, it)                                                                                  \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
