/* A file that makes its descriptors non-blocking is believed. */
#include <fcntl.h>
#include <unistd.h>

#include <cede/cede.h>

#define OPEN(F) F(str, path)
CEDE_MESSAGE(open_file, OPEN);

struct reader {
    int fd;
};

static cede_result on_open(cede_self *self, struct reader *reader, struct open_file *message) {
    char bytes[64];
    (void)self;
    reader->fd = open(cede_str_text(&message->path), O_RDONLY | O_NONBLOCK);
    return read(reader->fd, bytes, sizeof bytes) >= 0 ? CEDE_OK : CEDE_EIO;
}
#define READER(ON) ON(open_file, on_open)
CEDE_BEHAVIOUR(reader, struct reader, READER);
