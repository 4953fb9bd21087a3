/* main.c - the command line of logstat, its two roles, its private folder and its exit status. See README.md. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregator.h"
#include "office.h"
#include "report.h"

enum status { STATUS_OK, STATUS_INCOMPLETE, STATUS_USAGE, STATUS_NO_RESULT };
enum { FOLDER_SIZE = 80, PATH_SIZE = FOLDER_SIZE + 8 };
enum {
    OPTION_AGGREGATOR = 256,
    OPTION_EPOCH,
    OPTION_TRACE,
    OPTION_RESTARTS,
    OPTION_START,
    OPTION_BATCH
};

struct command {
    struct office_order order;
    struct aggregator_options aggregator; /* url not NULL: this process is the aggregator */
    bool counts_only;
    enum table table;
    uint32_t top;
};

static const char USAGE[] =
    "usage: logstat [OPTION...] [FILE...]\n"
    "Counts the package events in dpkg's logs: the top packages, and the events of each day.\n"
    "FILE is /var/log/dpkg.log if none is given; - is standard input.\n"
    "  -c, --counts packages|days  print the plain counts, as sort | uniq -c would\n"
    "  -n, --top N                 so many packages (10)\n"
    "  -p, --parsers N             so many actors count (one a processor)\n"
    "      --restarts N            start a dead aggregator again so many times (5)\n"
    "      --start SECONDS         an aggregator has to come up, and to end (10)\n"
    "      --batch BYTES           read so much at once (262144)\n"
    "      --trace                 tell on standard error what happens\n"
    "  -h, --help\n"
    "exit status: 0 all counted, 1 some input not read in full (named), 2 usage, 3 no result\n";

/* ---- the folder of the socket, also removed when a signal ends us ---- */

static char folder[FOLDER_SIZE], socket_path[PATH_SIZE];

static void folder_remove(void) {
    (void)unlink(socket_path);
    (void)rmdir(folder);
}

static void on_signal(int number) {
    folder_remove();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static bool folder_make(void) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent == '\0') parent = "/tmp";
    int size = snprintf(folder, sizeof folder, "%s/logstat-XXXXXX", parent);
    if (size < 0 || (size_t)size >= sizeof folder) {
        fprintf(stderr, "logstat: TMPDIR is too long for a socket in it\n");
        return false;
    }
    if (mkdtemp(folder) == NULL) {
        fprintf(stderr, "logstat: cannot make a folder in %s: %s\n", parent, strerror(errno));
        return false;
    }
    (void)snprintf(socket_path, sizeof socket_path, "%s/node", folder);
    const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)signal(signals[i], on_signal);
    return true;
}

/* ---- the command line ---- */

static bool number_read(const char *text, uint64_t least, uint64_t most, uint64_t *out) {
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "logstat: '%s' is no number from %" PRIu64 " to %" PRIu64 "\n", text, least,
                most);
        return false;
    }
    *out = value;
    return true;
}

static bool number_read_u32(const char *text, uint32_t least, uint32_t most, uint32_t *out) {
    uint64_t value = 0;
    if (!number_read(text, least, most, &value)) return false;
    *out = (uint32_t)value;
    return true;
}

static bool seconds_read_ns(const char *text, uint64_t least, uint64_t most, uint64_t *out) {
    uint64_t seconds = 0;
    if (!number_read(text, least, most, &seconds)) return false;
    *out = CEDE_SECONDS(seconds);
    return true;
}

static bool table_read(const char *text, struct command *command) {
    command->counts_only = true;
    command->table = strcmp(text, "days") == 0 ? DAYS : PACKAGES;
    if (command->table == DAYS || strcmp(text, "packages") == 0) return true;
    fprintf(stderr, "logstat: '%s' is neither packages nor days\n", text);
    return false;
}

static bool option_take(int option, struct command *command) {
    switch (option) {
    case 'c': return table_read(optarg, command);
    case 'n': return number_read_u32(optarg, 0, 1000000, &command->top);
    case 'p': return number_read_u32(optarg, 1, PARSERS_MAX, &command->order.parsers);
    case OPTION_RESTARTS: return number_read_u32(optarg, 0, 1000, &command->order.restarts_max);
    case OPTION_START: return seconds_read_ns(optarg, 1, 3600, &command->order.start_ns);
    case OPTION_BATCH: return number_read_u32(optarg, 1, 1u << 20, &command->order.batch_size);
    case OPTION_TRACE: command->order.trace = true; return true;
    case OPTION_AGGREGATOR: command->aggregator.url = optarg; return true;
    case OPTION_EPOCH: return number_read(optarg, 1, UINT64_MAX, &command->aggregator.epoch);
    default: return false;
    }
}

