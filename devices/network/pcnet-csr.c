/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCnet's control and status registers, and interrupts (data sheets, "Control and status
 * registers"). Most of them may be written only while the card is stopped or suspended. */
#include "devices/network/pcnet-private.h"

#include <string.h>

#define CHIP_MAKER 0x003u

enum {
    CSR4_CAUSES = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 9,
    CSR4_MASKS = 1 << 0 | 1 << 2 | 1 << 4 | 1 << 8,
    CSR4_UINTCMD = 1 << 7,
    CSR4_UINT = 1 << 6,
    CSR5_CAUSES = 1 << 4 | 1 << 7 | 1 << 9 | 1 << 11,
    CSR7_CAUSES = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 11,
    CSR7_RDMD = 1 << 13,
    CSR3_KEPT = 0x5f7c,
    CSR4_USUAL = 0x0115,
};

/* Which registers may be written while the card is stopped: their bits. */
static uint16_t
stopped_mask(const Pcnet *nic, unsigned number)
{
    if (number == 1 || number == 2 || (number >= 8 && number <= 15) ||
        (number >= 18 && number <= 47) || number == 49 || (number >= 60 && number <= 67) ||
        number == 76 || number == 78 || number == 80 || number == 82 ||
        (number >= 84 && number <= 86) || number == 100 || number == CSR_MFC || number == 114 ||
        number == 124)
        return 0xffff;
    if (number == 116 || number == 122 || number == 125)
        return nic->model->fast || number == 122 ? 0xffff : 0;
    return 0;
}

/* --- interrupts --- */

static bool
is_pending(const Pcnet *nic)
{
    const uint16_t *csr = nic->csr;

    if ((csr[0] & CSR0_CAUSES & ~CSR0_CERR & ~csr[3]) != 0 || (csr[4] & CSR4_UINT) != 0)
        return true;
    /* The causes of CSR4 stand one above their masks, those of CSR5 and CSR7 one above what enables
     * them. */
    if ((csr[4] >> 1 & CSR4_MASKS & ~csr[4]) != 0)
        return true;
    return ((csr[5] & CSR5_CAUSES) >> 1 & csr[5]) != 0 ||
           ((csr[7] & CSR7_CAUSES) >> 1 & csr[7]) != 0;
}

void
pcnet_update_interrupt(Pcnet *nic)
{
    const bool pending = is_pending(nic);
    bool level;

    nic->csr[0] = (uint16_t)((nic->csr[0] & ~CSR0_INTR) | (pending ? CSR0_INTR : 0));
    level = pending && (nic->csr[0] & CSR0_IENA) != 0;
    if (nic->line == level)
        return;
    nic->line = level;
    pdm_pci_irq(nic->device, nic->pci, level);
}

void
pcnet_raise(Pcnet *nic, uint16_t causes)
{
    nic->csr[0] |= causes;
    pcnet_update_interrupt(nic);
}

/* --- CSR0: what the card does --- */

static void
stop(Pcnet *nic)
{
    nic->csr[0] = CSR0_STOP;
    nic->csr[4] &= (uint16_t)~CSR4_CAUSES;
    nic->csr[5] &= (uint16_t)~CSR5_SPND;
    pcnet_receive_ready(nic);
    pcnet_poll_update(nic);
}

static void
start(Pcnet *nic)
{
    const uint16_t mode = nic->csr[CSR_MODE];

    nic->csr[0] |= CSR0_STRT;
    if ((mode & CSR15_DTX) == 0)
        nic->csr[0] |= CSR0_TXON;
    if ((mode & CSR15_DRX) == 0)
        nic->csr[0] |= CSR0_RXON;
    nic->waits = 1; /* whatever has come before */
    pcnet_receive_ready(nic);
    pcnet_transmit(nic);
    pcnet_poll_update(nic);
}

static void
write_command(Pcnet *nic, uint16_t value)
{
    uint16_t *csr0 = &nic->csr[0];

    *csr0 &= (uint16_t) ~(value & CSR0_CAUSES);
    if ((value & CSR0_STOP) != 0) {
        stop(nic);
        pcnet_update_interrupt(nic);
        return;
    }
    *csr0 = (uint16_t)((*csr0 & ~CSR0_IENA) | (value & CSR0_IENA));
    if ((value & CSR0_INIT) != 0 && (*csr0 & CSR0_INIT) == 0) {
        *csr0 = (uint16_t)((*csr0 & ~CSR0_STOP) | CSR0_INIT | CSR0_IDON);
        pcnet_initialise(nic);
    }
    if ((value & CSR0_STRT) != 0 && (*csr0 & CSR0_STRT) == 0) {
        *csr0 &= (uint16_t)~CSR0_STOP;
        start(nic);
    }
    if ((value & CSR0_TDMD) != 0)
        pcnet_transmit(nic);
    /* Drivers acknowledge when they have emptied the ring. */
    pcnet_receive_ready(nic);
    pcnet_update_interrupt(nic);
}

/* --- the other registers that do something --- */

