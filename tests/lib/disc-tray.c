/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tray of a guest's optical drive: `disc-tray DEVICE eject|lock|unlock|state` asks Linux's
 * driver (linux/cdrom.h) and prints "disc-tray: " with what came of it: "done", "refused" by the
 * drive, the error, or, of `state`, "disc", "no disc", "open" or a number. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/cdrom.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static int
ask(int drive, const char *what)
{
    if (strcmp(what, "eject") == 0)
        return ioctl(drive, CDROMEJECT, 0);
    if (strcmp(what, "state") == 0)
        return ioctl(drive, CDROM_DRIVE_STATUS, CDSL_CURRENT);
    return ioctl(drive, CDROM_LOCKDOOR, strcmp(what, "lock") == 0);
}

static void
print_state(int state)
{
    switch (state) {
    case CDS_DISC_OK: puts("disc-tray: disc"); break;
    case CDS_NO_DISC: puts("disc-tray: no disc"); break;
    case CDS_TRAY_OPEN: puts("disc-tray: open"); break;
    default: printf("disc-tray: %d\n", state); break;
    }
}

int
main(int argc, char **argv)
{
    int drive = argc == 3 ? open(argv[1], O_RDONLY | O_NONBLOCK) : -1;
    int answer = drive < 0 ? -1 : ask(drive, argv[2]);

    if (answer < 0)
        printf("disc-tray: %s\n", strerror(errno));
    else if (strcmp(argv[2], "state") == 0)
        print_state(answer);
    else /* above zero is the drive's own answer, of SCSI */
        puts(answer == 0 ? "disc-tray: done" : "disc-tray: refused");
    return answer < 0;
}
