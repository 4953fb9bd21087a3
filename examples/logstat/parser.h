/* parser.h - the actors that count what the lines of a batch say. */
#ifndef LOGSTAT_PARSER_H
#define LOGSTAT_PARSER_H

#include "messages.h"

/* Starts and watches a parser that does `*work`, which is moved on CEDE_OK. It sends `parsed` when the input has ended,
 * and is then there for `settle`. */
CEDE_NOYIELD CEDE_NODISCARD cede_result parser_spawn(cede_self *self,
                                                     struct parse **work CEDE_MOVED, cede_ref *out);

#endif
