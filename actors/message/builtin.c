/* builtin.c - the one definition of the message types that belong to the library itself. */
#include <cede/message.h>

CEDE_MESSAGE_DEFINE(cede_down, CEDEI_DOWN);
CEDE_MESSAGE_DEFINE(cede_exit, CEDEI_DOWN);
CEDE_MESSAGE_DEFINE(cede_drained, CEDEI_NOTHING);
CEDE_MESSAGE_DEFINE(cede_nothing, CEDEI_NOTHING);
