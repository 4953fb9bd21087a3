/* Near misses: values, owned parts, what is Send itself, and what is not declared Send. */
#include <stdatomic.h>

#include <cede/cede.h>

#define LINE(F) F(u32, amount) F(str, text)
CEDE_MESSAGE(line, LINE);
#define ORDER(F) F(u64, id) F(str, note) F(bytes, blob) F(msg(line), first) F(list(line), lines) F(array(u8, 16), key) F(ref, to)
CEDE_MESSAGE(order, ORDER);

enum colour { RED, BLUE };

struct CEDE_SEND values {
    uint64_t id;
    double share;
    bool flag;
    enum colour colour;
    unsigned bits : 3;
    char name[32];
    uint8_t key[4][4];
    uintptr_t cookie;
    atomic_int count;
};

struct plain {
    int x, y;
};

struct CEDE_SEND structs_of_values {
    struct plain point;
    struct plain points[8];
    union {
        int number;
        double share;
    };
    struct values values;
};

struct CEDE_SEND with_owned {
    cede_str name;
    cede_bytes blob;
    cede_ref owner;
    struct line line;
    struct order order;
};

struct CEDE_SEND vouched {
    void *handle CEDE_ASSERT_SEND("the library locks it itself");
    const char *name CEDE_ASSERT_SEND("always a string literal");
};

struct vouched_inside {
    void *handle CEDE_ASSERT_SEND("the library locks it itself");
};
struct CEDE_SEND nested_vouched {
    struct vouched_inside inside;
};

/* Not declared Send: it may hold what it likes. */
struct state {
    char *name;
    struct order *pending;
    cede_mutex lock;
};

struct CEDE_SYNC shared_counter {
    cede_mutex lock;
    int value;
};

/* Declared Send twice over, complete later. */
struct CEDE_SEND later;
struct CEDE_SEND later {
    int number;
};

typedef struct CEDE_SEND number_box {
    int number;
    char text[];
} number_box;

struct CEDE_SEND empty {
    int reserved;
};

typedef uint32_t handle;
struct CEDE_SEND with_handles {
    handle handles[8];
};
