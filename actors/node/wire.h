/* wire.h - what two nodes say to each other, as bytes: pure functions, little-endian, fixed layouts.
 *
 * A frame is a header of 16 bytes { u32 size of the body, u8 type, u8 flags, u16 zero, u64 number } and a body. Frames
 * of either lane are numbered from 0 on; a number that is not the next one closes the link.
 *
 *   type    | lane    | body                                                    | allowed
 *   HELLO   | control | struct cedei_hello                                      | first, once
 *   READY   | control | u64 stamp                                               | after HELLO, once
 *   PING    | control | -                                                       | after READY
 *   PONG    | control | -                                                       | after READY
 *   TYPES   | control | any number of { u64 type, u64 schema }                  | after READY
 *   CREDIT  | control | actor, u32 messages, u64 bytes                          | after READY
 *   MONITOR | control | actor watcher (sender's), actor target (receiver's)     | after READY
 *   BOUNCE  | control | actor target, u32 reason, u64 type: not delivered       | after READY
 *   DATA    | data    | struct cedei_data_head, message                         | after READY
 *   REPLY   | data    | struct cedei_reply_head, message if code is 0           | after READY
 *   DOWN    | data    | actor watcher (receiver's), actor target, u32 reason    | after READY
 *   REFUSE  | control | u32 reason                                              | before READY; the last one
 *   GOODBYE | data    | u32 reason                                              | after READY; the last one
 *   actor = u32 slot, u32 generation; the node that it lives in follows from the direction. */
#ifndef CEDEI_NODE_WIRE_H
#define CEDEI_NODE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/result.h>

#define CEDEI_WIRE_MAGIC 0x45444543u /* "CEDE" */
/* 2: requests say how long their asker waits; askers are named by their slot alone. */
#define CEDEI_WIRE_VERSION_MIN 2u
#define CEDEI_WIRE_VERSION_MAX 2u

#define CEDEI_FRAME_HEADER_SIZE 16u
/* Whole frames before READY; an unknown peer gets no more memory than this. */
#define CEDEI_FRAME_HANDSHAKE_MAX 256u
#define CEDEI_FRAME_MAX_DEFAULT (16u * 1024u * 1024u)
#define CEDEI_FRAME_MAX_LEAST 4096u
#define CEDEI_NODE_NAME_MAX 63u

enum cedei_lane { CEDEI_LANE_CONTROL, CEDEI_LANE_DATA, CEDEI_LANE_COUNT };

enum cedei_frame_type {
    CEDEI_FRAME_HELLO = 1,
    CEDEI_FRAME_READY,
    CEDEI_FRAME_REFUSE,
    CEDEI_FRAME_PING,
    CEDEI_FRAME_PONG,
    CEDEI_FRAME_CREDIT,
    CEDEI_FRAME_MONITOR,
    CEDEI_FRAME_BOUNCE,
    CEDEI_FRAME_DATA,
    CEDEI_FRAME_REPLY,
    CEDEI_FRAME_DOWN,
    CEDEI_FRAME_GOODBYE,
    CEDEI_FRAME_TYPES,
    CEDEI_FRAME_DEMONITOR, /* as MONITOR */
    CEDEI_FRAME_TYPE_END
};

/* A receiver that does not know the type closes the link; without this flag it skips the frame. */
#define CEDEI_FLAG_MUST_UNDERSTAND 1u
#define CEDEI_FLAG_DATA_LANE 2u

struct cedei_frame {
    uint32_t size; /* bytes of the body */
    uint8_t type;
    uint8_t flags;
    uint64_t sequence;
};

enum cedei_lane cedei_frame_lane(enum cedei_frame_type type);
uint8_t cedei_frame_flags(enum cedei_frame_type type);
void cedei_frame_write(const struct cedei_frame *frame, uint8_t out[CEDEI_FRAME_HEADER_SIZE]);
/* CEDE_EPROTO: the reserved bytes are not zero, or a known type is on the wrong lane. */
cede_result cedei_frame_read(const uint8_t in[CEDEI_FRAME_HEADER_SIZE], struct cedei_frame *out);

/* Says in TYPES how it declares its message types, and reads messages of types that are declared otherwise: `schema` in a
 * head is then CEDEI_SCHEMA_TAGGED. */
#define CEDEI_FEATURE_TYPES 1u
#define CEDEI_TYPES_ENTRY_SIZE 16u
/* In one frame; as much as the smallest frame_max holds. */
#define CEDEI_TYPES_ENTRIES_MAX (CEDEI_FRAME_MAX_LEAST / CEDEI_TYPES_ENTRY_SIZE)

/* Who a node is and what it can take. */
struct cedei_hello {
    uint16_t version_min, version_max;
    uint32_t features;          /* bits that it knows */
    uint32_t features_required; /* bits that the other side must know */
    uint64_t uid;               /* of this start of the process */
    uint64_t nonce;             /* random for this link */
    uint32_t frame_max;         /* bytes of a body that it accepts */
    uint32_t window_messages;   /* messages that may wait for one of its actors */
    uint32_t window_bytes;      /* and their bytes */
    char name[CEDEI_NODE_NAME_MAX + 1];
    char cluster[CEDEI_NODE_NAME_MAX + 1];
};

