/* ring.c - a token goes through a ring of actors, many times.
 * The token is a request: whoever holds it may send it on, and with it the duty to reply, so the program at the outside
 * waits in one ask for an answer that is given 100,000 hops later by an actor that it never asked.
 * It checks that every station saw the token equally often, in every round. */
#include <inttypes.h>
#include <stdio.h>

#include <cede/cede.h>

enum { STATIONS = 1000, ROUNDS = 100 };

/* Tells a station its place and its successor. */
#define PLACE(F)                                                                                   \
    F(u32, number)                                                                                 \
    F(ref, next)
CEDE_MESSAGE(place, PLACE);
/* `sum` of the numbers of the stations it went through. */
#define TOKEN(F)                                                                                   \
    F(u64, hops_left)                                                                              \
    F(u64, sum)
CEDE_MESSAGE(token, TOKEN);

struct station {
    uint32_t number;
    cede_ref next;
};

static cede_result on_place(cede_self *self, struct station *station, struct place *place) {
    (void)self;
    station->number = place->number;
    station->next = place->next;
    return CEDE_OK;
}

static cede_result on_token(cede_self *self, struct station *station, struct token *token) {
    token->sum += station->number;
    if (--token->hops_left == 0) return cede_reply(self, token, &token);
    return cede_send(self, station->next, &token);
}

#define STATION(ON)                                                                                \
    ON(place, on_place)                                                                            \
    ON(token, on_token)
CEDE_BEHAVIOUR(station, struct station, STATION);

/* Tells `to` its place. */
static cede_result station_place(cede_self *self, cede_ref to, uint32_t number, cede_ref next) {
    struct place *place = cede_new(self, place);
    if (place == NULL) return CEDE_ENOMEM;
    place->number = number;
    place->next = next;
    cede_result r = cede_send(self, to, &place);
    cede_drop(self, &place);
    return r;
}

/* Closes the ring from its last station to its first: each is spawned when its successor is known. */
static cede_result ring_build(cede_self *self, cede_ref *first) {
    cede_ref last = {0};
    cede_result r = cede_spawn(self, &station, CEDE_NOTHING, &last);
    cede_ref next = last;
    for (uint32_t number = STATIONS - 1; r == CEDE_OK && number > 0; number--) {
        cede_ref here = {0};
        r = cede_spawn(self, &station, CEDE_NOTHING, &here);
        if (r == CEDE_OK) r = station_place(self, here, number, next);
        next = here;
    }
    if (r == CEDE_OK) r = station_place(self, last, STATIONS, next);
    if (r == CEDE_OK) *first = next;
    return r;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref first = {0};
    cede_result r = ring_build(self, &first);
    if (r != CEDE_OK) return r;
    struct token *token = cede_new(self, token);
    if (token == NULL) return CEDE_ENOMEM;
    token->hops_left = (uint64_t)STATIONS * ROUNDS;
    uint64_t start_ns = cede_now(self);
    r = cede_ask(self, first, &token, token, &token, CEDE_SECONDS(50));
    if (r == CEDE_OK) {
        uint64_t took_ns = cede_now(self) - start_ns;
        uint64_t expected = (uint64_t)ROUNDS * STATIONS * (STATIONS + 1) / 2;
        printf("%d stations, %d rounds: sum %" PRIu64 ", expected %" PRIu64 "\n", STATIONS, ROUNDS,
               token->sum, expected);
        fprintf(stderr, "%.0f ns a hop\n", (double)took_ns / (STATIONS * ROUNDS));
        if (token->sum != expected) r = CEDE_EFAILED;
    }
    cede_drop(self, &token);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
