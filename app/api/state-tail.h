/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What goes with a saved state beside the machine itself, private to the programs of this project:
 * a small picture of the screen, and which drives the guest has emptied. It is in the state's own
 * file, after the end mark, so it is made, copied, moved and deleted with it; who loads the state
 * reads to the mark and no further. Each record is
 *
 *   data   their length in bytes, 64 bits, little-endian   "Vitrine <kind>\n"
 *
 * and the picture is the last one: programs that know no other look for it there. */
#pragma once

#include <glib.h>

#define STATE_PICTURE_WIDTH 320
#define STATE_PICTURE_HEIGHT 240
#define STATE_TAIL_MAX (512u * 1024) /* bytes of data */

#define STATE_TAIL_PICTURE "picture" /* a PNG */
/* A line for each drive: MEDIUM PORT/DEVICE/CONTROLLER. The guest has ejected this medium of the
 * settings (a UUID) from it, and it is empty since. */
#define STATE_TAIL_EJECTED "ejected"

/* kind: one of the above. At the end of the file, which gets no record and stays as it was when
 * this fails. */
gboolean state_tail_append(int fd, const char *kind, GBytes *data);
/* NULL: there is none. What it is in truth, whoever uses it has to find out. */
GBytes *state_tail_read(int fd, const char *kind);
