/* wire.c - the frames between two nodes as bytes; see wire.h.
 * Owns nothing. Invariant: whatever was read is in range, whoever wrote it; readers touch bytes through the cursor only. */
#include <string.h>

#include "actors/message/cursor.h"
#include "actors/node/wire.h"

enum cedei_lane cedei_frame_lane(enum cedei_frame_type type) {
    return type >= CEDEI_FRAME_DATA && type <= CEDEI_FRAME_GOODBYE ? CEDEI_LANE_DATA
                                                                   : CEDEI_LANE_CONTROL;
}

uint8_t cedei_frame_flags(enum cedei_frame_type type) {
    bool data = cedei_frame_lane(type) == CEDEI_LANE_DATA;
    return (uint8_t)(CEDEI_FLAG_MUST_UNDERSTAND | (data ? CEDEI_FLAG_DATA_LANE : 0u));
}

static uint8_t *put_u8(uint8_t *out, uint8_t value) {
    *out = value;
    return out + 1;
}

static uint8_t *put_u16(uint8_t *out, uint16_t value) {
    return put_u8(put_u8(out, (uint8_t)value), (uint8_t)(value >> 8));
}

static uint8_t *put_u32(uint8_t *out, uint32_t value) {
    return put_u16(put_u16(out, (uint16_t)value), (uint16_t)(value >> 16));
}

static uint8_t *put_u64(uint8_t *out, uint64_t value) {
    return put_u32(put_u32(out, (uint32_t)value), (uint32_t)(value >> 32));
}

static uint8_t *put_actor(uint8_t *out, struct cedei_wire_actor actor) {
    return put_u32(put_u32(out, actor.slot), actor.generation);
}

static uint8_t *put_name(uint8_t *out, const char *name) {
    size_t size = strlen(name);
    out = put_u8(out, (uint8_t)size);
    memcpy(out, name, size);
    return out + size;
}

static bool take_actor(struct cedei_cursor *cursor, struct cedei_wire_actor *out) {
    return cedei_cursor_u32(cursor, &out->slot) && cedei_cursor_u32(cursor, &out->generation);
}

/* A code of a later version still says that something failed. */
static bool take_code(struct cedei_cursor *cursor, cede_result *out) {
    uint32_t value = 0;
    if (!cedei_cursor_u32(cursor, &value)) return false;
    *out = value < (uint32_t)CEDEI_RESULT_COUNT ? (cede_result)value : CEDE_EFAILED;
    return true;
}

static bool take_name(struct cedei_cursor *cursor, char out[CEDEI_NODE_NAME_MAX + 1]) {
    uint8_t size = 0;
    const uint8_t *bytes = NULL;
    if (!cedei_cursor_u8(cursor, &size) || size > CEDEI_NODE_NAME_MAX) return false;
    if (!cedei_cursor_bytes(cursor, size, &bytes)) return false;
    memcpy(out, bytes, size);
    out[size] = '\0';
    return strlen(out) == size;
}

/* ---- header ---- */

void cedei_frame_write(const struct cedei_frame *frame, uint8_t out[CEDEI_FRAME_HEADER_SIZE]) {
    out = put_u32(out, frame->size);
    out = put_u8(out, frame->type);
    out = put_u8(out, frame->flags);
    out = put_u16(out, 0);
    (void)put_u64(out, frame->sequence);
}

cede_result cedei_frame_read(const uint8_t in[CEDEI_FRAME_HEADER_SIZE], struct cedei_frame *out) {
    struct cedei_cursor cursor = cedei_cursor_over(in, CEDEI_FRAME_HEADER_SIZE);
    struct cedei_frame frame;
    uint16_t zero = 0;
    if (!cedei_cursor_u32(&cursor, &frame.size) || !cedei_cursor_u8(&cursor, &frame.type) ||
        !cedei_cursor_u8(&cursor, &frame.flags) || !cedei_cursor_u16(&cursor, &zero) ||
        !cedei_cursor_u64(&cursor, &frame.sequence)) {
        return CEDE_EPROTO;
    }
    bool known = frame.type >= CEDEI_FRAME_HELLO && frame.type < CEDEI_FRAME_TYPE_END;
    if (zero != 0) return CEDE_EPROTO;
    if (known && frame.flags != cedei_frame_flags((enum cedei_frame_type)frame.type))
        return CEDE_EPROTO;
    *out = frame;
    return CEDE_OK;
}

/* ---- HELLO ---- */

bool cedei_node_name_valid(const char *name) {
    size_t size = strnlen(name, CEDEI_NODE_NAME_MAX + 1);
    if (size == 0 || size > CEDEI_NODE_NAME_MAX) return false;
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-';
        if (!good) return false;
    }
    return true;
}

