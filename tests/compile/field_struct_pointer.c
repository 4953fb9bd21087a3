// expect: field 'it' of type 'struct point *' is not Send: declare the struct with CEDE_MESSAGE and use msg(T) for one inside this message, list(T) for several; use ref for an actor
// errors: 1
#include <cede/message.h>

#define POINT(F)                                                                                   \
    F(i32, x)                                                                                      \
    F(i32, y)
CEDE_MESSAGE(point, POINT);

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(msg(point), it)                                                                              \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(struct point *, it)                                                                          \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