static void
write_features(Pcnet *nic, uint16_t value)
{
    const uint16_t kept = (uint16_t) ~(CSR4_CAUSES | CSR4_UINTCMD);
    uint16_t causes = nic->csr[4] & CSR4_CAUSES & (uint16_t)~value;

    if ((value & CSR4_UINTCMD) != 0)
        causes |= CSR4_UINT;
    nic->csr[4] = (uint16_t)((value & kept) | causes);
    pcnet_poll_update(nic);
}

static void
write_extended(Pcnet *nic, uint16_t value)
{
    const uint16_t causes = nic->csr[5] & CSR5_CAUSES & (uint16_t)~value;
    const bool resumes = (nic->csr[5] & ~value & CSR5_SPND) != 0;

    /* A stopped card cannot be suspended. */
    if ((nic->csr[0] & CSR0_STOP) != 0)
        value &= (uint16_t)~CSR5_SPND;
    nic->csr[5] = (uint16_t)((value & ~CSR5_CAUSES) | causes);
    if (resumes) {
        pcnet_receive_ready(nic);
        pcnet_transmit(nic);
    }
    pcnet_poll_update(nic);
}

static void
write_second(Pcnet *nic, uint16_t value)
{
    const uint16_t causes = nic->csr[7] & CSR7_CAUSES & (uint16_t)~value;

    if (!nic->model->fast)
        return;
    nic->csr[7] = (uint16_t)((value & ~(CSR7_CAUSES | CSR7_RDMD)) | causes);
    if ((value & CSR7_RDMD) != 0)
        pcnet_receive_ready(nic);
}

void
pcnet_csr_write(Pcnet *nic, unsigned number, uint16_t value)
{
    const bool still = (nic->csr[0] & CSR0_STOP) != 0 || (nic->csr[5] & CSR5_SPND) != 0;
    uint16_t mask;

    switch (number) {
    case 0: write_command(nic, value); return;
    case 3: nic->csr[3] = value & CSR3_KEPT; break;
    case 4: write_features(nic, value); break;
    case 5: write_extended(nic, value); break;
    case 7: write_second(nic, value); break;
    case 16:
    case 17: pcnet_csr_write(nic, number - 16 + CSR_IADR, value); return;
    case 58: pcnet_bcr_write(nic, BCR_SWS, value); return;
    case CSR_RCVRC:
    case CSR_XMTRC:
        if (still)
            *(number == CSR_RCVRC ? &nic->receive_at : &nic->transmit_at) =
                (uint16_t)(value - nic->csr[number == CSR_RCVRC ? CSR_RCVRL : CSR_XMTRL]);
        return;
    default:
        mask = stopped_mask(nic, number);
        if (still && mask != 0)
            nic->csr[number] = value & mask;
        return;
    }
    pcnet_update_interrupt(nic);
}

/* --- reading --- */

/* Where the current descriptor of a ring is. */
static uint32_t
current(const Pcnet *nic, unsigned base, uint16_t index)
{
    return pcnet_pair(nic->csr, base) + index * (pcnet_is_wide(nic) ? 16u : 8u);
}

uint16_t
pcnet_csr_read(Pcnet *nic, unsigned number)
{
    const uint16_t errors = CSR0_BABL | CSR0_CERR | CSR0_MISS | CSR0_MERR;
    const uint32_t chip = (uint32_t)nic->model->part << 12 | CHIP_MAKER;

    if (number >= PCNET_CSRS)
        return 0;
    switch (number) {
    case 0: return (uint16_t)(nic->csr[0] | ((nic->csr[0] & errors) != 0 ? CSR0_ERR : 0));
    case 16:
    case 17: return nic->csr[number - 16 + CSR_IADR];
    case 28: return (uint16_t)current(nic, CSR_BADR, nic->receive_at);
    case 29: return (uint16_t)(current(nic, CSR_BADR, nic->receive_at) >> 16);
    case 34: return (uint16_t)current(nic, CSR_BADX, nic->transmit_at);
    case 35: return (uint16_t)(current(nic, CSR_BADX, nic->transmit_at) >> 16);
    case 58: return nic->bcr[BCR_SWS];
    case CSR_RCVRC: return (uint16_t)(nic->csr[CSR_RCVRL] + nic->receive_at);
    case CSR_XMTRC: return (uint16_t)(nic->csr[CSR_XMTRL] + nic->transmit_at);
    case CSR_CHIP: return (uint16_t)chip;
    case CSR_CHIP + 1: return (uint16_t)(chip >> 16);
    default: return nic->csr[number];
    }
}

/* What a reset by software does; the addresses stay. */
void
pcnet_csr_reset(Pcnet *nic)
{
    stop(nic);
    nic->csr[3] = 0;
    nic->csr[4] = CSR4_USUAL;
    nic->csr[5] = nic->csr[7] = 0;
    memset(nic->csr + CSR_LADRF, 0, 4 * sizeof(nic->csr[0]));
    nic->csr[CSR_MODE] = 0;
    nic->csr[80] = 0x1410;
    nic->csr[82] = 0;
    nic->csr[100] = 0x0200;
    nic->csr[CSR_MFC] = nic->csr[114] = nic->csr[124] = 0;
    nic->rap = 0;
    nic->hurries = 0;
}
