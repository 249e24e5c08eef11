/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PRO/1000's EEPROM, 64 words (chapter 5): by its serial line at EECD and by EERD. It holds
 * the address and the ids. */
#include "devices/network/e1000-private.h"

enum {
    EECD_SK = 1 << 0,
    EECD_CS = 1 << 1,
    EECD_DI = 1 << 2,
    EECD_DO = 1 << 3,
    EECD_FWE = 3 << 4,
    EECD_REQ = 1 << 6,
    EECD_GNT = 1 << 7,
    EECD_PRES = 1 << 8,
    EERD_START = 1 << 0,
    EERD_DONE = 1 << 4,
    CHECKSUM_WORD = 0x3f,
    CHECKSUM = 0xbaba,
};

void
e1000_eeprom_fill(E1000 *nic)
{
    uint16_t *words = nic->eeprom, sum = 0;
    const uint8_t *mac = nic->port.mac;

    for (unsigned i = 0; i < 3; i++)
        words[i] = (uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
    words[0x0a] = 0x4408; /* control 1: ids are taken from here */
    words[0x0b] = nic->model->subsystem;
    words[0x0c] = nic->model->subsystem_vendor;
    words[0x0d] = nic->model->device;
    words[0x0e] = 0x8086;
    words[0x0f] = 0x3040; /* control 2 */
    for (unsigned i = 0; i < CHECKSUM_WORD; i++)
        sum = (uint16_t)(sum + words[i]);
    words[CHECKSUM_WORD] = (uint16_t)(CHECKSUM - sum);
}

/* --- the serial line --- */

void
e1000_eecd_write(E1000 *nic, uint32_t value)
{
    *e1000_reg(nic, E1000_EECD) = value & (EECD_SK | EECD_CS | EECD_DI | EECD_FWE | EECD_REQ);
    microwire_set(&nic->microwire, nic->eeprom, (value & EECD_CS) != 0, (value & EECD_SK) != 0,
                  (value & EECD_DI) != 0);
}

uint32_t
e1000_eecd_read(const E1000 *nic)
{
    uint32_t value = nic->regs[E1000_EECD / 4] | EECD_PRES;

    if ((value & EECD_REQ) != 0)
        value |= EECD_GNT;
    return value | (microwire_out(&nic->microwire) ? EECD_DO : 0);
}

uint32_t
e1000_eerd_read(const E1000 *nic)
{
    const uint32_t value = nic->regs[E1000_EERD / 4];
    const uint32_t address = value >> 8 & 0xff;

    if ((value & EERD_START) == 0)
        return value;
    return (value & 0xff00) | EERD_DONE |
           (address < E1000_EEPROM_WORDS ? (uint32_t)nic->eeprom[address] << 16 : 0);
}
