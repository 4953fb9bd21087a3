/* message.h - declaring message types: one list of fields yields the struct and all that moves it about.
 *
 * A message is one block with exactly one owner. Text, bytes and lists in it are blocks of their own that belong to
 * the message: they move with it and are dropped with it. Copying the struct by `=` copies no block: then two structs
 * hold one block, and one of them must be zeroed before either is dropped. */
#ifndef CEDE_MESSAGE_H
#define CEDE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/message_fields.h>
#include <cede/ref.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// Owned text in a message: `size` bytes and a NUL behind them; {NULL, 0} is the empty text. Set with cede_str_set,
/// read with cede_str_text. The bytes may come from another process: they may hold a NUL, and need not be UTF-8.
typedef struct CEDE_SEND cede_str {
    char *data;
    uint32_t size; /* bytes, without the NUL */
} cede_str;

/// Owned bytes in a message; {NULL, 0} is empty. Set with cede_bytes_set, or reserve and fill.
typedef struct CEDE_SEND cede_bytes {
    uint8_t *data;
    uint32_t size; /* bytes */
} cede_bytes;

/// The largest message struct. What is longer belongs into str, bytes or a list, which have blocks of their own.
#define CEDE_MESSAGE_STRUCT_MAX (1u << 20)
/// How deep message types may nest in each other; the compiler checks it, so no walk over a message goes deeper.
#define CEDE_MESSAGE_DEPTH_MAX 16

/// Declares message type T, which is `struct T`, with the fields of LIST:
///
///     #define LINE(F) F(str, text) F(u32, amount)
///     CEDE_MESSAGE(line, LINE);
///     #define ORDER(F) F(u64, id) F(str, note) F(ref, customer) F(enum(color, RED, BLUE), hue) F(list(line), lines)
///     CEDE_MESSAGE(order, ORDER);
///
/// kind                      | member
/// u8 u16 u32 u64 i8 .. i64  | uint8_t ... int64_t; those spellings are kinds too
/// f32 f64 bool              | float, double, bool
/// enum(tag, FIRST, LAST)    | enum tag, declared before; other values neither leave the process nor come in
/// str, bytes                | cede_str, cede_bytes
/// ref                       | cede_ref
/// msg(T)                    | struct T, another message type, declared before
/// array(kind, N)            | kind name[N], of a kind above
/// list(T), list(kind)       | struct { struct T *items; uint32_t count, capacity; }; grow it with cede_list_add
/// opt(T), opt(kind)         | struct T *name: owned, or NULL; fill it with cede_opt_make. T may be this very type
/// shared(T)                 | const struct T *name: a reference to a frozen message (<cede/shared.h>), or NULL
/// sync(T)                   | struct T *name: a reference to a type that guards itself, as cede_channel_sender does, or NULL
/// must(any of these)        | the same member; a reader whose declaration lacks the field refuses the message, unless
///                           | the field is zero or empty (docs/MESSAGES.md, "Two versions of a type")
///
/// array() and list() take opt(T) and shared(T) as elements, too. One of several kinds: CEDE_VARIANT, itself a message type.
/// Anything else is refused with an error that says what to use. LIST may have no fields (`#define PING(F)`).
/// May stand in a header that many files include: the program has one `cede_type_T`. A shared library that declares
/// message types must stay loaded. Two different messages with one name end the program at its start.
#define CEDE_MESSAGE(T, LIST)                                                                      \
    CEDE_MESSAGE_DECLARE(T, LIST);                                                                 \
    CEDEI_MESSAGE_DEFINE(T, LIST, 0, __attribute__((weak, visibility("default"))))

