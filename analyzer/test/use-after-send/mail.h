/* mail.h - a message with all kinds of parts, and an actor's state that can hold on to them. */
#ifndef MAIL_H
#define MAIL_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cede/cede.h>
#define PART(F) F(u32, kind) F(str, text)
CEDE_MESSAGE(part, PART);
#define MAIL(F)                                                                                    \
    F(u64, id)                                                                                     \
    F(str, subject) F(bytes, body) F(array(u8, 32), digest) F(list(part), parts)                   \
        F(msg(part), head) F(ref, from)
CEDE_MESSAGE(mail, MAIL);
#define RECEIPT(F) F(u64, id) F(bool, accepted)
CEDE_MESSAGE(receipt, RECEIPT);
struct box {
    struct mail *mail;
    int n;
};
struct post {
    cede_ref hub, peers[8];
    struct mail *last;
    struct box boxes[4];
    uint64_t sum;
    const char *subject;
};
void audit(const char *text);
void audit_id(uint64_t id);
#endif
