/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCnet's bus configuration registers (data sheets, "Bus configuration registers"): lights, the
 * EEPROM, the software style; of the FAST III also the timer and the registers of its PHY (IEEE
 * 802.3 clause 22). Left out: the boot ROM behind the expansion port, power management, wake-up
 * patterns. */
#include "devices/network/pcnet-private.h"

#include <string.h>

enum {
    LED_OUT = 1 << 15,
    LED_100 = 1 << 12,
    LED_LINK = 1 << 6,
    EECAS_VALID = 1 << 15,
    EECAS_READ = 1 << 14,
    EECAS_DETECT = 1 << 13,
    EECAS_ENABLE = 1 << 4,
    EECAS_SELECT = 1 << 2,
    EECAS_CLOCK = 1 << 1,
    EECAS_DATA = 1 << 0,
    PHY_ADDRESS = 30,
    PHY_CONTROL = 0,
    PHY_STATUS = 1,
    PHY_ADVERTISE = 4,
    PHY_PARTNER = 5,
    PHY_RESET = 0x8000,
    PHY_RESTART = 0x0200,
    PHY_LINK = 0x0024, /* link, negotiated */
};

#define TIMER_STEP_NS 12800ull

/* What a register holds after a reset, and which bits of it may be written. */
typedef struct {
    uint8_t number;
    bool fast; /* only the FAST III has it */
    uint16_t usual, mask;
} Row;

/* clang-format off */
static const Row rows[] = {
    {0, false, 0x0005, 0}, {1, false, 0x0005, 0}, {2, false, 0x0002, 0x518f},
    {4, false, 0x00c0, 0x7fff}, {5, false, 0x0084, 0x7fff}, {6, false, 0x0088, 0x7fff}, {7, false, 0x0090, 0x7fff},
    {9, false, 0x0000, 0x0007}, {16, false, 0x0000, 0xffe0}, {17, false, 0x0000, 0xffff},
    {18, false, 0x9001, 0xff7f}, {20, false, 0x0200, 0}, {21, false, 0x0000, 0x00ff}, {22, false, 0xff06, 0xffff},
    {25, true, 0x0000, 0x00ff}, {26, true, 0x0000, 0x00ff}, {27, true, 0x0000, 0xffc0},
    {28, true, 0x0000, 0xffff}, {29, true, 0x0000, 0xc00f}, {30, true, 0x0000, 0x00ff}, {31, true, 0xffff, 0xffff},
    {32, true, 0x0400, 0x3ffa}, {33, true, PHY_ADDRESS << 5, 0x03ff}, {35, true, 0x1022, 0},
    {36, true, 0xc811, 0}, {45, true, 0x0000, 0xffff}, {46, true, 0x0000, 0xffff}, {47, true, 0x0000, 0xffff},
    {48, true, 0x00a0, 0x7fff},
};
/* clang-format on */

static const Row *
find_row(const Pcnet *nic, unsigned number)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].number == number && (nic->model->fast || !rows[i].fast))
            return &rows[i];
    }
    return NULL;
}

/* --- the EEPROM --- */

