/* message.h - what the runtime and the links do with a message by its type: drop, encode, decode, find the type.
 * All of it walks the table of fields. How deep it nests is bounded by the types (CEDE_MESSAGE_DEPTH_MAX, checked by
 * the compiler), never by the content, and no function here uses more than a few words of stack a level: boxes, which may
 * hold each other without end, wait in a queue and are entered one after the other. */
#ifndef CEDEI_MESSAGE_MESSAGE_H
#define CEDEI_MESSAGE_MESSAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/message.h>

/* Frees what `message` owns, not its block. The owned fields are zeroed, so doing it twice is harmless; an opaque
 * type's `drop` is called each time. Yields: no. */
void cedei_message_clear(const struct cede_type *type, void *message);

/* Has `move` give every block that `message` owns another address, and stores what it returns (which may be the same). What an opaque
 * type holds stays. */
typedef void *cedei_block_move_fn(void *block, size_t size);
void cedei_message_move(const struct cede_type *type, void *message, cedei_block_move_fn *move);

/* The bytes of the message and of what it owns, as the blocks that were taken for them: for what was set (text, bytes) or reserved
 * (lists); what others share, and what an opaque type holds, is not counted. */
size_t cedei_message_weight(const struct cede_type *type, const void *message);

struct cedei_msg;
/* Where a decoder gets the frozen messages from that a message holds by shared(T); may be NULL if it holds none. */
struct cedei_maker {
    struct cedei_msg *(*make)(void *context, struct cede_type *type); /* NULL: no memory */
    void (*release)(void *context, struct cedei_msg *msg);
    void *context;
};

/* How many bytes cedei_message_encode writes. CEDE_ENOTSUP: opaque; CEDE_EINVAL: an enum or a tag out of its
 * range, or text, bytes or a list with a size but no memory; CEDE_ETOOBIG: more than SIZE_MAX; CEDE_ENOMEM: more than a few
 * boxes. `*size` is untouched then. */
CEDE_NODISCARD cede_result cedei_message_encoded_size(const struct cede_type *type,
                                                      const void *message, size_t *size);

/* Writes the message to the `size` bytes at `out`, which must be what cedei_message_encoded_size said (CEDE_ETOOBIG if
 * it is not). Errors as there; what `out` holds is unspecified then.
 *
 * The encoding: fields in order, without gaps, little-endian. Integers, floats (IEEE 754 bits) and enums (4 bytes) as
 * they are; bool 0 or 1; a ref as u64 node, u32 slot, u32 generation; text, bytes and lists as a u32 count and their
 * elements; arrays as their elements; nested messages as their fields; a variant as the u32 number of its alternative and
 * that; a box, or a reference to a frozen message, as u32 0 or 1. The contents of boxes stand behind the message, in the order in which the boxes were met: first
 * those of the message itself, then those inside the first of them, and so on. */
CEDE_NODISCARD cede_result cedei_message_encode(const struct cede_type *type, const void *message,
                                                uint8_t *out, size_t size);

/* Reads a message that fills exactly the `size` bytes at `bytes`, which may come from anybody, into the struct at
 * `message` (type->size bytes, content irrelevant). On CEDE_OK the struct owns what was built. Otherwise nothing was
 * kept and the struct is zeroed: CEDE_EBADMSG the bytes are no such message; CEDE_ENOMEM; CEDE_ENOTSUP opaque, or it
 * holds a shared(T) and `maker` is NULL.
 * Memory: each byte of input justifies memory once. Blocks hold at most CEDEI_GROWTH_MAX bytes for a byte of input
 * (CEDEI_VARIANT_GROWTH_MAX in lists of variants and in boxes), one byte more for each non-empty text, and there is at
 * most one block for 5 bytes of input (a length and one byte behind it; for boxes: for 4). */
CEDE_NODISCARD cede_result cedei_message_decode(const struct cede_type *type, const uint8_t *bytes,
                                                size_t size, const struct cedei_maker *maker,
                                                void *message);

/* Calls `visit` for every ref in the message until it fails; returns what it said. CEDE_ENOMEM: more than a few boxes. */
typedef cede_result cedei_ref_fn(void *context, cede_ref ref);
CEDE_NODISCARD cede_result cedei_message_refs(const struct cede_type *type, const void *message,
                                              cedei_ref_fn *visit, void *context);

/* The number that names the type on a link: a hash of its name. Never 0. */
uint64_t cedei_type_id(const struct cede_type *type);

/* The type with that number among all that this process has loaded, NULL if there is none. Lock-free. */
struct cede_type *cedei_type_find(uint64_t id);

/* Registered types have numbers from 1 to cedei_types_count() (below CEDEI_TYPES_MAX); further ones have 0. Any thread. */
enum { CEDEI_TYPES_MAX = 1024 };
/* `tally` of a type is its number times this. */
enum { CEDEI_TYPE_TALLY = 64 };
uint32_t cedei_types_count(void);
struct cede_type *cedei_type_at(uint32_t index);
/* Sets the bit, of CEDEI_TYPES_MAX, of every type here that has this id and schema hash. */
void cedei_types_mark(uint64_t id, uint64_t schema, _Atomic(uint64_t) *bits);

#endif
