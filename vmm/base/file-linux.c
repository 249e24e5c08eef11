/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Positioned file I/O on Linux: pread(2), pwrite(2), fdatasync(2), fallocate(2), lseek(2) with
 * SEEK_DATA, preadv2(2) with RWF_NOWAIT, and open-file-description locks (fcntl(2)). */
#include "vmm/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vmm/base/error.h"

/* Of one system call. */
#define PIECES_AT_ONCE 256u

enum { RESIDENCE_UNKNOWN, RESIDENCE_MEMORY, RESIDENCE_DISK };

struct BaseFile {
    int descriptor;
    bool writable;
    _Atomic int residence; /* of what is in it, as far as somebody has asked */
    char *name;
};

static BaseFile *
file_new(int descriptor, bool writable, const char *name)
{
    BaseFile *file = g_new0(BaseFile, 1);

    file->descriptor = descriptor;
    file->writable = writable;
    file->name = g_strdup(name);
    return file;
}

BaseFile *
base_file_open(const char *path, BaseFileMode mode, GError **error)
{
    int flags = O_CLOEXEC | O_NOCTTY;
    int descriptor;

    switch (mode) {
    case BASE_FILE_READ: flags |= O_RDONLY; break;
    case BASE_FILE_WRITE: flags |= O_RDWR; break;
    case BASE_FILE_CREATE: flags |= O_RDWR | O_CREAT | O_EXCL; break;
    }
    do {
        descriptor = open(path, flags, 0600);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        base_error_set_errno(error, errno, "Could not %s “%s”",
                             mode == BASE_FILE_CREATE ? "create" : "open", path);
        return NULL;
    }
    return file_new(descriptor, mode != BASE_FILE_READ, path);
}

BaseFile *
base_file_new_from_descriptor(int descriptor, const char *name, GError **error)
{
    int flags = fcntl(descriptor, F_GETFL);

    if (flags < 0) {
        base_error_set_errno(error, errno, "Could not use the descriptor of “%s”", name);
        return NULL;
    }
    return file_new(descriptor, (flags & O_ACCMODE) == O_RDWR, name);
}

BaseFile *
base_file_open_uncached(const BaseFile *file, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file->descriptor);
    int descriptor =
        open(path, (file->writable ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC | O_NOCTTY);

    if (descriptor >= 0)
        return file_new(descriptor, file->writable, file->name);
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                "“%s” can only be used through the host's cache.", file->name);
    return NULL;
}

void
base_file_close(BaseFile *file)
{
    if (file == NULL)
        return;
    close(file->descriptor);
    g_free(file->name);
    g_free(file);
}

const char *
base_file_name(const BaseFile *file)
{
    return file->name;
}

bool
base_file_is_writable(const BaseFile *file)
{
    return file->writable;
}

static bool
set_errno(const BaseFile *file, const char *what, GError **error)
{
    base_error_set_errno(error, errno, "Could not %s “%s”", what, file->name);
    return false;
}

bool
base_file_read_at(BaseFile *file, uint64_t offset, void *buffer, size_t length, size_t *done,
                  GError **error)
{
    size_t total = 0;

    while (total < length) {
        ssize_t got = pread(file->descriptor, (char *)buffer + total, length - total,
                            (off_t)(offset + total));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return set_errno(file, "read", error);
        if (got == 0)
            break;
        total += (size_t)got;
    }
    if (done != NULL) {
        *done = total;
    } else if (total < length) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_IO, "“%s” ends too early.", file->name);
        return false;
    }
    return true;
}

/* A file system without a disk does not know RWF_NOWAIT, nor does it make anybody wait. */
static void
find_residence(BaseFile *file)
{
    struct statfs system;
    const bool in_memory = fstatfs(file->descriptor, &system) == 0 && system.f_type == TMPFS_MAGIC;

    file->residence = in_memory ? RESIDENCE_MEMORY : RESIDENCE_DISK;
}

bool
base_file_try_read_at(BaseFile *file, uint64_t offset, void *buffer, size_t length)
{
    const struct iovec part = {.iov_base = buffer, .iov_len = length};
    const int flags = file->residence == RESIDENCE_MEMORY ? 0 : RWF_NOWAIT;
    const ssize_t got = preadv2(file->descriptor, &part, 1, (off_t)offset, flags);

    if (got >= 0 || errno != EOPNOTSUPP || file->residence != RESIDENCE_UNKNOWN)
        return got == (ssize_t)length;
    find_residence(file);
    return file->residence == RESIDENCE_MEMORY &&
           preadv2(file->descriptor, &part, 1, (off_t)offset, 0) == (ssize_t)length;
}

bool
base_file_write_at(BaseFile *file, uint64_t offset, const void *buffer, size_t length,
                   GError **error)
{
    size_t total = 0;

    while (total < length) {
        ssize_t put = pwrite(file->descriptor, (const char *)buffer + total, length - total,
                             (off_t)(offset + total));

        if (put < 0 && errno == EINTR)
            continue;
        if (put == 0)
            errno = ENOSPC;
        if (put <= 0)
            return set_errno(file, "write to", error);
        total += (size_t)put;
    }
    return true;
}

/* Takes the next pieces for one system call; *skip bytes of the first have been moved already.
 * Returns how many. */