size_t cedei_hello_size(const struct cedei_hello *hello) {
    size_t names = strlen(hello->name) + strlen(hello->cluster);
    return CEDEI_HELLO_SIZE_MAX - 2u * CEDEI_NODE_NAME_MAX + names;
}

void cedei_hello_write(const struct cedei_hello *hello, uint8_t *out) {
    out = put_u32(out, CEDEI_WIRE_MAGIC);
    out = put_u16(out, hello->version_min);
    out = put_u16(out, hello->version_max);
    out = put_u32(out, hello->features);
    out = put_u32(out, hello->features_required);
    out = put_u64(out, hello->uid);
    out = put_u64(out, hello->nonce);
    out = put_u32(out, hello->frame_max);
    out = put_u32(out, hello->window_messages);
    out = put_u32(out, hello->window_bytes);
    out = put_name(out, hello->name);
    (void)put_name(out, hello->cluster);
}

cede_result cedei_hello_read(const uint8_t *bytes, size_t size, struct cedei_hello *out) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct cedei_hello hello;
    uint32_t magic = 0;
    if (!cedei_cursor_u32(&cursor, &magic) || magic != CEDEI_WIRE_MAGIC) return CEDE_EPROTO;
    if (!cedei_cursor_u16(&cursor, &hello.version_min) ||
        !cedei_cursor_u16(&cursor, &hello.version_max) ||
        !cedei_cursor_u32(&cursor, &hello.features) ||
        !cedei_cursor_u32(&cursor, &hello.features_required) ||
        !cedei_cursor_u64(&cursor, &hello.uid) || !cedei_cursor_u64(&cursor, &hello.nonce) ||
        !cedei_cursor_u32(&cursor, &hello.frame_max) ||
        !cedei_cursor_u32(&cursor, &hello.window_messages) ||
        !cedei_cursor_u32(&cursor, &hello.window_bytes) || !take_name(&cursor, hello.name) ||
        !take_name(&cursor, hello.cluster)) {
        return CEDE_EPROTO;
    }
    if (hello.uid == 0 || hello.version_min > hello.version_max) return CEDE_EPROTO;
    if (hello.frame_max < CEDEI_FRAME_MAX_LEAST) return CEDE_EPROTO;
    if (hello.window_messages == 0 || hello.window_bytes == 0) return CEDE_EPROTO;
    if (!cedei_node_name_valid(hello.name) || !cedei_node_name_valid(hello.cluster))
        return CEDE_EPROTO;
    *out = hello;
    return CEDE_OK;
}

cede_result cedei_hello_judge(const struct cedei_hello *own, const struct cedei_hello *peer) {
    if (peer->version_min > own->version_max || peer->version_max < own->version_min) {
        return CEDE_EVERSION;
    }
    if ((peer->features_required & ~own->features) != 0) return CEDE_EVERSION;
    if ((own->features_required & ~peer->features) != 0) return CEDE_EVERSION;
    if (strcmp(own->cluster, peer->cluster) != 0) return CEDE_EACCES;
    if (own->uid == peer->uid) return CEDE_EINVAL;
    if (strcmp(own->name, peer->name) == 0) return CEDE_EEXIST;
    return CEDE_OK;
}

/* ---- the rest ---- */

void cedei_data_head_write(const struct cedei_data_head *head, uint8_t *out) {
    out = put_actor(out, head->target);
    out = put_u64(out, head->type_id);
    out = put_u64(out, head->schema);
    out = put_u32(out, head->asker_slot);
    out = put_u32(out, head->ask_sequence);
    (void)put_u64(out, head->left_ns);
}

cede_result cedei_data_head_read(const uint8_t *bytes, size_t size, struct cedei_data_head *out) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct cedei_data_head head;
    if (!take_actor(&cursor, &head.target) || !cedei_cursor_u64(&cursor, &head.type_id) ||
        !cedei_cursor_u64(&cursor, &head.schema) || !cedei_cursor_u32(&cursor, &head.asker_slot) ||
        !cedei_cursor_u32(&cursor, &head.ask_sequence) ||
        !cedei_cursor_u64(&cursor, &head.left_ns)) {
        return CEDE_EPROTO;
    }
    *out = head;
    return CEDE_OK;
}

void cedei_reply_head_write(const struct cedei_reply_head *head, uint8_t *out) {
    out = put_u32(out, head->asker_slot);
    out = put_u32(out, head->ask_sequence);
    out = put_u32(out, (uint32_t)head->code);
    out = put_u64(out, head->type_id);
    (void)put_u64(out, head->schema);
}

