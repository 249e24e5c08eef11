/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VDI files byte by byte. */
#include "tests/unit/image/vdi-builder.h"

#include <string.h>

GByteArray *
vdi_build(uint32_t blocks)
{
    GByteArray *file = g_byte_array_new();

    g_byte_array_set_size(file, BUILDER_DATA_AT);
    memset(file->data, 0, file->len);
    builder_poke(file, 0x40, 0xbeda107f);
    builder_poke(file, 0x44, 0x00010001);
    builder_poke(file, 0x48, 400);
    builder_poke(file, 0x4c, 1);
    builder_poke(file, 0x154, BUILDER_MAP_AT);
    builder_poke(file, 0x158, BUILDER_DATA_AT);
    builder_poke(file, 0x168, 512);
    builder_poke(file, 0x1d4, 512);
    builder_poke(file, 0x170, blocks * BUILDER_BLOCK);
    builder_poke(file, 0x178, BUILDER_BLOCK);
    builder_poke(file, 0x180, blocks);
    memset(file->data + 0x188, 0x11, 16);
    memset(file->data + 0x198, 0x22, 16);
    memset(file->data + BUILDER_MAP_AT, 0xff, 4 * blocks);
    return file;
}

GByteArray *
vdi_build_child(uint32_t blocks)
{
    GByteArray *file = vdi_build(blocks);

    builder_poke(file, 0x4c, 4);
    memcpy(file->data + 0x1a8, file->data + 0x188, 16);
    memcpy(file->data + 0x1b8, file->data + 0x198, 16);
    return file;
}
