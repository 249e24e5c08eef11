/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preloaded into the service by test_snapshot_cuts.py: ends it, as kill -9 would, before the
 * VITRINE_CUT-th call of its own that changes files. Other programs are left alone. */
#undef _FILE_OFFSET_BITS /* open and open64 are two symbols here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
step(void)
{
    static int left = -1;
    if (left < 0) {
        const char *text = getenv("VITRINE_CUT");
        int mine = strcmp(program_invocation_short_name, "vitrine-service") == 0;
        left = text && mine ? atoi(text) : 0;
    }
    if (left > 0 && --left == 0)
        kill(getpid(), SIGKILL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int
rename(const char *from, const char *to)
{
    step();
    return REAL(rename)(from, to);
}

int
link(const char *from, const char *to)
{
    step();
    return REAL(link)(from, to);
}

int
unlink(const char *path)
{
    step();
    return REAL(unlink)(path);
}

int
rmdir(const char *path)
{
    step();
    return REAL(rmdir)(path);
}

int
mkdir(const char *path, mode_t mode)
{
    step();
    return REAL(mkdir)(path, mode);
}

int
fsync(int fd)
{
    step();
    return REAL(fsync)(fd);
}

/* Only files: a pipe or a socket loses nothing. */
ssize_t
write(int fd, const void *bytes, size_t length)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        step();
    return REAL(write)(fd, bytes, length);
}

static int
open_with(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
    if (flags & O_CREAT)
        step();
    return real(path, flags, mode);
}

int
open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    return open_with(REAL(open), path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    return open_with(REAL(open64), path, flags, mode);
}
