/* chat.c - rooms, members, and what the others hear when one goes.
 * A lobby finds rooms by name and opens those that are new. A room keeps the `join` of each member, hands every line on
 * to all of them, and watches them: one that leaves, fails or is killed is announced, and forgotten, the same way.
 * The program itself is a member, too: it prints what it hears. */
#include <stdio.h>
#include <string.h>

#include <cede/cede.h>

enum { ROOMS = 8, MEMBERS = 16 };
#define PATIENCE CEDE_SECONDS(10)

/* Asked of the lobby; answered with the room. */
#define FIND(F) F(str, room)
CEDE_MESSAGE(find, FIND);
#define FOUND(F) F(ref, room)
CEDE_MESSAGE(found, FOUND);
/* Asked of a room; answered with `joined` when the others know. */
#define JOIN(F)                                                                                    \
    F(ref, member)                                                                                 \
    F(str, nick)
CEDE_MESSAGE(join, JOIN);
#define JOINED(F)                                                                                  \
    F(bool, accepted)                                                                              \
    F(u32, members)
CEDE_MESSAGE(joined, JOINED);
/* To a room: say it to everybody. From a room: somebody, or the room itself ("*"), said it. */
#define LINE(F)                                                                                    \
    F(str, from)                                                                                   \
    F(str, text)
CEDE_MESSAGE(line, LINE);

/* ---- room ---- */

struct room {
    struct join *members[MEMBERS]; /* kept; the first `count` */
    uint32_t count;
};

/* A member whose mailbox is full misses the line; one that is gone will be announced when its cede_down comes. */
static cede_result room_tell(cede_self *self, struct room *room, const char *from,
                             const char *text) {
    for (uint32_t i = 0; i < room->count; i++) {
        struct line *line = cede_new(self, line);
        if (line == NULL) return CEDE_ENOMEM;
        cede_result r = cede_str_set(&line->from, from);
        if (r == CEDE_OK) r = cede_str_set(&line->text, text);
        if (r == CEDE_OK) r = cede_send(self, room->members[i]->member, &line);
        cede_drop(self, &line);
        if (r == CEDE_ENOMEM) return r;
    }
    return CEDE_OK;
}

static cede_result room_announce(cede_self *self, struct room *room, const char *nick,
                                 const char *what) {
    char text[200];
    (void)snprintf(text, sizeof text, "%.60s %s", nick, what);
    return room_tell(self, room, "*", text);
}

static bool room_has(const struct room *room, const char *nick) {
    for (uint32_t i = 0; i < room->count; i++)
        if (strcmp(cede_str_text(&room->members[i]->nick), nick) == 0) return true;
    return false;
}

static cede_result on_join(cede_self *self, struct room *room, struct join *join) {
    struct joined *answer = cede_new(self, joined);
    if (answer == NULL) return CEDE_ENOMEM;
    const char *nick = cede_str_text(&join->nick);
    cede_result r = CEDE_OK;
    answer->accepted = room->count < MEMBERS && *nick != '\0' && !room_has(room, nick);
    if (answer->accepted) r = cede_monitor(self, join->member);
    if (answer->accepted && r == CEDE_OK) r = room_announce(self, room, nick, "came in");
    answer->members = room->count + (answer->accepted ? 1 : 0);
    bool accepted = answer->accepted;
    if (r == CEDE_OK) r = cede_reply(self, join, &answer);
    cede_drop(self, &answer);
    if (r == CEDE_ENOACTOR) return CEDE_OK; /* it gave up waiting, and is no member */
    if (r == CEDE_OK && accepted) room->members[room->count++] = cede_keep(self, &join);
    return r;
}

static cede_result on_room_line(cede_self *self, struct room *room, struct line *line) {
    return room_tell(self, room, cede_str_text(&line->from), cede_str_text(&line->text));
}

