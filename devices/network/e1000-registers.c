/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The registers of the PRO/1000 cards (chapter 13): most keep what is written; those that do
 * something are named here. In memory, and through a window of two ports (section 13.2.3). */
#include "devices/network/e1000-private.h"

enum { IO_ADDRESS = 0, IO_DATA = 4 };

static bool
is_statistic(uint32_t offset)
{
    return offset >= E1000_STATISTICS && offset < E1000_STATISTICS_END;
}

static uint32_t
read_register(E1000 *nic, uint32_t offset)
{
    uint32_t value = *e1000_reg(nic, offset);

    switch (offset) {
    case E1000_CTRL: return nic->model->serial_phy ? e1000_management_read(nic, value) : value;
    case E1000_EECD: return e1000_eecd_read(nic);
    case E1000_EERD: return e1000_eerd_read(nic);
    case E1000_ICR: return e1000_read_causes(nic);
    case E1000_ICS:
    case E1000_IMC: return 0;
    default: break;
    }
    if (is_statistic(offset))
        *e1000_reg(nic, offset) = 0; /* counted from the last reading on */
    return value;
}

static void
write_ctrl(E1000 *nic, uint32_t value)
{
    if ((value & CTRL_RST) != 0) {
        e1000_soft_reset(nic);
        return;
    }
    if (nic->model->serial_phy)
        e1000_management_write(nic, value);
    *e1000_reg(nic, E1000_CTRL) = value & ~(uint32_t)(CTRL_RST | CTRL_PHY_RST);
    if ((value & CTRL_PHY_RST) != 0) {
        e1000_phy_reset(nic);
        e1000_update_link(nic);
    }
}

/* The card may take frames that wait. */
static void
receive_ready(E1000 *nic)
{
    if (nic->net != NULL)
        nic->net->receive_ready(nic->net->user);
}

static void
write_rctl(E1000 *nic, uint32_t value)
{
    const bool promiscuous = (value & RCTL_UPE) != 0;
    const bool was = (*e1000_reg(nic, E1000_RCTL) & RCTL_UPE) != 0;

    *e1000_reg(nic, E1000_RCTL) = value;
    if (nic->net != NULL && promiscuous != was)
        nic->net->promiscuous(nic->net->user, promiscuous);
    receive_ready(nic);
}

static void
write_register(E1000 *nic, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case E1000_CTRL: write_ctrl(nic, value); return;
    case E1000_STATUS: return;
    case E1000_EECD: e1000_eecd_write(nic, value); return;
    case E1000_MDIC:
        if (!nic->model->serial_phy)
            e1000_mdic_write(nic, value);
        return;
    case E1000_ICR:
        *e1000_reg(nic, E1000_ICR) &= ~value;
        e1000_update_interrupt(nic);
        return;
    case E1000_ICS: e1000_raise(nic, value); return;
    case E1000_IMS:
        *e1000_reg(nic, E1000_IMS) |= value;
        e1000_update_interrupt(nic);
        return;
    case E1000_IMC:
        *e1000_reg(nic, E1000_IMS) &= ~value;
        e1000_update_interrupt(nic);
        return;
    case E1000_RCTL: write_rctl(nic, value); return;
    case E1000_RDLEN:
    case E1000_TDLEN: value &= 0xfff80; break;
    case E1000_RDH:
    case E1000_RDT:
    case E1000_TDH:
    case E1000_TDT: value &= 0xffff; break;
    default: break;
    }
    if (is_statistic(offset))
        return;
    *e1000_reg(nic, offset) = value;
    if (offset == E1000_RDT)
        receive_ready(nic);
    else if (offset == E1000_TDT || offset == E1000_TCTL)
        e1000_transmit(nic);
}

/* --- memory --- */

static uint64_t
mmio_read(void *user, uint64_t offset, unsigned size)
{
    return offset < E1000_KEPT_END ? read_register(user, (uint32_t)offset) : 0;
}

static void
mmio_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    if (offset < E1000_KEPT_END)
        write_register(user, (uint32_t)offset, (uint32_t)value);
}

const IomMmioOps e1000_mmio_ops = {
    .read = mmio_read,
    .write = mmio_write,
    .min_size = 4,
    .max_size = 4,
};

/* --- ports --- */

static uint32_t
port_read(void *user, uint32_t offset, unsigned size)
{
    E1000 *nic = user;

    if (offset == IO_ADDRESS)
        return nic->io_address;
    return offset == IO_DATA ? (uint32_t)mmio_read(nic, nic->io_address & ~3u, 4) : 0;
}

static void
port_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    E1000 *nic = user;

    if (offset == IO_ADDRESS)
        nic->io_address = value & (E1000_MMIO_SIZE - 1);
    else if (offset == IO_DATA)
        mmio_write(nic, nic->io_address & ~3u, value, 4);
}

const IomPortOps e1000_port_ops = {
    .read = port_read,
    .write = port_write,
    .sizes = 4,
};
