/* message_fields.h - how a line `F(kind, name)` of a message becomes a member, a table entry and constants.
 * Owns the table of kinds and the texts of the compile errors for what is none. Nothing here is for direct use.
 *
 * A probe does the work: `CEDEI_KIND_##kind` is a macro for a known kind and gives
 *     , SHAPE, (ctype, code, nested, min, max, owning, depth, opaque, wire_min, known, width, flags), count,
 * where `known` compiles only if a message type was declared, and `width` is the size of a value that opt() may box.
 * and stays a word without a comma for anything else, so the argument that stands behind it differs. That is why a
 * mistake is met before any type is looked at, and the first error can name the field. */
#ifndef CEDE_MESSAGE_FIELDS_H
#define CEDE_MESSAGE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/ref.h>

#ifdef __cplusplus
#define CEDEI_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define CEDEI_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* A condition on an argument of a macro that is an expression. Types may not be defined in a sizeof in C++. */
#ifdef __cplusplus
#define CEDEI_EXPECT(condition, text) ((void)0)
#else
#define CEDEI_EXPECT(condition, text)                                                              \
    ((void)sizeof(struct {                                                                         \
        CEDEI_STATIC_ASSERT(condition, text);                                                      \
        int unused;                                                                                \
    }))
#endif

/* The first that is made of a line; its name is what a compiler says about a line with too few words. */
#define CEDE_MESSAGE_field_is_F_kind_name(kind, name) +1
#define CEDE_VARIANT_alternative_is_V_TAG_kind_name(tag, kind, name) +1

/* ---- the kinds ---- */

#define CEDEI_SCALAR(ctype, code, wire_min)                                                        \
    , CEDEI_ONE, (ctype, code, CEDEI_NO_TYPE, 0, 0, 0, 0, 0, wire_min, 0, sizeof(ctype), 0), 1,
#define CEDEI_OWNED(ctype, code)                                                                   \
    , CEDEI_ONE, (ctype, code, CEDEI_NO_TYPE, 0, 0, 1, 0, 0, 4, 0, sizeof(ctype), 0), 1,
#define CEDEI_NO_TYPE ((struct cede_type *)0)

#define CEDEI_KIND_u8 CEDEI_SCALAR(uint8_t, CEDEI_FIELD_U8, 1)
#define CEDEI_KIND_u16 CEDEI_SCALAR(uint16_t, CEDEI_FIELD_U16, 2)
#define CEDEI_KIND_u32 CEDEI_SCALAR(uint32_t, CEDEI_FIELD_U32, 4)
#define CEDEI_KIND_u64 CEDEI_SCALAR(uint64_t, CEDEI_FIELD_U64, 8)
#define CEDEI_KIND_i8 CEDEI_SCALAR(int8_t, CEDEI_FIELD_I8, 1)
#define CEDEI_KIND_i16 CEDEI_SCALAR(int16_t, CEDEI_FIELD_I16, 2)
#define CEDEI_KIND_i32 CEDEI_SCALAR(int32_t, CEDEI_FIELD_I32, 4)
#define CEDEI_KIND_i64 CEDEI_SCALAR(int64_t, CEDEI_FIELD_I64, 8)
#define CEDEI_KIND_f32 CEDEI_SCALAR(float, CEDEI_FIELD_F32, 4)
#define CEDEI_KIND_f64 CEDEI_SCALAR(double, CEDEI_FIELD_F64, 8)
#define CEDEI_KIND_bool CEDEI_SCALAR(bool, CEDEI_FIELD_BOOL, 1)
#define CEDEI_KIND_ref CEDEI_SCALAR(cede_ref, CEDEI_FIELD_REF, 16)
#define CEDEI_KIND_str CEDEI_OWNED(cede_str, CEDEI_FIELD_STR)
#define CEDEI_KIND_bytes CEDEI_OWNED(cede_bytes, CEDEI_FIELD_BYTES)
#define CEDEI_KIND_enum(tag, first, last)                                                          \
    , CEDEI_ONE,                                                                                   \
        (enum tag, CEDEI_FIELD_ENUM, CEDEI_NO_TYPE, first, last, 0, 0, 0, 4, 0, sizeof(enum tag),  \
         0),                                                                                       \
        1,
