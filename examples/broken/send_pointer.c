/* send_pointer.c - a struct that is declared Send holds a raw pointer: after the send two actors know the text, and
 * nobody knows who frees it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

/* Travels inside of the program's own ring buffer. */
struct CEDE_SEND log_entry {
    uint64_t time_ns;
    int level;
    char *text;
};

static struct log_entry make_entry(const char *text) {
    struct log_entry entry = {.time_ns = 1, .level = 2, .text = malloc(strlen(text) + 1)};
    if (entry.text != NULL) memcpy(entry.text, text, strlen(text) + 1);
    return entry;
}

int main(void) {
    struct log_entry entry = make_entry("started");
    printf("%d %s\n", entry.level, entry.text != NULL ? entry.text : "");
    free(entry.text);
    return 0;
}