static int
gather_pieces(const BaseFilePiece *pieces, size_t count, size_t skip, struct iovec *parts)
{
    const size_t taken = MIN(count, PIECES_AT_ONCE);

    for (size_t i = 0; i < taken; i++)
        parts[i] = (struct iovec){.iov_base = pieces[i].data, .iov_len = pieces[i].size};
    parts[0].iov_base = (uint8_t *)parts[0].iov_base + skip;
    parts[0].iov_len -= skip;
    return (int)taken;
}

static bool
move_pieces(BaseFile *file, uint64_t offset, const BaseFilePiece *pieces, size_t count, bool write,
            GError **error)
{
    struct iovec parts[PIECES_AT_ONCE];
    size_t skip = 0;

    while (count > 0) {
        const int taken = gather_pieces(pieces, count, skip, parts);
        ssize_t moved = write ? pwritev(file->descriptor, parts, taken, (off_t)offset)
                              : preadv(file->descriptor, parts, taken, (off_t)offset);

        if (moved < 0 && errno == EINTR)
            continue;
        if (moved == 0 && write)
            errno = ENOSPC;
        if (moved < 0 || (moved == 0 && write))
            return set_errno(file, write ? "write to" : "read", error);
        if (moved == 0) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_IO, "“%s” ends too early.", file->name);
            return false;
        }
        offset += (uint64_t)moved;
        skip += (size_t)moved;
        while (count > 0 && skip >= pieces->size) {
            skip -= pieces->size;
            pieces++;
            count--;
        }
    }
    return true;
}

bool
base_file_read_pieces_at(BaseFile *file, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                         GError **error)
{
    return move_pieces(file, offset, pieces, count, false, error);
}

bool
base_file_write_pieces_at(BaseFile *file, uint64_t offset, const BaseFilePiece *pieces,
                          size_t count, GError **error)
{
    return move_pieces(file, offset, pieces, count, true, error);
}

bool
base_file_sync(BaseFile *file, GError **error)
{
    return fdatasync(file->descriptor) == 0 || set_errno(file, "flush", error);
}

bool
base_file_sync_directory_of(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = descriptor >= 0 && fsync(descriptor) == 0;

    if (!ok)
        base_error_set_errno(error, errno, "Could not flush the folder “%s”", folder);
    if (descriptor >= 0)
        close(descriptor);
    return ok;
}

bool
base_file_size(BaseFile *file, uint64_t *size, GError **error)
{
    struct stat status;
    off_t end;

    if (fstat(file->descriptor, &status) < 0)
        return set_errno(file, "look at", error);
    if (S_ISREG(status.st_mode)) {
        *size = (uint64_t)status.st_size;
        return true;
    }
    if (!S_ISBLK(status.st_mode)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "“%s” is neither a file nor a disk.",
                    file->name);
        return false;
    }
    end = lseek(file->descriptor, 0, SEEK_END);
    if (end < 0)
        return set_errno(file, "look at", error);
    *size = (uint64_t)end;
    return true;
}

bool
base_file_truncate(BaseFile *file, uint64_t size, GError **error)
{
    int result;

    do {
        result = ftruncate(file->descriptor, (off_t)size);
    } while (result < 0 && errno == EINTR);
    return result == 0 || set_errno(file, "change the size of", error);
}

bool
base_file_allocate(BaseFile *file, uint64_t offset, uint64_t length, GError **error)
{
    int result;

    do {
        result = fallocate(file->descriptor, 0, (off_t)offset, (off_t)length);
    } while (result < 0 && errno == EINTR);
    return result == 0 || set_errno(file, "reserve room for", error);
}

bool
base_file_punch_hole(BaseFile *file, uint64_t offset, uint64_t length, GError **error)
{
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int result;

    do {
        result = fallocate(file->descriptor, mode, (off_t)offset, (off_t)length);
    } while (result < 0 && errno == EINTR);
    return result == 0 || set_errno(file, "free room in", error);
}

bool
base_file_next_data(BaseFile *file, uint64_t offset, uint64_t *start, uint64_t *end, GError **error)
{
    uint64_t size;
    off_t data, hole;

    if (!base_file_size(file, &size, error))
        return false;
    *start = *end = size;
    if (offset >= size)
        return true;
    data = lseek(file->descriptor, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        return true;
    if (data < 0 && errno != EINVAL && errno != EOPNOTSUPP)
        return set_errno(file, "look for data in", error);
    *start = data < 0 ? offset : (uint64_t)data;
    hole = data < 0 ? -1 : lseek(file->descriptor, data, SEEK_HOLE);
    if (hole >= 0)
        *end = (uint64_t)hole;
    return true;
}

static int
set_lock(BaseFile *file, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

    return fcntl(file->descriptor, F_OFD_SETLK, &lock);
}

bool
base_file_lock(BaseFile *file, bool exclusive, GError **error)
{
    if (set_lock(file, exclusive ? F_WRLCK : F_RDLCK) == 0)
        return true;
    if (errno == EAGAIN || errno == EACCES) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_BUSY,
                    "“%s” is in use by another program or machine.", file->name);
        return false;
    }
    if (errno == ENOLCK || errno == ENOTSUP || errno == EINVAL)
        return true;
    return set_errno(file, "lock", error);
}

void
base_file_unlock(BaseFile *file)
{
    set_lock(file, F_UNLCK);
}
