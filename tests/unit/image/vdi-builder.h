/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Builds VDI files byte by byte, independently of the library: small blocks, and headers that are
 * wrong. */
#pragma once

#include <glib.h>
#include <stdint.h>

#define BUILDER_BLOCK 4096u
#define BUILDER_MAP_AT 512u
#define BUILDER_DATA_AT 4096u

/* A dynamic image without any block allocated, of `blocks` blocks of 4 KiB (at most 896). */
GByteArray *vdi_build(uint32_t blocks);
/* The same as a differencing image that stands on what vdi_build() makes. */
GByteArray *vdi_build_child(uint32_t blocks);

static inline void
vdi_poke(GByteArray *file, unsigned at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        file->data[at + i] = (uint8_t)(value >> (8 * i));
}

static inline uint32_t
vdi_peek(const GByteArray *file, unsigned at)
{
    return file->data[at] | (uint32_t)file->data[at + 1] << 8 | (uint32_t)file->data[at + 2] << 16 |
           (uint32_t)file->data[at + 3] << 24;
}
