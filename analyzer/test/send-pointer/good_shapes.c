/* Values of many shapes. */
#include <stdint.h>
#include <stdbool.h>
#include <complex.h>
#include <cede/cede.h>

struct inner {
    int a[4];
    double d;

    enum { A,
           B } e;

    unsigned b : 3;
    unsigned : 0;
};
typedef struct inner inner_t;
#define LINE(F) F(str, text)
CEDE_MESSAGE(line, LINE);

struct CEDE_SEND g1 {
    inner_t in[2];

    union {
        uint64_t u;
        double d;
    };

    bool b;
    _Bool c;
    float f;
    long double ld;
    cede_ref ref;
    cede_str s;
    cede_bytes by;
    struct line line;

    struct {
        int x;

        struct {
            char name[16];
        };
    } n;

    _Atomic int at;
    uintptr_t addr;
    char flex[];
};

struct CEDE_SEND g2 {
    void *h CEDE_ASSERT_SEND("the library locks it");
    struct g1 g;
    const int k;
    volatile int v;
    int arr[2][3];
};

struct not_send {
    char *p;
    void (*f)(void);
};

struct uses {
    struct g2 *p;
    struct not_send n;
};

CEDE_SEND typedef int number;

struct CEDE_SEND g3 {
    number n;
    _Complex double z;
    __int128 big;
};
struct CEDE_SEND g4;

struct wrapper {
    struct g4 *p;
};
struct CEDE_SEND empty{};

typedef struct CEDE_SEND {
    struct g2 g;
} g5;

struct CEDE_SEND g6 {
    g5 five;

    union {
        cede_str s;
        cede_bytes b;
    } u;
};
