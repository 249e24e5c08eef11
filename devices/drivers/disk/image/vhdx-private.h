/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VHDX inside: what is taken from headers, region table and metadata. MS-VHDX, chapter 2. */
#pragma once

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

/* Headers and region tables fill the first MiB. */
#define VHDX_REGIONS_AT_LEAST (1u << 20)
#define VHDX_BLOCK_MIN (1u << 20)
#define VHDX_BLOCK_MAX (256u << 20)
#define VHDX_MAX_CAPACITY (64ull << 40)
/* So many blocks an image may have: a table of 128 MiB. */
#define VHDX_MAX_BLOCKS (16u << 20)

typedef struct {
    uint64_t position;
    uint32_t length;
} VhdxRegion;

typedef struct {
    uint64_t file_end;
    uint8_t log_uuid[16]; /* all zero: there is nothing to be replayed */
    uint64_t log_position;
    uint32_t log_length;
    ImageIo *overlay; /* the file as it is after its log; NULL: as it is */
    VhdxRegion table, metadata;
    uint32_t block_size;
    uint32_t block_count;
    uint32_t chunk; /* so many blocks share a sector bitmap */
    bool fixed;
    uint32_t used;
    uint64_t *blocks; /* positions in the file; 0: zeros */
} VhdxState;

/* Finds the header that counts. */
bool vhdx_header_load(Image *image, VhdxState *vhdx, GError **error);
/* vhdx-log.c: replays the log in memory, into vhdx->overlay. */
bool vhdx_log_replay(Image *image, VhdxState *vhdx, GError **error);
bool vhdx_regions_load(Image *image, VhdxState *vhdx, GError **error);

/* vhdx-metadata.c: sets the capacity, and what says how the table is to be read. */
bool vhdx_metadata_load(Image *image, VhdxState *vhdx, GError **error);
