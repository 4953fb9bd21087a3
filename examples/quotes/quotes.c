/* quotes - asks several shops for a price at once: takes the first answer, then waits for the rest, and keeps a journal
 * that is closed however the turn ends. */
#include <stdio.h>
#include <unistd.h>

#include <cede/cede.h>

#define ARTICLE(F) F(str, name)
CEDE_MESSAGE(article, ARTICLE);
#define PRICE(F)                                                                                   \
    F(str, shop)                                                                                   \
    F(u32, cents)
CEDE_MESSAGE(price, PRICE);
#define OPENING(F)                                                                                 \
    F(str, shop)                                                                                   \
    F(u32, cents)                                                                                  \
    F(bool, is_slow)
CEDE_MESSAGE(opening, OPENING);

#define HURRY(F)
CEDE_MESSAGE(hurry, HURRY);

struct shop {
    struct opening *opening; /* what it is */
};

static cede_result on_opening(cede_self *self, struct shop *state, struct opening *message) {
    state->opening = cede_keep(self, &message);
    return CEDE_OK;
}

/* A slow shop answers when it is told to hurry; one without a price does not answer. */
static CEDE_YIELDS cede_result on_article(cede_self *self, struct shop *state,
                                          struct article *message) {
    const struct opening *opening = state->opening;
    struct hurry *hurry = NULL;
    cede_result r = CEDE_OK;
    if (opening->is_slow) r = cede_recv(self, hurry, &hurry, CEDE_FOREVER);
    cede_drop(self, &hurry);
    if (r != CEDE_OK || opening->cents == 0) return r;
    struct price *price = cede_new(self, price);
    if (price == NULL) return CEDE_ENOMEM;
    price->cents = opening->cents;
    r = cede_str_set(&price->shop, cede_str_text(&opening->shop));
    if (r == CEDE_OK) r = cede_reply(self, message, &price);
    cede_drop(self, &price);
    return r;
}

#define SHOP(ON)                                                                                   \
    ON(opening, on_opening)                                                                        \
    ON(article, on_article)
CEDE_BEHAVIOUR(shop, struct shop, SHOP);

static cede_result shop_open(cede_self *self, const char *name, uint32_t cents, bool is_slow,
                             cede_ref *out) {
    struct opening *opening = cede_new(self, opening);
    if (opening == NULL) return CEDE_ENOMEM;
    opening->cents = cents;
    opening->is_slow = is_slow;
    cede_result r = cede_str_set(&opening->shop, name);
    if (r == CEDE_OK) r = cede_spawn(self, &shop, &opening, out);
    cede_drop(self, &opening);
    return r;
}

static cede_result quote_start(cede_self *self, cede_ref to, cede_pending **quote) {
    struct article *article = cede_new(self, article);
    if (article == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set(&article->name, "lamp");
    if (r == CEDE_OK) r = cede_ask_start(self, to, &article, price, quote, CEDE_FOREVER);
    cede_drop(self, &article);
    return r;
}

/* One that is over. */
static CEDE_YIELDS cede_result quote_write(cede_self *self, cede_pending **quote, FILE *journal) {
    struct price *price = NULL;
    cede_result r = cede_await(self, quote, price, &price, 0);
    if (r == CEDE_OK)
        fprintf(journal, "%s: %u cents\n", cede_str_text(&price->shop), price->cents);
    else
        fprintf(journal, "no answer: %s\n", cede_result_text(r));
    cede_drop(self, &price);
    return CEDE_OK;
}

static void journal_close(cede_self *self, void *journal) {
    (void)self;
    fputs("end of journal\n", journal);
    (void)fclose(journal);
}

enum { SHOPS = 3 };

static cede_result hurry_send(cede_self *self, cede_ref to) {
    struct hurry *hurry = cede_new(self, hurry);
    if (hurry == NULL) return CEDE_ENOMEM;
    return cede_send(self, to, &hurry);
}

/* The first answer, then the others, in the order of the shops. */
static CEDE_YIELDS cede_result quotes_collect(cede_self *self, const cede_ref shops[SHOPS],
                                              cede_pending *quotes[SHOPS], FILE *journal) {
    size_t first = 0;
    cede_result r = cede_await_any(self, quotes, SHOPS, CEDE_FOREVER, &first);
    if (r == CEDE_OK) r = quote_write(self, &quotes[first], journal);
    for (size_t i = 0; r == CEDE_OK && i < SHOPS; i++)
        if (i != first) r = hurry_send(self, shops[i]);
    if (r == CEDE_OK) r = cede_await_all(self, quotes, SHOPS, CEDE_FOREVER);
    for (size_t i = 0; r == CEDE_OK && i < SHOPS; i++)
        if (quotes[i] != NULL) r = quote_write(self, &quotes[i], journal);
    return r;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref shops[SHOPS];
    cede_pending *quotes[SHOPS] = {NULL, NULL, NULL};
    FILE *journal = fdopen(dup(STDOUT_FILENO), "w");
    if (journal == NULL) return CEDE_EIO;
    cede_result r = cede_defer(self, journal_close, journal);
    if (r == CEDE_OK) r = shop_open(self, "Far away", 500, true, &shops[0]);
    if (r == CEDE_OK) r = shop_open(self, "Corner", 700, false, &shops[1]);
    if (r == CEDE_OK) r = shop_open(self, "Sold out", 0, true, &shops[2]);
    for (size_t i = 0; r == CEDE_OK && i < SHOPS; i++) r = quote_start(self, shops[i], &quotes[i]);
    return r == CEDE_OK ? quotes_collect(self, shops, quotes, journal) : r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
