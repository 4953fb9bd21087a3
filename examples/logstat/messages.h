/* messages.h - everything that the actors of logstat say to each other.
 * Those under "between the processes" are encoded and cross the link; the others only change their owner. */
#ifndef LOGSTAT_MESSAGES_H
#define LOGSTAT_MESSAGES_H

#include <cede/cede.h>

/* The longest line without its newline; a longer one ends its input with an error. Bytes. */
#define LINE_MAX_SIZE (4u << 20)
#define PARSERS_MAX 64u

/* ---- reader ---- */

#define INPUT(F) F(str, path)
CEDE_MESSAGE(input, INPUT);
/* First message: what to read, and how much at once. */
#define READ_INPUTS(F)                                                                             \
    F(list(input), inputs)                                                                         \
    F(u32, batch_size)
CEDE_MESSAGE(read_inputs, READ_INPUTS);
/* Asked by a parser that has nothing to do. The lines of a batch are whole; only the last one of an input may lack its
 * newline. `end`: there is no more. */
#define NEXT_BATCH(F)
CEDE_MESSAGE(next_batch, NEXT_BATCH);
#define BATCH(F)                                                                                   \
    F(bytes, lines)                                                                                \
    F(bool, end)
CEDE_MESSAGE(batch, BATCH);
/* Asked at the end: how each input went. `problem` is empty if all of it was read. */
#define OUTCOME(F)                                                                                 \
    F(str, path)                                                                                   \
    F(u64, size)                                                                                   \
    F(str, problem)                                                                                \
    F(str, note)
CEDE_MESSAGE(outcome, OUTCOME);
#define GET_OUTCOMES(F)
CEDE_MESSAGE(get_outcomes, GET_OUTCOMES);
#define OUTCOMES(F) F(list(outcome), items)
CEDE_MESSAGE(outcomes, OUTCOMES);

/* ---- parsers ---- */

/* First message. */
#define PARSE(F)                                                                                   \
    F(u32, number)                                                                                 \
    F(ref, reader)                                                                                 \
    F(ref, supervisor)                                                                             \
    F(ref, office)
CEDE_MESSAGE(parse, PARSE);
/* From a parser to the office: the input has ended for me, or I failed. */
#define PARSED(F)                                                                                  \
    F(u32, number)                                                                                 \
    F(i32, result)                                                                                 \
    F(u64, lines)                                                                                  \
    F(u64, events)
CEDE_MESSAGE(parsed, PARSED);
/* Asked by the office: see to it that an aggregator of a later epoch than `after` has all that you counted. */
#define SETTLE(F) F(u64, after)
CEDE_MESSAGE(settle, SETTLE);
#define SETTLED(F)                                                                                 \
    F(i32, result)                                                                                 \
    F(u64, epoch)                                                                                  \
    F(u64, sequence)                                                                               \
    F(ref, aggregator)
CEDE_MESSAGE(settled, SETTLED);

/* ---- supervisor ---- */

/* First message. */
#define SUPERVISE(F)                                                                               \
    F(str, url)                                                                                    \
    F(u32, restarts_max)                                                                           \
    F(u64, start_ns)                                                                               \
    F(bool, trace)
CEDE_MESSAGE(supervise, SUPERVISE);
/* Asked by whoever needs an aggregator of a later epoch than `after`, because that one was lost. Answered when it is
 * there, or with epoch 0 when the supervisor has given up. */
#define LOCATE(F) F(u64, after)
CEDE_MESSAGE(locate, LOCATE);
#define LOCATED(F)                                                                                 \
    F(u64, epoch)                                                                                  \
    F(ref, aggregator)
CEDE_MESSAGE(located, LOCATED);
/* First message of a watcher, which waits for the end of a process; and what it tells then. */
#define WATCH(F)                                                                                   \
    F(u64, epoch)                                                                                  \
    F(i32, pid)                                                                                    \
    F(i32, lifeline)                                                                               \
    F(ref, supervisor)
CEDE_MESSAGE(watch, WATCH);
/* The supervisor's timer, for the time that a process has to come up, and to end when it is asked to. */
#define CHILD_IS_DUE(F)                                                                            \
    F(u64, epoch)                                                                                  \
    F(bool, to_end)
CEDE_MESSAGE(child_is_due, CHILD_IS_DUE);
#define CHILD_ENDED(F)                                                                             \
    F(u64, epoch)                                                                                  \
    F(i32, status)
CEDE_MESSAGE(child_ended, CHILD_ENDED);
/* Asked by the office at the end: end the aggregator's process; answered when it is gone. */
#define FINISH(F)
CEDE_MESSAGE(finish, FINISH);
#define FINISHED(F)                                                                                \
    F(i32, pid)                                                                                    \
    F(i32, status)                                                                                 \
    F(u32, starts)
CEDE_MESSAGE(finished, FINISHED);

/* ---- between the processes ---- */

enum table { PACKAGES, DAYS };

/* How often a key was seen, in one of the two tables. */
#define TALLY(F)                                                                                   \
    F(enum(table, PACKAGES, DAYS), table)                                                          \
    F(str, key)                                                                                    \
    F(u64, count)
CEDE_MESSAGE(tally, TALLY);
/* From a parser: add this. Numbered from 1, for each parser, in each epoch. */
#define PARTIAL(F)                                                                                 \
    F(u64, epoch)                                                                                  \
    F(u32, parser)                                                                                 \
    F(u64, sequence)                                                                               \
    F(list(tally), tallies)
CEDE_MESSAGE(partial, PARTIAL);
/* First message of an aggregator. */
#define AGGREGATE(F)                                                                               \
    F(u64, epoch)                                                                                  \
    F(bool, trace)
CEDE_MESSAGE(aggregate, AGGREGATE);
/* From a new aggregator process to the supervisor. */
#define AGGREGATOR_UP(F)                                                                           \
    F(u64, epoch)                                                                                  \
    F(ref, aggregator)
CEDE_MESSAGE(aggregator_up, AGGREGATOR_UP);
/* Asked by the office: the totals from place `from` on; again from `next` until `last`. `received`: the number of the
 * last partial of each parser, none missing before it. */
#define COLLECT(F) F(u64, from)
CEDE_MESSAGE(collect, COLLECT);
#define PAGE(F)                                                                                    \
    F(list(u64), received)                                                                         \
    F(list(tally), tallies)                                                                        \
    F(u64, next)                                                                                   \
    F(bool, last)
CEDE_MESSAGE(page, PAGE);
/* To an aggregator: end, and your process with you. */
#define RETIRE(F)
CEDE_MESSAGE(retire, RETIRE);

#endif