static cede_result on_member_down(cede_self *self, struct room *room, struct cede_down *down) {
    for (uint32_t i = 0; i < room->count; i++) {
        if (!cede_ref_equal(room->members[i]->member, down->actor)) continue;
        struct join *gone = room->members[i];
        room->members[i] = room->members[--room->count];
        const char *what = down->reason == CEDE_OK ? "left" : "was cut off";
        cede_result r = room_announce(self, room, cede_str_text(&gone->nick), what);
        cede_drop(self, &gone);
        return r;
    }
    return CEDE_OK;
}

#define ROOM(ON)                                                                                   \
    ON(join, on_join)                                                                              \
    ON(line, on_room_line)                                                                         \
    ON(cede_down, on_member_down)
CEDE_BEHAVIOUR(room, struct room, ROOM);

/* ---- lobby ---- */

struct lobby {
    struct find *names[ROOMS]; /* kept; the first `count` */
    cede_ref rooms[ROOMS];
    uint32_t count;
};

static cede_result lobby_answer(cede_self *self, struct find *find, cede_ref where) {
    struct found *answer = cede_new(self, found);
    if (answer == NULL) return CEDE_ENOMEM;
    answer->room = where;
    cede_result r = cede_reply(self, find, &answer);
    cede_drop(self, &answer);
    return r == CEDE_ENOACTOR ? CEDE_OK : r;
}

/* The answer is nobody when there is no place for one more room. */
static cede_result on_find(cede_self *self, struct lobby *lobby, struct find *find) {
    for (uint32_t i = 0; i < lobby->count; i++)
        if (strcmp(cede_str_text(&lobby->names[i]->room), cede_str_text(&find->room)) == 0)
            return lobby_answer(self, find, lobby->rooms[i]);
    cede_ref opened = {0};
    if (lobby->count == ROOMS) return lobby_answer(self, find, opened);
    cede_result r = cede_spawn(self, &room, CEDE_NOTHING, &opened);
    if (r != CEDE_OK) return r;
    r = lobby_answer(self, find, opened);
    lobby->rooms[lobby->count] = opened;
    lobby->names[lobby->count++] = cede_keep(self, &find);
    return r;
}

#define LOBBY(ON) ON(find, on_find)
CEDE_BEHAVIOUR(lobby, struct lobby, LOBBY);

/* ---- guest: answers when it is greeted, leaves or fails when it is told to ---- */

#define ARRIVE(F)                                                                                  \
    F(str, nick)                                                                                   \
    F(ref, room)
CEDE_MESSAGE(arrive, ARRIVE);

struct guest {
    struct arrive *me; /* kept */
};

CEDE_YIELDS static cede_result room_join(cede_self *self, cede_ref to, const char *nick) {
    struct join *join = cede_new(self, join);
    struct joined *joined = NULL;
    if (join == NULL) return CEDE_ENOMEM;
    join->member = cede_self_ref(self);
    cede_result r = cede_str_set(&join->nick, nick);
    if (r == CEDE_OK) r = cede_ask(self, to, &join, joined, &joined, PATIENCE);
    if (r == CEDE_OK && !joined->accepted) r = CEDE_EEXIST;
    cede_drop(self, &join);
    cede_drop(self, &joined);
    return r;
}

