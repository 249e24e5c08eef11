/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The common part of the builders. */
#include "tests/unit/image/builder.h"

#include "tests/unit/image/memory-io.h"
#include "tests/unit/image/vdi-builder.h"
#include "tests/unit/image/vhd-builder.h"
#include "tests/unit/image/vmdk-builder.h"

const BuilderFormat builder_formats[BUILDER_FORMATS] = {
    {"VDI", vdi_build, vdi_build_child},
    {"VHD", vhd_build, vhd_build_child},
    {"VMDK", vmdk_build, vmdk_build_child},
};

void
builder_poke(GByteArray *file, unsigned at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        file->data[at + i] = (uint8_t)(value >> (8 * i));
}

uint32_t
builder_peek(const GByteArray *file, unsigned at)
{
    return file->data[at] | (uint32_t)file->data[at + 1] << 8 | (uint32_t)file->data[at + 2] << 16 |
           (uint32_t)file->data[at + 3] << 24;
}

GByteArray *
builder_create(const ImageCreateOptions *options)
{
    GByteArray *file = g_byte_array_new();
    g_autoptr(ImageIo) io = &memory_io_new(file, NULL)->io;
    g_autoptr(GError) error = NULL;

    g_assert_true(image_create_io(io, options, NULL, NULL, &error));
    g_assert_no_error(error);
    return file;
}
