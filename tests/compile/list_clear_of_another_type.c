// expect: incompatible pointer type
// errors: 1
#include <cede/message.h>

#define LINE(F) F(str, text)
CEDE_MESSAGE(line, LINE);
#define POINT(F) F(i32, x)
CEDE_MESSAGE(point, POINT);
#define ORDER(F) F(list(line), lines)
CEDE_MESSAGE(order, ORDER);

void clear(struct order *order);
void clear(struct order *order) {
#ifdef RIGHT
    cede_list_clear(line, &order->lines);
#else
    cede_list_clear(point, &order->lines);
#endif
}
