/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VDI 1.1 inside: the header as a struct, the block map and what is pending on it. */
#pragma once

#include "devices/drivers/disk/image/image-map.h"

#define VDI_SIGNATURE 0xbeda107fu
#define VDI_SIGNATURE_OFFSET 0x40
#define VDI_VERSION 0x00010001u

#define VDI_BLOCK_FREE 0xffffffffu /* not allocated here */
#define VDI_BLOCK_ZERO 0xfffffffeu /* reads as zeros and hides the parent */

#define VDI_DEFAULT_BLOCK_SIZE (1u << 20)
#define VDI_ALIGNMENT (1u << 20)
#define VDI_COMMENT_SIZE 256
/* So many blocks an image may have: 64 TiB at the default block size, a map of 256 MiB. */
#define VDI_MAX_BLOCKS (64u << 20)
#define VDI_MAX_CAPACITY ((uint64_t)VDI_MAX_BLOCKS * VDI_DEFAULT_BLOCK_SIZE)

/* The header from offset 0 to the end of its longest known form. It fits a sector, so that a disk
 * writes it whole or not at all. */
#define VDI_HEADER_SIZE 512

typedef enum {
    VDI_TYPE_DYNAMIC = 1,
    VDI_TYPE_FIXED = 2,
    VDI_TYPE_UNDO = 3,
    VDI_TYPE_DIFFERENCING = 4,
} VdiType;

typedef struct {
    uint32_t header_size;
    uint32_t type;
    uint32_t flags;
    char comment[VDI_COMMENT_SIZE + 1];
    uint32_t map_offset;
    uint32_t data_offset;
    ImageGeometry geometry; /* the older, physical one */
    uint64_t capacity;
    uint32_t block_size;
    uint32_t block_extra; /* bytes before each block's data */
    uint32_t blocks;
    uint32_t blocks_allocated;
    ImageUuid uuid;
    ImageUuid modification;
    ImageUuid parent;
    ImageUuid parent_modification;
    ImageGeometry lchs;
} VdiHeader;

typedef struct {
    VdiHeader header;
    uint8_t raw_header[VDI_HEADER_SIZE]; /* as read: what is not understood is kept */
    ImageMap map;                        /* header.blocks entries */
    uint32_t used;                       /* how many entries are allocated */
    uint32_t next;                       /* first index in the file behind all that are used */
    GArray *gaps;                        /* uint32_t: indices below next that nothing uses */
    GArray *freed;     /* uint32_t: the same, but the map in the file still refers to them */
    uint32_t pending;  /* blocks that the map in the file does not have yet */
    uint32_t trailing; /* blocks in the file behind next when it was opened */
    uint64_t file_end; /* where the file ends now */
} VdiState;

/* vdi-header.c */
bool vdi_header_decode(const uint8_t raw[VDI_HEADER_SIZE], const char *name, VdiHeader *header,
                       GError **error);
/* Writes all fields into raw and leaves the bytes between them as they are. */
void vdi_header_encode(const VdiHeader *header, uint8_t raw[VDI_HEADER_SIZE]);

/* A comment that is too long is cut between characters. */
void vdi_header_set_comment(VdiHeader *header, const char *comment);

/* vdi-map.c */
bool vdi_map_load(Image *image, VdiState *vdi, GError **error);
/* Counts what is used and collects the gaps anew, after the map was changed as a whole. */
bool vdi_map_recount(Image *image, VdiState *vdi, GError **error);

/* vdi-write.c */
bool vdi_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error);
bool vdi_flush(Image *image, GError **error);
bool vdi_discard(Image *image, uint64_t offset, uint64_t length, GError **error);
bool vdi_write_zeros(Image *image, uint64_t offset, uint64_t length, GError **error);
/* Writes the header as it is in memory. */
bool vdi_write_header(Image *image, VdiState *vdi, GError **error);
/* Takes a block out of the map; its room can be used after the next flush. */
void vdi_free_block(Image *image, VdiState *vdi, uint32_t block);

/* vdi-compact.c, vdi-freeze.c, vdi-resize.c */
bool vdi_compact(Image *image, const ImageProgressSink *sink, GError **error);
/* Closes the gaps that discards have left, or fills them if that is too much work for now. */
bool vdi_settle(Image *image, GError **error);
/* Gives gaps to blocks that read as zeros anyway. */
bool vdi_freeze(Image *image, GError **error);
bool vdi_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error);

/* vdi-create.c */
bool vdi_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
                GError **error);

static inline uint64_t
vdi_block_stride(const VdiHeader *header)
{
    return (uint64_t)header->block_size + header->block_extra;
}

/* Where the data of the block with that index in the file begins. */
static inline uint64_t
vdi_block_position(const VdiHeader *header, uint32_t index)
{
    return header->data_offset + index * vdi_block_stride(header) + header->block_extra;
}

static inline bool
vdi_is_allocated(uint32_t entry)
{
    return entry < VDI_BLOCK_ZERO;
}
