/* local.c - what a system has one of: structs of other parts (cede_system_local), the list of roots, a log.
 * Owns both lists of a system. Invariants: (1) an entry of `locals` is complete before it is linked and stays to the end;
 * (2) a root is in the list from cede_root until it is taken for the shutdown, or found to have ended. */
#include <string.h>

#include "actors/actor/actor.h"
#include "core/sys/alloc.h"

struct cedei_local {
    struct cedei_local *next;
    const struct cede_local *kind;
    _Alignas(max_align_t) unsigned char body[];
};

struct cedei_root {
    struct cedei_root *next;
    cede_ref actor;
};

/* Under the lock. */
static struct cedei_local *local_find(cede_system *system, const struct cede_local *kind) {
    struct cedei_local *local = system->locals;
    while (local != NULL && local->kind != kind) local = local->next;
    return local;
}

/* Under the lock. */
static struct cedei_local *local_make(cede_system *system, const struct cede_local *kind) {
    struct cedei_local *local = cedei_alloc(sizeof *local + kind->size);
    if (local == NULL) return NULL;
    memset(local->body, 0, kind->size);
    local->kind = kind;
    if (kind->init != NULL && kind->init(local->body) != CEDE_OK) {
        cedei_free(local);
        return NULL;
    }
    local->next = system->locals;
    system->locals = local;
    return local;
}

void *cede_system_local(cede_system *system, const struct cede_local *kind) {
    if (system == NULL || kind == NULL) return NULL;
    cedei_mutex_lock(&system->local_lock);
    struct cedei_local *local = local_find(system, kind);
    if (local == NULL) local = local_make(system, kind);
    cedei_mutex_unlock(&system->local_lock);
    return local != NULL ? local->body : NULL;
}

void cedei_locals_end(cede_system *system) {
    while (system->locals != NULL) { /* each round takes one off */
        struct cedei_local *local = system->locals;
        system->locals = local->next;
        if (local->kind->fini != NULL) local->kind->fini(local->body);
        cedei_free(local);
    }
    while (system->roots != NULL) { /* likewise */
        struct cedei_root *root = system->roots;
        system->roots = root->next;
        cedei_free(root);
    }
}

/* ---- roots ---- */

/* Under the lock: roots come and go, the list does not grow by those that went. */
static void roots_sweep(cede_system *system) {
    struct cedei_root **at = &system->roots;
    while (*at != NULL) { /* each round goes one on or takes one out */
        struct cedei_root *root = *at;
        if (cedei_table_find(system, root->actor) != NULL) {
            at = &root->next;
            continue;
        }
        *at = root->next;
        cedei_free(root);
    }
}

cede_result cede_root(cede_self *self) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_root", "");
    cede_system *system = self->system;
    struct cedei_root *root = cedei_alloc(sizeof *root);
    if (root == NULL) return CEDE_ENOMEM;
    root->actor = cedei_ref_of(self);
    cedei_mutex_lock(&system->local_lock);
    roots_sweep(system);
    root->next = system->roots;
    system->roots = root;
    cedei_mutex_unlock(&system->local_lock);
    return CEDE_OK;
}

cede_ref cedei_root_take(cede_system *system) {
    cede_ref actor = {0};
    cedei_mutex_lock(&system->local_lock);
    roots_sweep(system);
    struct cedei_root *root = system->roots;
    if (root != NULL) {
        system->roots = root->next;
        actor = root->actor;
    }
    cedei_mutex_unlock(&system->local_lock);
    cedei_free(root);
    return actor;
}

/* ---- a log for everybody ---- */

void cede_log(cede_self *self, enum cede_log_level level, const char *format, ...) {
    if (self == NULL) return;
    va_list arguments;
    va_start(arguments, format);
    cedei_log_arguments(&self->system->log, level, format, arguments);
    va_end(arguments);
}
