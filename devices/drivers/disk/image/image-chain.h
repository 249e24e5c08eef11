/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chains, for those who change them while they are open: merging, and a drive that runs. */
#pragma once

#include "devices/drivers/disk/image/image-ops.h"

/* One level alone, compared with the registry. */
Image *image_open_source(const ImageSource *source, GError **error);

/* To be called when the images below top, or what they hold, have changed: long chains get a table
 * of who has what, unless one of those below is open for writing. */
void image_chain_settle(Image *top);

/* Puts a differencing image on top, which must be alone, and makes what is below read only after a
 * flush. child's parent modification UUID is set to what it has to be. On success child is the
 * chain; on failure top is as before, and child stays the caller's. */
bool image_chain_push(Image *child, Image *top, GError **error);

/* Takes the images below `upper` down to and with `last` out of the chain and closes them. */
void image_chain_drop(Image *upper, Image *last);
