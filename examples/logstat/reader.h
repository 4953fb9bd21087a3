/* reader.h - the actor that reads the inputs, on a thread that may block. */
#ifndef LOGSTAT_READER_H
#define LOGSTAT_READER_H

#include "messages.h"

/* Starts and watches a reader of `*work`, which is moved on CEDE_OK. */
CEDE_NOYIELD CEDE_NODISCARD cede_result reader_spawn(cede_self *self,
                                                     struct read_inputs **work CEDE_MOVED,
                                                     cede_ref *out);

#endif
