/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Physical region pages (NVM Express 1.2 section 4.3). A list's length follows from the size of the
 * transfer, so a list that leads to itself ends too. */
#include "devices/storage/nvme-private.h"

#define ENTRIES_IN_PAGE (NVME_PAGE / 8)

/* The entries of a list page from `at` on; returns how many were read. */
static unsigned
read_entries(NvmeController *nvme, uint64_t at, unsigned wanted, uint64_t *entries)
{
    unsigned room = (unsigned)((NVME_PAGE - at % NVME_PAGE) / 8);
    unsigned count = MIN(room, wanted);

    pdm_phys_read(nvme->device, at, entries, count * sizeof(*entries));
    for (unsigned i = 0; i < count; i++)
        entries[i] = GUINT64_FROM_LE(entries[i]);
    return count;
}

static uint16_t
follow_list(NvmeController *nvme, uint64_t at, uint32_t left, DmaList *list)
{
    uint64_t entries[ENTRIES_IN_PAGE];

    while (left > 0) {
        unsigned pages = (left + NVME_PAGE - 1) / NVME_PAGE;
        unsigned count, used;

        if (at % 8 != 0)
            return NVME_PRP_OFFSET;
        count = read_entries(nvme, at, pages, entries);
        /* The last entry of a full page leads on when it is not the last of all. */
        used = count < pages ? count - 1 : count;
        for (unsigned i = 0; i < used; i++) {
            uint32_t part = MIN(left, NVME_PAGE);

            if (entries[i] % NVME_PAGE != 0)
                return NVME_PRP_OFFSET;
            dma_list_add(list, entries[i], part);
            left -= part;
        }
        if (used < count) {
            at = entries[used];
            /* Behind the first page lists begin at a page's start: each goes on by 511 pages. */
            if (at % NVME_PAGE != 0)
                return NVME_PRP_OFFSET;
        }
    }
    return NVME_OK;
}

uint16_t
nvme_gather(NvmeController *nvme, const NvmeCommand *command, uint32_t size, DmaList *list)
{
    uint64_t first = nvme_double(command, 6);
    uint64_t second = nvme_double(command, 8);
    uint32_t part = MIN(size, (uint32_t)(NVME_PAGE - first % NVME_PAGE));

    if ((command->bytes[1] & 0xc0) != 0) /* not by entries but by a scatter-gather list */
        return NVME_INVALID_FIELD;
    if (first % 4 != 0)
        return NVME_PRP_OFFSET;
    dma_list_add(list, first, part);
    size -= part;
    if (size == 0)
        return NVME_OK;
    if (size > NVME_PAGE)
        return follow_list(nvme, second, size, list);
    if (second % NVME_PAGE != 0)
        return NVME_PRP_OFFSET;
    dma_list_add(list, second, size);
    return NVME_OK;
}

uint16_t
nvme_reply(NvmeController *nvme, const NvmeCommand *command, const void *data, uint32_t size)
{
    DmaList list = {0};
    uint16_t status = nvme_gather(nvme, command, size, &list);

    if (status == NVME_OK)
        dma_list_write(&list, nvme->device, 0, data, size);
    dma_list_clear(&list);
    return status;
}
