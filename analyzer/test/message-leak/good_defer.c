/* Near misses: what a cleanup is given is the cleanup's to end. */
#include <stdlib.h>

#include "shop.h"

static void order_drop(cede_self *self, void *argument) {
    struct order *order = argument;
    cede_drop(self, &order);
}

static void block_free(cede_self *self, void *block) {
    (void)self;
    free(block);
}

CEDE_YIELDS cede_result message_for_a_cleanup(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    cede_result r = cede_defer(self, order_drop, order);
    if (r != CEDE_OK)
        return r;
    state->last_id = order->id;
    return cede_sleep(self, CEDE_MILLIS(1));
}

CEDE_YIELDS cede_result block_for_a_cleanup(cede_self *self, struct shop *state) {
    char *text = malloc(100);
    if (text == NULL)
        return CEDE_ENOMEM;
    cede_result r = cede_defer(self, block_free, text);
    if (r != CEDE_OK)
        return r;
    text[0] = '\0';
    r = cede_sleep(self, CEDE_MILLIS(1));
    state->last_id = (uint64_t)text[0];
    return r;
}

CEDE_YIELDS cede_result run_early(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    cede_result r = cede_defer(self, order_drop, order);
    if (r == CEDE_OK)
        r = cede_defer_run(self, order_drop, order);
    state->sent_count++;
    return r;
}
