/* Pointers by typedef, in arrays, unions, anonymous members and other structs. */
#include <stdio.h>
#include <stdint.h>
#include <pthread.h>
#include <cede/cede.h>
typedef char *string;
typedef struct node node;
typedef void (*callback)(int);
typedef void handler(int);

struct plain {
    int x;
    char *p;
};

struct CEDE_SEND s1 {
    char *p; // expect: send-pointer
    const char *q; // expect: send-pointer
    string s; // expect: send-pointer
    node *n; // expect: send-pointer
    callback cb; // expect: send-pointer
    handler *h; // expect: send-pointer
    void (*f)(void); // expect: send-pointer
    int *arr[4]; // expect: send-pointer
    int (*parr)[4]; // expect: send-pointer
    struct plain in; // expect: send-pointer
    struct plain ins[3]; // expect: send-pointer
    void *restrict r; // expect: send-pointer
    int *_Atomic ap; // expect: send-pointer
    FILE *file; // expect: send-pointer
    pthread_mutex_t lock; // expect: send-pointer
    volatile char *vp; // expect: send-pointer
};

struct CEDE_SEND s2 {
    union {
        int i;
        char *c; // expect: send-pointer
    };

    struct {
        struct {
            void *deep; // expect: send-pointer
        };

        int ok;
    } named;

    union {
        long l;
        struct plain p; // expect: send-pointer
    } u;
};

typedef struct CEDE_SEND {
    int x;
    int *y; // expect: send-pointer
} s3;

typedef CEDE_SEND struct {
    int x;
    int *y; // expect: send-pointer
} s4;

typedef struct {
    int x;
    int *y; // expect: send-pointer
} CEDE_SEND s5;

struct outer {
    struct CEDE_SEND inner {
        void *p; // expect: send-pointer
    } inner;

    void *fine;
};
struct later;
struct CEDE_SEND later;

struct later {
    char *p; // expect: send-pointer
};

struct CEDE_SEND flex {
    int n;
    char *items[]; // expect: send-pointer
};
typedef struct plain plain_t;
typedef plain_t plain_tt;

struct CEDE_SEND s6 {
    int a;
    plain_tt p; // expect: send-pointer
    __typeof__(char *) tp; // expect: send-pointer
    va_list ap; // expect: send-pointer
};

union CEDE_SEND u1 {
    int i;
    char *s; // expect: send-pointer
};

void local(void);

void local(void) {
    struct CEDE_SEND l {
        char *s; // expect: send-pointer
    };
    struct l x;
    (void)x;
}

struct l2 {
    struct {
        struct plain *a[2];
    } x;
};

struct CEDE_SEND s7 {
    struct l2 y; // expect: send-pointer
};

#define FIELD_PTR(t, n) t *n

struct CEDE_SEND s8 {
    FIELD_PTR(int, x); // expect: send-pointer
};

struct CEDE_SEND s9 {
    struct CEDE_SEND {
        int *p; // expect: send-pointer
    } q;
};

struct CEDE_SEND s10 {
    void *p CEDE_ASSERT_SEND(""); // expect: send-pointer
};

struct CEDE_SEND s11 {
    cede_mutex m; // expect: send-pointer
};
