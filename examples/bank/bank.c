/* bank.c - tellers move money between accounts, all at the same time, crash in the middle of it, and no cent is lost.
 * An account is an actor: its balance needs no lock. A teller works in straight lines: it asks one account to withdraw,
 * then another to deposit, and asks the first to take the money back if the second will not have it. Each teller crashes now and
 * then between two of these steps; its supervisor starts it again, and it goes on where the journal says. A step has a
 * number, and an account that has taken it answers a second time and does nothing: so each happens once.
 * Account 9 is frozen: it refuses deposits, so that path is taken, too. At the end all balances are added up. */
#include <inttypes.h>
#include <stdio.h>

#include <cede/cede.h>

enum { ACCOUNTS = 10, FROZEN = 9, TELLERS = 4, TRANSFERS = 2500, OPENING = 1000, CRASHES = 200 };
#define PATIENCE CEDE_SECONDS(30)

#define OPEN(F)                                                                                    \
    F(i64, balance)                                                                                \
    F(bool, frozen)
CEDE_MESSAGE(open_account, OPEN);
/* Asked of an account: adds `amount`, takes it if it is negative, looks if it is 0. The answer is a receipt. `step` counts up
 * for each teller. */
#define CHANGE(F)                                                                                  \
    F(i64, amount)                                                                                 \
    F(bool, refund)                                                                                \
    F(u32, teller)                                                                                 \
    F(u32, step)
CEDE_MESSAGE(change, CHANGE);
#define RECEIPT(F)                                                                                 \
    F(bool, done)                                                                                  \
    F(i64, balance)
CEDE_MESSAGE(receipt, RECEIPT);

/* ---- account ---- */

struct account {
    int64_t balance;
    bool frozen;
    struct {
        uint32_t step; /* the last one that it took from this teller */
        bool done;     /* and what came of it */
    } last[TELLERS];
};

static cede_result on_open(cede_self *self, struct account *account, struct open_account *open) {
    (void)self;
    account->balance = open->balance;
    account->frozen = open->frozen;
    return CEDE_OK;
}

static cede_result on_change(cede_self *self, struct account *account, struct change *change) {
    struct receipt *receipt = cede_new(self, receipt);
    if (receipt == NULL) return CEDE_ENOMEM;
    bool is_look = change->amount == 0, was_done = true; /* of a step before the last: it went on */
    bool is_repeated = !is_look && change->step <= account->last[change->teller].step;
    if (is_repeated && change->step == account->last[change->teller].step)
        was_done = account->last[change->teller].done;
    bool covered = account->balance + change->amount >= 0;
    bool welcome = change->amount <= 0 || !account->frozen || change->refund;
    receipt->done = is_repeated ? was_done : covered && welcome;
    if (receipt->done && !is_repeated) account->balance += change->amount;
    if (!is_look && !is_repeated) {
        account->last[change->teller].step = change->step;
        account->last[change->teller].done = receipt->done;
    }
    receipt->balance = account->balance;
    cede_result r = cede_reply(self, change, &receipt);
    cede_drop(self, &receipt);
    return r;
}

#define ACCOUNT(ON)                                                                                \
    ON(open_account, on_open)                                                                      \
    ON(change, on_change)
CEDE_BEHAVIOUR(account, struct account, ACCOUNT);

/* ---- journal ---- */

/* How far a teller is. Sent to the journal after each transfer, and asked of it (`begins`) by a teller that begins. */
#define PROGRESS(F)                                                                                \
    F(u32, teller)                                                                                 \
    F(bool, begins)                                                                                \
    F(u32, begun)                                                                                  \
    F(u32, seed)                                                                                   \
    F(u32, transfers)                                                                              \
    F(u32, made)                                                                                   \
    F(u32, not_covered)                                                                            \
    F(u32, refunded)
CEDE_MESSAGE(progress, PROGRESS);

struct journal {
    struct progress pages[TELLERS];
};

static cede_result on_progress(cede_self *self, struct journal *journal, struct progress *news) {
    struct progress *page = &journal->pages[news->teller];
    if (news->begins) {
        page->begun++;
        page->teller = news->teller;
        if (page->begun == 1) page->seed = news->seed;
    } else {
        *page = *news; /* it owns no blocks, so this is all of it */
    }
    *news = *page;
    return cede_reply(self, news, &news);
}
#define JOURNAL(ON) ON(progress, on_progress)
CEDE_BEHAVIOUR(journal, struct journal, JOURNAL);

CEDE_YIELDS static cede_result journal_ask(cede_self *self, struct progress *progress) {
    cede_ref to = {0};
    struct progress *page = cede_new(self, progress);
    if (page == NULL) return CEDE_ENOMEM;
    *page = *progress;
    cede_result r = cede_name_find(self, "journal", &to);
    if (r == CEDE_OK) r = cede_ask(self, to, &page, progress, &page, PATIENCE);
    if (r == CEDE_OK) *progress = *page;
    cede_drop(self, &page);
    return r;
}