/// As CEDE_MESSAGE, for control messages: what tells an actor how to go on, such as "reload" or "how are you". However
/// they are sent (cede_send, cede_ask, cede_send_after, over a link), they go ahead of all other messages that wait, in order among
/// themselves, and a full mailbox takes them: up to CEDE_CONTROL_MAX of them.
#define CEDE_CONTROL_MESSAGE(T, LIST)                                                              \
    CEDE_MESSAGE_DECLARE(T, LIST);                                                                 \
    CEDEI_MESSAGE_DEFINE(T, LIST, CEDEI_SPECIAL_CONTROL,                                           \
                         __attribute__((weak, visibility("default"))))

/// The two halves of CEDE_MESSAGE, for a type that is declared in a header and defined in exactly one file.
#define CEDE_MESSAGE_DECLARE(T, LIST)                                                              \
    CEDE_MESSAGE_FORWARD(T);                                                                       \
    enum {                                                                                         \
        cedei_field_count_##T = 0 LIST(CEDE_MESSAGE_field_is_F_kind_name),                         \
        CEDE_MESSAGE_declares_##T##_before_it_is_used = 1 | ((0 LIST(CEDEI_OR_DEPTH)) << 1),       \
        cedei_owning_##T = 0 LIST(CEDEI_SUM_OWNING),                                               \
        cedei_opaque_##T = 0 LIST(CEDEI_OR_OPAQUE),                                                \
        cedei_wire_min_##T = 0 LIST(CEDEI_SUM_WIRE)                                                \
    };                                                                                             \
    struct CEDEI_ANNOTATE("cede::message") T {                                                     \
        LIST(CEDEI_MEMBER)                                                                         \
        CEDEI_MESSAGE_MARK(cedei_field_count_##T);                                                 \
    };                                                                                             \
    struct T
#define CEDE_MESSAGE_DEFINE(T, LIST)                                                               \
    CEDEI_MESSAGE_DEFINE(T, LIST, 0, __attribute__((visibility("default"))))
/// Of a control message: CEDE_MESSAGE_DECLARE and this.
#define CEDE_CONTROL_MESSAGE_DEFINE(T, LIST)                                                       \
    CEDEI_MESSAGE_DEFINE(T, LIST, CEDEI_SPECIAL_CONTROL, __attribute__((visibility("default"))))

/// Names message type T, whose CEDE_MESSAGE or CEDE_VARIANT comes later, so that opt(T) may be used before it: for types
/// that hold each other. May be repeated.
#define CEDE_MESSAGE_FORWARD(T)                                                                    \
    struct T;                                                                                      \
    typedef struct T *CEDE_MESSAGE_or_CEDE_MESSAGE_FORWARD_declares_##T;                           \
    extern __attribute__((visibility("default"))) struct cede_type cede_type_##T

/// Declares message type T, which holds exactly one of the alternatives of LIST, and says which:
///
///     #define SHAPE(V) V(SHAPE_CIRCLE, msg(circle), circle) V(SHAPE_PATH, list(point), path) V(SHAPE_NAME, str, name)
///     CEDE_VARIANT(shape, SHAPE);
///
///     struct shape { enum shape_tag { SHAPE_CIRCLE, SHAPE_PATH, SHAPE_NAME } tag; union { ... } as; };
///
///     struct circle *circle = cede_variant_set(shape, &m->shape, circle);         (makes it SHAPE_CIRCLE, zeroed)
///     switch (m->shape.tag) { case SHAPE_CIRCLE: use(&m->shape.as.circle); ... }  (the compiler names missing cases)
///
/// The kinds are those of CEDE_MESSAGE. Zeroed, it is its first alternative. It can be sent by itself, and be a part of other
/// messages by msg(T), list(T) and opt(T), also of itself by opt(T). `tag` is changed by cede_variant_set only.
#define CEDE_VARIANT(T, LIST)                                                                      \
    CEDE_VARIANT_DECLARE(T, LIST);                                                                 \
    CEDEI_VARIANT_DEFINE(T, LIST, __attribute__((weak, visibility("default"))))

/// The two halves of CEDE_VARIANT, for a type that is declared in a header and defined in exactly one file.
#define CEDE_VARIANT_DECLARE(T, LIST)                                                              \
    CEDE_MESSAGE_FORWARD(T);                                                                       \
    enum { cedei_field_count_##T = 0 LIST(CEDE_VARIANT_alternative_is_V_TAG_kind_name) };          \
    CEDEI_STATIC_ASSERT(cedei_field_count_##T > 0,                                                 \
                        "variant '" #T "' has no alternatives: its list needs V(TAG, kind, "       \
                        "name) at least once");                                                    \
    enum {                                                                                         \
        CEDE_MESSAGE_declares_##T##_before_it_is_used = 1 | ((0 LIST(CEDEI_V_OR_DEPTH)) << 1),     \
        cedei_owning_##T = 0 LIST(CEDEI_V_SUM_OWNING),                                             \
        cedei_opaque_##T = CEDEI_HOLDS_VARIANT LIST(CEDEI_V_OR_OPAQUE),                            \
        cedei_wire_bits_##T = 0 LIST(CEDEI_V_WIRE_BIT),                                            \
        cedei_wire_min_##T = 4 + CEDEI_LOWEST_BIT(cedei_wire_bits_##T)                             \
    };                                                                                             \
    enum T##_tag{LIST(CEDEI_V_TAG)};                                                               \
    struct CEDEI_ANNOTATE("cede::message") T {                                                     \
        enum T##_tag tag;                                                                          \
        union {                                                                                    \
            LIST(CEDEI_V_MEMBER)                                                                   \
        } as;                                                                                      \
        CEDEI_MESSAGE_MARK(1);                                                                     \
    };                                                                                             \
    struct T
#define CEDE_VARIANT_DEFINE(T, LIST)                                                               \
    CEDEI_VARIANT_DEFINE(T, LIST, __attribute__((visibility("default"))))

/// Makes a struct of one's own a message that can be moved inside the process but never leaves it:
///
///     struct logfile { FILE *file; CEDE_MESSAGE_MARK; };
///     static void logfile_close(struct logfile *log) { if (log->file) fclose(log->file); }
///     CEDE_OPAQUE_MESSAGE(logfile, logfile_close);
///
/// `drop` ends what the struct holds, not the struct; it is called once, by whichever thread drops the message, and
/// must neither yield nor block. The author vouches that the struct may be used by another thread after it was moved.
#define CEDE_OPAQUE_MESSAGE(T, drop)                                                               \
    CEDE_OPAQUE_MESSAGE_DECLARE(T);                                                                \
    CEDEI_OPAQUE_MESSAGE_DEFINE(T, drop, __attribute__((weak, visibility("default"))))

/// The two halves of CEDE_OPAQUE_MESSAGE, for a type that is declared in a header and defined in exactly one file.
#define CEDE_OPAQUE_MESSAGE_DECLARE(T)                                                             \
    CEDE_MESSAGE_FORWARD(T);                                                                       \
    enum {                                                                                         \
        CEDE_MESSAGE_declares_##T##_before_it_is_used = 1,                                         \
        cedei_owning_##T = 1,                                                                      \
        cedei_opaque_##T = CEDEI_HOLDS_OPAQUE,                                                     \
        cedei_wire_min_##T = 1                                                                     \
    };                                                                                             \
    CEDEI_STATIC_ASSERT(sizeof(((struct T *)0)->declare_this_type_with_CEDE_MESSAGE) == 0,         \
                        "struct " #T " needs CEDE_MESSAGE_MARK as its last member");               \
    struct T
#define CEDE_OPAQUE_MESSAGE_DEFINE(T, drop)                                                        \
    CEDEI_OPAQUE_MESSAGE_DEFINE(T, drop, __attribute__((visibility("default"))))

/// Marks a struct as a message; last in it. CEDE_MESSAGE puts it there; only opaque messages need it written.
#define CEDE_MESSAGE_MARK CEDEI_MESSAGE_MARK(1)
/* A byte if there are no fields, so that no struct has size 0 (it would have size 1 in C++); else nothing. */
#define CEDEI_MESSAGE_MARK(field_count)                                                            \
    __extension__ char declare_this_type_with_CEDE_MESSAGE[(field_count) == 0 ? 1 : 0]

/* ---- text and bytes in a message ---- */

/// Makes `*text` a copy of the string `from`; NULL makes it empty.
/// Ownership: `from` copied; it may be part of `*text`. What `*text` held is freed on CEDE_OK, untouched otherwise.
/// Threads: the message owner's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_ETOOBIG 4 GiB or more.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_str_set(cede_str *text CEDE_BORROWED,
                                                     const char *from CEDE_BORROWED);

/// As cede_str_set, from `size` bytes that need no NUL behind them. Units: bytes.
/// Ownership: copied. Threads: the message owner's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_ETOOBIG.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_str_set_sized(cede_str *text CEDE_BORROWED,
                                                           const char *from CEDE_BORROWED,
                                                           size_t size);

/// As cede_str_set, from a printf format. Ownership: copied. Threads: the message owner's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_ETOOBIG; CEDE_EINVAL the format cannot be printed.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_str_format(cede_str *text CEDE_BORROWED,
                                                        const char *format CEDE_BORROWED, ...)
    CEDE_PRINTF(2, 3);

