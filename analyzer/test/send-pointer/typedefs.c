/* Typedefs that are declared Send, macros that declare structs, odd declarators. */
#include <stdint.h>
#include <cede/cede.h>
typedef CEDE_SEND char *token; // expect: send-pointer
typedef CEDE_SEND int counts[4];
typedef CEDE_SEND int *slots[4]; // expect: send-pointer

struct CEDE_SEND a {
    token t; // expect: send-pointer
};

#define PTR_MEMBER(type, name) type *name
#define DECLARE(name, ...)  \
    struct CEDE_SEND name { \
        __VA_ARGS__         \
    }
DECLARE(b, int x; int *y;); // expect: send-pointer
DECLARE(c, int x; int y;);

struct inner_send {
    int *p CEDE_ASSERT_SEND("owned, freed by drop");
};

struct CEDE_SEND d {
    struct inner_send i;
};

union u {
    int *p;
    int i;
};

struct CEDE_SEND e {
    union u u; // expect: send-pointer
};

struct CEDE_SEND f {
    const struct e *e; // expect: send-pointer
};
typedef struct opaque *handle;

struct CEDE_SEND g {
    handle h[2]; // expect: send-pointer
};

typedef int (*const fnp)(void *);

struct CEDE_SEND h {
    fnp f; // expect: send-pointer
};

typedef void fn(void);

struct CEDE_SEND i {
    fn *const table[3]; // expect: send-pointer
};

struct CEDE_SEND j {
    struct {
        union {
            struct {
                double d;
            };

            uint32_t raw[2];
        };
    };
};

struct CEDE_SEND k {
    struct {
        union {
            struct {
                double d;
            };

            char *raw; // expect: send-pointer
        };
    };
};

struct __attribute__((packed)) CEDE_SEND l {
    char tag;
    void *v; // expect: send-pointer
};

struct CEDE_SEND m {
    __attribute__((aligned(16))) char *v; // expect: send-pointer
};

struct CEDE_SEND n {
    _Alignas(8) int v;
    _Atomic(int *) p; // expect: send-pointer
};

struct CEDE_SEND o {
    struct CEDE_GUARD {
        int x;
    } g; // expect: send-pointer
};
