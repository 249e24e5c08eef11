/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compressed clusters: one cluster's plain bytes are kept, so that sequential reads decompress each
 * once. */
#pragma once

#include "devices/drivers/disk/image/image-format.h"

typedef enum {
    IMAGE_CODEC_DEFLATE, /* raw, RFC 1951 */
    IMAGE_CODEC_ZLIB,    /* the same with header and checksum, RFC 1950 */
    IMAGE_CODEC_ZSTD,
} ImageCodec;

typedef struct {
    ImageCodec codec;
    uint32_t cluster_size;
    uint32_t last_size; /* zlib: a cluster may be as short as that, zeros follow; 0: none may */
    uint64_t cluster;   /* whose bytes are in plain */
    uint8_t *plain;     /* NULL: none yet */
} ImageCoded;

/* The plain bytes of cluster number `cluster`, which starts at position in the file and takes at
 * most `length` bytes there; they belong to coded. NULL: *error is set. */
const uint8_t *image_coded_get(ImageCoded *coded, Image *image, uint64_t cluster, uint64_t position,
                               uint32_t length, GError **error);
void image_coded_clear(ImageCoded *coded);
