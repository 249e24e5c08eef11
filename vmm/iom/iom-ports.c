/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Port space: who owns which port, and accesses of the sizes that owners take. An access is tried
 * whole first; when its first port's owner does not take that size, or the range ends within it,
 * it falls apart into halves, as the ISA bus splits it into cycles. A read that is smaller than
 * what an owner takes is cut out of a wider one; such a write is lost. Intel SDM volume 1, 19.3. */
#include "vmm/iom/iom-private.h"

#include <string.h>

/* Units of a string operation done in one go when the owner has no string handler, so that a guest
 * cannot keep interrupts away with a long REP. */
#define STRING_CHUNK 64u

struct IomPorts {
    Iom *iom;
    const char *name;
    uint32_t first, count;
    bool mapped;
    IomPortOps ops;
    void *user;
};

Iom *
iom_new(void)
{
    Iom *iom = g_new0(Iom, 1);

    iom->owner = g_new0(IomPorts *, IOM_PORTS);
    g_queue_init(&iom->mapped_ports);
    return iom;
}

void
iom_free(Iom *iom)
{
    if (iom == NULL)
        return;
    g_queue_clear(&iom->mapped_ports);
    g_free(iom->owner);
    g_free(iom);
}

void
iom_set_lock(Iom *iom, GRecMutex *device_lock)
{
    iom->lock = device_lock;
}

IomPorts *
iom_ports_new(Iom *iom, const char *name, uint32_t count, const IomPortOps *ops, void *user)
{
    IomPorts *ports = g_new0(IomPorts, 1);

    ports->iom = iom;
    ports->name = name;
    ports->count = count;
    ports->ops = *ops;
    if (ports->ops.sizes == 0)
        ports->ops.sizes = 1 | 2 | 4;
    ports->user = user;
    return ports;
}

void
iom_ports_free(IomPorts *ports)
{
    if (ports == NULL)
        return;
    iom_ports_unmap(ports);
    g_free(ports);
}

static void
claim(IomPorts *ports, uint32_t from, uint32_t to)
{
    const uint32_t end = MIN(ports->first + ports->count, IOM_PORTS);

    for (uint32_t port = MAX(from, ports->first); port < MIN(to, end); port++)
        ports->iom->owner[port] = ports;
}

void
iom_ports_map(IomPorts *ports, uint16_t first)
{
    iom_enter(ports->iom);
    iom_ports_unmap(ports);
    ports->first = first;
    ports->mapped = true;
    g_queue_push_tail(&ports->iom->mapped_ports, ports);
    claim(ports, 0, IOM_PORTS);
    iom_leave(ports->iom);
}

void
iom_ports_unmap(IomPorts *ports)
{
    Iom *iom = ports->iom;

    iom_enter(iom);
    if (ports->mapped) {
        const uint32_t from = ports->first, to = MIN(from + ports->count, IOM_PORTS);

        ports->mapped = false;
        g_queue_remove(&iom->mapped_ports, ports);
        memset(iom->owner + from, 0, (to - from) * sizeof(IomPorts *));
        /* What it had covered comes back, the latest mapping on top. */
        for (GList *link = iom->mapped_ports.head; link != NULL; link = link->next)
            claim(link->data, from, to);
    }
    iom_leave(iom);
}

static inline bool
takes_whole(const IomPorts *ports, uint32_t offset, unsigned size)
{
    return (ports->ops.sizes & size) != 0 && offset + size <= ports->count;
}

/* A smaller read than the owner takes: out of a wider one that contains it, or open bus. */
static uint32_t
read_narrow(const IomPorts *ports, uint32_t offset, unsigned size)
{
    for (unsigned wide = size * 2; wide <= 4; wide *= 2) {
        const uint32_t base = offset & ~(wide - 1);

        if (takes_whole(ports, base, wide) && offset + size <= base + wide)
            return (uint32_t)((ports->ops.read(ports->user, base, wide) >> ((offset - base) * 8)) &
                              iom_open_bus(size));
    }
    return (uint32_t)iom_open_bus(size);
}

