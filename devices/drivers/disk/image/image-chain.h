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

/* The image below `above` is the same file as image, opened otherwise; image takes its place. */
bool image_chain_replace(Image *above, Image *image, GError **error);
/* Takes the part from top down to just above lower off, which stays whole; both are chains then.
 * top is only read from then on, and what it was not asked to flush need not be there. */
void image_chain_detach(Image *top, Image *lower);
/* Puts lower, which is further down, directly below above: after a merge into lower. Those between
 * are closed, and lower is only read from then on. If above can be written to, the parent's UUIDs
 * in it are set; else the caller of callers does that. */
bool image_chain_adopt(Image *above, Image *lower, GError **error);
/* All below top are only read from now on. */
void image_chain_freeze(Image *top);
/* Whether the base is no differencing image. */
bool image_chain_is_complete(Image *top);

/* Takes the images below `upper` down to and with `last` out of the chain and closes them. */
void image_chain_drop(Image *upper, Image *last);
