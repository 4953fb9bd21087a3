/* cancel.c - cancel tokens: a flag that is only ever set, and the way up to the tokens above. Waiting: cancel_wait.c. */
#include <stddef.h>

#include "actors/share/cancel.h"

void cede_cancel_init(cede_cancel *cancel, const cede_cancel *above) {
    *cancel = (cede_cancel){.cedei_above = above};
}

void cede_cancel_request(cede_cancel *cancel) {
    if (cancel == NULL) return;
    /* seq_cst: pairs with the acquire in cede_cancel_is_requested; and is before the look for those who wait, who are to be
     * found first and look at the flag then: one of both sees the other. */
    __atomic_store_n(&cancel->cedei_requested, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&cancel->cedei_awaited, __ATOMIC_SEQ_CST) != 0) cedei_cancel_wake(cancel);
}

bool cede_cancel_is_requested(const cede_cancel *cancel) {
    for (; cancel != NULL; cancel = cancel->cedei_above) { /* as many as were put below each other */
        /* acquire: pairs with the release in cede_cancel_request; what was written before the request is seen by whoever acts on it. */
        if (__atomic_load_n(&cancel->cedei_requested, __ATOMIC_ACQUIRE) != 0) return true;
    }
    return false;
}
