/* Structs of the C library and of Cede in structs that are sent. */
#define _GNU_SOURCE
#include <cede/cede.h>
#include <stdio.h>
#include <pthread.h>
#include <dirent.h>
#include <setjmp.h>
#include <threads.h>
#include <semaphore.h>
#include <netdb.h>
#include <netinet/in.h>
#include <time.h>
#include <signal.h>
#include <sys/uio.h>
#define P(F) F(u32, x)
CEDE_MESSAGE(p, P);
struct CEDE_SEND a1 { struct iovec iov; }; // expect: send-pointer
struct CEDE_SEND a2 { struct addrinfo ai; }; // expect: send-pointer
struct CEDE_SEND a3 { jmp_buf jb; }; // expect: send-pointer
struct CEDE_SEND a4 { sem_t s; }; // expect: send-pointer
struct CEDE_SEND a5 { once_flag o; mtx_t m; }; // expect: send-pointer
struct CEDE_SEND a6 { const struct p *shared; }; // expect: send-pointer
struct CEDE_SEND a7 { cede_self *const self; }; // expect: send-pointer
struct CEDE_SEND a8 { char (*grid)[8]; }; // expect: send-pointer
struct CEDE_SEND a9 { struct { int a; struct { union { float f; int *p; } u; } b; } c[2]; }; // expect: send-pointer
typedef const char *name_t[2];
struct CEDE_SEND a10 { name_t names; }; // expect: send-pointer
struct CEDE_SEND a11 { int n; cede_rwlock *l; }; // expect: send-pointer
struct CEDE_SEND a12 { cede_channel_sender *ch; }; // expect: send-pointer
struct CEDE_SEND a13 { DIR *d; int fd; }; // expect: send-pointer
struct CEDE_SEND a14 { struct tm t; }; // expect: send-pointer
struct CEDE_SEND a15 { siginfo_t i; }; // expect: send-pointer
struct CEDE_SEND a16 { int (*fn[2])(void); }; // expect: send-pointer
struct CEDE_SEND g1 { struct sockaddr_in sin; struct in6_addr a6; struct sockaddr_storage ss; };
struct CEDE_SEND g2 { struct timespec ts; clock_t c; time_t t; };
struct CEDE_SEND g3 { int fd; unsigned char raw[16]; enum { X, Y } e; };
struct CEDE_SEND g4 { struct p one; struct p many[3]; struct g3 inner; };
struct CEDE_SEND g5 { intptr_t handle; size_t off; ptrdiff_t diff; };
struct CEDE_SEND g6 { uint8_t bits : 3, more : 5; _Bool b; const char tag[4]; };
struct CEDE_SEND g7 { sigset_t set; void *cpus CEDE_ASSERT_SEND("static table"); };
union CEDE_SEND g8 { struct { uint32_t lo, hi; }; uint64_t all; };
struct list { struct list *next; };
struct g9 { struct list l; };
