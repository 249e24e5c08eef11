/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VHD inside: footer and dynamic header as structs, the block allocation table and the blocks'
 * sector bitmaps. Virtual Hard Disk Image Format Specification, version 1.0. */
#pragma once

#include "devices/drivers/disk/image/image-map.h"

#define VHD_FOOTER_SIZE 512
#define VHD_HEADER_SIZE 1024
#define VHD_BLOCK_FREE 0xffffffffu
#define VHD_DEFAULT_BLOCK_SIZE (2u << 20)
/* Block positions are 32-bit sector numbers; the specification ends at 2040 GiB. */
#define VHD_MAX_CAPACITY (2040ull << 30)
/* 64 Mi entries: a table of 256 MiB. At the default block size the largest disk has 1 Mi. */
#define VHD_MAX_BLOCKS (64u << 20)

typedef enum {
    VHD_TYPE_FIXED = 2,
    VHD_TYPE_DYNAMIC = 3,
    VHD_TYPE_DIFFERENCING = 4,
} VhdType;

typedef struct {
    uint64_t data_offset; /* of the dynamic header; all ones in a fixed image */
    uint32_t time;        /* of creation, seconds since 2000-01-01 UTC */
    uint64_t capacity;
    ImageGeometry geometry;
    uint32_t type;
    ImageUuid uuid;
} VhdFooter;

typedef struct {
    uint64_t table_offset;
    uint32_t blocks;
    uint32_t block_size;
    ImageUuid parent;
    uint64_t locators_end; /* behind all names of the parent; 0 without any */
} VhdHeader;

typedef struct {
    VhdFooter footer;
    VhdHeader header;                    /* not in fixed images */
    uint8_t raw_footer[VHD_FOOTER_SIZE]; /* as read: what is not understood is kept */
    ImageMap table;                      /* sector numbers of blocks */
    uint32_t bitmap_size;                /* bytes at the start of each block, whole sectors */
    uint64_t next;                       /* where the next block goes */
    uint64_t file_end;
    uint32_t used;        /* allocated blocks */
    uint32_t pending;     /* blocks that the table in the file does not have yet */
    GHashTable *bitmaps;  /* block number to VhdBitmap */
    unsigned dirty_count; /* bitmaps that are to be written */
} VhdState;

/* Which sectors of a block are here. */
typedef struct {
    bool dirty;
    bool full; /* all of them */
    uint8_t bits[];
} VhdBitmap;

/* vhd-header.c */
bool vhd_footer_is_valid(const uint8_t raw[VHD_FOOTER_SIZE]);
bool vhd_footer_decode(const uint8_t raw[VHD_FOOTER_SIZE], const char *name, VhdFooter *footer,
                       GError **error);
void vhd_footer_encode(const VhdFooter *footer, uint8_t raw[VHD_FOOTER_SIZE]);
bool vhd_header_decode(const uint8_t raw[VHD_HEADER_SIZE], const VhdFooter *footer,
                       const char *name, VhdHeader *header, GError **error);
void vhd_header_encode(const VhdHeader *header, uint8_t raw[VHD_HEADER_SIZE]);

/* Changes what a footer says and leaves everything else in it. */
void vhd_footer_change(const VhdFooter *footer, uint8_t raw[VHD_FOOTER_SIZE]);
/* The same with a dynamic header. */
void vhd_header_change(const VhdHeader *header, uint8_t raw[VHD_HEADER_SIZE]);

/* vhd-change.c */
bool vhd_set_uuids(Image *image, const ImageUuidChange *change, GError **error);
bool vhd_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error);
/* The footer as it is in memory, where the file ends and, with a dynamic header, at its start. */
bool vhd_write_footers(Image *image, VhdState *vhd, GError **error);
/* vhd-fixed.c */
bool vhd_resize_fixed(Image *image, uint64_t capacity, const ImageProgressSink *sink,
                      GError **error);
/* vhd-compact.c */
bool vhd_compact(Image *image, const ImageProgressSink *sink, GError **error);

/* vhd-table.c: loads it and checks that blocks lie in the file and apart from all else. */
bool vhd_table_load(Image *image, VhdState *vhd, GError **error);

/* vhd-bitmap.c: NULL with error set when it can't be read; valid until the next call. */
VhdBitmap *vhd_bitmap_get(Image *image, VhdState *vhd, uint32_t block, GError **error);
/* For a block that has just been written whole. */
void vhd_bitmap_set_full(VhdState *vhd, uint32_t block);
/* Notes that sectors first..last of the block are here now. */
void vhd_bitmap_mark(VhdState *vhd, VhdBitmap *bitmap, uint32_t first, uint32_t last);
/* How many sectors from `first` on (at most `most`) are like that one. */
uint32_t vhd_bitmap_run(const VhdBitmap *bitmap, uint32_t first, uint32_t most, bool *present);
bool vhd_bitmaps_write(Image *image, VhdState *vhd, GError **error);

/* vhd-write.c */
bool vhd_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error);
bool vhd_flush(Image *image, GError **error);

/* vhd-create.c */
ImageGeometry vhd_geometry_of(uint64_t capacity);
bool vhd_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
                GError **error);

static inline bool
vhd_is_fixed(const VhdState *vhd)
{
    return vhd->footer.type == VHD_TYPE_FIXED;
}

static inline uint32_t
vhd_bitmap_bytes(uint32_t block_size)
{
    return (block_size / 512 / 8 + 511) / 512 * 512;
}

/* Where the bitmap of an allocated block begins; its data follows. */
static inline uint64_t
vhd_block_position(const VhdState *vhd, uint32_t block)
{
    return vhd->table.entries[block] * 512ull;
}
