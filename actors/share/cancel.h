/* cancel.h - the inner side of cancel tokens: who waits for one. */
#ifndef CEDEI_SHARE_CANCEL_H
#define CEDEI_SHARE_CANCEL_H

#include <cede/cancel.h>

/* Wakes all that wait for `cancel` or a token below it. It was requested, and somebody may. */
void cedei_cancel_wake(cede_cancel *cancel);

#endif
