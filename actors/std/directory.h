/* directory.h - which actors stand behind a name: of names one, of groups any number.
 * One table for each system, under a lock that nobody holds for longer than a look. An actor that has ended counts as not
 * there from the moment in which its ref is stale, so nothing has to be told to the table; what is left of it is swept away when
 * the table would grow. */
#ifndef CEDEI_STD_DIRECTORY_H
#define CEDEI_STD_DIRECTORY_H

#include <cede/mutex.h>
#include <cede/registry.h>
#include <cede/system.h>

/* An entry is in the chain of its bucket while it has a name, else in that of the free ones. */
struct cedei_entry {
    cede_str name; /* behind one letter that says what it is: see cedei_directory_find */
    struct {
        cede_ref *items;
        uint32_t count, capacity;
    } members;           /* in the order in which they came */
    uint32_t hash, next; /* the next one's place plus 1 */
};

/* Access: all under `lock`. */
struct cedei_directory {
    cede_mutex lock;
    struct {
        struct cedei_entry *items;
        uint32_t count, capacity;
    } entries;
    struct {
        uint32_t *items;
        uint32_t count, capacity;
    } buckets; /* a power of two, or none: the first entry's place plus 1 */
    uint32_t free_first, used, sweep_at;
    cede_ref doorman; /* who answers those that wait for a name */
    bool is_awaited;  /* somebody does */
};

enum { CEDEI_NAME_KIND = 'n', CEDEI_GROUP_KIND = 'g', CEDEI_NAME_SIZE_MAX = 255 };

/* NULL when memory is short. */
struct cedei_directory *cedei_directory_of(cede_self *self);
/* CEDE_EINVAL for a name that is none. */
cede_result cedei_name_check(const char *name);

/* All under the lock. */
struct cedei_entry *cedei_directory_find(struct cedei_directory *directory, char kind,
                                         const char *name);
/* The one that is there, or a new one without members; NULL when memory is short. */
struct cedei_entry *cedei_directory_enter(cede_self *self, struct cedei_directory *directory,
                                          char kind, const char *name);
/* Takes members that have ended out, and the entry if it has none left: false. */
bool cedei_entry_refresh(cede_self *self, struct cedei_directory *directory,
                         struct cedei_entry *entry);
void cedei_entry_remove(struct cedei_directory *directory, struct cedei_entry *entry);

#endif