static uint32_t
read_locked(Iom *iom, uint32_t port, unsigned size)
{
    const IomPorts *ports = iom->owner[port & (IOM_PORTS - 1)];
    uint32_t low, high;

    if (ports != NULL && ports->ops.read != NULL) {
        const uint32_t offset = (port & (IOM_PORTS - 1)) - ports->first;

        if (takes_whole(ports, offset, size))
            return ports->ops.read(ports->user, offset, size) & (uint32_t)iom_open_bus(size);
        if (size == 1)
            return read_narrow(ports, offset, size);
    } else if (size == 1) {
        return 0xff;
    }
    low = read_locked(iom, port, size / 2);
    high = read_locked(iom, port + size / 2, size / 2);
    return low | high << (size * 4);
}

static void
write_locked(Iom *iom, uint32_t port, uint32_t value, unsigned size)
{
    const IomPorts *ports = iom->owner[port & (IOM_PORTS - 1)];

    if (ports != NULL && ports->ops.write != NULL) {
        const uint32_t offset = (port & (IOM_PORTS - 1)) - ports->first;

        if (takes_whole(ports, offset, size)) {
            ports->ops.write(ports->user, offset, value & (uint32_t)iom_open_bus(size), size);
            return;
        }
    }
    if (size == 1)
        return;
    write_locked(iom, port, value & (uint32_t)iom_open_bus(size / 2), size / 2);
    write_locked(iom, port + size / 2, value >> (size * 4), size / 2);
}

uint32_t
iom_port_read(Iom *iom, uint16_t port, unsigned size)
{
    uint32_t value;

    iom_enter(iom);
    value = read_locked(iom, port, size);
    iom_leave(iom);
    return value;
}

void
iom_port_write(Iom *iom, uint16_t port, uint32_t value, unsigned size)
{
    iom_enter(iom);
    write_locked(iom, port, value, size);
    iom_leave(iom);
}

/* The owner's own string handler, if it can move units of this size from this port. */
static uint32_t
read_by_owner(Iom *iom, uint16_t port, void *data, uint32_t count, unsigned size)
{
    const IomPorts *ports = iom->owner[port];
    uint32_t moved;

    if (ports == NULL || ports->ops.read_string == NULL ||
        !takes_whole(ports, port - ports->first, size))
        return 0;
    /* Not inside MIN(): it would call the owner twice. */
    moved = ports->ops.read_string(ports->user, port - ports->first, data, count, size);
    return MIN(moved, count);
}

static uint32_t
write_by_owner(Iom *iom, uint16_t port, const void *data, uint32_t count, unsigned size)
{
    const IomPorts *ports = iom->owner[port];
    uint32_t moved;

    if (ports == NULL || ports->ops.write_string == NULL ||
        !takes_whole(ports, port - ports->first, size))
        return 0;
    /* Not inside MIN(): it would call the owner twice. */
    moved = ports->ops.write_string(ports->user, port - ports->first, data, count, size);
    return MIN(moved, count);
}

uint32_t
iom_port_read_string(Iom *iom, uint16_t port, void *data, uint32_t count, unsigned size)
{
    uint32_t moved;

    iom_enter(iom);
    moved = read_by_owner(iom, port, data, count, size);
    if (moved == 0) {
        for (; moved < MIN(count, STRING_CHUNK); moved++) {
            const uint32_t value = read_locked(iom, port, size);

            memcpy((uint8_t *)data + (size_t)moved * size, &value, size);
        }
    }
    iom_leave(iom);
    return moved;
}

uint32_t
iom_port_write_string(Iom *iom, uint16_t port, const void *data, uint32_t count, unsigned size)
{
    uint32_t moved;

    iom_enter(iom);
    moved = write_by_owner(iom, port, data, count, size);
    if (moved == 0) {
        for (; moved < MIN(count, STRING_CHUNK); moved++) {
            uint32_t value = 0;

            memcpy(&value, (const uint8_t *)data + (size_t)moved * size, size);
            write_locked(iom, port, value, size);
        }
    }
    iom_leave(iom);
    return moved;
}