/* ---- teller ---- */

/* A teller's first message, made anew for each that begins: make `count` transfers and report to `office`. */
#define SHIFT(F)                                                                                   \
    F(u32, teller)                                                                                 \
    F(u32, count)                                                                                  \
    F(array(ref, ACCOUNTS), accounts)                                                              \
    F(ref, office)
CEDE_MESSAGE(shift, SHIFT);

static uint32_t random_below(uint32_t *seed, uint32_t limit) {
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 16) % limit;
}

/* What a teller knows, and loses when it crashes. */
struct teller {
    struct progress progress;
    uint32_t luck; /* another one for each life */
};

/* `*done`: whether the account did it; `balance`, which may be NULL: what is in it now. */
CEDE_YIELDS static cede_result account_change(cede_self *self, cede_ref to, struct change what,
                                              bool *done, int64_t *balance) {
    struct change *request = cede_new(self, change);
    struct receipt *receipt = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    *request = what;
    cede_result r = cede_ask(self, to, &request, receipt, &receipt, PATIENCE);
    if (r == CEDE_OK) {
        *done = receipt->done;
        if (balance != NULL) *balance = receipt->balance;
    }
    cede_drop(self, &request);
    cede_drop(self, &receipt);
    return r;
}

/* One step of a transfer; a crash comes behind it, when the account has done it. */
CEDE_YIELDS static cede_result step(cede_self *self, struct teller *teller, cede_ref to,
                                    int64_t amount, uint32_t which, bool *done) {
    struct change what = {.amount = amount,
                          .refund = which == 3,
                          .teller = teller->progress.teller,
                          .step = 3 * teller->progress.transfers + which};
    cede_result r = account_change(self, to, what, done, NULL);
    if (r == CEDE_OK && random_below(&teller->luck, CRASHES) == 0)
        r = cede_fail(self, CEDE_EFAILED, "teller %" PRIu32 " crashes in transfer %" PRIu32,
                      teller->progress.teller, teller->progress.transfers);
    return r;
}

CEDE_YIELDS static cede_result transfer(cede_self *self, struct teller *teller, cede_ref from,
                                        cede_ref to, int64_t amount) {
    bool done = false;
    cede_result r = step(self, teller, from, -amount, 1, &done);
    if (r != CEDE_OK) return r;
    if (!done) {
        teller->progress.not_covered++;
        return CEDE_OK;
    }
    r = step(self, teller, to, amount, 2, &done);
    if (r != CEDE_OK) return r;
    if (done) {
        teller->progress.made++;
        return CEDE_OK;
    }
    teller->progress.refunded++;
    r = step(self, teller, from, amount, 3, &done);
    return r == CEDE_OK && !done ? CEDE_EFAILED : r;
}

CEDE_YIELDS static cede_result on_shift(cede_self *self, struct teller *teller,
                                        struct shift *shift) {
    struct progress *at = &teller->progress;
    at->teller = shift->teller;
    at->seed = 2026 + shift->teller;
    at->begins = true;
    cede_result r = journal_ask(self, at);
    teller->luck = at->begun * 7919 + shift->teller;
    at->begins = false;
    while (r == CEDE_OK && at->transfers < shift->count) {
        uint32_t from = random_below(&at->seed, ACCOUNTS);
        uint32_t to = (from + 1 + random_below(&at->seed, ACCOUNTS - 1)) % ACCOUNTS;
        int64_t amount = 1 + random_below(&at->seed, 500);
        r = transfer(self, teller, shift->accounts[from], shift->accounts[to], amount);
        at->transfers++;
        if (r == CEDE_OK) r = journal_ask(self, at);
    }
    struct progress *report = r == CEDE_OK ? cede_new(self, progress) : NULL;
    if (r != CEDE_OK) return r;
    if (report == NULL) return CEDE_ENOMEM;
    *report = *at;
    r = cede_send(self, shift->office, &report);
    cede_drop(self, &report);
    return r == CEDE_OK ? CEDE_STOP : r;
}

#define TELLER(ON) ON(shift, on_shift)
CEDE_BEHAVIOUR(teller, struct teller, TELLER);

/* ---- the office: the program itself ---- */

/* Accounts and tellers are added one by one, each with its own first message. If an account or the journal failed, money would
 * be lost with it: that ends everything. A teller that fails is started again, as often as it takes. */
static const struct cede_child ACCOUNT_CHILD[] = {
    {.behaviour = &account, .restart = CEDE_TEMPORARY}};
static const struct cede_child TELLER_CHILD[] = {{.behaviour = &teller, .restart = CEDE_TRANSIENT}};
static const struct cede_supervisor ACCOUNTS_ROOM = {.strategy = CEDE_SIMPLE_ONE_FOR_ONE,
                                                     CEDE_CHILDREN(ACCOUNT_CHILD)};
