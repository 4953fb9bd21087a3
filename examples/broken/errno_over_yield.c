/* errno_over_yield.c - reads errno after a yield, and again: the compiler keeps the address that it had before, so the
 * second round looks at the errno of a thread that runs somebody else's turn by now. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cede/cede.h>

CEDE_YIELDS static cede_result read_all(cede_self *self, int fd) {
    char bytes[512];
    for (;;) {
        ssize_t count = read(fd, bytes, sizeof bytes);
        if (count == 0) return CEDE_OK;
        if (count > 0) continue;
        if (errno != EAGAIN && errno != EINTR) {
            fprintf(stderr, "cannot read: %s\n", strerror(errno));
            return CEDE_EIO;
        }
        cede_result r = cede_sleep(self, CEDE_MILLIS(10));
        if (r != CEDE_OK) return r;
    }
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    return read_all(self, STDIN_FILENO);
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
