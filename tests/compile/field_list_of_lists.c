// expect: field 'it' of type 'list(list(u8))' is not Send: a field is a fixed-width number (u8 to u64, i8 to i64, f32, f64), bool, enum(tag, FIRST, LAST), array(kind, N), msg(T), list(T), opt(T), shared(T), str, bytes or ref
// errors: 5
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(u8), it)                                                                                \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(list(u8)), it)                                                                          \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
