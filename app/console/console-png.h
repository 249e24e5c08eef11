/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pictures of the screen as PNG files. */
#pragma once

#include "vmm/base/error.h"

#include <stdint.h>

/* pixels: 32-bit words 0x00RRGGBB, rows of `stride` bytes. The result is the caller's. */
/* Made smaller, in its shape, to fit into max_width and max_height. */
GBytes *console_png_encode_small(const uint8_t *pixels, unsigned width, unsigned height,
                                 unsigned stride, unsigned max_width, unsigned max_height,
                                 GError **error);
GBytes *console_png_encode(const uint8_t *pixels, unsigned width, unsigned height, unsigned stride,
                           GError **error);
