/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MMIO handlers: accesses of any length and alignment become naturally aligned ones of the sizes
 * that the owner takes. Where an owner takes only wide accesses, a narrow read is cut out of a wide
 * one and a narrow write is merged into what a read brought. */
#include "vmm/iom/iom-private.h"

struct IomMmio {
    Iom *iom;
    const char *name;
    IomMmioOps ops;
    void *user;
    bool locked;
};

IomMmio *
iom_mmio_new(Iom *iom, const char *name, const IomMmioOps *ops, void *user, bool locked)
{
    IomMmio *mmio = g_new0(IomMmio, 1);

    mmio->iom = iom;
    mmio->name = name;
    mmio->ops = *ops;
    mmio->ops.min_size = ops->min_size != 0 ? ops->min_size : 1;
    mmio->ops.max_size = ops->max_size != 0 ? ops->max_size : 8;
    mmio->user = user;
    mmio->locked = locked;
    return mmio;
}

void
iom_mmio_free(IomMmio *mmio)
{
    g_free(mmio);
}

/* The largest naturally aligned access at offset that is neither longer than what is left nor than
 * what the owner takes. */
static unsigned
piece_at(const IomMmio *mmio, uint64_t offset, unsigned left)
{
    unsigned size = mmio->ops.max_size;

    while (size > left || (offset & (size - 1)) != 0)
        size /= 2;
    return size;
}

static uint64_t
read_owner(const IomMmio *mmio, uint64_t offset, unsigned size)
{
    if (mmio->ops.read == NULL)
        return iom_open_bus(size);
    return mmio->ops.read(mmio->user, offset, size) & iom_open_bus(size);
}

static uint64_t
read_piece(const IomMmio *mmio, uint64_t offset, unsigned size)
{
    const unsigned wide = mmio->ops.min_size;
    const uint64_t base = offset & ~(uint64_t)(wide - 1);

    if (size >= wide)
        return read_owner(mmio, offset, size);
    return (read_owner(mmio, base, wide) >> ((offset - base) * 8)) & iom_open_bus(size);
}

static void
write_piece(const IomMmio *mmio, uint64_t offset, uint64_t value, unsigned size)
{
    const unsigned wide = mmio->ops.min_size;
    const uint64_t base = offset & ~(uint64_t)(wide - 1);
    uint64_t mask = iom_open_bus(size);

    if (mmio->ops.write == NULL)
        return;
    value &= mask;
    if (size < wide) {
        const unsigned shift = (unsigned)(offset - base) * 8;

        mask <<= shift;
        value = (read_owner(mmio, base, wide) & ~mask) | value << shift;
        size = wide;
        offset = base;
    }
    mmio->ops.write(mmio->user, offset, value, size);
}

uint64_t
iom_mmio_read(IomMmio *mmio, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    if (mmio->locked)
        iom_enter(mmio->iom);
    for (unsigned done = 0; done < size;) {
        const unsigned piece = piece_at(mmio, offset + done, size - done);

        value |= read_piece(mmio, offset + done, piece) << (done * 8);
        done += piece;
    }
    if (mmio->locked)
        iom_leave(mmio->iom);
    return value;
}

void
iom_mmio_write(IomMmio *mmio, uint64_t offset, uint64_t value, unsigned size)
{
    if (mmio->locked)
        iom_enter(mmio->iom);
    for (unsigned done = 0; done < size;) {
        const unsigned piece = piece_at(mmio, offset + done, size - done);

        write_piece(mmio, offset + done, value >> (done * 8), piece);
        done += piece;
    }
    if (mmio->locked)
        iom_leave(mmio->iom);
}
