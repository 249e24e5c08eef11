/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Builds VMDK files byte by byte, independently of the library: small grains, headers and
 * descriptors that are wrong, streams. */
#pragma once

#include "tests/unit/image/builder.h"

#define VMDK_BUILDER_DESCRIPTOR_AT 512u
#define VMDK_BUILDER_DESCRIPTOR_SIZE 1024u
#define VMDK_BUILDER_REDUNDANT_AT (3 * 512u) /* directory; its table is the sector behind it */
#define VMDK_BUILDER_DIRECTORY_AT (8 * 512u)
#define VMDK_BUILDER_TABLE_AT (9 * 512u)
#define VMDK_BUILDER_DATA_AT (16 * 512u)

/* A monolithicSparse image without any grain, of `grains` grains of 4 KiB (at most 512). */
GByteArray *vmdk_build(uint32_t grains);
/* A differencing image; its parent's UUID is 3333... */
GByteArray *vmdk_build_child(uint32_t grains);
/* A streamOptimized image, its directory at the end; grain i, all bytes i + 1, is there if i is
 * even. The last one is stored with 512 bytes only. */
GByteArray *vmdk_build_stream(uint32_t grains);
/* Replaces the descriptor. */
void vmdk_describe(GByteArray *file, const char *text);
/* Replaces the only place of `from` in the descriptor; both have the same length. */
void vmdk_redescribe(GByteArray *file, const char *from, const char *to);
