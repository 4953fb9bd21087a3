/* account.h - what leaves mailboxes, counted without a lock until somebody with the link's lock notes it in the debt.
 * Each debt has an account, and each message that came over a link carries the number of its account into the mailbox.
 *
 *   `word`         | changed by                          | what it is
 *   bits 0 to 29   | who takes a message out; who notes  | messages that have left, not noted in the debt yet
 *   bits 30 to 61  | who delivers; who takes one out     | messages inside, on their way into the mailbox or in it
 *   LISTED  bit 62 | under the link's lock               | somebody will look at the debt, in 10 ms at the latest
 *   CLOSED  bit 63 | once, when the debt ends            | nobody notes any more; the last message inside frees the account
 *
 * What is inside keeps the account: it is another debt's only after that. Memory of accounts goes back with the node. */
#ifndef CEDEI_NODE_ACCOUNT_H
#define CEDEI_NODE_ACCOUNT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/base.h"
#include "core/sys/thread.h"

#define CEDEI_ACCOUNT_INSIDE ((uint64_t)1 << 30)
#define CEDEI_ACCOUNT_LISTED ((uint64_t)1 << 62)
#define CEDEI_ACCOUNT_CLOSED ((uint64_t)1 << 63)
#define CEDEI_ACCOUNT_LEFT (CEDEI_ACCOUNT_INSIDE - 1)

/* Access: P = any thread, atomic; I = set once; L = under the table's lock. */
struct cedei_account {
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t word; /* P */
    _Atomic uint32_t note_at; /* P: so many that have left are noted by who took the last one out */
    _Atomic uint32_t link;    /* P: number of the debt's link */
    uint32_t number;          /* I */
    struct cedei_account *next; /* L: in the list of free ones */
};

#define CEDEI_ACCOUNT_CHUNKS 20u
#define CEDEI_ACCOUNT_CHUNK_FIRST 64u

struct cedei_accounts {
    cedei_mutex lock;
    struct cedei_account *free; /* L */
    uint32_t chunk_count;       /* L */
    /* Chunk i has 64 * 2^i. Written under the lock, before any number of an account in it is given away. */
    struct cedei_account *chunks[CEDEI_ACCOUNT_CHUNKS];
};

void cedei_accounts_init(struct cedei_accounts *accounts);
void cedei_accounts_fini(struct cedei_accounts *accounts);
/* An account for a debt of that link, with nothing in it. NULL: memory is short, or there are 64 million. */
struct cedei_account *cedei_account_open(struct cedei_accounts *accounts, uint32_t link);
/* The debt ends; its last message that is inside may still come. */
void cedei_account_close(struct cedei_accounts *accounts, struct cedei_account *account);
/* `count` more are on their way into the mailbox. Under the link's lock. */
void cedei_account_enter(struct cedei_account *account, uint32_t count);
/* The mailbox did not take them. */
void cedei_account_withdraw(struct cedei_accounts *accounts, struct cedei_account *account,
                            uint32_t count);
/* One has left the mailbox. True: to be noted now, in the debt of the link whose number is written to `*link`. Any thread. */
bool cedei_account_leave(struct cedei_accounts *accounts, uint32_t number, uint32_t *link);
/* Those that have left, to be noted. Under the link's lock. */
uint32_t cedei_account_take(struct cedei_account *account);
/* Whether somebody will look at the debt without being told. Under the link's lock. */
void cedei_account_list(struct cedei_account *account, bool listed);
void cedei_account_note_at(struct cedei_account *account, uint32_t count);

#endif
