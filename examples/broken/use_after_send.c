/* use_after_send.c - reads a message that it has just given away. The receiver may have freed it already. */
#include <inttypes.h>
#include <stdio.h>

#include <cede/cede.h>

#define PARCEL(F)                                                                                  \
    F(u64, weight)                                                                                 \
    F(str, label)
CEDE_MESSAGE(parcel, PARCEL);

struct depot {
    cede_ref next; /* the depot down the road; nobody: this is the last one */
    uint64_t weight;
};

static cede_result on_parcel(cede_self *self, struct depot *depot, struct parcel *parcel) {
    struct parcel *seen = parcel;
    depot->weight += parcel->weight;
    if (cede_ref_is_none(depot->next)) return CEDE_OK;
    cede_result r = cede_send(self, depot->next, &parcel);
    if (r == CEDE_OK)
        printf("passed on %s, %" PRIu64 " g\n", cede_str_text(&seen->label), seen->weight);
    return r;
}

#define DEPOT(ON) ON(parcel, on_parcel)
CEDE_BEHAVIOUR(depot, struct depot, DEPOT);

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref first;
    cede_result r = cede_spawn(self, &depot, CEDE_NOTHING, &first);
    if (r != CEDE_OK) return r;
    struct parcel *parcel = cede_new(self, parcel);
    if (parcel == NULL) return CEDE_ENOMEM;
    parcel->weight = 1200;
    r = cede_send(self, first, &parcel);
    cede_drop(self, &parcel);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
