/* account.c - the accounts of a node; see account.h.
 * Owns their memory. Invariants: (1) a number stands for the same memory for as long as the node lives; (2) an account is free
 * when its debt has ended and nothing is inside, hence once. */
#include "actors/node/account.h"

#include <string.h>

#include "core/sys/alloc.h"

void cedei_accounts_init(struct cedei_accounts *accounts) {
    memset(accounts, 0, sizeof *accounts);
    cedei_mutex_init(&accounts->lock);
}

void cedei_accounts_fini(struct cedei_accounts *accounts) {
    for (uint32_t i = 0; i < accounts->chunk_count; i++) cedei_free(accounts->chunks[i]);
    cedei_mutex_fini(&accounts->lock);
}

/* Numbers count from 1 on: 64 in the first chunk, 128 in the next. */
static struct cedei_account *account_at(struct cedei_accounts *accounts, uint32_t number) {
    uint32_t index = number - 1 + CEDEI_ACCOUNT_CHUNK_FIRST;
    uint32_t chunk = 31 - (uint32_t)__builtin_clz(index / CEDEI_ACCOUNT_CHUNK_FIRST);
    return &accounts->chunks[chunk][index - (CEDEI_ACCOUNT_CHUNK_FIRST << chunk)];
}

/* Under the lock. */
static void chunk_add(struct cedei_accounts *accounts) {
    uint32_t i = accounts->chunk_count, count = CEDEI_ACCOUNT_CHUNK_FIRST << i;
    if (i == CEDEI_ACCOUNT_CHUNKS) return;
    struct cedei_account *chunk =
        cedei_alloc_aligned(CEDEI_CACHE_LINE, (size_t)count * sizeof *chunk);
    if (chunk == NULL) return;
    memset(chunk, 0, (size_t)count * sizeof *chunk);
    for (uint32_t k = count; k-- > 0;) {
        chunk[k].number = count - CEDEI_ACCOUNT_CHUNK_FIRST + k + 1;
        chunk[k].next = accounts->free;
        accounts->free = &chunk[k];
    }
    accounts->chunks[i] = chunk;
    accounts->chunk_count++;
}

struct cedei_account *cedei_account_open(struct cedei_accounts *accounts, uint32_t link) {
    cedei_mutex_lock(&accounts->lock);
    if (accounts->free == NULL) chunk_add(accounts);
    struct cedei_account *account = accounts->free;
    if (account != NULL) accounts->free = account->next;
    cedei_mutex_unlock(&accounts->lock);
    if (account == NULL) return NULL;
    /* relaxed (all): whoever comes late for the last debt takes these for a hint. */
    atomic_store_explicit(&account->link, link, memory_order_relaxed);
    atomic_store_explicit(&account->note_at, 1, memory_order_relaxed);
    atomic_store_explicit(&account->word, 0, memory_order_relaxed);
    return account;
}

static void account_give(struct cedei_accounts *accounts, struct cedei_account *account) {
    cedei_mutex_lock(&accounts->lock);
    account->next = accounts->free;
    accounts->free = account;
    cedei_mutex_unlock(&accounts->lock);
}

static bool is_inside(uint64_t word) {
    return (word & ~(CEDEI_ACCOUNT_LISTED | CEDEI_ACCOUNT_CLOSED)) >= CEDEI_ACCOUNT_INSIDE;
}

void cedei_account_close(struct cedei_accounts *accounts, struct cedei_account *account) {
    /* acq_rel: pairs with itself in cedei_account_leave and withdraw: one of all is the last, and behind the others. */
    uint64_t before =
        atomic_fetch_or_explicit(&account->word, CEDEI_ACCOUNT_CLOSED, memory_order_acq_rel);
    if (!is_inside(before)) account_give(accounts, account);
}

void cedei_account_enter(struct cedei_account *account, uint32_t count) {
    /* relaxed: the messages themselves are published by the mailbox. */
    atomic_fetch_add_explicit(&account->word, count * CEDEI_ACCOUNT_INSIDE, memory_order_relaxed);
}

void cedei_account_withdraw(struct cedei_accounts *accounts, struct cedei_account *account,
                            uint32_t count) {
    uint64_t less = count * CEDEI_ACCOUNT_INSIDE;
    /* acq_rel: as in cedei_account_close. */
    uint64_t now = atomic_fetch_sub_explicit(&account->word, less, memory_order_acq_rel) - less;
    if ((now & CEDEI_ACCOUNT_CLOSED) != 0 && !is_inside(now)) account_give(accounts, account);
}

bool cedei_account_leave(struct cedei_accounts *accounts, uint32_t number, uint32_t *link) {
    struct cedei_account *account = account_at(accounts, number);
    const uint64_t less = CEDEI_ACCOUNT_INSIDE - 1; /* one inside less, one more that has left */
    /* relaxed (both): hints, read before the account may be another debt's; then they lead to a look for nothing. */
    uint32_t note_at = atomic_load_explicit(&account->note_at, memory_order_relaxed);
    *link = atomic_load_explicit(&account->link, memory_order_relaxed);
    /* acq_rel: as in cedei_account_close. */
    uint64_t now = atomic_fetch_sub_explicit(&account->word, less, memory_order_acq_rel) - less;
    if ((now & CEDEI_ACCOUNT_CLOSED) != 0) {
        if (!is_inside(now)) account_give(accounts, account);
        return false;
    }
    return (now & CEDEI_ACCOUNT_LISTED) == 0 || (now & CEDEI_ACCOUNT_LEFT) >= note_at;
}

uint32_t cedei_account_take(struct cedei_account *account) {
    /* relaxed (both): counts; nobody else takes any away meanwhile. */
    uint64_t left = atomic_load_explicit(&account->word, memory_order_relaxed) & CEDEI_ACCOUNT_LEFT;
    if (left != 0) atomic_fetch_sub_explicit(&account->word, left, memory_order_relaxed);
    return (uint32_t)left;
}

void cedei_account_list(struct cedei_account *account, bool listed) {
    /* relaxed (both): of this word alone: who takes a message out either finds the bit, or what it took is found behind it. */
    if (listed)
        atomic_fetch_or_explicit(&account->word, CEDEI_ACCOUNT_LISTED, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&account->word, ~CEDEI_ACCOUNT_LISTED, memory_order_relaxed);
}

void cedei_account_note_at(struct cedei_account *account, uint32_t count) {
    /* relaxed: when to note is a matter of time. */
    atomic_store_explicit(&account->note_at, count, memory_order_relaxed);
}
