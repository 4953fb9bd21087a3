/* result.c - names and texts of the result codes, from the one list in result.h. */
#include <cede/result.h>

#include <stddef.h>

static const struct {
    const char *name;
    const char *text;
} RESULTS[] = {
#define RESULT_ROW(code, text) [code] = {#code, text},
    CEDE_RESULT_LIST(RESULT_ROW)
#undef RESULT_ROW
};

static const size_t RESULTS_COUNT = sizeof RESULTS / sizeof RESULTS[0];

const char *cede_result_name(cede_result result) {
    size_t index = (size_t)result;
    return index < RESULTS_COUNT ? RESULTS[index].name : "CEDE_?";
}

const char *cede_result_text(cede_result result) {
    size_t index = (size_t)result;
    return index < RESULTS_COUNT ? RESULTS[index].text : "unknown result code";
}
