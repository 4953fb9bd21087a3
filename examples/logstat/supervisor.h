/* supervisor.h - the actor that keeps an aggregator process alive. */
#ifndef LOGSTAT_SUPERVISOR_H
#define LOGSTAT_SUPERVISOR_H

#include "messages.h"

/* Starts and watches a supervisor by `*work`, which is moved on CEDE_OK. It has to be published as SUPERVISOR_NAME at
 * once. */
CEDE_NOYIELD CEDE_NODISCARD cede_result supervisor_spawn(cede_self *self,
                                                         struct supervise **work CEDE_MOVED,
                                                         cede_ref *out);

#endif
