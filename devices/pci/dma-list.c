/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pieces of guest memory. */
#include "devices/pci/dma-list.h"

void
dma_list_add(DmaList *list, uint64_t gpa, uint32_t size)
{
    DmaPiece *last = list->count > 0 ? &list->pieces[list->count - 1] : NULL;

    if (size == 0)
        return;
    list->size += size;
    if (last != NULL && last->gpa + last->size == gpa && last->size <= UINT32_MAX - size) {
        last->size += size;
        return;
    }
    if (list->count == list->room) {
        list->room = MAX(8, list->room * 2);
        list->pieces = g_renew(DmaPiece, list->pieces, list->room);
    }
    list->pieces[list->count++] = (DmaPiece){gpa, size};
}

void
dma_list_reset(DmaList *list)
{
    list->count = list->piece = 0;
    list->size = list->piece_from = 0;
}

void
dma_list_clear(DmaList *list)
{
    g_free(list->pieces);
    *list = (DmaList){0};
}

void
dma_list_move(DmaList *to, DmaList *from)
{
    dma_list_clear(to);
    *to = *from;
    *from = (DmaList){0};
}

/* Finds the piece of an offset that lies in the list; offsets mostly rise. */
static const DmaPiece *
seek(DmaList *list, uint64_t offset)
{
    if (offset < list->piece_from || list->piece >= list->count) {
        list->piece = 0;
        list->piece_from = 0;
    }
    while (offset - list->piece_from >= list->pieces[list->piece].size)
        list->piece_from += list->pieces[list->piece++].size;
    return &list->pieces[list->piece];
}

/* The part of a list's piece at offset that an access of `size` bytes may touch. */
static uint64_t
part_at(DmaList *list, uint64_t offset, uint64_t size, uint64_t *gpa)
{
    const DmaPiece *piece = seek(list, offset);
    uint64_t within = offset - list->piece_from;

    *gpa = piece->gpa + within;
    return MIN(size, piece->size - within);
}

static uint64_t
bytes_in(const DmaList *list, uint64_t offset, uint64_t size)
{
    return offset < list->size ? MIN(size, list->size - offset) : 0;
}

uint64_t
dma_list_read(DmaList *list, PdmDevice *device, uint64_t offset, void *data, uint64_t size)
{
    uint64_t total = bytes_in(list, offset, size);

    for (uint64_t done = 0; done < total;) {
        uint64_t gpa;
        uint64_t part = part_at(list, offset + done, total - done, &gpa);

        pdm_phys_read(device, gpa, (uint8_t *)data + done, part);
        done += part;
    }
    return total;
}

uint64_t
dma_list_write(DmaList *list, PdmDevice *device, uint64_t offset, const void *data, uint64_t size)
{
    uint64_t total = bytes_in(list, offset, size);

    for (uint64_t done = 0; done < total;) {
        uint64_t gpa;
        uint64_t part = part_at(list, offset + done, total - done, &gpa);

        pdm_phys_write(device, gpa, (const uint8_t *)data + done, part);
        done += part;
    }
    return total;
}

uint32_t
dma_list_map(DmaList *list, PdmDevice *device, uint64_t offset, uint64_t size, bool write,
             BaseFilePiece *pieces, uint32_t max)
{
    uint32_t count = 0;

    if (bytes_in(list, offset, size) < size)
        return 0;
    for (uint64_t done = 0; done < size; count++) {
        uint64_t gpa;
        size_t part = (size_t)part_at(list, offset + done, size - done, &gpa);
        void *host = count < max ? pdm_phys_map(device, gpa, &part, write) : NULL;

        if (host == NULL)
            return 0;
        pieces[count] = (BaseFilePiece){host, part};
        done += part;
    }
    return count;
}

void
dma_list_written(DmaList *list, PdmDevice *device, uint64_t offset, const BaseFilePiece *pieces,
                 uint32_t count)
{
    for (uint32_t i = 0; i < count; offset += pieces[i++].size) {
        uint64_t gpa;

        part_at(list, offset, pieces[i].size, &gpa);
        pdm_phys_unmap(device, gpa, pieces[i].data, pieces[i].size, true);
    }
}
