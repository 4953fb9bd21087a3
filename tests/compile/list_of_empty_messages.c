// expect: field 'it': a list of messages without fields: use u32 and count
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define PING(F) F(u8, number)
#else
#define PING(F)
#endif
CEDE_MESSAGE(ping, PING);
#define ORDER(F) F(list(ping), it)
CEDE_MESSAGE(order, ORDER);
