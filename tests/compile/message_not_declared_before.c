// expect: CEDE_MESSAGE_declares_point_before_it_is_used
// errors: 9
#include <cede/message.h>

#ifdef RIGHT
#define POINT(F)                                                                                   \
    F(i32, x)                                                                                      \
    F(i32, y)
CEDE_MESSAGE(point, POINT);
#endif
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(msg(point), it)
CEDE_MESSAGE(order, ORDER);