/// The text with its NUL; "" if it is empty, never NULL.
/// Ownership: borrowed from the message. Threads: the message owner's. Yields: no. Blocks: no.
CEDE_NOYIELD static inline const char *cede_str_text(const cede_str *text CEDE_BORROWED CEDE_LENDS) {
    return text->data != NULL ? text->data : "";
}

/// Frees the text and makes it empty. Ownership: dropped. Threads: the message owner's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_str_clear(cede_str *text CEDE_BORROWED);

/// Makes `*bytes` a copy of the `size` bytes at `from`. Units: bytes.
/// Ownership: `from` copied; it may be part of `*bytes`. What `*bytes` held is freed on CEDE_OK, untouched otherwise.
/// Threads: the message owner's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_ETOOBIG 4 GiB or more.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_bytes_set(cede_bytes *bytes CEDE_BORROWED,
                                                       const void *from CEDE_BORROWED, size_t size);

/// Gives `*bytes` room for `size` bytes and that size: fill `bytes->data`, then set `bytes->size` down to what was used.
/// Keeps what fits of the old content; the rest is uninitialised. Units: bytes.
/// Ownership: the message's. Threads: the message owner's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_ETOOBIG 4 GiB or more; `*bytes` is untouched then.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_bytes_reserve(cede_bytes *bytes CEDE_BORROWED,
                                                           size_t size);

