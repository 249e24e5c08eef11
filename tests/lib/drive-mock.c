/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A host with an optical drive, /dev/sr0, and a disk, /dev/sda, that are not there: preloaded into
 * programs, or linked into a test. $VITRINE_MOCK_DRIVES is a folder in which the files below dev
 * and sys/block stand for what is below /dev and /sys/block. Beside them are
 *
 *   state   disc, audio, empty, open or gone: what is in the drive dev/sr0
 *   count   another content: another disc
 *   log     what the drive was asked for: a line each
 *   written what SCSI commands have written to a disc
 *
 * Descriptors are known by the file they are of, whichever process has opened it. The real calls
 * are made with syscall(2). */
#undef _FILE_OFFSET_BITS /* both names of the calls are defined here */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/cdrom.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SECTOR 2048
#define SR_MAJOR 11
#define SD_MAJOR 8

static const char *
folder(void)
{
    return getenv("VITRINE_MOCK_DRIVES");
}

/* The file that stands for a path; path itself where none does. */
static const char *
place(const char *path, char out[PATH_MAX])
{
    const char *root = folder();

    if (root == NULL || path == NULL ||
        (strncmp(path, "/sys/block", 10) != 0 && strcmp(path, "/dev/sr0") != 0 &&
         strcmp(path, "/dev/sda") != 0))
        return path;
    snprintf(out, PATH_MAX, "%s%s", root, path);
    return out;
}

static void
read_word(const char *name, char out[64])
{
    char path[PATH_MAX];
    ssize_t got = 0;
    int file;

    snprintf(path, sizeof(path), "%s/%s", folder(), name);
    file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (file >= 0) {
        got = read(file, out, 63);
        close(file);
    }
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static int
open_beside(const char *name, int flags)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder(), name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CREAT | O_CLOEXEC, 0600);
}

static void
note(const char *format, ...)
{
    char line[128];
    va_list list;
    int file = open_beside("log", O_WRONLY | O_APPEND), size;

    va_start(list, format);
    size = vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    if (file < 0 || write(file, line, (size_t)size) != size)
        abort();
    close(file);
}

static void
set_state(const char *state)
{
    int file = open_beside("state", O_WRONLY | O_TRUNC);

    if (file < 0 || write(file, state, strlen(state)) < 0)
        abort();
    close(file);
}

/* --- what files are --- */

static bool
is_file(const struct stat *status, const char *name)
{
    char path[PATH_MAX];
    struct stat own;

    snprintf(path, sizeof(path), "%s/dev/%s", folder(), name);
    return syscall(SYS_newfstatat, AT_FDCWD, path, &own, 0) == 0 && own.st_ino == status->st_ino &&
           own.st_dev == status->st_dev;
}

static int
look(int at, const char *path, struct stat *status, int flags)
{
    char out[PATH_MAX];
    int result = (int)syscall(SYS_newfstatat, at, place(path, out), status, flags);
    bool drive;

    if (result != 0 || folder() == NULL || !S_ISREG(status->st_mode))
        return result;
    drive = is_file(status, "sr0");
    if (drive || is_file(status, "sda")) {
        status->st_mode = (status->st_mode & ~(mode_t)S_IFMT) | S_IFBLK;
        status->st_rdev = makedev(drive ? SR_MAJOR : SD_MAJOR, 0);
    }
    return result;
}

int
stat(const char *path, struct stat *status)
{
    return look(AT_FDCWD, path, status, 0);
}

int
stat64(const char *path, struct stat64 *status)
{
    return look(AT_FDCWD, path, (struct stat *)status, 0);
}

int
fstat(int file, struct stat *status)
{
    return look(file, "", status, AT_EMPTY_PATH);
}

int
fstat64(int file, struct stat64 *status)
{
    return look(file, "", (struct stat *)status, AT_EMPTY_PATH);
}

static int
open_at(const char *path, int flags, mode_t mode)
{
    char out[PATH_MAX];

    return (int)syscall(SYS_openat, AT_FDCWD, place(path, out), flags, mode);
}

