/* A comment with a reason silences a finding, in cede-check and in the plugins. */
#include <cede/cede.h>

CEDE_YIELDS void refresh(cede_self *self CEDE_BORROWED);

CEDE_YIELDS void above(cede_self *self, cede_mutex *lock) {
    cede_mutex_lock(lock);
    // cede: allow(guard-over-yield) the system of this test has one worker
    refresh(self);
    cede_mutex_unlock(lock);
}

CEDE_YIELDS void behind(cede_self *self, cede_mutex *lock) {
    cede_mutex_lock(lock);
    refresh(self); // cede: allow(guard-over-yield, use-after-send) one worker
    cede_mutex_unlock(lock);
}

CEDE_YIELDS void for_another_rule(cede_self *self, cede_mutex *lock) {
    cede_mutex_lock(lock);
    refresh(self); // expect: guard-over-yield  // cede: allow(use-after-send) this is not the rule
    cede_mutex_unlock(lock);
}
