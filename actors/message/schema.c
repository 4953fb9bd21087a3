/* schema.c - numbers that stand for a type: for its name on a link, and for its name with all its fields.
 * Both are FNV-1a, 64 bits, over bytes that do not depend on machine, compiler or process, and then mixed. They tell
 * apart programs that differ by mistake; they are no protection against a peer that lies. */
#include <stdatomic.h>
#include <string.h>

#include "actors/message/field.h"
#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"

#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/* The numbers below go into the hash: a change of encoding must change this. A type that has boxes, variants or must() in
 * it, at any depth, is hashed in the second format, which can say them; all others in the first. */
enum { SCHEMA_FORMAT = 1, SCHEMA_FORMAT_LATER = 2 };

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const uint8_t *b = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ b[i]) * FNV_PRIME;
    return hash;
}

static uint64_t hash_u64(uint64_t hash, uint64_t value) {
    uint8_t b[8];
    for (int i = 0; i < 8; i++) b[i] = (uint8_t)(value >> (8 * i));
    return hash_bytes(hash, b, sizeof b);
}

/* With the NUL, so that "ab" "c" and "a" "bc" differ. */
static uint64_t hash_text(uint64_t hash, const char *text) {
    return hash_bytes(hash, text, strlen(text) + 1);
}

/* FNV's low bits are weak; spread them. Never 0, which means "not computed". */
static uint64_t hash_finish(uint64_t hash) {
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53u;
    hash ^= hash >> 33;
    return hash == 0 ? 1 : hash;
}

static uint64_t hash_field(uint64_t hash, const struct cedei_field *field) {
    hash = hash_text(hash, field->name);
    hash = hash_u64(hash, field->kind);
    hash = hash_u64(hash, field->shape);
    hash = hash_u64(hash, field->count);
    if (field->kind == CEDEI_FIELD_ENUM) {
        hash = hash_u64(hash, (uint64_t)field->min);
        hash = hash_u64(hash, (uint64_t)field->max);
    }
    return field->nested == NULL ? hash : hash_u64(hash, cede_schema_hash(field->nested));
}

static uint64_t hash_type(const struct cede_type *type) {
    uint64_t hash = hash_u64(FNV_START, SCHEMA_FORMAT);
    hash = hash_text(hash, type->name);
    hash = hash_u64(hash, type->field_count);
    hash = hash_u64(hash, (type->holds & CEDEI_HOLDS_OPAQUE) != 0);
    const struct cedei_field *field = cedei_type_fields(type);
    for (uint32_t i = 0; i < type->field_count; i++) hash = hash_field(hash, &field[i]);
    return hash_finish(hash);
}

/* Types that may hold each other: each once, in the order of their first mention, and named by its place in that. */
static uint64_t hash_walk(struct cede_type *first) {
    struct cedei_type_walk walk;
    uint64_t hash = hash_u64(FNV_START, SCHEMA_FORMAT_LATER);
    cedei_type_walk_begin(&walk, first);
    for (struct cede_type *type = first; type != NULL; type = type->walk_next) {
        hash = hash_text(hash, type->name);
        hash = hash_u64(hash, type->field_count);
        hash = hash_u64(hash, (type->holds & CEDEI_HOLDS_OPAQUE) != 0);
        hash = hash_u64(hash, type->tag_size != 0);
        const struct cedei_field *field = cedei_type_fields(type);
        for (uint32_t i = 0; i < type->field_count; i++, field++) {
            hash = hash_text(hash, field->name);
            hash = hash_u64(hash, field->kind);
            hash = hash_u64(hash, field->shape);
            hash = hash_u64(hash, field->flags);
            hash = hash_u64(hash, field->count);
            hash = hash_u64(hash, (uint64_t)field->min);
            hash = hash_u64(hash, (uint64_t)field->max);
            if (field->nested != NULL)
                hash = hash_u64(hash, cedei_type_walk_add(&walk, field->nested));
        }
    }
    cedei_type_walk_end();
    return hash_finish(hash);
}

uint64_t cede_schema_hash(const struct cede_type *type) {
    /* The object is a variable; `const` is the caller's promise not to change what it says. */
    struct cede_type *own = (struct cede_type *)(uintptr_t)type;
    _Atomic(uint64_t) *cached = (_Atomic(uint64_t) *)&own->schema_hash_cached;
    /* relaxed: the number depends on constants only; who sees 0 computes the same one. */
    uint64_t hash = atomic_load_explicit(cached, memory_order_relaxed);
    if (hash != 0) return hash;
    hash = cedei_type_traits(type) & CEDEI_TRAIT_LATER ? hash_walk(own) : hash_type(type);
    /* relaxed: as above. */
    atomic_store_explicit(cached, hash, memory_order_relaxed);
    return hash;
}

uint64_t cedei_type_id(const struct cede_type *type) {
    _Atomic(uint64_t) *cached = (_Atomic(uint64_t) *)(uintptr_t)&type->id_cached;
    /* relaxed: as in cede_schema_hash. */
    uint64_t id = atomic_load_explicit(cached, memory_order_relaxed);
    if (id != 0) return id;
    id = hash_finish(hash_text(FNV_START, type->name));
    /* relaxed: as in cede_schema_hash. */
    atomic_store_explicit(cached, id, memory_order_relaxed);
    return id;
}

uint32_t cedei_field_id(const char *name) {
    return (uint32_t)hash_finish(hash_text(FNV_START, name));
}