int
open(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
    return open_at(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
    return open_at(path, flags, mode);
}

DIR *
opendir(const char *path)
{
    char out[PATH_MAX];
    int file =
        (int)syscall(SYS_openat, AT_FDCWD, place(path, out), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

    return file < 0 ? NULL : fdopendir(file);
}

/* --- the drive --- */

static int
drive_status(const char *state)
{
    if (strcmp(state, "open") == 0)
        return CDS_TRAY_OPEN;
    return strcmp(state, "empty") == 0 ? CDS_NO_DISC : CDS_DISC_OK;
}

static int
fail(int number)
{
    errno = number;
    return -1;
}

static int
check(sg_io_hdr_t *io, uint8_t key, uint8_t asc)
{
    io->status = 2;
    io->masked_status = 1;
    io->sb_len_wr = 18;
    memset(io->sbp, 0, io->mx_sb_len);
    io->sbp[0] = 0x70;
    io->sbp[2] = key;
    io->sbp[12] = asc;
    return 0;
}

static int
write_sectors(sg_io_hdr_t *io)
{
    const uint8_t *cdb = io->cmdp;
    const off_t lba = (off_t)cdb[2] << 24 | cdb[3] << 16 | cdb[4] << 8 | cdb[5];
    const unsigned want = ((unsigned)cdb[7] << 8 | cdb[8]) * SECTOR;
    int file = open_beside("written", O_WRONLY);

    if (io->dxfer_direction != SG_DXFER_TO_DEV || io->dxfer_len < want ||
        pwrite(file, io->dxferp, want, lba * SECTOR) != (ssize_t)want)
        abort();
    close(file);
    io->resid = (int)(io->dxfer_len - want);
    return 0;
}

static int
answer(sg_io_hdr_t *io, const void *data, unsigned size)
{
    if (io->dxfer_direction != SG_DXFER_FROM_DEV)
        abort();
    if (size > io->dxfer_len)
        size = io->dxfer_len;
    memcpy(io->dxferp, data, size);
    io->resid = (int)(io->dxfer_len - size);
    return 0;
}

static int
read_sectors(sg_io_hdr_t *io)
{
    const uint8_t *cdb = io->cmdp;
    const off_t lba = (off_t)cdb[2] << 24 | cdb[3] << 16 | cdb[4] << 8 | cdb[5];
    const unsigned want = ((unsigned)cdb[7] << 8 | cdb[8]) * SECTOR;
    char path[PATH_MAX];
    ssize_t got;
    int file;

    snprintf(path, sizeof(path), "%s/dev/sr0", folder());
    file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0 || io->dxfer_direction != SG_DXFER_FROM_DEV || io->dxfer_len < want)
        abort();
    got = pread(file, io->dxferp, want, lba * SECTOR);
    close(file);
    if (got != (ssize_t)want)
        return check(io, 5, 0x21);
    io->resid = (int)(io->dxfer_len - want);
    return 0;
}

static int
capacity(sg_io_hdr_t *io)
{
    char path[PATH_MAX];
    uint8_t data[8] = {[6] = SECTOR >> 8};
    struct stat status;
    uint32_t last;

    snprintf(path, sizeof(path), "%s/dev/sr0", folder());
    if (syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) != 0)
        abort();
    last = (uint32_t)(status.st_size / SECTOR) - 1;
    for (unsigned i = 0; i < 4; i++)
        data[i] = (uint8_t)(last >> (24 - 8 * i));
    return answer(io, data, sizeof(data));
}

static int
move_tray(bool out)
{
    note(out ? "eject\n" : "load\n");
    set_state(out ? "open" : "disc");
    return 0;
}

/* START STOP UNIT: the tray goes where the two lowest bits say. */
static int
start_stop(sg_io_hdr_t *io)
{
    return io->cmdp[4] & 2 ? move_tray((io->cmdp[4] & 1) == 0) : 0;
}

