// expect: field 'it': an element of the list is over 8 times larger in memory than as bytes
// errors: 1
#include <cede/message.h>

#define PING(F)
CEDE_MESSAGE(ping, PING);
#ifdef RIGHT
#define PINGS(F)                                                                                   \
    F(u8, number)                                                                                  \
    F(array(msg(ping), 7), pings)
#else
#define PINGS(F)                                                                                   \
    F(u8, number)                                                                                  \
    F(array(msg(ping), 8), pings)
#endif
CEDE_MESSAGE(pings, PINGS);
#define ORDER(F) F(list(pings), it)
CEDE_MESSAGE(order, ORDER);