static cede_result room_say(cede_self *self, cede_ref to, const char *nick, const char *text) {
    struct line *line = cede_new(self, line);
    if (line == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set(&line->from, nick);
    if (r == CEDE_OK) r = cede_str_set(&line->text, text);
    if (r == CEDE_OK) r = cede_send(self, to, &line);
    cede_drop(self, &line);
    return r;
}

CEDE_YIELDS static cede_result on_arrive(cede_self *self, struct guest *guest,
                                         struct arrive *arrive) {
    guest->me = cede_keep(self, &arrive);
    return room_join(self, guest->me->room, cede_str_text(&guest->me->nick));
}

static cede_result on_heard(cede_self *self, struct guest *guest, struct line *line) {
    const char *nick = cede_str_text(&guest->me->nick), *text = cede_str_text(&line->text);
    const char *told = strstr(text, nick);
    if (strcmp(cede_str_text(&line->from), "*") == 0 || told == NULL) return CEDE_OK;
    if (strstr(text, "hello") != NULL) return room_say(self, guest->me->room, nick, "hello!");
    if (strstr(text, "bye") != NULL) return CEDE_STOP;
    return strstr(text, "trip") != NULL ? CEDE_EFAILED : CEDE_OK;
}

#define GUEST(ON)                                                                                  \
    ON(arrive, on_arrive)                                                                          \
    ON(line, on_heard)
CEDE_BEHAVIOUR(guest, struct guest, GUEST);

/* ---- the program: the member "you" ---- */

CEDE_YIELDS static cede_result room_find(cede_self *self, cede_ref in, const char *name,
                                         cede_ref *out) {
    struct find *find = cede_new(self, find);
    struct found *found = NULL;
    if (find == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set(&find->room, name);
    if (r == CEDE_OK) r = cede_ask(self, in, &find, found, &found, PATIENCE);
    if (r == CEDE_OK && cede_ref_is_none(found->room)) r = CEDE_ELIMIT;
    if (r == CEDE_OK) *out = found->room;
    cede_drop(self, &find);
    cede_drop(self, &found);
    return r;
}

/* Prints the next `count` lines that reach us. */
CEDE_YIELDS static cede_result listen(cede_self *self, int count) {
    for (int i = 0; i < count; i++) {
        struct line *line = NULL;
        cede_result r = cede_recv(self, line, &line, PATIENCE);
        if (r != CEDE_OK) return r;
        printf("%4s  %s\n", cede_str_text(&line->from), cede_str_text(&line->text));
        cede_drop(self, &line);
    }
    return CEDE_OK;
}

static cede_result guest_spawn(cede_self *self, const char *nick, cede_ref to, cede_ref *out) {
    struct arrive *arrive = cede_new(self, arrive);
    if (arrive == NULL) return CEDE_ENOMEM;
    arrive->room = to;
    cede_result r = cede_str_set(&arrive->nick, nick);
    if (r == CEDE_OK) r = cede_spawn(self, &guest, &arrive, out);
    cede_drop(self, &arrive);
    return r;
}

/* Says something and prints the `count` lines that this brings about. */
CEDE_YIELDS static cede_result talk(cede_self *self, cede_ref to, const char *text, int count) {
    cede_result r = room_say(self, to, "you", text);
    return r == CEDE_OK ? listen(self, count) : r;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref lobby_ref = {0}, tea = {0}, again = {0}, other = {0}, eve = {0};
    cede_result r = cede_spawn(self, &lobby, CEDE_NOTHING, &lobby_ref);
    if (r == CEDE_OK) r = room_find(self, lobby_ref, "tea", &tea);
    if (r == CEDE_OK) r = room_find(self, lobby_ref, "tea", &again);
    if (r == CEDE_OK) r = room_find(self, lobby_ref, "coffee", &other);
    if (r == CEDE_OK && (!cede_ref_equal(tea, again) || cede_ref_equal(tea, other)))
        r = CEDE_EFAILED;
    if (r == CEDE_OK) r = room_join(self, tea, "you");
    const char *const nicks[] = {"ann", "bob", "eve"};
    for (size_t i = 0; r == CEDE_OK && i < 3; i++) {
        r = guest_spawn(self, nicks[i], tea, &eve);
        if (r == CEDE_OK) r = listen(self, 1);
    }
    if (r == CEDE_OK) r = talk(self, tea, "hello ann", 2);
    if (r == CEDE_OK) r = talk(self, tea, "bye ann", 2);
    if (r == CEDE_OK) r = talk(self, tea, "do not trip, bob", 2);
    if (r == CEDE_OK) r = cede_kill(self, eve);
    if (r == CEDE_OK) r = listen(self, 1);
    if (r == CEDE_OK && room_join(self, tea, "you") != CEDE_EEXIST) r = CEDE_EFAILED;
    return r == CEDE_OK ? talk(self, tea, "nobody left to talk to", 1) : r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