/// Frees the bytes and makes them empty. Ownership: dropped. Threads: the message owner's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_bytes_clear(cede_bytes *bytes CEDE_BORROWED);

/* ---- lists in a message ---- */

/// Appends a zeroed element to `*list` and returns a pointer to it, NULL when memory is short (the list is untouched):
///
///     struct line *line = cede_list_add(&order->lines);
///
/// Ownership: the element is the list's; pointers to its elements are invalid after the next cede_list_add.
/// Threads: the message owner's. Yields: no. Blocks: no.
#define cede_list_add(list)                                                                        \
    ((__typeof__((list)->items))cedei_list_add((list), sizeof *(list)->items))

/// Makes room for `capacity` elements in all, so that adding up to there cannot fail. A cede_result.
/// Ownership: the list's; pointers to its elements become invalid. Threads: the message owner's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM, CEDE_ETOOBIG more than 2^32 - 1; the list is untouched then.
#define cede_list_reserve(list, capacity)                                                          \
    cedei_list_reserve((list), sizeof *(list)->items, (capacity))

/// Drops all elements of a `list(X)` with what they own: `cede_list_clear(line, &order->lines);`
/// Ownership: dropped. Threads: the message owner's. Yields: no. Blocks: no.
#define cede_list_clear(X, list) CEDEI_EACH(CLEAR, list, , CEDEI_KIND_list(X), CEDEI_NO_KIND, )