#define CEDEI_HELLO_SIZE_MAX                                                                       \
    (4u + 2u + 2u + 4u + 4u + 8u + 8u + 4u + 4u + 4u + 2u * (1u + CEDEI_NODE_NAME_MAX))

/* 1 to CEDEI_NODE_NAME_MAX characters out of A-Z a-z 0-9 . _ - */
bool cedei_node_name_valid(const char *name);
size_t cedei_hello_size(const struct cedei_hello *hello);
void cedei_hello_write(const struct cedei_hello *hello, uint8_t *out);
/* CEDE_EPROTO: no HELLO, or one that no honest node writes. Bytes behind what we know are a later version's. */
cede_result cedei_hello_read(const uint8_t *bytes, size_t size, struct cedei_hello *out);
/* Whether `own` may talk to `peer`. CEDE_EVERSION no common version or a feature missing; CEDE_EACCES another cluster;
 * CEDE_EINVAL it is ourselves; CEDE_EEXIST another node with our name. */
cede_result cedei_hello_judge(const struct cedei_hello *own, const struct cedei_hello *peer);

struct cedei_wire_actor {
    uint32_t slot;
    uint32_t generation;
};

struct cedei_data_head {
    struct cedei_wire_actor target;
    uint64_t type_id;
    uint64_t schema;
    uint32_t asker_slot;   /* in the sender's node */
    uint32_t ask_sequence; /* which of its waits; 0: no reply is expected */
    uint64_t left_ns;      /* how long it waits from now on; UINT64_MAX: no limit, or no reply */
};

struct cedei_reply_head {
    uint32_t asker_slot; /* in the receiver's node */
    uint32_t ask_sequence;
    cede_result code; /* CEDE_OK: a message follows */
    uint64_t type_id;
    uint64_t schema;
};

struct cedei_credit {
    struct cedei_wire_actor target; /* in the sender's node */
    uint32_t messages;
    uint64_t bytes;
};

/* MONITOR (reason unused), DOWN, BOUNCE (watcher unused). */
struct cedei_notice {
    struct cedei_wire_actor watcher;
    struct cedei_wire_actor target;
    cede_result reason;
    uint64_t type_id; /* BOUNCE only */
};

#define CEDEI_DATA_HEAD_SIZE 40u
#define CEDEI_REPLY_HEAD_SIZE 28u
#define CEDEI_READY_SIZE 8u
#define CEDEI_CREDIT_SIZE 20u
#define CEDEI_MONITOR_SIZE 16u
#define CEDEI_DOWN_SIZE 20u
#define CEDEI_BOUNCE_SIZE 20u
#define CEDEI_GOODBYE_SIZE 4u

/* What a DATA frame counts against windows, on both sides: its body, and about what a message costs that waits. */
#define CEDEI_CHARGE_FIXED 128u
static inline uint32_t cedei_data_charge(size_t body_size) {
    return (uint32_t)body_size + CEDEI_CHARGE_FIXED;
}

/* Writers fill exactly the size above. Readers give CEDE_EPROTO for another size (heads: for less), or for a value out
 * of range; a result code that this build does not know becomes CEDE_EFAILED. */
void cedei_data_head_write(const struct cedei_data_head *head, uint8_t *out);
cede_result cedei_data_head_read(const uint8_t *bytes, size_t size, struct cedei_data_head *out);
void cedei_reply_head_write(const struct cedei_reply_head *head, uint8_t *out);
cede_result cedei_reply_head_read(const uint8_t *bytes, size_t size, struct cedei_reply_head *out);
void cedei_ready_write(uint64_t stamp, uint8_t *out);
cede_result cedei_ready_read(const uint8_t *bytes, size_t size, uint64_t *stamp);
struct cedei_types_entry {
    uint64_t type_id;
    uint64_t schema;
};
void cedei_types_entry_write(const struct cedei_types_entry *entry, uint8_t *out);
/* Entry `index` of the frame; CEDE_EPROTO: its size is none. Past the last one: CEDE_ENOENT. */
cede_result cedei_types_entry_read(const uint8_t *bytes, size_t size, size_t index,
                                   struct cedei_types_entry *out);
void cedei_credit_write(const struct cedei_credit *credit, uint8_t *out);
cede_result cedei_credit_read(const uint8_t *bytes, size_t size, struct cedei_credit *out);
void cedei_monitor_write(const struct cedei_notice *notice, uint8_t *out);
cede_result cedei_monitor_read(const uint8_t *bytes, size_t size, struct cedei_notice *out);
void cedei_down_write(const struct cedei_notice *notice, uint8_t *out);
cede_result cedei_down_read(const uint8_t *bytes, size_t size, struct cedei_notice *out);
void cedei_bounce_write(const struct cedei_notice *notice, uint8_t *out);
cede_result cedei_bounce_read(const uint8_t *bytes, size_t size, struct cedei_notice *out);
void cedei_goodbye_write(cede_result reason, uint8_t *out);
cede_result cedei_goodbye_read(const uint8_t *bytes, size_t size, cede_result *reason);

#endif
