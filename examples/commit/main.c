/* main.c - the bank as it runs in earnest: real threads, real time. */
#include <inttypes.h>
#include <stdio.h>

#include "commit.h"

static CEDE_YIELDS cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    int64_t total = 0;
    cede_ref to = {0};
    struct opening *m = cede_new(self, opening);
    if (m == NULL) return CEDE_ENOMEM;
    m->careful = true;
    m->balance = 100;
    cede_result r = cede_spawn(self, &bank, &m, &to);
    if (r == CEDE_OK) r = transfers_make(self, to, 5, &total);
    if (r == CEDE_OK) printf("5 transfers, and there are %" PRId64 " as before\n", total);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
