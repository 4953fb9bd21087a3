/* A comment with a reason silences a finding, in cede-check and in the plugin. */
#include <cede/cede.h>

// cede: allow(yields-missing) its callers are all in this file
static void nap(cede_self *self) { cede_yield(self); }

/* cede: allow(yields-missing) another form,
 * with a long reason */
static void doze(cede_self *self) { cede_yield(self); }

static void sleepy(cede_self *self) { cede_yield(self); } // expect: yields-missing

// cede: allow(yields-missing) it speaks of the next line only
CEDE_YIELDS void run(cede_self *self);
void run(cede_self *self) {
    nap(self);
    doze(self);
    sleepy(self);
}
