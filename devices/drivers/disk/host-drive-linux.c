/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives of a Linux host: the uniform CD-ROM driver's calls (Documentation/cdrom/cdrom-standard),
 * the floppy driver's (linux/fd.h), and the SCSI generic interface, version 3 (scsi/sg.h). */
#include "devices/drivers/disk/host-drive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/cdrom.h>
#include <linux/fd.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Blanking a rewritable disc takes long; a program that waits sees so. Milliseconds. */
#define COMMAND_TIMEOUT (3600u * 1000)
#define SENSE_BYTES 32
/* Of fixed-format sense data (SPC-3 section 4.5.3) and of descriptor format (4.5.2). */
#define SENSE_IS_DESCRIPTORS(code) (((code)&0x7e) == 0x72)

static bool
is_gone(int number)
{
    return number == ENODEV || number == ENXIO || number == ESHUTDOWN;
}

static HostDriveState
look_at_disc(int descriptor)
{
    int disc = ioctl(descriptor, CDROM_DISC_STATUS, 0);

    switch (disc) {
    case CDS_NO_DISC:
    case CDS_TRAY_OPEN:
    case CDS_DRIVE_NOT_READY: return HOST_DRIVE_EMPTY;
    case CDS_AUDIO:
    case CDS_NO_INFO: return HOST_DRIVE_UNREADABLE;
    default: return HOST_DRIVE_READY; /* data; or it cannot tell, and reading will */
    }
}

static HostDriveState
look_optical(int descriptor, bool *changed)
{
    int status = ioctl(descriptor, CDROM_DRIVE_STATUS, CDSL_CURRENT);

    if (status < 0 && is_gone(errno))
        return HOST_DRIVE_GONE;
    if (ioctl(descriptor, CDROM_MEDIA_CHANGED, CDSL_CURRENT) == 1)
        *changed = true;
    return status == CDS_DISC_OK || status == CDS_NO_INFO ? look_at_disc(descriptor)
                                                          : HOST_DRIVE_EMPTY;
}

/* The line "disk change" stays on until a disk is there and the head has moved, which opening the
 * drive does. */
static HostDriveState
look_floppy(int descriptor, bool *changed)
{
    struct floppy_drive_struct drive = {0};

    if (ioctl(descriptor, FDPOLLDRVSTAT, &drive) < 0)
        return is_gone(errno) ? HOST_DRIVE_GONE : HOST_DRIVE_EMPTY;
    if ((drive.flags & (FD_DISK_NEWCHANGE | FD_DISK_CHANGED | FD_VERIFY)) == 0)
        return HOST_DRIVE_READY;
    *changed = true;
    return host_drive_reopen(descriptor, PDM_MEDIA_FLOPPY) ? HOST_DRIVE_READY : HOST_DRIVE_EMPTY;
}

HostDriveState
host_drive_look(int descriptor, PdmMediaType type, bool *changed)
{
    *changed = false;
    return type == PDM_MEDIA_OPTICAL ? look_optical(descriptor, changed)
                                     : look_floppy(descriptor, changed);
}

int
host_drive_copy(int descriptor)
{
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

void
host_drive_close(int descriptor)
{
    close(descriptor);
}

bool
host_drive_reopen(int descriptor, PdmMediaType type)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", descriptor);
    const int access = fcntl(descriptor, F_GETFL) & O_ACCMODE;
    /* An optical drive opens without a disc then, and does not lock its door by itself. */
    const int mode = type == PDM_MEDIA_OPTICAL ? O_NONBLOCK : 0;
    const int again = open(path, access | mode | O_CLOEXEC | O_NOCTTY);
    bool done;

    if (again < 0)
        return false;
    /* What the host keeps of the medium before is no good. */
    posix_fadvise(again, 0, 0, POSIX_FADV_DONTNEED);
    done = dup3(again, descriptor, O_CLOEXEC) >= 0;
    close(again);
    return done;
}

bool
host_drive_move_tray(int descriptor, bool open)
{
    return ioctl(descriptor, open ? CDROMEJECT : CDROMCLOSETRAY, 0) >= 0;
}

bool
host_drive_lock(int descriptor, bool locked)
{
    return ioctl(descriptor, CDROM_LOCKDOOR, locked ? 1 : 0) >= 0;
}

/* --- commands --- */

static void
take_sense(PdmMediaCommand *command, const uint8_t *sense)
{
    const bool descriptors = SENSE_IS_DESCRIPTORS(sense[0]);

    command->sense_key = (descriptors ? sense[1] : sense[2]) & 0x0f;
    command->asc = descriptors ? sense[2] : sense[12];
    command->ascq = descriptors ? sense[3] : sense[13];
}

int
host_drive_command(int descriptor, PdmMediaCommand *command, void *buffer, uint32_t size)
{
    uint8_t sense[SENSE_BYTES] = {0};
    sg_io_hdr_t io = {
        .interface_id = 'S',
        .dxfer_direction = size == 0            ? SG_DXFER_NONE
                           : command->to_device ? SG_DXFER_TO_DEV
                                                : SG_DXFER_FROM_DEV,
        .cmd_len = command->cdb_size,
        .mx_sb_len = SENSE_BYTES,
        .dxfer_len = size,
        .dxferp = buffer,
        .cmdp = command->cdb,
        .sbp = sense,
        .timeout = COMMAND_TIMEOUT,
    };

    if (ioctl(descriptor, SG_IO, &io) < 0)
        return errno;
    if (io.host_status != 0)
        return EIO;
    command->failed = io.masked_status != 0 || io.sb_len_wr != 0;
    command->transferred = size - (uint32_t)CLAMP(io.resid, 0, (int)MIN(size, G_MAXINT));
    take_sense(command, sense);
    return 0;
}
