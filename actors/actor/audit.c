/* audit.c - at the end of a system: is every message accounted for? Whatever was allocated must be dropped by now, and what was
 * sent must have been handled or become a dead letter; each type by itself, so that one mistake cannot hide another. */
#include "actors/actor/audit.h"

#include <stdlib.h>
#include <string.h>

#include <cede/system.h>

#include "actors/actor/actor.h"
#include "actors/actor/births.h"

struct audit {
    cede_system *system;
    bool adds_up;
};

static void difference_tell(struct audit *audit, const char *name, uint64_t whole,
                            const char *whole_is, uint64_t parts, const char *parts_are,
                            const char *less_is, const char *more_is) {
    if (whole == parts) return;
    bool less = parts < whole;
    uint64_t by = less ? whole - parts : parts - whole;
    audit->adds_up = false;
    cedei_log(
        audit->system, CEDE_LOG_ERROR,
        "conservation: the counts of message '%s' do not add up: %llu %s, but %llu %s: %llu %s",
        name, (unsigned long long)whole, whole_is, (unsigned long long)parts, parts_are,
        (unsigned long long)by, less ? less_is : more_is);
}

static void type_check(void *context, const struct cede_type_metrics *type) {
    struct audit *audit = context;
    difference_tell(audit, type->name, type->allocated, "allocated", type->dropped, "dropped",
                    "left over", "dropped twice");
    difference_tell(audit, type->name, type->sent, "sent", type->handled + type->dead_lettered,
                    "handled or dead letters", "lost on the way", "more than were sent");
}

/* ---- in checking builds ---- */

/* Of each slot, whoever lived there: what came into its mailbox must have been handled or become a dead letter. */
static void mailboxes_check(struct audit *audit) {
#if CEDEI_CHECKS
    for (uint32_t slot = 0; slot < audit->system->slots_used; slot++) {
        struct cede_self *actor = cedei_table_slot(audit->system, slot);
        uint64_t came = cedei_count_read(&actor->mail_came);
        uint64_t left = cedei_count_read(&actor->mail_left);
        if (came == left) continue;
        audit->adds_up = false;
        cedei_log(audit->system, CEDE_LOG_ERROR,
                  "conservation: the mailbox of actor '%s' (%u) does not add up: %llu came, but "
                  "%llu were handled or dead letters",
                  actor->behaviour != NULL ? actor->behaviour->name : "?", slot,
                  (unsigned long long)came, (unsigned long long)left);
    }
#else
    (void)audit;
#endif
}

struct birth_list {
    cede_system *system;
    uint64_t count;
};
enum { BIRTHS_SHOWN_MAX = 32 };

static const char *whereabouts(const struct cedei_msg *msg, const char **name) {
    static const char *const STATES[] = {"freed",          "of a turn of actor ",
                                         "kept by actor ", "in a mailbox",
                                         "lent to a job",  "on a link, or nobody's yet",
                                         "in a timer",     "frozen: somebody holds a reference"};
    enum cedei_msg_state state = cedei_msg_state(msg);
    if ((unsigned)state >= sizeof STATES / sizeof STATES[0]) return "in no state at all";
    const struct cede_self *actor = (const struct cede_self *)(msg->owner & ~(uintptr_t)63);
    bool has_owner = state == CEDEI_MSG_TURN || state == CEDEI_MSG_KEPT;
    if (has_owner && actor != NULL && actor->behaviour != NULL) *name = actor->behaviour->name;
    return STATES[state];
}

static void birth_tell(void *context, const struct cedei_birth *birth) {
    struct birth_list *list = context;
    if (++list->count > BIRTHS_SHOWN_MAX) return;
    const char *name = NULL;
    const char *where = whereabouts(birth->msg, &name);
    cedei_log(list->system, CEDE_LOG_ERROR,
              "conservation: left over: '%s', made at %s by actor '%s'; at last it was %s%s%s%s",
              birth->msg->type->name, birth->here, birth->by, where, name != NULL ? "'" : "",
              name != NULL ? name : "", name != NULL ? "'" : "");
}

static void births_tell(cede_system *system) {
    struct birth_list list = {.system = system};
    uint64_t unknown = cedei_births_visit(system, birth_tell, &list);
    if (list.count > BIRTHS_SHOWN_MAX) unknown += list.count - BIRTHS_SHOWN_MAX;
    if (unknown > 0)
        cedei_log(system, CEDE_LOG_ERROR, "conservation: left over: %llu more",
                  (unsigned long long)unknown);
}

/* CEDE_AUDIT=abort in the environment; checking builds need no asking. The simulator has checks of its own. */
static bool is_fatal(void) {
    if (CEDEI_SIM) return false;
    const char *wish = getenv("CEDE_AUDIT");
    return wish != NULL ? strcmp(wish, "abort") == 0 : CEDEI_CHECKS != 0;
}

void cedei_audit(cede_system *system) {
    struct audit audit = {.system = system, .adds_up = true};
    cedei_types_visit(system, type_check, &audit);
    mailboxes_check(&audit);
    if (!audit.adds_up) births_tell(system);
    if (!audit.adds_up && is_fatal())
        cedei_fatal(
            "cede: conservation: at the end of a system the counts of its messages do not add up; its log says which");
}
