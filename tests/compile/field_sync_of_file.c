// expect: field 'it' of type 'sync(FILE)' is not Send: keep the file in one actor's state
// errors: 4
#include <stdio.h>

#include <cede/cede.h>

#define LINE(F) F(u32, amount)
CEDE_MESSAGE(line, LINE);
#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(sync(cede_notify), it)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(sync(FILE), it)
#endif
CEDE_MESSAGE(order, ORDER);
