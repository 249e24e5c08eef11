/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PRO/1000's PHY, an M88E1000 (IEEE 802.3 clause 22 registers, then its own), reached by MDIC
 * or, on the 82543, by management lines at CTRL's software pins. The link is there when the cable
 * is. */
#include "devices/network/e1000-private.h"

enum {
    PHY_CONTROL = 0,
    PHY_STATUS = 1,
    PHY_ID_HIGH = 2,
    PHY_ID_LOW = 3,
    PHY_ADVERTISE = 4,
    PHY_PARTNER = 5,
    PHY_EXPANSION = 6,
    PHY_1000_CONTROL = 9,
    PHY_1000_STATUS = 10,
    PHY_EXTENDED_STATUS = 15,
    PHY_SPECIFIC_CONTROL = 16,
    PHY_SPECIFIC_STATUS = 17,
    PHY_EXTENDED_CONTROL = 20,
    CONTROL_RESET = 0x8000,
    CONTROL_RESTART = 0x0200,
    STATUS_LINK = 0x0004,
    STATUS_NEGOTIATED = 0x0020,
    SPECIFIC_LINK = 0xac00, /* 1000, full duplex, resolved, link */
};

enum {
    MDIC_WRITE = 1,
    MDIC_READ = 2,
    MDIC_READY = 1 << 28,
    MDIC_INTERRUPT = 1 << 29,
    MDIC_ERROR = 1 << 30,
    PHY_ADDRESS = 1,
};

/* CTRL's pins on the 82543. */
enum {
    PIN_DATA = 1 << 20,
    PIN_CLOCK = 1 << 21,
    PIN_DATA_OUT = 1 << 24,
    FRAME_BITS = 32, /* start, operation, addresses, turn-around, data */
    HEAD_BITS = 14,
};

void
e1000_phy_update_link(E1000 *nic, bool up)
{
    const uint16_t status = STATUS_LINK | STATUS_NEGOTIATED;

    nic->phy[PHY_STATUS] = (uint16_t)((nic->phy[PHY_STATUS] & ~status) | (up ? status : 0));
    nic->phy[PHY_PARTNER] = up ? 0x45e1 : 0;
    nic->phy[PHY_1000_STATUS] = up ? 0x7c00 : 0;
    nic->phy[PHY_SPECIFIC_STATUS] = up ? SPECIFIC_LINK : 0;
}

void
e1000_phy_reset(E1000 *nic)
{
    memset(nic->phy, 0, sizeof(nic->phy));
    nic->phy[PHY_CONTROL] = 0x1140;
    nic->phy[PHY_STATUS] = 0x7949;
    nic->phy[PHY_ID_HIGH] = 0x0141;
    nic->phy[PHY_ID_LOW] = nic->model->phy_id;
    nic->phy[PHY_ADVERTISE] = 0x0de1;
    nic->phy[PHY_EXPANSION] = 1;
    nic->phy[PHY_1000_CONTROL] = 0x0e00;
    nic->phy[PHY_EXTENDED_STATUS] = 0x3000;
    nic->phy[PHY_SPECIFIC_CONTROL] = 0x0360;
    nic->phy[PHY_EXTENDED_CONTROL] = 0x0d60;
}

static void
write_phy(E1000 *nic, unsigned number, uint16_t value)
{
    switch (number) {
    case PHY_CONTROL:
        if ((value & CONTROL_RESET) != 0)
            e1000_phy_reset(nic);
        else
            nic->phy[number] = (uint16_t)(value & ~CONTROL_RESTART);
        if ((value & (CONTROL_RESET | CONTROL_RESTART)) != 0)
            e1000_update_link(nic);
        break;
    case PHY_STATUS:
    case PHY_ID_HIGH:
    case PHY_ID_LOW:
    case PHY_PARTNER:
    case PHY_EXPANSION:
    case PHY_1000_STATUS:
    case PHY_EXTENDED_STATUS:
    case PHY_SPECIFIC_STATUS: break;
    default: nic->phy[number] = value; break;
    }
}

void
e1000_mdic_write(E1000 *nic, uint32_t value)
{
    const unsigned number = value >> 16 & 31, phy = value >> 21 & 31, op = value >> 26 & 3;
    uint32_t answer = value & 0x2fffffff;

    if (phy != PHY_ADDRESS)
        answer |= MDIC_ERROR;
    else if (op == MDIC_READ)
        answer = (answer & 0xffff0000) | nic->phy[number];
    else if (op == MDIC_WRITE)
        write_phy(nic, number, (uint16_t)value);
    *e1000_reg(nic, E1000_MDIC) = answer | MDIC_READY;
    if ((value & MDIC_INTERRUPT) != 0)
        e1000_raise(nic, ICR_MDAC);
}

/* --- the management lines --- */

/* All but the data are in: 01, the operation, five bits of address, five of register. */
static void
begin_access(E1000 *nic)
{
    E1000Serial *line = &nic->management;

    if ((line->shift >> 10 & 3) == 2 && (line->shift >> 5 & 31) == PHY_ADDRESS) {
        line->out = nic->phy[line->shift & 31];
        line->out_bits = 17; /* the turn-around first */
    }
}

static void
end_access(E1000 *nic)
{
    const E1000Serial *line = &nic->management;

    if ((line->shift >> 28 & 3) == 1 && (line->shift >> 23 & 31) == PHY_ADDRESS)
        write_phy(nic, line->shift >> 18 & 31, (uint16_t)line->shift);
}

static void
clock_in(E1000 *nic, bool bit)
{
    E1000Serial *line = &nic->management;

    /* The preamble is ones; a frame begins with a zero. */
    if (line->bits == 0 && bit)
        return;
    line->shift = line->shift << 1 | bit;
    line->bits++;
    if (line->bits == HEAD_BITS)
        begin_access(nic);
    if (line->bits == FRAME_BITS) {
        end_access(nic);
        line->shift = 0;
        line->bits = 0;
    }
}

void
e1000_management_write(E1000 *nic, uint32_t ctrl)
{
    E1000Serial *line = &nic->management;
    const bool clock = (ctrl & PIN_CLOCK) != 0;

    if (clock && !line->clock) {
        if ((ctrl & PIN_DATA_OUT) != 0) {
            clock_in(nic, (ctrl & PIN_DATA) != 0);
        } else if (line->out_bits > 0) {
            line->out_bits--;
            if (line->out_bits == 0) {
                line->bits = 0;
                line->shift = 0;
            }
        }
    }
    line->clock = clock;
}

uint32_t
e1000_management_read(const E1000 *nic, uint32_t ctrl)
{
    const E1000Serial *line = &nic->management;

    if ((ctrl & PIN_DATA_OUT) != 0)
        return ctrl;
    return (ctrl & ~(uint32_t)PIN_DATA) |
           (line->out_bits < 17 && (line->out >> line->out_bits & 1) != 0 ? PIN_DATA : 0);
}