/* The address, AMD's mark and the sum of all of it, as drivers look for them (APROM). */
void
pcnet_eeprom_fill(Pcnet *nic)
{
    uint8_t bytes[PCNET_APROM_SIZE] = {0};
    uint16_t sum = 0;

    memset(nic->eeprom, 0, sizeof(nic->eeprom));
    memcpy(bytes, nic->port.mac, 6);
    bytes[9] = 0x11;
    bytes[14] = bytes[15] = 'W';
    for (unsigned i = 0; i < sizeof(bytes); i++)
        sum = (uint16_t)(sum + bytes[i]);
    bytes[12] = (uint8_t)sum;
    bytes[13] = (uint8_t)(sum >> 8);
    for (unsigned i = 0; i < sizeof(bytes) / 2; i++)
        nic->eeprom[i] = (uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
}

void
pcnet_eeprom_load(Pcnet *nic)
{
    for (unsigned i = 0; i < PCNET_APROM_SIZE; i++)
        nic->aprom[i] = (uint8_t)(nic->eeprom[i / 2] >> (i % 2 * 8));
    for (unsigned i = 0; i < 3; i++)
        nic->csr[CSR_PADR + i] = nic->eeprom[i];
}

static void
write_eeprom(Pcnet *nic, uint16_t value)
{
    const bool on = (value & EECAS_ENABLE) != 0;

    nic->bcr[BCR_EECAS] = value & (EECAS_ENABLE | EECAS_SELECT | EECAS_CLOCK | EECAS_DATA);
    microwire_set(&nic->microwire, nic->eeprom, on && (value & EECAS_SELECT) != 0,
                  (value & EECAS_CLOCK) != 0, (value & EECAS_DATA) != 0);
    if ((value & EECAS_READ) != 0 && (nic->csr[0] & CSR0_STOP) != 0)
        pcnet_eeprom_load(nic);
}

static uint16_t
read_eeprom(const Pcnet *nic)
{
    const uint16_t lines = nic->bcr[BCR_EECAS];
    uint16_t data = lines & EECAS_DATA;

    if ((lines & EECAS_ENABLE) != 0)
        data = microwire_out(&nic->microwire) ? EECAS_DATA : 0;
    return (uint16_t)((lines & ~EECAS_DATA) | data | EECAS_VALID | EECAS_DETECT);
}

/* --- the PHY --- */

void
pcnet_phy_update_link(Pcnet *nic, bool up)
{
    const uint16_t before = nic->phy[PHY_STATUS];

    nic->phy[PHY_STATUS] = (uint16_t)((before & ~PHY_LINK) | (up ? PHY_LINK : 0));
    nic->phy[PHY_PARTNER] = up ? 0x45e1 : 0;
    if (!nic->model->fast || before == nic->phy[PHY_STATUS])
        return;
    nic->csr[7] |= CSR7_MIIPDTINT;
    if ((nic->bcr[BCR_MIICAS] & BCR32_APEP) != 0)
        nic->csr[7] |= CSR7_MAPINT;
    pcnet_update_interrupt(nic);
}

void
pcnet_phy_reset(Pcnet *nic)
{
    memset(nic->phy, 0, sizeof(nic->phy));
    nic->phy[PHY_CONTROL] = 0x3100;
    nic->phy[PHY_STATUS] = 0x7849;
    nic->phy[3] = 0x6b60; /* AMD's; register 2 has zeros of it */
    nic->phy[PHY_ADVERTISE] = 0x01e1;
    nic->phy[6] = 1;
}

static uint16_t
read_phy(Pcnet *nic)
{
    const uint16_t address = nic->bcr[BCR_MIIADDR];

    return address >> 5 == PHY_ADDRESS ? nic->phy[address & 31] : 0xffff;
}

static void
write_phy(Pcnet *nic, uint16_t value)
{
    const uint16_t address = nic->bcr[BCR_MIIADDR];
    const unsigned number = address & 31;

    nic->csr[7] |= CSR7_MCCINT;
    if (address >> 5 != PHY_ADDRESS)
        return;
    if (number == PHY_CONTROL && (value & PHY_RESET) != 0) {
        pcnet_phy_reset(nic);
        pcnet_phy_update_link(nic, nic->link);
    } else if (number == PHY_CONTROL) {
        nic->phy[number] = value & (uint16_t)~PHY_RESTART;
    } else if (number == PHY_ADVERTISE || number >= 16) {
        nic->phy[number] = value;
    }
}

/* --- the registers --- */

static void
write_style(Pcnet *nic, uint16_t value)
{
    static const uint16_t bits[] = {0x0200, 0x0100, 0x0300, 0x0300};
    const unsigned style = value & 0xff;

    /* 1 is the ILACC's, which the FAST III has no longer. */
    if (style < G_N_ELEMENTS(bits) && (style != 1 || !nic->model->fast))
        nic->bcr[BCR_SWS] = (uint16_t)(bits[style] | (value & 0x0400) | style);
    else
        pdm_guest_error(nic->device, "pcnet-style", "there is no software style %u", style);
}

static void
start_timer(Pcnet *nic)
{
    const uint16_t steps = nic->bcr[BCR_STVAL];

    if (steps == 0)
        pdm_timer_cancel(nic->device, nic->software);
    else
        pdm_timer_set(nic->device, nic->software, pdm_now(nic->device) + steps * TIMER_STEP_NS);
}

void
pcnet_bcr_write(Pcnet *nic, unsigned number, uint16_t value)
{
    const Row *row = find_row(nic, number);
    const bool still = (nic->csr[0] & CSR0_STOP) != 0 || (nic->csr[5] & CSR5_SPND) != 0;

    if (number == BCR_EECAS) {
        write_eeprom(nic, value);
    } else if (number == BCR_SWS) {
        if (still)
            write_style(nic, value);
    } else if (number == BCR_MIIMDR && nic->model->fast) {
        write_phy(nic, value);
        pcnet_update_interrupt(nic);
    } else if (row != NULL) {
        nic->bcr[number] = (uint16_t)((nic->bcr[number] & ~row->mask) | (value & row->mask));
        if (number == BCR_STVAL)
            start_timer(nic);
        if (number == BCR_PCILAT) {
            uint8_t *config = pdm_pci_config(nic->device, nic->pci);

            config[0x3e] = (uint8_t)value;
            config[0x3f] = (uint8_t)(value >> 8);
        }
    }
}

/* A light shines for what it is told to show and what is so. */
static uint16_t
read_light(const Pcnet *nic, uint16_t value)
{
    const bool shown = (value & LED_LINK) != 0 || ((value & LED_100) != 0 && nic->model->fast);

    return (uint16_t)(value | (shown && nic->link ? LED_OUT : 0));
}

uint16_t
pcnet_bcr_read(Pcnet *nic, unsigned number)
{
    const uint8_t *config = pdm_pci_config(nic->device, nic->pci);

    switch (number) {
    case BCR_LED0:
    case BCR_LED0 + 1:
    case BCR_LED0 + 2:
    case BCR_LED0 + 3: return read_light(nic, nic->bcr[number]);
    case BCR_EECAS: return read_eeprom(nic);
    case 23:
    case 24:
        return (uint16_t)(config[0x2c + 2 * (number - 23)] | config[0x2d + 2 * (number - 23)] << 8);
    case BCR_MIIMDR:
        if (!nic->model->fast)
            return 0;
        nic->csr[7] |= CSR7_MCCINT;
        pcnet_update_interrupt(nic);
        return read_phy(nic);
    default: return number < PCNET_BCRS ? nic->bcr[number] : 0;
    }
}

void
pcnet_bcr_reset(Pcnet *nic)
{
    memset(nic->bcr, 0, sizeof(nic->bcr));
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (nic->model->fast || !rows[i].fast)
            nic->bcr[rows[i].number] = rows[i].usual;
    }
    if (nic->model->fast)
        nic->bcr[BCR_MC] |= 0x1000;
    pdm_timer_cancel(nic->device, nic->software);
}
