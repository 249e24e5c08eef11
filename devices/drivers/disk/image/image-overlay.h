/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file with pages and zeros laid over it in memory: what a log would write to it, for an image
 * that is only read. */
#pragma once

#include "devices/drivers/disk/image/image-io.h"

#define IMAGE_OVERLAY_PAGE 4096u

/* Reads what is in `below` until something is laid over it. Closing it closes below too. */
ImageIo *image_overlay_new(ImageIo *below, uint64_t size);
/* One page; position is a multiple of its size. */
void image_overlay_put(ImageIo *overlay, uint64_t position, const uint8_t *page);
/* Whole pages of zeros. False when there are more ranges of them than any program makes. */
bool image_overlay_zero(ImageIo *overlay, uint64_t position, uint64_t length);
/* Makes the file at least that long. */
void image_overlay_extend(ImageIo *overlay, uint64_t size);
/* Frees the overlay alone. */
void image_overlay_peel(ImageIo *overlay);
