/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCnet's window of 32 bytes, in ports and in memory (data sheets, "I/O resources"): the
 * address PROM, then data, address and reset ports, 16 bits apart or, once 32 bits were written to
 * the first, 32 bits apart. */
#include "devices/network/pcnet-private.h"

enum {
    WINDOW = 0x20,
    NARROW_RDP = 0x10,
    NARROW_RAP = 0x12,
    NARROW_RESET = 0x14,
    NARROW_BDP = 0x16,
    WIDE_RAP = 0x14,
    WIDE_RESET = 0x18,
    WIDE_BDP = 0x1c,
};

typedef enum { PORT_NONE, PORT_RDP, PORT_RAP, PORT_RESET, PORT_BDP } Port;

static bool
is_wide(const Pcnet *nic)
{
    return (nic->bcr[BCR_BSBC] & BCR18_DWIO) != 0;
}

static Port
find_port(const Pcnet *nic, uint32_t offset, unsigned size)
{
    const bool wide = is_wide(nic);

    if (size != (wide ? 4 : 2))
        return PORT_NONE;
    if (offset == NARROW_RDP)
        return PORT_RDP;
    if (offset == (wide ? WIDE_RAP : NARROW_RAP))
        return PORT_RAP;
    if (offset == (wide ? WIDE_RESET : NARROW_RESET))
        return PORT_RESET;
    return offset == (wide ? WIDE_BDP : NARROW_BDP) ? PORT_BDP : PORT_NONE;
}

static uint32_t
read_port(void *user, uint32_t offset, unsigned size)
{
    Pcnet *nic = user;
    uint32_t value = 0;

    if (offset < PCNET_APROM_SIZE) {
        for (unsigned i = 0; i < size && offset + i < PCNET_APROM_SIZE; i++)
            value |= (uint32_t)nic->aprom[offset + i] << (8 * i);
        return value;
    }
    switch (find_port(nic, offset, size)) {
    case PORT_RDP: return pcnet_csr_read(nic, nic->rap);
    case PORT_RAP: return nic->rap;
    case PORT_RESET: pcnet_soft_reset(nic); return 0;
    case PORT_BDP: return pcnet_bcr_read(nic, nic->rap);
    case PORT_NONE: break;
    }
    return UINT32_MAX >> (32 - 8 * size);
}

static void
write_aprom(Pcnet *nic, uint32_t offset, uint32_t value, unsigned size)
{
    if ((nic->bcr[BCR_MC] & BCR2_APROMWE) == 0)
        return;
    for (unsigned i = 0; i < size && offset + i < PCNET_APROM_SIZE; i++)
        nic->aprom[offset + i] = (uint8_t)(value >> (8 * i));
}

static void
write_port(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Pcnet *nic = user;

    if (offset < PCNET_APROM_SIZE) {
        write_aprom(nic, offset, value, size);
        return;
    }
    if (offset == NARROW_RDP && size == 4)
        nic->bcr[BCR_BSBC] |= BCR18_DWIO;
    switch (find_port(nic, offset, size)) {
    case PORT_RDP: pcnet_csr_write(nic, nic->rap, (uint16_t)value); break;
    case PORT_RAP: nic->rap = value & (PCNET_CSRS - 1); break;
    case PORT_BDP: pcnet_bcr_write(nic, nic->rap, (uint16_t)value); break;
    case PORT_RESET:
    case PORT_NONE: break;
    }
}

static uint64_t
read_memory(void *user, uint64_t offset, unsigned size)
{
    return offset < WINDOW ? read_port(user, (uint32_t)offset, size) : 0;
}

static void
write_memory(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    if (offset < WINDOW)
        write_port(user, (uint32_t)offset, (uint32_t)value, size);
}

const IomPortOps pcnet_port_ops = {.read = read_port, .write = write_port, .sizes = 7};
const IomMmioOps pcnet_mmio_ops = {.read = read_memory, .write = write_memory, .max_size = 4};
