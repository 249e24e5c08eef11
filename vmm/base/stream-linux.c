/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Streams over POSIX read and write, which may do less than they were asked for. */
#include "vmm/base/stream.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int
base_stream_read(int descriptor, void *buffer, size_t size, size_t *done)
{
    char *bytes = buffer;

    for (*done = 0; *done < size;) {
        const ssize_t count = read(descriptor, bytes + *done, size - *done);
        if (count == 0) {
            break;
        }
        if (count > 0) {
            *done += (size_t)count;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int
base_stream_write(int descriptor, const void *buffer, size_t size)
{
    const char *bytes = buffer;

    while (size > 0) {
        const ssize_t count = write(descriptor, bytes, size);
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        } else if (count == 0) {
            return EIO;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

uint64_t
base_stream_left(int descriptor)
{
    const off_t position = lseek(descriptor, 0, SEEK_CUR);
    struct stat info;

    if (position < 0 || fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode) ||
        info.st_size < position)
        return 0;
    return (uint64_t)(info.st_size - position);
}
