/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pieces of guest memory that a guest's descriptors name, read and written as one run of bytes.
 * Memory is RAM only, as in all DMA; a piece that lies elsewhere reads as ones or zeros and takes
 * what is written to it to nowhere. */
#pragma once

#include "vmm/pdm/pdm.h"

typedef struct {
    uint64_t gpa;
    uint32_t size;
} DmaPiece;

/* Zeroed memory is an empty list. Copies share the pieces: one of them is cleared. */
typedef struct {
    DmaPiece *pieces;
    uint32_t count, room;
    uint64_t size;       /* bytes in all pieces */
    uint32_t piece;      /* where the last access ended: its piece */
    uint64_t piece_from; /* and the offset at which that begins */
} DmaList;

/* Appends a piece; one that continues the last is joined with it. */
void dma_list_add(DmaList *list, uint64_t gpa, uint32_t size);
/* Empties it and keeps its memory. */
void dma_list_reset(DmaList *list);
void dma_list_clear(DmaList *list);
/* Clears `to` and gives it the pieces of `from`, which is empty then. */
void dma_list_move(DmaList *to, DmaList *from);
/* Finds the size bytes at offset in the host's memory, as at most `max` pieces; `write`: to be
 * written to. Returns how many, 0: not all of it is RAM, in the list, or in so few pieces. */
uint32_t dma_list_map(DmaList *list, PdmDevice *device, uint64_t offset, uint64_t size, bool write,
                      BaseFilePiece *pieces, uint32_t max);
/* What dma_list_map() gave has been written to. */
void dma_list_written(DmaList *list, PdmDevice *device, uint64_t offset,
                      const BaseFilePiece *pieces, uint32_t count);
/* Move up to size bytes between data and the list at offset; return how many lie in the list. */
uint64_t dma_list_read(DmaList *list, PdmDevice *device, uint64_t offset, void *data,
                       uint64_t size);
uint64_t dma_list_write(DmaList *list, PdmDevice *device, uint64_t offset, const void *data,
                        uint64_t size);
