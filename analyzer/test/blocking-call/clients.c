/* Databases and networks, times of 0, commands, and CEDE_BLOCKS on pointers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <unistd.h>

#include <cede/cede.h>

typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_step(sqlite3_stmt *statement);
int sqlite3_column_int(sqlite3_stmt *statement, int column);
typedef void CURL;
int curl_easy_perform(CURL *handle);
int curl_multi_perform(void *multi, int *running);
int curl_multi_poll(void *multi, void *extra, unsigned count, int timeout_ms, int *ready);
int zmq_recv(void *socket, void *buffer, size_t size, int flags);
typedef CEDE_BLOCKS int query_fn(const char *text);

CEDE_YIELDS cede_result database(cede_self *self, sqlite3_stmt *statement) {
    while (sqlite3_step(statement) == 100) // expect: blocking-call
        if (sqlite3_column_int(statement, 0) == 0)
            break;
    return cede_sleep(self, 1);
}

CEDE_YIELDS cede_result network(cede_self *self, CURL *curl, void *multi, void *socket) {
    int running = 0;
    char byte;
    curl_easy_perform(curl); // expect: blocking-call
    curl_multi_perform(multi, &running);
    curl_multi_poll(multi, NULL, 0, 0, NULL);
    curl_multi_poll(multi, NULL, 0, 1000, NULL); // expect: blocking-call
    zmq_recv(socket, &byte, 1, 1);
    zmq_recv(socket, &byte, 1, 0); // expect: blocking-call
    return cede_sleep(self, 1);
}

CEDE_YIELDS cede_result times(cede_self *self, int fd) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    struct timeval none = {0, 0}, some = {1, 0};
    struct timespec nothing = {0};
    struct pollfd one = {.fd = fd};
    select(fd + 1, &set, NULL, NULL, &none);
    select(fd + 1, &set, NULL, NULL, &(struct timeval){0});
    ppoll(&one, 1, &nothing, NULL);
    select(fd + 1, &set, NULL, NULL, &some); // expect: blocking-call
    select(fd + 1, &set, NULL, NULL, NULL); // expect: blocking-call
    ppoll(&one, 1, NULL, NULL); // expect: blocking-call
    return cede_sleep(self, 1);
}

CEDE_YIELDS cede_result commands(cede_self *self, int fd) {
    struct flock whole = {.l_type = F_WRLCK};
    if (fcntl(fd, F_SETLK, &whole) == 0)
        fcntl(fd, F_GETFD);
    fcntl(fd, F_SETLKW, &whole); // expect: blocking-call
    flock(fd, LOCK_SH | LOCK_NB);
    flock(fd, LOCK_SH); // expect: blocking-call
    return cede_sleep(self, 1);
}

CEDE_YIELDS cede_result by_pointer(cede_self *self, query_fn *query, int (*plain)(const char *)) {
    plain("select 1");
    query("select 1"); // expect: blocking-call
    if (0)
        query("select 2");
    return cede_sleep(self, 1);
}

/* A pointer that changes is not known. */
static unsigned (*waiter)(unsigned) = sleep;
static unsigned no_wait(unsigned seconds) { return seconds; }
void set_waiter(void);
void set_waiter(void) { waiter = no_wait; }
CEDE_YIELDS cede_result by_variable(cede_self *self) {
    waiter(1);
    return cede_sleep(self, 1);
}