/* False: `*status` says how to exit. */
static bool command_read(int argc, char **argv, struct command *command, int *status) {
    static const struct option options[] = {
        {"counts", required_argument, NULL, 'c'},
        {"top", required_argument, NULL, 'n'},
        {"parsers", required_argument, NULL, 'p'},
        {"restarts", required_argument, NULL, OPTION_RESTARTS},
        {"start", required_argument, NULL, OPTION_START},
        {"batch", required_argument, NULL, OPTION_BATCH},
        {"trace", no_argument, NULL, OPTION_TRACE},
        {"help", no_argument, NULL, 'h'},
        {"aggregator", required_argument, NULL, OPTION_AGGREGATOR},
        {"epoch", required_argument, NULL, OPTION_EPOCH},
        {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:n:p:h", options, NULL)) != -1) {
        *status = option == 'h' ? STATUS_OK : STATUS_USAGE;
        if (option != 'h' && option_take(option, command)) continue;
        (void)fputs(USAGE, option == 'h' ? stdout : stderr);
        return false;
    }
    command->order.paths = argv + optind;
    command->order.path_count = (uint32_t)(argc - optind);
    command->aggregator.trace = command->order.trace;
    return true;
}

static uint32_t parsers_default(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1) return 1;
    return processors > (long)PARSERS_MAX ? PARSERS_MAX : (uint32_t)processors;
}

/* ---- running ---- */

/* A standard stream that is closed must not become somebody else's descriptor: it is opened so that its use fails. */
static void streams_guard(void) {
    const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY}; /* of 0, 1 and 2 */
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd) _exit(STATUS_NO_RESULT);
}

static int result_print(const struct command *command, const struct office *office) {
    cede_result r = command->counts_only ? report_counts(&office->result.totals, command->table)
                                         : report_tables(office, command->top);
    if (r == CEDE_OK && (fflush(stdout) != 0 || ferror(stdout))) r = CEDE_EIO;
    if (r != CEDE_OK) {
        fprintf(stderr, "logstat: cannot print the result: %s\n", cede_result_text(r));
        return STATUS_NO_RESULT;
    }
    return office->result.inputs_incomplete > 0 ? STATUS_INCOMPLETE : STATUS_OK;
}

static int command_run(struct command *command) {
    char url[PATH_SIZE + 8];
    struct office office = {.order = command->order};
    struct cede_options options = {.strict = getenv("LOGSTAT_STRICT") != NULL};
    cede_system *system = NULL;
    if (!folder_make()) return STATUS_NO_RESULT;
    (void)snprintf(url, sizeof url, "ipc://%s", socket_path);
    office.order.url = url;
    cede_result r = cede_system_create(&system, &options);
    if (r != CEDE_OK) fprintf(stderr, "logstat: %s\n", cede_result_text(r));
    if (r == CEDE_OK) r = cede_block_on(system, office_run, &office);
    cede_system_destroy(system);
    folder_remove();
    int status = r == CEDE_OK ? result_print(command, &office) : STATUS_NO_RESULT;
    counts_clear(&office.result.totals);
    return status;
}

int main(int argc, char **argv) {
    static char default_path[] = "/var/log/dpkg.log";
    static char *const default_paths[] = {default_path};
    struct command command = {.order = {.parsers = parsers_default(),
                                        .restarts_max = 5,
                                        .start_ns = CEDE_SECONDS(10),
                                        .batch_size = 256 * 1024},
                              .top = 10};
    int status = STATUS_OK;
    streams_guard();
    /* A reader that has gone away is an error of printing. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (!command_read(argc, argv, &command, &status)) return status;
    if (command.aggregator.url != NULL) return aggregator_run(&command.aggregator);
    if (command.order.path_count == 0) {
        command.order.paths = default_paths;
        command.order.path_count = 1;
    }
    return command_run(&command);
}
