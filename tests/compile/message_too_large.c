// expect: message 'order' is larger than CEDE_MESSAGE_STRUCT_MAX: use bytes or a list
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F) F(array(u8, 1 << 20), it)
#else
#define ORDER(F) F(array(u8, (1 << 20) + 1), it)
#endif
CEDE_MESSAGE(order, ORDER);
