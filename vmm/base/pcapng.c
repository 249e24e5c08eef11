/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pcapng (draft-ietf-opsawg-pcapng): a section header, an interface description and an enhanced
 * packet block for each packet, in the host's byte order, each with one write. */
#include "vmm/base/pcapng.h"

#include "vmm/base/stream.h"

#include <glib.h>
#include <glib/gstdio.h>

enum {
    SECTION_BLOCK = 0x0a0d0d0a,
    INTERFACE_BLOCK = 1,
    PACKET_BLOCK = 6,
    ORDER_MAGIC = 0x1a2b3c4d,
    SNAP = 262144,
    OPTION_FLAGS = 2,
    PACKET_HEAD = 28,
    FLAGS_SIZE = 12, /* with the end of options */
};

static void
put(Pcapng *file, const void *data, size_t size)
{
    if (size > file->left || base_stream_write(file->descriptor, data, size) != 0)
        pcapng_stop(file);
    else
        file->left -= size;
}

bool
pcapng_start(Pcapng *file, int descriptor, PcapngLink link, uint64_t limit)
{
    const uint32_t head[] = {
        SECTION_BLOCK,   28, ORDER_MAGIC, 1,    UINT32_MAX, UINT32_MAX, 28, /* version 1.0 */
        INTERFACE_BLOCK, 20, link,        SNAP, 20,
    };

    *file = (Pcapng){.descriptor = descriptor, .active = true, .left = limit};
    put(file, head, sizeof(head));
    return file->active;
}

void
pcapng_stop(Pcapng *file)
{
    if (file->active)
        g_close(file->descriptor, NULL);
    file->active = false;
}

void
pcapng_packet(Pcapng *file, PcapngDirection direction, const PcapngPiece *pieces, unsigned count,
              size_t original)
{
    static const uint8_t zeros[4];
    const uint64_t now = (uint64_t)g_get_real_time();
    const uint32_t flags[] = {OPTION_FLAGS | 4 << 16, direction, 0};
    uint32_t kept = 0, total;
    g_autoptr(GByteArray) block = NULL;

    if (!file->active)
        return;
    for (unsigned i = 0; i < count; i++)
        kept += (uint32_t)pieces[i].size;
    total = PACKET_HEAD + kept + (-kept & 3) + 4 + (direction != PCAPNG_NONE ? FLAGS_SIZE : 0);
    const uint32_t head[] = {
        PACKET_BLOCK, total, 0, (uint32_t)(now >> 32), (uint32_t)now, kept, (uint32_t)original};
    block = g_byte_array_sized_new(total);
    g_byte_array_append(block, (const uint8_t *)head, sizeof(head));
    for (unsigned i = 0; i < count; i++)
        g_byte_array_append(block, pieces[i].data, (guint)pieces[i].size);
    g_byte_array_append(block, zeros, -kept & 3);
    if (direction != PCAPNG_NONE)
        g_byte_array_append(block, (const uint8_t *)flags, sizeof(flags));
    g_byte_array_append(block, (const uint8_t *)&total, sizeof(total));
    put(file, block->data, block->len);
}