#define CEDEI_KIND_msg(T) CEDEI_MSG_PICK(CEDEI_SECOND(CEDEI_HINT_##T, NO_HINT, ), T)
#define CEDEI_MSG_PICK(hint, T) CEDEI_MSG_PICK_(hint, T)
#define CEDEI_MSG_PICK_(hint, T) CEDEI_MSG_##hint(T)
#define CEDEI_MSG_HINTED(T) CEDEI_is_no_kind
#define CEDEI_MSG_NO_HINT(T) , CEDEI_ONE, CEDEI_MSG(T), 1,
#define CEDEI_MSG(T)                                                                               \
    (struct T, CEDEI_FIELD_MSG, &cede_type_##T, 0, 0, cedei_owning_##T,                            \
     CEDE_MESSAGE_declares_##T##_before_it_is_used, cedei_opaque_##T, cedei_wire_min_##T,          \
     CEDEI_KNOWN(T), 0, 0)
#define CEDEI_KNOWN(T) sizeof(CEDE_MESSAGE_or_CEDE_MESSAGE_FORWARD_declares_##T)

/* Other spellings of the same kinds; `bool` is a macro and may arrive expanded. */
#define CEDEI_KIND_uint8_t CEDEI_KIND_u8
#define CEDEI_KIND_uint16_t CEDEI_KIND_u16
#define CEDEI_KIND_uint32_t CEDEI_KIND_u32
#define CEDEI_KIND_uint64_t CEDEI_KIND_u64
#define CEDEI_KIND_int8_t CEDEI_KIND_i8
#define CEDEI_KIND_int16_t CEDEI_KIND_i16
#define CEDEI_KIND_int32_t CEDEI_KIND_i32
#define CEDEI_KIND_int64_t CEDEI_KIND_i64
#define CEDEI_KIND_float CEDEI_KIND_f32
#define CEDEI_KIND_double CEDEI_KIND_f64
#define CEDEI_KIND__Bool CEDEI_KIND_bool
#define CEDEI_KIND_cede_ref CEDEI_KIND_ref
#define CEDEI_KIND_cede_str CEDEI_KIND_str
#define CEDEI_KIND_cede_bytes CEDEI_KIND_bytes

