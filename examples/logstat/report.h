/* report.h - prints a result. */
#ifndef LOGSTAT_REPORT_H
#define LOGSTAT_REPORT_H

#include "office.h"

/* One line a key of the table, as `sort | uniq -c` prints it in the C locale. */
CEDE_BLOCKS CEDE_NODISCARD cede_result report_counts(const struct counts *totals, enum table table);
/* The `top` packages, the events of each day with a bar, and how long it took. */
CEDE_BLOCKS CEDE_NODISCARD cede_result report_tables(const struct office *office, uint32_t top);

#endif