/* GET EVENT STATUS NOTIFICATION, of media. */
static int
tell_media(sg_io_hdr_t *io, int status)
{
    const uint8_t data[8] = {[1] = 6,
                             [2] = 4,
                             [3] = 1 << 4,
                             [5] = status == CDS_TRAY_OPEN ? 1
                                   : status == CDS_DISC_OK ? 2
                                                           : 0};

    return answer(io, data, sizeof(data));
}

/* Another disc than the command before has found: the one that tells so. */
static bool
is_exchanged(uint8_t command)
{
    static char last[64];
    char now[64];
    bool exchanged;

    if (command == 0x12 || command == 0x4a)
        return false;
    read_word("count", now);
    exchanged = last[0] != '\0' && strcmp(now, last) != 0;
    strcpy(last, now);
    return exchanged;
}

static int
run_command(sg_io_hdr_t *io, const char *state)
{
    static const uint8_t inquiry[36] = {5,   0x80, 2,   2,   31,  0,   0,   0,
                                        'M', 'O',  'C', 'K', ' ', ' ', ' ', ' ',
                                        'R', 'E',  'C', 'O', 'R', 'D', 'E', 'R'};
    static const uint8_t blank_disc[8] = {0, 6, 0};
    const bool has_disc = drive_status(state) == CDS_DISC_OK;

    note("command %02x of %u, %u bytes\n", io->cmdp[0], io->cmd_len, io->dxfer_len);
    io->resid = 0;
    if (has_disc && is_exchanged(io->cmdp[0]))
        return check(io, 6, 0x28);
    switch (io->cmdp[0]) {
    case 0x00: return has_disc ? 0 : check(io, 2, 0x3a);
    case 0x1b: return start_stop(io);
    case 0x1e: note("lock %d\n", io->cmdp[4] & 1); return 0;
    case 0x12: return answer(io, inquiry, sizeof(inquiry));
    case 0x25: return has_disc ? capacity(io) : check(io, 2, 0x3a);
    case 0x28: return has_disc ? read_sectors(io) : check(io, 2, 0x3a);
    case 0x2a: return has_disc ? write_sectors(io) : check(io, 2, 0x3a);
    case 0x4a: return tell_media(io, drive_status(state));
    case 0x51: return has_disc ? answer(io, blank_disc, sizeof(blank_disc)) : check(io, 2, 0x3a);
    default: return check(io, 5, 0x20);
    }
}

static int
is_another_disc(void)
{
    static char last[64] = "?";
    char now[64];
    int changed;

    read_word("count", now);
    changed = strcmp(now, last) != 0;
    strcpy(last, now);
    return changed;
}

static int
drive_control(unsigned long request, void *argument)
{
    char state[64];

    read_word("state", state);
    if (strcmp(state, "gone") == 0)
        return fail(ENODEV);
    switch (request) {
    case CDROM_DRIVE_STATUS: return drive_status(state);
    case CDROM_DISC_STATUS: return strcmp(state, "audio") == 0 ? CDS_AUDIO : CDS_DATA_1;
    case CDROM_MEDIA_CHANGED: return is_another_disc();
    case CDROM_LOCKDOOR: note("lock %d\n", (int)(intptr_t)argument); return 0;
    case CDROMEJECT: return move_tray(true);
    case CDROMCLOSETRAY: return move_tray(false);
    case SG_IO: return run_command(argument, state);
    default: return fail(ENOTTY);
    }
}

int
ioctl(int file, unsigned long request, ...)
{
    struct stat status;
    void *argument;
    va_list list;

    va_start(list, request);
    argument = va_arg(list, void *);
    va_end(list);
    if (folder() != NULL && syscall(SYS_newfstatat, file, "", &status, AT_EMPTY_PATH) == 0 &&
        S_ISREG(status.st_mode) && is_file(&status, "sr0"))
        return drive_control(request, argument);
    return (int)syscall(SYS_ioctl, file, request, argument);
}