/* array(kind, count): probes the element's kind; of another array or of a list it is none. */
#define CEDEI_KIND_array(kind, ...)                                                                \
    CEDEI_COUNTED(CEDEI_REST(__VA_ARGS__)(CEDEI_SOME, CEDEI_NO), __VA_ARGS__, CEDEI_KIND_##kind)
#define CEDEI_COUNTED(...) CEDEI_COUNTED_(__VA_ARGS__)
#define CEDEI_COUNTED_(some, ...) some##_COUNT(__VA_ARGS__)
#define CEDEI_NO_COUNT(...) CEDEI_is_no_kind
#define CEDEI_SOME_COUNT(count, ...) CEDEI_ARRAY_PICK(count, __VA_ARGS__, CEDEI_UNKNOWN, (), 1, , )
#define CEDEI_ARRAY_PICK(...) CEDEI_ARRAY_PICK_(__VA_ARGS__)
#define CEDEI_ARRAY_PICK_(count, nothing, shape, element, one, rest, ...)                          \
    CEDEI_ARRAY_PICKED(CEDEI_REST(rest)(CEDEI_UNKNOWN, shape), element, count)
#define CEDEI_ARRAY_PICKED(...) CEDEI_ARRAY_PICKED_(__VA_ARGS__)
#define CEDEI_ARRAY_PICKED_(shape, element, count) shape##_ARRAY(element, count)
#define CEDEI_ONE_ARRAY(element, count) , CEDEI_ARRAY, element, count,
#define CEDEI_ARRAY_ARRAY(element, count) CEDEI_is_no_kind
#define CEDEI_LIST_ARRAY(element, count) CEDEI_is_no_kind
#define CEDEI_UNKNOWN_ARRAY(element, count) CEDEI_is_no_kind

/* list(X): X is a kind, or else the name of a message type; but not a word that has a hint below, such as int. */
#define CEDEI_KIND_list(X)                                                                         \
    CEDEI_LIST_PICK(CEDEI_SECOND(CEDEI_RANGED_##X CEDEI_HINT_##X CEDEI_NESTED_##X, NO_HINT, ), X,  \
                    CEDEI_KIND_##X)
#define CEDEI_RANGED_enum(tag, first, last) , NO_HINT,
#define CEDEI_NESTED_list(X) , HINTED,
#define CEDEI_SECOND(...) CEDEI_SECOND_(__VA_ARGS__)
#define CEDEI_SECOND_(a, b, ...) b
#define CEDEI_LIST_PICK(hint, ...) CEDEI_LIST_PICK_(hint, __VA_ARGS__)
#define CEDEI_LIST_PICK_(hint, ...) CEDEI_LIST_##hint(__VA_ARGS__)
#define CEDEI_LIST_HINTED(X, ...) CEDEI_is_no_kind
#define CEDEI_LIST_NO_HINT(X, ...) CEDEI_LIST_OF(__VA_ARGS__, CEDEI_ONE, CEDEI_MSG(X), 1, , )
#define CEDEI_LIST_OF(nothing, shape, element, one, rest, ...)                                     \
    CEDEI_LIST_PICKED(CEDEI_REST(rest)(CEDEI_UNKNOWN, shape), element)
#define CEDEI_LIST_PICKED(...) CEDEI_LIST_PICKED_(__VA_ARGS__)
#define CEDEI_LIST_PICKED_(shape, element) shape##_LIST(element)
#define CEDEI_ONE_LIST(element) , CEDEI_LIST, element, 1,
#define CEDEI_ARRAY_LIST(element) CEDEI_is_no_kind
#define CEDEI_LIST_LIST(element) CEDEI_is_no_kind
#define CEDEI_UNKNOWN_LIST(element) CEDEI_is_no_kind

/* opt(X): a block of its own that holds one X, or NULL. X as for list(X), but of a message type no more than the name is
 * needed: a type may hold itself so. What the compiler knows of X does not count (owning, depth, opaque): a table walk
 * finds out. */
#define CEDEI_KIND_opt(X)                                                                          \
    CEDEI_OPT_PICK(CEDEI_OPT_SECOND(CEDEI_RANGED_##X CEDEI_HINT_##X CEDEI_UNBOXED_##X, NO_HINT, ), \
                   X, CEDEI_KIND_##X)
#define CEDEI_UNBOXED_list(X) , HINTED,
#define CEDEI_UNBOXED_array(...) , HINTED,
#define CEDEI_UNBOXED_opt(X) , HINTED,
#define CEDEI_UNBOXED_must(X) , HINTED,
#define CEDEI_UNBOXED_shared(X) , HINTED,
#define CEDEI_UNBOXED_sync(X) , HINTED,
#define CEDEI_OPT_SECOND(...) CEDEI_OPT_SECOND_(__VA_ARGS__)
#define CEDEI_OPT_SECOND_(a, b, ...) b
#define CEDEI_OPT_PICK(hint, ...) CEDEI_OPT_PICK_(hint, __VA_ARGS__)
#define CEDEI_OPT_PICK_(hint, ...) CEDEI_OPT_##hint(__VA_ARGS__)
#define CEDEI_OPT_HINTED(X, ...) CEDEI_is_no_kind
#define CEDEI_OPT_NO_HINT(X, ...) CEDEI_OPT_OF(__VA_ARGS__, CEDEI_ONE, CEDEI_MSG(X), 1, , )
#define CEDEI_OPT_OF(nothing, shape, element, one, rest, ...)                                      \
    CEDEI_OPT_PICKED(CEDEI_REST(rest)(CEDEI_UNKNOWN, shape), element)
#define CEDEI_OPT_PICKED(...) CEDEI_OPT_PICKED_(__VA_ARGS__)
#define CEDEI_OPT_PICKED_(shape, element) shape##_OPT(element)
#define CEDEI_ONE_OPT(element) , CEDEI_ONE, (CEDEI_BOX element), 1,
#define CEDEI_BOX(ctype, code, nested, min, max, owning, depth, opaque, wire, known, width, flags) \
    ctype *, code, nested, min, max, 1, (known) * 0, 0, 4, known, width, CEDEI_FLAG_BOXED
#define CEDEI_UNKNOWN_OPT(element) CEDEI_is_no_kind

/* shared(T): a reference to a frozen message of type T, which is no word that has a hint, and no kind. */
#define CEDEI_KIND_shared(T) CEDEI_SHARED_PICK(CEDEI_REFERRED(T, CEDEI_KIND_##T), T)
#define CEDEI_REFERRED(T, ...)                                                                     \
    CEDEI_OPT_SECOND(CEDEI_HINT_##T CEDEI_UNBOXED_##T __VA_ARGS__, NO_HINT, )
#define CEDEI_SHARED_PICK(hint, T) CEDEI_SHARED_PICK_(hint, T)
#define CEDEI_SHARED_PICK_(hint, T) CEDEI_SHARED_##hint(T)
#define CEDEI_SHARED_HINTED(T) CEDEI_is_no_kind
#define CEDEI_SHARED_CEDEI_ONE(T) CEDEI_is_no_kind
#define CEDEI_SHARED_NO_HINT(T)                                                                    \
    , CEDEI_ONE,                                                                                   \
        (const struct T *, CEDEI_FIELD_MSG, &cede_type_##T, 0, 0, 1, CEDEI_KNOWN(T) * 0, 0, 4,     \
         CEDEI_KNOWN(T), 0, CEDEI_FLAG_SHARED),                                                    \
        1,

/* sync(T): the same for a T that guards itself, which those who have a reference may change. `min` and `max` say that it
 * must be an opaque type and whether it is: see CEDEI_ONE_VERIFY. */
#define CEDEI_KIND_sync(T) CEDEI_SYNC_PICK(CEDEI_REFERRED(T, CEDEI_KIND_##T), T)
#define CEDEI_SYNC_PICK(hint, T) CEDEI_SYNC_PICK_(hint, T)
#define CEDEI_SYNC_PICK_(hint, T) CEDEI_SYNC_##hint(T)
#define CEDEI_SYNC_HINTED(T) CEDEI_is_no_kind
#define CEDEI_SYNC_CEDEI_ONE(T) CEDEI_is_no_kind
#define CEDEI_SYNC_NO_HINT(T)                                                                      \
    , CEDEI_ONE,                                                                                   \
        (struct T *, CEDEI_FIELD_MSG, &cede_type_##T, 1, (cedei_opaque_##T & CEDEI_HOLDS_OPAQUE),  \
         1, CEDEI_KNOWN(T) * 0, 0, 4, CEDEI_KNOWN(T), 0, CEDEI_FLAG_SHARED),                       \
        1,

/* must(kind): any kind, marked. */
#define CEDEI_KIND_must(kind) CEDEI_MUST_PICK(CEDEI_KIND_##kind, CEDEI_UNKNOWN, (), 1, , )
#define CEDEI_MUST_PICK(...) CEDEI_MUST_PICK_(__VA_ARGS__)
#define CEDEI_MUST_PICK_(nothing, shape, element, count, rest, ...)                                \
    CEDEI_MUST_PICKED(CEDEI_REST(rest)(CEDEI_UNKNOWN, shape), element, count)
#define CEDEI_MUST_PICKED(...) CEDEI_MUST_PICKED_(__VA_ARGS__)
#define CEDEI_MUST_PICKED_(shape, element, count) shape##_MUST(element, count)
#define CEDEI_ONE_MUST(element, count) , CEDEI_ONE, (CEDEI_MARK_MUST element), count,
#define CEDEI_ARRAY_MUST(element, count) , CEDEI_ARRAY, (CEDEI_MARK_MUST element), count,
#define CEDEI_LIST_MUST(element, count) , CEDEI_LIST, (CEDEI_MARK_MUST element), count,
#define CEDEI_UNKNOWN_MUST(element, count) CEDEI_is_no_kind
#define CEDEI_MARK_MUST(ctype, code, nested, min, max, owning, depth, opaque, wire, known, width,  \
                        flags)                                                                     \
    ctype, code, nested, min, max, owning, depth, opaque, wire, known, width,                      \
        (flags) | CEDEI_FLAG_MUST

/* ---- what is made of a line: SHAPE_OPERATION(count, name, extra, the twelve words of the kind) ---- */

#define CEDEI_EACH(...) CEDEI_EACH_(__VA_ARGS__)
/* A kind with a rest behind it, such as `u8 *`, is none. */
#define CEDEI_EACH_(operation, name, extra, nothing, shape, element, count, rest, ...)             \
    CEDEI_CALL(CEDEI_REST(rest)(CEDEI_UNKNOWN, shape), operation, count, name, extra,              \
               CEDEI_UNPACK element)
#define CEDEI_CALL(shape, ...) CEDEI_CALL_(shape, __VA_ARGS__)
#define CEDEI_CALL_(shape, operation, ...) shape##_##operation(__VA_ARGS__)
#define CEDEI_UNPACK(...) __VA_ARGS__
#define CEDEI_NO_KIND CEDEI_UNKNOWN, (int, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1,

#define CEDEI_MEMBER(kind, name)                                                                   \
    CEDEI_EACH(MEMBER, name,                                                                       \
               (#name, #kind, name, kind, CEDEI_HINT_##kind, NO_HINT, CEDEI_HINT_NONE,             \
                CEDEI_HINT_NONE, ),                                                                \
               CEDEI_KIND_##kind, CEDEI_NO_KIND, )
#define CEDEI_ENTRY(kind, name) CEDEI_EACH(ENTRY, name, #name, CEDEI_KIND_##kind, CEDEI_NO_KIND, )
#define CEDEI_SUM_OWNING(kind, name) CEDEI_EACH(OWNING, name, , CEDEI_KIND_##kind, CEDEI_NO_KIND, )
#define CEDEI_OR_DEPTH(kind, name) CEDEI_EACH(DEPTH, name, , CEDEI_KIND_##kind, CEDEI_NO_KIND, )
#define CEDEI_OR_OPAQUE(kind, name) CEDEI_EACH(OPAQUE, name, , CEDEI_KIND_##kind, CEDEI_NO_KIND, )
#define CEDEI_SUM_WIRE(kind, name) CEDEI_EACH(WIRE, name, , CEDEI_KIND_##kind, CEDEI_NO_KIND, )
#define CEDEI_VERIFY(kind, name) CEDEI_EACH(VERIFY, name, #name, CEDEI_KIND_##kind, CEDEI_NO_KIND, )

/* CEDEI_REST(rest)(some, none): `none` if there are no words in `rest`, else `some`. A rest that begins with a
 * parenthesis is looked for first, since it would pass for an empty one. */
#define CEDEI_REST(rest) CEDEI_REST_PICK(CEDEI_SECOND(CEDEI_PAREN rest, NO_PAREN, ), rest)
#define CEDEI_REST_PICK(paren, rest) CEDEI_REST_PICK_(paren, rest)
#define CEDEI_REST_PICK_(paren, rest) CEDEI_REST_##paren(rest)
#define CEDEI_REST_PAREN(rest) CEDEI_REST_SOME
#define CEDEI_REST_NO_PAREN(rest) CEDEI_SECOND(CEDEI_EMPTY rest(), CEDEI_REST_SOME, )
#define CEDEI_PAREN(...) , PAREN,
#define CEDEI_EMPTY(...) , CEDEI_REST_NONE,
#define CEDEI_REST_SOME(some, none) some
#define CEDEI_REST_NONE(some, none) none

/* The member itself. */
#define CEDEI_ONE_MEMBER(count, name, extra, ctype, ...) ctype name;
#define CEDEI_ARRAY_MEMBER(count, name, extra, ctype, ...) ctype name[count];
#define CEDEI_LIST_MEMBER(one, name, extra, ctype, ...)                                            \
    struct {                                                                                       \
        ctype *items;                                                                              \
        uint32_t count, capacity;                                                                  \
    } name;
#define CEDEI_UNKNOWN_MEMBER(count, name, extra, ...) CEDEI_REFUSE extra
#define CEDEI_REFUSE(...) CEDEI_REFUSE_(__VA_ARGS__)
/* `rest` is what the kind has behind its first word: with it, mostly a pointer. The member is declared as written, so
 * that code which uses it does not add errors of its own. */
#define CEDEI_REFUSE_(name_text, kind_text, name, written, nothing, hinted, alone, pointer, rest,  \
                      ...)                                                                         \
    CEDEI_STATIC_ASSERT(0, "field '" name_text "' of type '" kind_text                             \
                           "' " CEDEI_REST(rest)(pointer, alone));                                 \
    __typeof__(written) name;

/* Its line in the table; cedei_self_type is the struct. */
#define CEDEI_ROW(shape, count, name, text, ctype, code, nested, min, max, owning, depth, opaque,  \
                  wire, known, width, flags)                                                       \
    {text,                                                                                         \
     nested,                                                                                       \
     (int64_t)(min),                                                                               \
     (int64_t)(max),                                                                               \
     (uint32_t)offsetof(cedei_self_type, name),                                                    \
     (uint32_t)sizeof(ctype),                                                                      \
     (uint32_t)(count),                                                                            \
     code,                                                                                         \
     shape,                                                                                        \
     (uint8_t)(flags),                                                                             \
     (uint8_t)(width)},
#define CEDEI_ONE_ENTRY(...) CEDEI_ROW(CEDEI_SHAPE_ONE, __VA_ARGS__)
#define CEDEI_ARRAY_ENTRY(...) CEDEI_ROW(CEDEI_SHAPE_ARRAY, __VA_ARGS__)
#define CEDEI_LIST_ENTRY(...) CEDEI_ROW(CEDEI_SHAPE_LIST, __VA_ARGS__)
#define CEDEI_UNKNOWN_ENTRY(...)

/* Constants of the whole type, summed over its fields. */
#define CEDEI_ONE_OWNING(count, name, extra, ctype, code, nested, min, max, owning, ...)           \
    +(int)(owning)
#define CEDEI_ARRAY_OWNING CEDEI_ONE_OWNING
#define CEDEI_LIST_OWNING(...) +1
#define CEDEI_UNKNOWN_OWNING(...)

/* One bit a level: the highest bit set is how deep messages nest in it. */
#define CEDEI_ONE_DEPTH(count, name, extra, ctype, code, nested, min, max, owning, depth, ...)     \
    | (int)(depth)
#define CEDEI_ARRAY_DEPTH CEDEI_ONE_DEPTH
#define CEDEI_LIST_DEPTH CEDEI_ONE_DEPTH
#define CEDEI_UNKNOWN_DEPTH(...)

#define CEDEI_ONE_OPAQUE(count, name, extra, ctype, code, nested, min, max, owning, depth, opaque, \
                         ...)                                                                      \
    | (int)(opaque)
#define CEDEI_ARRAY_OPAQUE CEDEI_ONE_OPAQUE
#define CEDEI_LIST_OPAQUE CEDEI_ONE_OPAQUE
#define CEDEI_UNKNOWN_OPAQUE(...)

#define CEDEI_ONE_WIRE(count, name, extra, ctype, code, nested, min, max, owning, depth, opaque,   \
                       wire, ...)                                                                  \
    +(int)(wire) * (int)(count)
#define CEDEI_ARRAY_WIRE CEDEI_ONE_WIRE
#define CEDEI_LIST_WIRE(...) +4
#define CEDEI_UNKNOWN_WIRE(...)

/* What the table of kinds cannot see. */
#define CEDEI_ONE_VERIFY(count, name, text, ctype, code, nested, min, max, owning, depth, opaque,  \
                         wire, known, width, flags)                                                \
    CEDEI_STATIC_ASSERT(                                                                           \
        (code) != CEDEI_FIELD_ENUM || ((int64_t)(min) <= (int64_t)(max) && (width) <= 4),          \
        "field '" text "': enum(tag, FIRST, LAST) needs FIRST <= LAST, in 32 bits");               \
    CEDEI_STATIC_ASSERT((code) != CEDEI_FIELD_MSG || (min) <= (max),                               \
                        "field '" text "': sync(T) is for a type that guards itself: one of "      \
                        "docs/SHARING.md, or a CEDE_OPAQUE_MESSAGE; use shared(T), opt(T) or "     \
                        "msg(T) for a message");
#define CEDEI_ARRAY_VERIFY CEDEI_ONE_VERIFY
/* A list's count comes from outside: its elements may not be much larger in memory than they are as bytes. Only
 * messages without fields inside make them so, and variants, of which the smallest alternative counts. */
#define CEDEI_LIST_VERIFY(count, name, text, ctype, code, nested, min, max, owning, depth, opaque, \
                          wire, known, width, flags)                                               \
    CEDEI_STATIC_ASSERT((wire) > 0,                                                                \
                        "field '" text "': a list of messages without fields: use u32 and count"); \
    CEDEI_STATIC_ASSERT(((opaque) & CEDEI_HOLDS_OPAQUE) || ((opaque) & CEDEI_HOLDS_VARIANT) ||     \
                            sizeof(ctype) <= (size_t)CEDEI_GROWTH_MAX * (wire) || (wire) == 0,     \
                        "field '" text "': an element of the list is over 8 times larger in "      \
                        "memory than as bytes: take out messages without fields");                 \
    CEDEI_STATIC_ASSERT(!((opaque) & CEDEI_HOLDS_VARIANT) ||                                       \
                            sizeof(ctype) <= (size_t)CEDEI_VARIANT_GROWTH_MAX * (wire),            \
                        "field '" text                                                             \
                        "': an element of the list is over 32 times larger in memory than as "     \
                        "bytes: put the large alternatives of its variant into opt()");            \
    CEDEI_ONE_VERIFY(count, name, text, ctype, code, nested, min, max, owning, depth, opaque,      \
                     wire, known, width, flags)