static const struct cede_supervisor TELLERS_ROOM = {.strategy = CEDE_SIMPLE_ONE_FOR_ONE,
                                                    CEDE_CHILDREN(TELLER_CHILD),
                                                    .restarts_max = CEDE_RESTARTS_UNLIMITED};
static const struct cede_child ROOMS[] = {
    {.id = "journal", .behaviour = &journal, .name = "journal", .restart = CEDE_TEMPORARY},
    {.id = "accounts", .supervisor = &ACCOUNTS_ROOM},
    {.id = "tellers", .supervisor = &TELLERS_ROOM},
};
static const struct cede_supervisor BANK = {.strategy = CEDE_ONE_FOR_ALL, CEDE_CHILDREN(ROOMS)};

CEDE_YIELDS static cede_result accounts_open(cede_self *self, cede_ref room,
                                             cede_ref accounts[ACCOUNTS]) {
    cede_result r = CEDE_OK;
    for (int i = 0; r == CEDE_OK && i < ACCOUNTS; i++) {
        struct open_account *open = cede_new(self, open_account);
        if (open == NULL) return CEDE_ENOMEM;
        open->balance = OPENING;
        open->frozen = i == FROZEN;
        r = cede_supervisor_add_with(self, room, &open, PATIENCE, &accounts[i]);
        cede_drop(self, &open);
    }
    return r;
}

CEDE_YIELDS static cede_result accounts_add_up(cede_self *self, cede_ref accounts[ACCOUNTS],
                                               int64_t *total, int64_t *frozen) {
    int64_t sum = 0, balance = 0;
    bool done = false;
    for (int i = 0; i < ACCOUNTS; i++) {
        cede_result r = account_change(self, accounts[i], (struct change){0}, &done, &balance);
        if (r != CEDE_OK) return r;
        sum += balance;
        if (i == FROZEN) *frozen = balance;
    }
    *total = sum;
    return CEDE_OK;
}

CEDE_YIELDS static cede_result tellers_start(cede_self *self, cede_ref room,
                                             cede_ref accounts[ACCOUNTS]) {
    cede_result r = CEDE_OK;
    for (uint32_t i = 0; r == CEDE_OK && i < TELLERS; i++) {
        struct shift *shift = cede_new(self, shift);
        if (shift == NULL) return CEDE_ENOMEM;
        shift->teller = i;
        shift->count = TRANSFERS;
        shift->office = cede_self_ref(self);
        for (int a = 0; a < ACCOUNTS; a++) shift->accounts[a] = accounts[a];
        r = cede_supervisor_add_with(self, room, &shift, PATIENCE, NULL);
        cede_drop(self, &shift);
    }
    return r;
}

CEDE_YIELDS static cede_result tellers_await(cede_self *self, struct progress *total) {
    for (int i = 0; i < TELLERS; i++) {
        struct progress *report = NULL;
        cede_result r = cede_recv(self, progress, &report, PATIENCE);
        if (r != CEDE_OK) return r;
        total->begun += report->begun - 1;
        total->made += report->made;
        total->not_covered += report->not_covered;
        total->refunded += report->refunded;
        cede_drop(self, &report);
    }
    return CEDE_OK;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref bank = {0}, room = {0}, accounts[ACCOUNTS] = {0};
    struct progress sum = {0};
    int64_t before = 0, after = 0, frozen = 0;
    cede_result r = cede_supervisor_start(self, &BANK, PATIENCE, &bank);
    if (r == CEDE_OK) r = cede_supervisor_child(self, bank, "accounts", PATIENCE, &room);
    if (r == CEDE_OK) r = accounts_open(self, room, accounts);
    if (r == CEDE_OK) r = accounts_add_up(self, accounts, &before, &frozen);
    if (r == CEDE_OK) r = cede_supervisor_child(self, bank, "tellers", PATIENCE, &room);
    if (r == CEDE_OK) r = tellers_start(self, room, accounts);
    if (r == CEDE_OK) r = tellers_await(self, &sum);
    if (r == CEDE_OK) r = accounts_add_up(self, accounts, &after, &frozen);
    if (r != CEDE_OK) return r;
    printf("before: %" PRId64 " in %d accounts\n", before, ACCOUNTS);
    printf("%d tellers tried %" PRIu32
           " transfers; some were refunded: %s; some tellers crashed: %s\n",
           TELLERS, sum.made + sum.not_covered + sum.refunded, sum.refunded > 0 ? "yes" : "no",
           sum.begun > 0 ? "yes" : "no");
    printf("after:  %" PRId64 " in %d accounts\n", after, ACCOUNTS);
    fprintf(stderr,
            "%" PRIu32 " made, %" PRIu32 " not covered, %" PRIu32 " refunded, %" PRIu32 " crashes\n",
            sum.made, sum.not_covered, sum.refunded, sum.begun);
    /* Nothing was paid into the frozen account, and what it pays out others get. */
    return after == before && frozen <= OPENING ? CEDE_OK : CEDE_EFAILED;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
