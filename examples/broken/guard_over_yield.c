/* guard_over_yield.c - asks another actor while it holds a lock. Whoever else wants the lock stops a whole worker, and
 * the answer may arrive on a thread that does not own it. */
#include <cede/cede.h>

#define PRICE_OF(F) F(u32, article)
CEDE_MESSAGE(price_of, PRICE_OF);
#define PRICE(F) F(u32, cents)
CEDE_MESSAGE(price, PRICE);
#define SALE(F)                                                                                    \
    F(u32, article)                                                                                \
    F(u32, count)
CEDE_MESSAGE(sale, SALE);

static cede_mutex ledger_lock;
static uint64_t ledger_cents;

struct till {
    cede_ref prices;
};

CEDE_YIELDS static cede_result on_sale(cede_self *self, struct till *till, struct sale *sale) {
    struct price *price = NULL;
    struct price_of *question = cede_new(self, price_of);
    if (question == NULL) return CEDE_ENOMEM;
    question->article = sale->article;
    cede_mutex_lock(&ledger_lock);
    cede_result r = cede_ask(self, till->prices, &question, price, &price, CEDE_SECONDS(1));
    if (r == CEDE_OK) ledger_cents += (uint64_t)price->cents * sale->count;
    cede_mutex_unlock(&ledger_lock);
    cede_drop(self, &question);
    cede_drop(self, &price);
    return r;
}

#define TILL(ON) ON(sale, on_sale)
CEDE_BEHAVIOUR(till, struct till, TILL);

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref here;
    cede_result r = cede_mutex_init(&ledger_lock);
    if (r != CEDE_OK) return r;
    return cede_spawn(self, &till, CEDE_NOTHING, &here);
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