cede_result cedei_reply_head_read(const uint8_t *bytes, size_t size, struct cedei_reply_head *out) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct cedei_reply_head head;
    if (!cedei_cursor_u32(&cursor, &head.asker_slot) ||
        !cedei_cursor_u32(&cursor, &head.ask_sequence) || !take_code(&cursor, &head.code) ||
        !cedei_cursor_u64(&cursor, &head.type_id) || !cedei_cursor_u64(&cursor, &head.schema)) {
        return CEDE_EPROTO;
    }
    *out = head;
    return CEDE_OK;
}

void cedei_ready_write(uint64_t stamp, uint8_t *out) { (void)put_u64(out, stamp); }

cede_result cedei_ready_read(const uint8_t *bytes, size_t size, uint64_t *stamp) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    return size == CEDEI_READY_SIZE && cedei_cursor_u64(&cursor, stamp) ? CEDE_OK : CEDE_EPROTO;
}

void cedei_types_entry_write(const struct cedei_types_entry *entry, uint8_t *out) {
    out = put_u64(out, entry->type_id);
    (void)put_u64(out, entry->schema);
}

cede_result cedei_types_entry_read(const uint8_t *bytes, size_t size, size_t index,
                                   struct cedei_types_entry *out) {
    if (size % CEDEI_TYPES_ENTRY_SIZE != 0 || size > CEDEI_FRAME_MAX_LEAST) return CEDE_EPROTO;
    if (index >= size / CEDEI_TYPES_ENTRY_SIZE) return CEDE_ENOENT;
    struct cedei_cursor cursor =
        cedei_cursor_over(bytes + index * CEDEI_TYPES_ENTRY_SIZE, CEDEI_TYPES_ENTRY_SIZE);
    bool whole = cedei_cursor_u64(&cursor, &out->type_id) && cedei_cursor_u64(&cursor, &out->schema);
    return whole ? CEDE_OK : CEDE_EPROTO;
}

void cedei_credit_write(const struct cedei_credit *credit, uint8_t *out) {
    out = put_actor(out, credit->target);
    out = put_u32(out, credit->messages);
    (void)put_u64(out, credit->bytes);
}

cede_result cedei_credit_read(const uint8_t *bytes, size_t size, struct cedei_credit *out) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct cedei_credit credit;
    if (size != CEDEI_CREDIT_SIZE || !take_actor(&cursor, &credit.target) ||
        !cedei_cursor_u32(&cursor, &credit.messages) || !cedei_cursor_u64(&cursor, &credit.bytes)) {
        return CEDE_EPROTO;
    }
    *out = credit;
    return CEDE_OK;
}

void cedei_monitor_write(const struct cedei_notice *notice, uint8_t *out) {
    (void)put_actor(put_actor(out, notice->watcher), notice->target);
}

cede_result cedei_monitor_read(const uint8_t *bytes, size_t size, struct cedei_notice *out) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct cedei_notice notice = {.reason = CEDE_OK};
    if (size != CEDEI_MONITOR_SIZE || !take_actor(&cursor, &notice.watcher) ||
        !take_actor(&cursor, &notice.target)) {
        return CEDE_EPROTO;
    }
    *out = notice;
    return CEDE_OK;
}

void cedei_down_write(const struct cedei_notice *notice, uint8_t *out) {
    out = put_actor(put_actor(out, notice->watcher), notice->target);
    (void)put_u32(out, (uint32_t)notice->reason);
}

cede_result cedei_down_read(const uint8_t *bytes, size_t size, struct cedei_notice *out) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct cedei_notice notice = {.type_id = 0};
    if (size != CEDEI_DOWN_SIZE || !take_actor(&cursor, &notice.watcher) ||
        !take_actor(&cursor, &notice.target) || !take_code(&cursor, &notice.reason)) {
        return CEDE_EPROTO;
    }
    *out = notice;
    return CEDE_OK;
}

void cedei_bounce_write(const struct cedei_notice *notice, uint8_t *out) {
    out = put_actor(out, notice->target);
    out = put_u32(out, (uint32_t)notice->reason);
    (void)put_u64(out, notice->type_id);
}

cede_result cedei_bounce_read(const uint8_t *bytes, size_t size, struct cedei_notice *out) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct cedei_notice notice = {.watcher = {0, 0}};
    if (size != CEDEI_BOUNCE_SIZE || !take_actor(&cursor, &notice.target) ||
        !take_code(&cursor, &notice.reason) || !cedei_cursor_u64(&cursor, &notice.type_id)) {
        return CEDE_EPROTO;
    }
    *out = notice;
    return CEDE_OK;
}

void cedei_goodbye_write(cede_result reason, uint8_t *out) { (void)put_u32(out, (uint32_t)reason); }

cede_result cedei_goodbye_read(const uint8_t *bytes, size_t size, cede_result *reason) {
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    return size == CEDEI_GOODBYE_SIZE && take_code(&cursor, reason) ? CEDE_OK : CEDE_EPROTO;
}
