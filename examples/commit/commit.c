/* commit.c - the actors of a two-phase commit: a bank that coordinates, accounts that take part. */
#include "commit.h"

#define PREPARE(F)                                                                                 \
    F(u64, number)                                                                                 \
    F(i64, amount)                                                                                 \
    F(bool, yes)
CEDE_MESSAGE(prepare, PREPARE);
#define DECISION(F)                                                                                \
    F(u64, number)                                                                                 \
    F(bool, commit)
CEDE_MESSAGE(decision, DECISION);
#define PATIENCE(F) F(u64, number)
CEDE_MESSAGE(patience, PATIENCE);
#define ACCOUNT_OPENING(F)                                                                         \
    F(bool, careful)                                                                               \
    F(i64, balance)                                                                                \
    F(ref, bank)
CEDE_MESSAGE(account_opening, ACCOUNT_OPENING);

#define PATIENCE_NS CEDE_MILLIS(5)
#define VOTE_WITHIN_NS CEDE_MILLIS(50)

/* ---- an account ---- */

struct account {
    int64_t balance, prepared_amount;
    uint64_t prepared; /* number of the transfer that it has voted for and knows no decision of; 0: none */
    cede_ref bank;
    bool careful;
};

static cede_result on_account_opening(cede_self *self, struct account *account,
                                      struct account_opening *m) {
    (void)self;
    account->careful = m->careful;
    account->balance = m->balance;
    account->bank = m->bank;
    return CEDE_OK;
}

/* A vote must be on the disk before it is given. */
static cede_result vote_write(void *message) {
    struct prepare *vote = message;
    vote->yes = true;
    return CEDE_OK;
}

static CEDE_YIELDS cede_result on_prepare(cede_self *self, struct account *account,
                                          struct prepare *m) {
    cede_result r = cede_run_blocking(self, vote_write, &m);
    m->yes = r == CEDE_OK && m->yes && account->prepared == 0;
    if (m->yes) {
        struct patience *patience = cede_new(self, patience);
        if (patience == NULL) return CEDE_ENOMEM;
        account->prepared = patience->number = m->number;
        account->prepared_amount = m->amount;
        r = cede_send_after(self, cede_self_ref(self), &patience, PATIENCE_NS, NULL);
        if (r != CEDE_OK) return r;
    }
    return cede_reply(self, m, &m);
}

static void settle(struct account *account, bool commit) {
    if (commit) account->balance += account->prepared_amount;
    account->prepared = 0;
}

static cede_result on_decision(cede_self *self, struct account *account, struct decision *m) {
    (void)self;
    if (account->prepared == m->number) settle(account, m->commit);
    return CEDE_OK;
}

/* It has voted and heard nothing. The forgotten case: others may have voted yes as well, and the bank may have decided. Only the
 * bank knows; a careful account asks, the other one gives the transfer up. The bank may be asking us at that moment
 * (CEDE_EDEADLK): then it has decided, and the news is in our mailbox; so a careful account has patience once more. */
static CEDE_YIELDS cede_result on_patience(cede_self *self, struct account *account,
                                           struct patience *m) {
    if (account->prepared != m->number) return CEDE_OK;
    if (!account->careful) {
        settle(account, false);
        return CEDE_OK;
    }
    struct decision *question = cede_new(self, decision);
    if (question == NULL) return CEDE_ENOMEM;
    question->number = m->number;
    cede_result r = cede_ask(self, account->bank, &question, decision, &question, CEDE_FOREVER);
    if (r == CEDE_OK) settle(account, question->commit);
    cede_drop(self, &question);
    if (r == CEDE_OK) return CEDE_OK;
    return cede_send_after(self, cede_self_ref(self), &m, PATIENCE_NS, NULL);
}

static cede_result on_account_total(cede_self *self, struct account *account, struct total *m) {
    m->balance = account->balance;
    return cede_reply(self, m, &m);
}

#define ACCOUNT(ON)                                                                                \
    ON(account_opening, on_account_opening)                                                        \
    ON(prepare, on_prepare)                                                                        \
    ON(decision, on_decision)                                                                      \
    ON(patience, on_patience)                                                                      \
    ON(total, on_account_total)
