/* app.c - a program of one file, as a user writes it: an actor, a message, an ask. It sees nothing but what is installed. */
#include <cede/cede.h>

#include <inttypes.h>
#include <stdio.h>

#define QUESTION(F)                                                                                \
    F(u32, a)                                                                                      \
    F(u32, b)
CEDE_MESSAGE(question, QUESTION);
#define ANSWER(F) F(u64, sum)
CEDE_MESSAGE(answer, ANSWER);

struct adder {
    uint32_t asked;
};

static cede_result on_question(cede_self *self, struct adder *state, struct question *message) {
    struct answer *answer = cede_new(self, answer);
    if (answer == NULL) return CEDE_ENOMEM;
    state->asked++;
    answer->sum = (uint64_t)message->a + message->b;
    return cede_reply(self, message, &answer);
}

#define ADDER(ON) ON(question, on_question)
CEDE_BEHAVIOUR(adder, struct adder, ADDER);

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_ref ref;
    cede_result r = cede_spawn(self, &adder, CEDE_NOTHING, &ref);
    if (r != CEDE_OK) return r;
    struct question *question = cede_new(self, question);
    if (question == NULL) return CEDE_ENOMEM;
    question->a = 40;
    question->b = 2;
    struct answer *answer = NULL;
    r = cede_ask(self, ref, &question, answer, &answer, CEDE_SECONDS(5));
    if (r != CEDE_OK) return r;
    printf("the sum is %" PRIu64 "\n", answer->sum);
    cede_drop(self, &answer);
    return CEDE_OK;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