#define CEDEI_UNKNOWN_VERIFY(...)

/* ---- a line `V(TAG, kind, name)` of a variant ---- */

#define CEDEI_V_TAG(tag, kind, name) tag,
/* Besides the member one of no size, whose type knows the number of the tag: see cede_variant_set. */
#define CEDEI_V_MEMBER(tag, kind, name)                                                            \
    CEDEI_MEMBER(kind, name) __extension__ char tag_of_##name[0][1 + tag];
#define CEDEI_V_OR_DEPTH(tag, kind, name) CEDEI_OR_DEPTH(kind, name)
#define CEDEI_V_SUM_OWNING(tag, kind, name) CEDEI_SUM_OWNING(kind, name)
#define CEDEI_V_OR_OPAQUE(tag, kind, name) CEDEI_OR_OPAQUE(kind, name)
#define CEDEI_V_VERIFY(tag, kind, name) CEDEI_VERIFY(kind, name)
#define CEDEI_V_ENTRY(tag, kind, name)                                                             \
    CEDEI_EACH(ENTRY, as.name, #name, CEDEI_KIND_##kind, CEDEI_NO_KIND, )
/* A bit for the shortest encoding of each alternative; the lowest is the shortest of all. */
#define CEDEI_V_WIRE_BIT(tag, kind, name) | (1 << CEDEI_AT_MOST_30(0 CEDEI_SUM_WIRE(kind, name)))
#define CEDEI_AT_MOST_30(n) ((n) > 30 ? 30 : (n))
#define CEDEI_LOWEST_BIT(bits) ((bits) == 0 ? 0 : __builtin_ctz((unsigned)(bits)))

/* ---- what to use instead: a first word gives , HINTED, text alone, text with more words behind, ---- */

#define CEDEI_HINT_NONE                                                                            \
    "is not Send: a field is a fixed-width number (u8 to u64, i8 to i64, f32, f64), bool, "        \
    "enum(tag, FIRST, LAST), array(kind, N), msg(T), list(T), opt(T), shared(T), str, bytes or "   \
    "ref"
#define CEDEI_HINT(alone, pointer) , HINTED, alone, pointer,
#define CEDEI_HINT_NUMBER(kind)                                                                    \
    CEDEI_HINT("has no fixed width: use " kind,                                                    \
               "is not Send: use " kind " for one number, list(" kind ") or array(" kind           \
               ", N) for several")

#define CEDEI_HINT_char                                                                            \
    CEDEI_HINT("is no field kind: use u8 or i8 (or str for text)",                                 \
               "is not Send: use str (owned text) or bytes")
#define CEDEI_HINT_const                                                                           \
    CEDEI_HINT("is no field kind: fields are not const",                                           \
               "is not Send: use str (owned text) or bytes (owned data)")
#define CEDEI_HINT_volatile CEDEI_HINT_const
#define CEDEI_HINT_int CEDEI_HINT_NUMBER("i32")
#define CEDEI_HINT_short CEDEI_HINT_NUMBER("i16")
#define CEDEI_HINT_long                                                                            \
    CEDEI_HINT("has no fixed width: use i64",                                                      \
               "is no field kind: use i64 or u64, list(i64) for several")
#define CEDEI_HINT_signed                                                                          \
    CEDEI_HINT("has no fixed width: use i32", "is no field kind: use i8, i16, i32 or i64")
#define CEDEI_HINT_unsigned                                                                        \
    CEDEI_HINT("has no fixed width: use u32",                                                      \
               "is no field kind: use u8, u16, u32 or u64, list(u32) or bytes for several")
#define CEDEI_HINT_size_t CEDEI_HINT_NUMBER("u64")
#define CEDEI_HINT_ssize_t CEDEI_HINT_NUMBER("i64")
#define CEDEI_HINT_off_t CEDEI_HINT_NUMBER("i64")
#define CEDEI_HINT_time_t CEDEI_HINT_NUMBER("i64")
#define CEDEI_HINT_pid_t CEDEI_HINT_NUMBER("i32")
#define CEDEI_HINT_uintptr_t CEDEI_HINT_NUMBER("u64")
#define CEDEI_HINT_intptr_t CEDEI_HINT_NUMBER("i64")
#define CEDEI_HINT_ptrdiff_t CEDEI_HINT_NUMBER("i64")
#define CEDEI_HINT_void                                                                            \
    CEDEI_HINT("is no field kind: leave the field away",                                           \
               "is not Send: use bytes for data, an enum or a ref in place of a function, "        \
               "CEDE_OPAQUE_MESSAGE for a handle")
#define CEDEI_HINT_struct                                                                          \
    CEDEI_HINT("is no field kind",                                                                 \
               "is not Send: declare the struct with CEDE_MESSAGE and use msg(T) for one inside "  \
               "this message, list(T) for several; use ref for an actor")
#define CEDEI_HINT_union                                                                           \
    CEDEI_HINT("is no field kind",                                                                 \
               "is not Send: nothing tells which member is alive; use one message type for each")
#define CEDEI_HINT_enum                                                                            \
    CEDEI_HINT("is no field kind", "lacks its range: use enum(tag, FIRST, LAST)")
#define CEDEI_HINT_FILE                                                                            \
    CEDEI_HINT("is not Send: keep the file in one actor's state",                                  \
               "is not Send: keep the file in one actor's state and send its name (str), or "      \
               "declare a CEDE_OPAQUE_MESSAGE")
#define CEDEI_HINT_LOCK(name)                                                                      \
    CEDEI_HINT(                                                                                    \
        "is not Send: an actor's own state needs no " name ", and a message is never shared",      \
        "is not Send: an actor's own state needs no " name ", and a message is never shared")
#define CEDEI_HINT_pthread_mutex_t CEDEI_HINT_LOCK("lock")
#define CEDEI_HINT_pthread_rwlock_t CEDEI_HINT_LOCK("lock")
#define CEDEI_HINT_pthread_spinlock_t CEDEI_HINT_LOCK("lock")
#define CEDEI_HINT_cede_mutex CEDEI_HINT_LOCK("lock")
#define CEDEI_HINT_pthread_cond_t CEDEI_HINT_LOCK("condition variable")
#define CEDEI_HINT_pthread_t                                                                       \
    CEDEI_HINT("is not Send: use ref, which names an actor", "is not Send: use ref")
/* Nothing at all, as in list(). */
#define CEDEI_HINT_                                                                                \
    CEDEI_HINT("lacks a kind: write F(kind, name), list(kind), opt(kind) or array(kind, N)",       \
               "lacks a kind: write F(kind, name), list(kind), opt(kind) or array(kind, N)")
/* For what is wrong inside. */
#define CEDEI_HINT_msg(T) CEDEI_HINT_##T
#define CEDEI_HINT_array(kind, ...) CEDEI_HINT_##kind
#define CEDEI_HINT_list(kind) CEDEI_HINT_##kind
#define CEDEI_HINT_opt(kind) CEDEI_HINT_##kind
#define CEDEI_HINT_must(kind) CEDEI_HINT_##kind
#define CEDEI_HINT_shared(T) CEDEI_HINT_##T
#define CEDEI_HINT_sync(T) CEDEI_HINT_##T

#endif
