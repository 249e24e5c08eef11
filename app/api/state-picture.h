/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The small picture of the screen that goes with a saved state, private to the programs of this
 * project. It is in the state's own file, after the end mark, so it is made, copied, moved and
 * deleted with it; who loads the state reads to the mark and no further.
 *
 *   PNG   length of the PNG, 64 bits, little-endian   "Vitrine picture\n" */
#pragma once

#include <glib.h>

#define STATE_PICTURE_WIDTH 320
#define STATE_PICTURE_HEIGHT 240
#define STATE_PICTURE_MAX (512u * 1024) /* bytes of PNG */

/* At the end of the file, which gets no picture and stays as it was when this fails. */
gboolean state_picture_append(int fd, GBytes *png);
/* NULL: there is none. What it is in truth, whoever shows it has to find out. */
GBytes *state_picture_read(int fd);
