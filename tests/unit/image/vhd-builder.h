/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Builds VHD files byte by byte, independently of the library: small blocks, and headers that are
 * wrong. */
#pragma once

#include "tests/unit/image/builder.h"

#define VHD_BUILDER_TABLE_AT 1536u
/* Where the fields begin in the file, beside the footer's copy at 0. */
#define VHD_BUILDER_HEADER_AT 512u

/* A dynamic image without any block allocated, of `blocks` blocks of 4 KiB (at most 128). */
GByteArray *vhd_build(uint32_t blocks);
/* A differencing image; its parent's UUID is 16 bytes of 0x33. */
GByteArray *vhd_build_child(uint32_t blocks);
/* Big-endian. */
void vhd_poke(GByteArray *file, unsigned at, uint32_t value);
/* Sets the checksums right again after a poke, and copies the footer to the end. */
void vhd_seal(GByteArray *file);