CEDE_BEHAVIOUR(account, struct account, ACCOUNT);

/* ---- the bank ---- */

enum { ACCOUNTS = 2, DECISIONS = 64 };

struct coordinator {
    cede_ref accounts[ACCOUNTS];
    uint64_t number;           /* of the last transfer */
    bool committed[DECISIONS]; /* by number, modulo */
};

static cede_result on_opening(cede_self *self, struct coordinator *state, struct opening *m) {
    cede_result r = CEDE_OK;
    for (int i = 0; r == CEDE_OK && i < ACCOUNTS; i++) {
        struct account_opening *first = cede_new(self, account_opening);
        if (first == NULL) return CEDE_ENOMEM;
        first->careful = m->careful;
        first->balance = m->balance;
        first->bank = cede_self_ref(self);
        r = cede_spawn(self, &account, &first, &state->accounts[i]);
    }
    return r;
}

static CEDE_YIELDS bool vote_ask(cede_self *self, cede_ref to, uint64_t number, int64_t amount) {
    struct prepare *m = cede_new(self, prepare);
    if (m == NULL) return false;
    m->number = number;
    m->amount = amount;
    cede_result r = cede_ask(self, to, &m, prepare, &m, VOTE_WITHIN_NS);
    bool yes = r == CEDE_OK && m->yes;
    cede_drop(self, &m);
    return yes;
}

static CEDE_YIELDS cede_result on_transfer(cede_self *self, struct coordinator *state,
                                           struct transfer *m) {
    uint64_t number = ++state->number;
    bool commit = vote_ask(self, state->accounts[0], number, -m->amount);
    commit = commit && vote_ask(self, state->accounts[1], number, m->amount);
    state->committed[number % DECISIONS] = commit;
    for (int i = 0; i < ACCOUNTS; i++) {
        struct decision *told = cede_new(self, decision);
        if (told == NULL) return CEDE_ENOMEM;
        told->number = number;
        told->commit = commit;
        cede_result r = cede_send_wait(self, state->accounts[i], &told, CEDE_FOREVER);
        if (r != CEDE_OK) return r;
    }
    m->done = commit;
    return cede_reply(self, m, &m);
}

/* From an account that lost patience. */
static cede_result on_question(cede_self *self, struct coordinator *state, struct decision *m) {
    m->commit = state->committed[m->number % DECISIONS];
    return cede_reply(self, m, &m);
}

static CEDE_YIELDS cede_result on_total(cede_self *self, struct coordinator *state,
                                        struct total *m) {
    for (int i = 0; i < ACCOUNTS; i++) {
        struct total *part = cede_new(self, total);
        if (part == NULL) return CEDE_ENOMEM;
        cede_result r = cede_ask(self, state->accounts[i], &part, total, &part, CEDE_FOREVER);
        if (r != CEDE_OK) return r;
        m->balance += part->balance;
        cede_drop(self, &part);
    }
    return cede_reply(self, m, &m);
}

#define BANK(ON)                                                                                   \
    ON(opening, on_opening)                                                                        \
    ON(transfer, on_transfer)                                                                      \
    ON(decision, on_question)                                                                      \
    ON(total, on_total)
CEDE_BEHAVIOUR(bank, struct coordinator, BANK);

/* ---- its client ---- */

CEDE_YIELDS cede_result transfers_make(cede_self *self, cede_ref to, int count, int64_t *total) {
    cede_result r = CEDE_OK;
    for (int i = 0; r == CEDE_OK && i < count; i++) {
        struct transfer *m = cede_new(self, transfer);
        if (m == NULL) return CEDE_ENOMEM;
        m->amount = 10 + i;
        r = cede_ask(self, to, &m, transfer, &m, CEDE_FOREVER);
        cede_drop(self, &m);
    }
    if (r == CEDE_OK) r = cede_sleep(self, 4 * PATIENCE_NS);
    struct total *sum = r == CEDE_OK ? cede_new(self, total) : NULL;
    if (sum == NULL) return r == CEDE_OK ? CEDE_ENOMEM : r;
    r = cede_ask(self, to, &sum, total, &sum, CEDE_FOREVER);
    if (r == CEDE_OK) *total = sum->balance;
    cede_drop(self, &sum);
    return r;
}
