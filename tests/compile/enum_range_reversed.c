// expect: field 'it': enum(tag, FIRST, LAST) needs FIRST <= LAST, in 32 bits
// errors: 1
#include <cede/message.h>

enum color { RED, BLUE };
#ifdef RIGHT
#define ORDER(F) F(enum(color, RED, BLUE), it)
#else
#define ORDER(F) F(enum(color, BLUE, RED), it)
#endif
CEDE_MESSAGE(order, ORDER);
