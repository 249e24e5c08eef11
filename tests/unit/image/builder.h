/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the builders of image files and their tests have in common. */
#pragma once

#include "devices/drivers/disk/image/image.h"

/* The unit of allocation in all that is built: 4 KiB. */
#define BUILDER_BLOCK 4096u

typedef struct {
    const char *name; /* of the format */
    /* Without any block allocated, of so many of BUILDER_BLOCK bytes; and one that stands on
     * another. */
    GByteArray *(*build)(uint32_t blocks);
    GByteArray *(*build_child)(uint32_t blocks);
} BuilderFormat;

/* Those that are built byte by byte and written to: VDI, VHD, VMDK. */
enum { BUILDER_FORMATS = 3 };
extern const BuilderFormat builder_formats[BUILDER_FORMATS];

/* Little-endian words. */
void builder_poke(GByteArray *file, unsigned at, uint32_t value);
uint32_t builder_peek(const GByteArray *file, unsigned at);

/* A new image by the library's own hand. */
GByteArray *builder_create(const ImageCreateOptions *options);
