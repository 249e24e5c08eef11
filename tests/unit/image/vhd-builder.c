/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VHD files byte by byte. */
#include "tests/unit/image/vhd-builder.h"

#include <string.h>

void
vhd_poke(GByteArray *file, unsigned at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        file->data[at + i] = (uint8_t)(value >> (24 - 8 * i));
}

static void
sum(GByteArray *file, unsigned start, unsigned size, unsigned at)
{
    uint32_t total = 0;

    vhd_poke(file, start + at, 0);
    for (unsigned i = 0; i < size; i++)
        total += file->data[start + i];
    vhd_poke(file, start + at, ~total);
}

void
vhd_seal(GByteArray *file)
{
    sum(file, 0, 512, 64);
    sum(file, VHD_BUILDER_HEADER_AT, 1024, 36);
    memcpy(file->data + file->len - 512, file->data, 512);
}

GByteArray *
vhd_build(uint32_t blocks)
{
    GByteArray *file = g_byte_array_new();

    g_byte_array_set_size(file, VHD_BUILDER_TABLE_AT + 512 + 512);
    memset(file->data, 0, file->len);
    memcpy(file->data, "conectix", 8);
    vhd_poke(file, 8, 2);
    vhd_poke(file, 12, 0x00010000);
    vhd_poke(file, 20, VHD_BUILDER_HEADER_AT);
    vhd_poke(file, 44, blocks * BUILDER_BLOCK);
    vhd_poke(file, 52, blocks * BUILDER_BLOCK);
    vhd_poke(file, 60, 3);
    memset(file->data + 68, 0x44, 16);
    memcpy(file->data + VHD_BUILDER_HEADER_AT, "cxsparse", 8);
    memset(file->data + VHD_BUILDER_HEADER_AT + 8, 0xff, 8);
    vhd_poke(file, VHD_BUILDER_HEADER_AT + 20, VHD_BUILDER_TABLE_AT);
    vhd_poke(file, VHD_BUILDER_HEADER_AT + 24, 0x00010000);
    vhd_poke(file, VHD_BUILDER_HEADER_AT + 28, blocks);
    vhd_poke(file, VHD_BUILDER_HEADER_AT + 32, BUILDER_BLOCK);
    memset(file->data + VHD_BUILDER_TABLE_AT, 0xff, 512);
    vhd_seal(file);
    return file;
}

GByteArray *
vhd_build_child(uint32_t blocks)
{
    GByteArray *file = vhd_build(blocks);

    vhd_poke(file, 60, 4);
    memset(file->data + VHD_BUILDER_HEADER_AT + 40, 0x33, 16);
    vhd_seal(file);
    return file;
}
