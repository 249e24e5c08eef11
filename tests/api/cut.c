/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preloaded into programs by tests: ends one of them, as kill -9 would, before a call of its own
 * that changes files. VITRINE_CUT_MARK is a symbolic link to "<program> <number>", and goes with
 * it; the calls are counted from when it is there. Other programs are left alone. */
#undef _FILE_OFFSET_BITS /* open and open64 are two symbols here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Whether this program is to be ended, and before which call. */
static int
cut_of_this(const char *mark)
{
    char text[64];
    if (strcmp(program_invocation_short_name, "vitrine-worker") == 0)
        return 0; /* it is confined, and may look at nothing */
    const ssize_t length = mark ? readlink(mark, text, sizeof text - 1) : -1;
    const char *name = program_invocation_short_name;
    if (length < 0)
        return 0;
    text[length] = '\0';
    return strncmp(text, name, strlen(name)) == 0 ? atoi(text + strlen(name)) : 0;
}

static void
step(void)
{
    static atomic_int done;
    const char *mark = getenv("VITRINE_CUT_MARK");
    const int cut = cut_of_this(mark);
    if (cut == 0 || ++done < cut)
        return;
    REAL(unlink)(mark);
    kill(getpid(), SIGKILL);
}

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

int
fdatasync(int fd)
{
    step();
    return REAL(fdatasync)(fd);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    step();
    return REAL(pwrite64)(fd, bytes, length, offset);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    step();
    return REAL(pwritev64)(fd, parts, count, offset);
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
