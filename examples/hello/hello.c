/* hello.c - an actor that counts whom it greeted, and an ask in straight-line code. */
#include <stdio.h>

#include <cede/cede.h>

#define GREETING(F)                                                                                \
    F(str, name)                                                                                   \
    F(str, text)
CEDE_MESSAGE(greeting, GREETING);

struct greeter {
    int greeted; /* only this actor can reach it: no lock */
};

static cede_result on_greeting(cede_self *self, struct greeter *state, struct greeting *m) {
    const char *name = cede_str_text(&m->name);
    cede_result r = cede_str_format(&m->text, "%d: Hello, %s!", ++state->greeted, name);
    return r == CEDE_OK ? cede_reply(self, m, &m) : r; /* the answer: the request itself */
}
#define GREETER(ON) ON(greeting, on_greeting)
CEDE_BEHAVIOUR(greeter, struct greeter, GREETER);

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    cede_ref to = {0};
    cede_result r = cede_spawn(self, &greeter, CEDE_NOTHING, &to);
    for (int i = 1; r == CEDE_OK && i < argc; i++) {
        struct greeting *m = cede_new(self, greeting);
        if (m == NULL) return CEDE_ENOMEM;
        r = cede_str_set(&m->name, argv[i]);
        if (r == CEDE_OK) r = cede_ask(self, to, &m, greeting, &m, CEDE_SECONDS(1));
        if (r == CEDE_OK) puts(cede_str_text(&m->text));
        cede_drop(self, &m); /* NULL, if the request moved and no answer came */
    }
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
