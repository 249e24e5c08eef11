/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Builds VDI files byte by byte, independently of the library: small blocks, and headers that are
 * wrong. */
#pragma once

#include "tests/unit/image/builder.h"

#define BUILDER_MAP_AT 512u
#define BUILDER_DATA_AT 4096u

/* A dynamic image without any block allocated, of `blocks` blocks of 4 KiB (at most 896). */
GByteArray *vdi_build(uint32_t blocks);
/* The same as a differencing image that stands on what vdi_build() makes. */
GByteArray *vdi_build_child(uint32_t blocks);
