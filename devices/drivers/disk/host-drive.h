/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An optical or floppy drive of the host, by its open descriptor: what is in it, its tray and lock,
 * commands for it. One file for each kind of host. All functions may block for as long as the drive
 * takes, so none is called under the device lock. */
#pragma once

#include "vmm/pdm/pdm.h"

typedef enum {
    HOST_DRIVE_EMPTY,      /* no medium, the tray is open, or it is not ready yet */
    HOST_DRIVE_READY,      /* a medium whose sectors can be read */
    HOST_DRIVE_UNREADABLE, /* a disc that is blank or holds only audio */
    HOST_DRIVE_GONE,       /* the drive itself has been unplugged */
} HostDriveState;

/* changed: there may be another medium than at the last call. */
HostDriveState host_drive_look(int descriptor, PdmMediaType type, bool *changed);

/* Another descriptor of the same open drive, -1 with errno; and the end of one. */
int host_drive_copy(int descriptor);
void host_drive_close(int descriptor);

/* Opens the drive anew in the place of the descriptor, which stays the same number: the host looks
 * how large the medium is only then. False: it is as before. */
bool host_drive_reopen(int descriptor, PdmMediaType type);

/* False with errno. */
bool host_drive_move_tray(int descriptor, bool open);
bool host_drive_lock(int descriptor, bool locked);

/* Carries a SCSI command out with buffer of size bytes. 0, with the command's status, sense and
 * count filled in; or an errno value, when it has not reached the drive. */
int host_drive_command(int descriptor, PdmMediaCommand *command, void *buffer, uint32_t size);
