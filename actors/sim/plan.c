/* plan.c - a plan as text: for each choice the letter of its kind, the thread, which of that kind it was there, and what was
 * chosen: k2-17.3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/sim/sim.h"

#define COUNT_MASK (((uint64_t)1 << CEDEI_SIM_THREAD_SHIFT) - 1)

static const char LETTERS[] = {
#define LETTER(name, letter) letter,
    CEDEI_SIM_KINDS(LETTER)
#undef LETTER
};

static int before(const void *left, const void *right) {
    const struct cedei_sim_choice *a = left, *b = right;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

void cedei_plan_sort(struct cedei_sim_choice *plan, uint32_t count) {
    qsort(plan, count, sizeof *plan, before);
}

bool cedei_plan_write(const struct cedei_sim_choice *plan, uint32_t count, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        int more = snprintf(text + used, size - used, "%s%c%llu-%llu.%u", i != 0 ? "," : "",
                            LETTERS[plan[i].kind],
                            (unsigned long long)plan[i].at >> CEDEI_SIM_THREAD_SHIFT,
                            (unsigned long long)(plan[i].at & COUNT_MASK), plan[i].value);
        if (more < 0 || (size_t)more >= size - used) return false;
        used += (size_t)more;
    }
    return true;
}

bool cedei_plan_read(const char *text, struct cedei_sim_choice *plan, uint32_t *count) {
    *count = 0;
    while (*text != '\0') { /* each round reads one */
        const char *letter = memchr(LETTERS, *text, sizeof LETTERS);
        char *end = NULL;
        if (letter == NULL || *count == CEDEI_SIM_CHOICES_MAX) return false;
        struct cedei_sim_choice *choice = &plan[(*count)++];
        choice->kind = (uint32_t)(letter - LETTERS);
        choice->at = strtoull(text + 1, &end, 10) << CEDEI_SIM_THREAD_SHIFT;
        if (end == text + 1 || *end != '-') return false;
        text = end + 1;
        choice->at |= strtoull(text, &end, 10) & COUNT_MASK;
        if (end == text || *end != '.') return false;
        text = end + 1;
        unsigned long value = strtoul(text, &end, 10);
        if (end == text || value == 0 || value > CEDEI_SIM_VALUE_MAX) return false;
        choice->value = (uint32_t)value;
        text = end;
        if (*text == ',') text++;
    }
    cedei_plan_sort(plan, *count);
    return true;
}
