#ifndef PARCEL_H
#define PARCEL_H
#include <cede/cede.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#define STAMP(F) F(u32, cents) F(str, text)
CEDE_MESSAGE(stamp, STAMP);
#define PARCEL(F) F(u64, id) F(u32, weight) F(str, address) F(bytes, body) F(opt(stamp), stamp) F(list(stamp), more) F(opt(parcel), next) F(ref, back) F(array(u8, 8), key) F(msg(stamp), first)
CEDE_MESSAGE(parcel, PARCEL);
#define ACK(F) F(u64, id) F(bool, ok)
CEDE_MESSAGE(ack, ACK);
typedef struct parcel parcel_t;
struct depot { cede_ref next; cede_ref to[4]; struct parcel *held; struct parcel *ring[8]; unsigned head, tail; uint64_t count; char last[64]; struct { struct { struct parcel *p; } in; } deep; };
void note(uint64_t id);
void note_text(const char *t);
static inline void parcel_trace(const struct parcel *p) { printf("%llu\n", (unsigned long long)p->id); }
static inline cede_result parcel_forward(cede_self *self, cede_ref to, struct parcel **p) { return cede_send(self, to, p); }
#endif
