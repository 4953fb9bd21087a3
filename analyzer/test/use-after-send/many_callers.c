/* Every caller of one function is judged, also when that loops longer than the analysis follows. */
#include "mail.h"

static cede_result first_that_takes(cede_self *self, struct post *post, struct mail **m) {
    for (int i = 0; i < 8; i++) {
        cede_result r = cede_send(self, post->peers[i], m);
        if (r != CEDE_EFULL)
            return r;
    }
    return CEDE_EFULL;
}

cede_result one(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = first_that_takes(self, post, &m);
    if (r == CEDE_OK)
        audit(cede_str_text(&m->subject)); // expect-check: use-after-send
    return r;
}

cede_result two(cede_self *self, struct post *post, struct mail *m) {
    struct mail *copy = m;
    cede_result r = first_that_takes(self, post, &m);
    if (r == CEDE_OK)
        copy->id = 1; // expect-check: use-after-send
    return r;
}

/* The plugins have clang's memory, and see only the one that is looked at first. */
cede_result three(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = first_that_takes(self, post, &m);
    if (r == CEDE_OK)
        m->id = 1; // expect: use-after-send
    return r;
}