/* ---- boxes and variants in a message ---- */

/// What is in the box of an `opt(X)` field; an empty box gets a zeroed X first. NULL when memory is short:
///
///     struct tree *left = cede_opt_make(&tree->left);
///
/// Ownership: the content is the message's; it stays where it is until the box is cleared.
/// Threads: the message owner's. Yields: no. Blocks: no.
#define cede_opt_make(box)                                                                         \
    (CEDEI_EXPECT(__builtin_classify_type(*(box)) == 5,                                            \
                  "'" #box "' must be the address of an opt() field, such as &m->next"),           \
     (__typeof__(*(box)))cedei_opt_make((box), sizeof **(box)))

/// Drops what is in the box of an `opt(X)` field and makes it NULL: `cede_opt_clear(tree, &tree->left);`
/// Ownership: dropped. Threads: the message owner's. Yields: no. Blocks: no.
#define cede_opt_clear(X, box) CEDEI_EACH(UNBOX, box, , CEDEI_KIND_opt(X), CEDEI_NO_KIND, )

/// Drops what the variant of type T holds and makes it the alternative `name`, zeroed: a pointer to that, never NULL.
/// Ownership: the content is the message's. Threads: the message owner's. Yields: no. Blocks: no.
#define cede_variant_set(T, variant, name)                                                         \
    (__extension__({                                                                               \
        struct T *cedei_variant = (variant);                                                       \
        cedei_message_reset(&cede_type_##T, cedei_variant);                                        \
        cedei_variant->tag = (enum T##_tag)(sizeof(cedei_variant->as.tag_of_##name[0]) - 1);       \
        &cedei_variant->as.name;                                                                   \
    }))

/* ---- what can be asked of any message ---- */

/// All that the runtime knows of a message type. Made by CEDE_MESSAGE; one object per type in a linked program.
struct cede_type;

/// Writes the message as one line of text, `order{id=7, note="hello", ...}`, cut to `size` bytes with a NUL behind it.
/// Long text, bytes and lists are shortened, control characters escaped: fit for a log.
/// Returns the bytes that the whole line needs, without the NUL, as snprintf does.
/// Ownership: borrowed. Threads: the message owner's. Yields: no. Blocks: no.
CEDE_NOYIELD size_t cede_message_print(const struct cede_type *type CEDE_BORROWED,
                                       const void *message CEDE_BORROWED, char *out CEDE_BORROWED,
                                       size_t size);

/// A number that is equal for two declarations of equal name, fields and kinds, nested ones included, in any process
/// and with any compiler. Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD uint64_t cede_schema_hash(const struct cede_type *type CEDE_BORROWED);

/* ---- what the macros above stand on; not for direct use ---- */

enum cedei_field_kind {
    CEDEI_FIELD_U8 = 1, /* the numbers are part of the schema hash: never reused */
    CEDEI_FIELD_U16,
    CEDEI_FIELD_U32,
    CEDEI_FIELD_U64,
    CEDEI_FIELD_I8,
    CEDEI_FIELD_I16,
    CEDEI_FIELD_I32,
    CEDEI_FIELD_I64,
    CEDEI_FIELD_F32,
    CEDEI_FIELD_F64,
    CEDEI_FIELD_BOOL,
    CEDEI_FIELD_ENUM,
    CEDEI_FIELD_REF,
    CEDEI_FIELD_STR,
    CEDEI_FIELD_BYTES,
    CEDEI_FIELD_MSG
};

enum cedei_field_shape { CEDEI_SHAPE_ONE = 1, CEDEI_SHAPE_ARRAY, CEDEI_SHAPE_LIST };

/* BOXED: each element is a pointer to an owned value of that kind, made by cedei_opt_make, or NULL.
 * SHARED: each is a counted pointer to a frozen message, or NULL. */
enum { CEDEI_FLAG_BOXED = 1, CEDEI_FLAG_MUST = 2, CEDEI_FLAG_SHARED = 4 };
/* Of a whole type, as far as the compiler sees, which is not into boxes. */
enum { CEDEI_HOLDS_OPAQUE = 1, CEDEI_HOLDS_VARIANT = 2 };
/* How much larger an element of a list may be in memory than it is as bytes. */
enum { CEDEI_GROWTH_MAX = 8, CEDEI_VARIANT_GROWTH_MAX = 32 };

/* One field of a message type. Constant. */
struct cedei_field {
    const char *name;
    struct cede_type *nested; /* of CEDEI_FIELD_MSG, else NULL */
    int64_t min, max;         /* of CEDEI_FIELD_ENUM */
    uint32_t offset;          /* bytes */
    uint32_t size;            /* bytes of one element: of the array, or behind the list's `items` */
    uint32_t count;           /* elements of an array, else 1 */
    uint8_t kind;             /* enum cedei_field_kind, of one element */
    uint8_t shape;            /* enum cedei_field_shape */
    uint8_t flags;            /* CEDEI_FLAG_* */
    uint8_t width;            /* bytes of one value of `kind`; 0: a message */
};

/* A control message; one whose bytes are counted where bytes are bounded, as they may be more than the count of messages lets
 * expect. */
#define CEDEI_SPECIAL_CONTROL 1
#define CEDEI_SPECIAL_HEAVY 2
#define CEDEI_HEAVY_FROM 1024 /* bytes of the struct */

/* Access: constant but for the last group, which any thread reads and writes by atomic access only. */
struct cede_type {
    const char *name;
    uint32_t size;     /* bytes of the struct */
    uint32_t align;    /* bytes */
    uint32_t wire_min; /* bytes of the shortest encoding */
    uint32_t field_count;
    uint32_t owning; /* fields, nested ones included, that own memory; 0: dropping is freeing */
    uint32_t tally;  /* bytes: where its counts are among those of all types; set with `index` */
    uint8_t holds;   /* CEDEI_HOLDS_* */
    uint8_t tag_size; /* of a variant: bytes of `tag`, which is the number of the one field that it has; else 0 */
    uint8_t special; /* CEDEI_SPECIAL_*: a busy mailbox takes it by a longer way */
    const struct cedei_field *(*fields)(void); /* the table, field_count long */
    void (*drop)(void *message);               /* of an opaque type, else NULL */

    uint64_t schema_hash_cached; /* 0: not computed yet */
    uint64_t id_cached;          /* 0: not computed yet */
    struct cede_type *next_registered;
    uint32_t registered; /* 1: in the list of types */
    uint32_t index; /* its number in the process, from 1 on; 0: not registered, or one of too many */
    uint32_t traits_cached; /* enum cedei_trait; 0: not computed yet */
    uint32_t walk_number; /* this and what follows under the lock of traits.c: place in a walk over types */
    struct cede_type *walk_next;
    uint64_t walk;       /* which walk */
    uint32_t *field_ids; /* NULL: not computed yet */
};

/* What `list(T)` declares, for any T. */
struct cedei_list {
    void *items;
    uint32_t count, capacity; /* elements */
};

CEDE_NOYIELD void *cedei_list_add(void *list CEDE_BORROWED CEDE_LENDS, size_t element_size);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_list_reserve(void *list CEDE_BORROWED,
                                                           size_t element_size, size_t capacity);
CEDE_NOYIELD void cedei_list_clear(void *list CEDE_BORROWED, size_t element_size,
                                   enum cedei_field_kind kind,
                                   const struct cede_type *nested CEDE_BORROWED, uint8_t flags);
CEDE_NOYIELD void *cedei_opt_make(void *box CEDE_BORROWED CEDE_LENDS, size_t size);
CEDE_NOYIELD void cedei_opt_clear(void *box CEDE_BORROWED, enum cedei_field_kind kind,
                                  const struct cede_type *nested CEDE_BORROWED);
/* Drops what the message owns and zeroes it. */
CEDE_NOYIELD void cedei_message_reset(const struct cede_type *type CEDE_BORROWED,
                                      void *message CEDE_BORROWED);

/* Makes the type known to cedei_type_find. `size`, `count` and `fields` are those of the calling file: if they are not
 * those of `type`, two different messages share a name and the linker took one of them, so it ends the process. */
void cedei_type_register(struct cede_type *type CEDE_BORROWED, size_t size, size_t count,
                         const struct cedei_field *fields CEDE_BORROWED);

CEDE_NOYIELD static inline const struct cedei_field *cedei_fields_none(void) { return NULL; }

#define CEDEI_LIST_CLEAR(n, list, extra, ctype, code, nested, min, max, owning, depth, opaque,     \
                         wire, known, width, flags)                                                \
    (__extension__({                                                                               \
        __typeof__(list) cedei_cleared = (list);                                                   \
        ctype *cedei_items = cedei_cleared->items; /* the right list for X? */                     \
        (void)cedei_items;                                                                         \
        cedei_list_clear(cedei_cleared, sizeof(ctype), code, nested, (flags));                     \
    }))
#define CEDEI_UNKNOWN_CLEAR(...)                                                                   \
    (__extension__(                                                                                \
        { CEDEI_STATIC_ASSERT(0, "cede_list_clear(X, list): X as in the list(X) field"); }))
#define CEDEI_ONE_UNBOX(n, box, extra, ctype, code, nested, ...)                                   \
    (__extension__({                                                                               \
        ctype *cedei_cleared = (box); /* the right box for X? */                                   \
        cedei_opt_clear(cedei_cleared, code, nested);                                              \
    }))
#define CEDEI_UNKNOWN_UNBOX(...)                                                                   \
    (__extension__({ CEDEI_STATIC_ASSERT(0, "cede_opt_clear(X, box): X as in the opt(X) field"); }))

#define CEDEI_MESSAGE_DEFINE(T, LIST, control, linkage)                                            \
    LIST(CEDEI_VERIFY)                                                                             \
    CEDEI_TYPE_VERIFY(T);                                                                          \
    static const struct cedei_field *cedei_fields_##T(void) {                                      \
        typedef struct T cedei_self_type;                                                          \
        static const struct cedei_field fields[] = {                                               \
            LIST(CEDEI_ENTRY){NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0}};                             \
        (void)sizeof(cedei_self_type);                                                             \
        return fields;                                                                             \
    }                                                                                              \
    CEDEI_TYPE(T, cedei_field_count_##T, cedei_fields_##T, NULL, 0, control, linkage)
#define CEDEI_VARIANT_DEFINE(T, LIST, linkage)                                                     \
    LIST(CEDEI_V_VERIFY)                                                                           \
    CEDEI_TYPE_VERIFY(T);                                                                          \
    static const struct cedei_field *cedei_fields_##T(void) {                                      \
        typedef struct T cedei_self_type;                                                          \
        static const struct cedei_field fields[] = {                                               \
            LIST(CEDEI_V_ENTRY){NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0}};                           \
        (void)sizeof(cedei_self_type);                                                             \
        return fields;                                                                             \
    }                                                                                              \
    CEDEI_TYPE(T, cedei_field_count_##T, cedei_fields_##T, NULL, sizeof(enum T##_tag), 0, linkage)
#define CEDEI_OPAQUE_MESSAGE_DEFINE(T, drop, linkage)                                              \
    static void cedei_drop_##T(void *message) { drop((struct T *)message); }                       \
    CEDEI_TYPE(T, 0, cedei_fields_none, cedei_drop_##T, 0, 0, linkage)

#define CEDEI_TYPE_VERIFY(T)                                                                       \
    CEDEI_STATIC_ASSERT(sizeof(struct T) <= CEDE_MESSAGE_STRUCT_MAX,                               \
                        "message '" #T                                                             \
                        "' is larger than CEDE_MESSAGE_STRUCT_MAX: use bytes or a list");          \
    CEDEI_STATIC_ASSERT(                                                                           \
        (CEDE_MESSAGE_declares_##T##_before_it_is_used >> CEDE_MESSAGE_DEPTH_MAX) == 0,            \
        "message '" #T "' nests deeper than CEDE_MESSAGE_DEPTH_MAX")

#define CEDEI_SPECIAL_OF(T, control)                                                               \
    (uint8_t)((control) |                                                                          \
              (cedei_owning_##T != 0 || sizeof(struct T) >= CEDEI_HEAVY_FROM ? CEDEI_SPECIAL_HEAVY \
                                                                             : 0))
#define CEDEI_TYPE(T, count, fields, drop, tag_size, control, linkage)                             \
    linkage struct cede_type cede_type_##T = {#T,                                                  \
                                              (uint32_t)sizeof(struct T),                          \
                                              (uint32_t)__alignof__(struct T),                     \
                                              (uint32_t)cedei_wire_min_##T,                        \
                                              (uint32_t)(count),                                   \
                                              (uint32_t)cedei_owning_##T,                          \
                                              0,                                                   \
                                              (uint8_t)cedei_opaque_##T,                           \
                                              (uint8_t)(tag_size),                                 \
                                              CEDEI_SPECIAL_OF(T, control),                        \
                                              fields,                                              \
                                              drop,                                                \
                                              0,                                                   \
                                              0,                                                   \
                                              NULL,                                                \
                                              0,                                                   \
                                              0,                                                   \
                                              0,                                                   \
                                              0,                                                   \
                                              NULL,                                                \
                                              0,                                                   \
                                              NULL};                                               \
    __attribute__((constructor)) static void cedei_register_##T(void) {                            \
        cedei_type_register(&cede_type_##T, sizeof(struct T), (size_t)(count), fields());          \
    }                                                                                              \
    struct T

/* ---- messages of the library itself ---- */

#define CEDEI_DOWN(F)                                                                              \
    F(ref, actor)                                                                                  \
    F(i32, reason)                                                                                 \
    F(str, place)
/// Tells an actor that `actor`, which it watches by cede_monitor, has ended; `reason` is a cede_result: CEDE_OK when it
/// ended normally (CEDE_STOP, cede_stop), CEDE_EKILLED, CEDE_ELINKED, CEDE_ENODE, CEDE_ENOACTOR, or what its handler
/// returned. `place`: where that happened, for people: what cede_fail said and the message that was handled. Empty after a
/// normal end, for actors of other nodes, and when memory is short.
CEDE_MESSAGE_DECLARE(cede_down, CEDEI_DOWN);
/// Tells an actor that traps exits (cede_trap_exits) that `actor`, with which it is linked, has ended; reason and place as
/// in cede_down. Reason CEDE_STOP: `actor` asks the receiver to end (cede_stop); nobody has ended.
CEDE_MESSAGE_DECLARE(cede_exit, CEDEI_DOWN);

#define CEDEI_NOTHING(F)
/// A message that says nothing but that it came.
CEDE_MESSAGE_DECLARE(cede_nothing, CEDEI_NOTHING);
/// What cede_drain puts behind everything else in a mailbox: an actor that has no handler for it ends normally when it
/// comes; one that has finishes its work there and returns CEDE_STOP, now or later.
CEDE_MESSAGE_DECLARE(cede_drained, CEDEI_NOTHING);

CEDE_C_END
#endif
