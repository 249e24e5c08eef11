/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preloaded into programs by tests: records each call that changes a file or a folder, and each
 * sync, of all processes in one file, in the order in which they are made. VITRINE_RECORD is that
 * file, of a fixed size; it is mapped before a worker confines itself. Its first eight bytes are
 * the length of what is used, these included; then records (struct Record, two texts ended by 0,
 * the bytes). The C library's own streams are not seen, which the service uses for its log alone.
 *
 * A sync is noted before it is made and all else afterwards, so of two that happen together nothing
 * is taken for safe that is not. */
#undef _FILE_OFFSET_BITS /* open and open64 are two symbols here */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

typedef struct {
    uint32_t length; /* of all of it, a multiple of 8; written last */
    char kind;       /* Create mKdir Rename Link Unlink rmDir Write Truncate Zero Sync */
    uint64_t inode, offset, bytes;
} Record;

typedef struct {
    _Atomic uint64_t used;
} Head;

typedef struct {
    char kind;
    uint64_t inode, offset;
    const char *from, *to;
    const void *data;
    uint64_t bytes; /* of data, or a length without data */
} Call;

static struct {
    Head *head;
    uint64_t size;
} map;

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("VITRINE_RECORD");
    struct stat status;
    int fd = path ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &status) < 0)
        return;
    void *head = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (head == MAP_FAILED)
        return;
    map.head = head;
    map.size = (uint64_t)status.st_size;
}

static void
note(const Call *call)
{
    const char *from = call->from ? call->from : "", *to = call->to ? call->to : "";
    const size_t data = call->data ? call->bytes : 0;
    const uint64_t length = (sizeof(Record) + strlen(from) + 1 + strlen(to) + 1 + data + 7) / 8 * 8;
    if (map.head == NULL)
        return;
    const uint64_t at = atomic_fetch_add(&map.head->used, length);
    if (at + length > map.size)
        return; /* the reader sees that more is used than there is */
    Record *record = (Record *)((char *)map.head + at);
    record->kind = call->kind;
    record->inode = call->inode;
    record->offset = call->offset;
    record->bytes = call->bytes;
    char *text = stpcpy((char *)(record + 1), from) + 1;
    text = stpcpy(text, to) + 1;
    if (data)
        memcpy(text, call->data, data);
    record->length = (uint32_t)length;
}

/* Of a file or a folder; 0: a pipe or a socket, which loses nothing. */
static uint64_t
inode_of(int fd)
{
    struct stat status;
    if (map.head == NULL || fstat(fd, &status) < 0 ||
        !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
        return 0;
    return status.st_ino;
}

static int
note_names(int result, char kind, const char *from, const char *to)
{
    struct stat status = {0};
    if (result == 0 && map.head) {
        const char *there = to ? to : from;
        if (lstat(there, &status) < 0)
            status.st_ino = 0; /* it has been deleted */
        note(&(Call){.kind = kind, .inode = status.st_ino, .from = from, .to = to});
    }
    return result;
}

static void
note_bytes(int fd, char kind, uint64_t offset, const void *data, uint64_t bytes)
{
    const uint64_t inode = inode_of(fd);
    if (inode)
        note(&(Call){.kind = kind, .inode = inode, .offset = offset, .data = data, .bytes = bytes});
}

int
rename(const char *from, const char *to)
{
    return note_names(REAL(rename)(from, to), 'R', from, to);
}

int
link(const char *from, const char *to)
{
    return note_names(REAL(link)(from, to), 'L', from, to);
}

int
unlink(const char *path)
{
    return note_names(REAL(unlink)(path), 'U', path, NULL);
}

int
rmdir(const char *path)
{
    return note_names(REAL(rmdir)(path), 'D', path, NULL);
}

int
mkdir(const char *path, mode_t mode)
{
    return note_names(REAL(mkdir)(path, mode), 'K', path, NULL);
}

int
fsync(int fd)
{
    note_bytes(fd, 'S', 0, NULL, 0);
    return REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
    note_bytes(fd, 'S', 0, NULL, 0);
    return REAL(fdatasync)(fd);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    const ssize_t done = REAL(pwrite64)(fd, bytes, length, offset);
    if (done > 0)
        note_bytes(fd, 'W', (uint64_t)offset, bytes, (uint64_t)done);
    return done;
}

ssize_t
write(int fd, const void *bytes, size_t length)
{
    const ssize_t done = REAL(write)(fd, bytes, length);
    if (done > 0 && inode_of(fd))
        note_bytes(fd, 'W', (uint64_t)(lseek(fd, 0, SEEK_CUR) - done), bytes, (uint64_t)done);
    return done;
}

int
ftruncate64(int fd, off64_t length)
{
    const int result = REAL(ftruncate64)(fd, length);
    if (result == 0)
        note_bytes(fd, 'T', (uint64_t)length, NULL, 0);
    return result;
}

/* Room is held without a change but of the size; a hole reads as zeros. */
int
fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    const int result = REAL(fallocate64)(fd, mode, offset, length);
    struct stat status;
    if (result < 0 || map.head == NULL)
        return result;
    if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        note_bytes(fd, 'Z', (uint64_t)offset, NULL, (uint64_t)length);
    if (!(mode & FALLOC_FL_KEEP_SIZE) && fstat(fd, &status) == 0)
        note_bytes(fd, 'T', (uint64_t)status.st_size, NULL, 0);
    return result;
}

static int
open_with(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
    struct stat status;
    const int is_new = map.head && (flags & O_CREAT) && lstat(path, &status) < 0;
    const int fd = real(path, flags, mode);
    if (fd >= 0 && is_new)
        note_names(0, 'C', path, NULL);
    else if (fd >= 0 && (flags & O_TRUNC))
        note_bytes(fd, 'T', 0, NULL, 0);
    return fd;
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
