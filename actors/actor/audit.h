/* audit.h - whether every message of a system is accounted for. */
#ifndef CEDEI_ACTOR_AUDIT_H
#define CEDEI_ACTOR_AUDIT_H

#include <cede/system.h>

/* At the end of a system, when everything has been dropped and no thread is left: says in the log what does not add up. Ends the
 * process then if the environment (CEDE_AUDIT) or the build says so. */
void cedei_audit(cede_system *system);

/* ---- metrics.c ---- */
/* Every type of which anything was counted. */
typedef void cedei_type_fn(void *context, const struct cede_type_metrics *type);
void cedei_types_visit(cede_system *system, cedei_type_fn *visit, void *context);

#endif
