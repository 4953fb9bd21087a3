// expect: field 'it' of type 'pthread_mutex_t' is not Send: an actor's own state needs no lock, and a message is never shared
// errors: 1
#include <cede/message.h>
#include <pthread.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u8, it)                                                                                      \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(pthread_mutex_t, it)                                                                         \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
