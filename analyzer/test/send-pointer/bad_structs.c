/* Structs that are declared Send and hold what is not. */
#include <pthread.h>
#include <stdio.h>

#include <cede/cede.h>

struct CEDE_SEND with_text {
    uint64_t id;
    char *name; // expect: send-pointer
};

struct CEDE_SEND with_constant_text {
    const char *name; // expect: send-pointer
};

struct CEDE_SEND with_function {
    int (*callback)(int); // expect: send-pointer
};

struct CEDE_SEND with_array {
    uint32_t count;
    int *rows[4]; // expect: send-pointer
};

struct inner {
    int number;
    void *context;
};

struct CEDE_SEND nested {
    uint32_t count;
    struct inner inner; // expect: send-pointer
};

struct CEDE_SEND nested_array {
    struct inner inner[3]; // expect: send-pointer
};

struct CEDE_SEND with_union {
    int kind;
    union {
        int number;
        char *text; // expect: send-pointer
    } value;
};

struct CEDE_SEND with_anonymous {
    int kind;
    struct {
        int number;
        struct inner *next; // expect: send-pointer
    };
};

typedef struct CEDE_SEND by_typedef {
    FILE *file; // expect: send-pointer
} by_typedef;

CEDE_SEND typedef struct {
    int number;
    void *data; // expect: send-pointer
} unnamed;

struct CEDE_SEND with_lock {
    int number;
    pthread_mutex_t lock; // expect: send-pointer
};

struct CEDE_SEND with_cede_lock {
    cede_mutex lock; // expect: send-pointer
};

struct CEDE_SEND with_self {
    cede_self *self; // expect: send-pointer
    cede_ref ref;
};

struct deep {
    struct inner level;
};
struct CEDE_SEND deeper {
    struct deep deep; // expect: send-pointer
};

typedef int *number_pointer;
struct CEDE_SEND hidden_by_typedef {
    number_pointer numbers; // expect: send-pointer
};

struct CEDE_SEND no_reason {
    void *handle CEDE_ASSERT_SEND(""); // expect: send-pointer
};

struct CEDE_SEND several {
    char *first;  // expect: send-pointer
    int number;
    char *second; // expect: send-pointer
};

struct CEDE_SEND with_atomic_pointer {
    _Atomic(char *) text; // expect: send-pointer
};

struct CEDE_GUARD section {
    int cpu;
};
struct CEDE_SEND with_guard {
    struct section section; // expect: send-pointer
};

void inside_a_function(void);
void inside_a_function(void) {
    struct CEDE_SEND local {
        char *text; // expect: send-pointer
    };
}
