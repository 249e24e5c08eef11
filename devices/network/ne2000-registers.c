/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The NE2000's ports: the registers of the DP8390 in three pages, the data port that remote DMA
 * fills from its PROM and memory, the reset port (DP8390D, "Internal registers", "Remote DMA";
 * National's application note AN-729 of the board). */
#include "devices/network/ne2000-private.h"

#include <string.h>

enum {
    DATA_PORT = 0x10,
    RESET_PORT = 0x18,
    PAGE_SHIFT = 6,
};

/* What no register answers with. */
#define OPEN 0xffu

/* --- remote DMA --- */

static uint8_t
get_byte(const Ne2000 *nic, uint16_t at)
{
    if (at >= NE2000_RAM_AT && at < NE2000_RAM_AT + NE2000_RAM_SIZE)
        return nic->ram[at - NE2000_RAM_AT];
    /* The PROM has eight bits on a bus of sixteen: each byte is there twice. */
    return at < 2 * NE2000_PROM_SIZE ? nic->prom[at / 2] : OPEN;
}

static void
put_byte(Ne2000 *nic, uint16_t at, uint8_t value)
{
    if (at >= NE2000_RAM_AT && at < NE2000_RAM_AT + NE2000_RAM_SIZE)
        nic->ram[at - NE2000_RAM_AT] = value;
}

/* The next byte; the last one says that all is done. */
static void
advance(Ne2000 *nic)
{
    nic->remote_at++;
    if (nic->remote_at == nic->page_stop * NE2000_PAGE)
        nic->remote_at = (uint16_t)(nic->page_start * NE2000_PAGE);
    if (nic->remote_left <= 1) {
        nic->remote_left = 0;
        ne2000_raise(nic, ISR_RDC);
    } else {
        nic->remote_left--;
    }
}

static unsigned
remote_command(const Ne2000 *nic)
{
    return nic->command >> 3 & 7;
}

static uint32_t
read_data(Ne2000 *nic, unsigned size)
{
    uint32_t value = 0;

    /* 1 reads, 3 sends a packet. */
    if ((remote_command(nic) & 5) != 1)
        return UINT32_MAX >> (32 - 8 * size);
    for (unsigned i = 0; i < size; i++) {
        value |= (uint32_t)get_byte(nic, nic->remote_at) << (8 * i);
        if (nic->remote_left > 0)
            advance(nic);
    }
    /* A word is moved for a byte as well. */
    if (size == 1 && (nic->data_config & DCR_WTS) != 0 && nic->remote_left > 0)
        advance(nic);
    return value;
}

static void
write_data(Ne2000 *nic, uint32_t value, unsigned size)
{
    if (remote_command(nic) != 2)
        return;
    for (unsigned i = 0; i < size && nic->remote_left > 0; i++) {
        put_byte(nic, nic->remote_at, (uint8_t)(value >> (8 * i)));
        advance(nic);
    }
}

/* Sends a packet: its length is in the header at the boundary, which moves behind it. */
static void
begin_packet(Ne2000 *nic)
{
    const uint32_t at = nic->boundary * NE2000_PAGE;

    nic->remote_at = (uint16_t)at;
    nic->remote_left =
        (uint16_t)(get_byte(nic, (uint16_t)(at + 2)) | get_byte(nic, (uint16_t)(at + 3)) << 8);
    nic->boundary = get_byte(nic, (uint16_t)(at + 1));
    ne2000_receive_ready(nic);
}

static void
begin_remote(Ne2000 *nic)
{
    const unsigned command = remote_command(nic);

    if (command == 3) {
        begin_packet(nic);
    } else if (command == 1 || command == 2) {
        nic->remote_at = nic->remote_start;
        nic->remote_left = nic->remote_count;
    }
    if (command >= 1 && command <= 3 && nic->remote_left == 0)
        ne2000_raise(nic, ISR_RDC);
}

/* --- registers --- */

static void
write_command(Ne2000 *nic, uint8_t value)
{
    const bool sends = ((nic->command | value) & CR_TXP) != 0;

    nic->command = (uint8_t)(value | (sends ? CR_TXP : 0));
    if ((value & CR_STP) != 0) {
        nic->command &= (uint8_t)~CR_TXP;
        nic->interrupts |= ISR_RST;
        ne2000_receive_ready(nic);
        return;
    }
    if ((value & CR_STA) != 0)
        nic->interrupts &= (uint8_t)~ISR_RST;
    begin_remote(nic);
    if ((value & CR_TXP) != 0)
        ne2000_transmit(nic);
    ne2000_receive_ready(nic);
}

static void
set_half(uint16_t *word, bool high, uint8_t value)
{
    *word = high ? (uint16_t)((*word & 0xff) | value << 8) : (uint16_t)((*word & 0xff00) | value);
}

static void
write_page0(Ne2000 *nic, unsigned offset, uint8_t value)
{
    switch (offset) {
    case 1: nic->page_start = value; break;
    case 2: nic->page_stop = value; break;
    case 3:
        nic->boundary = value;
        ne2000_receive_ready(nic);
        break;
    case 4: nic->transmit_page = value; break;
    case 5:
    case 6: set_half(&nic->transmit_count, offset == 6, value); break;
    case 7: nic->interrupts &= (uint8_t) ~(value & 0x7f); break;
    case 8:
    case 9: set_half(&nic->remote_start, offset == 9, value); break;
    case 10:
    case 11: set_half(&nic->remote_count, offset == 11, value); break;
    case 12:
        nic->receive_config = value;
        if (nic->net != NULL)
            nic->net->promiscuous(nic->net->user, (value & RCR_PRO) != 0);
        ne2000_receive_ready(nic);
        break;
    case 13:
        nic->transmit_config = value;
        ne2000_receive_ready(nic);
        break;
    case 14: nic->data_config = value; break;
    case 15: nic->mask = value & 0x7f; break;
    default: break;
    }
    ne2000_update_interrupt(nic);
}

static void
write_register(Ne2000 *nic, unsigned offset, uint8_t value)
{
    const unsigned page = nic->command >> PAGE_SHIFT;

    if (offset == 0) {
        write_command(nic, value);
    } else if (page == 0) {
        write_page0(nic, offset, value);
    } else if (page == 1 && offset <= 6) {
        nic->address[offset - 1] = value;
    } else if (page == 1 && offset == 7) {
        nic->current = value;
        ne2000_receive_ready(nic);
    } else if (page == 1) {
        nic->groups[offset - 8] = value;
    }
}

static uint8_t
read_missed(Ne2000 *nic)
{
    const uint8_t value = nic->missed;

    nic->missed = 0;
    return value;
}

static uint8_t
read_page0(Ne2000 *nic, unsigned offset)
{
    switch (offset) {
    case 1: return 0;
    case 2: return nic->current;
    case 3: return nic->boundary;
    case 4: return nic->transmit_status;
    case 7: return nic->interrupts;
    case 8: return (uint8_t)nic->remote_at;
    case 9: return (uint8_t)(nic->remote_at >> 8);
    case 12: return nic->receive_status | ((nic->receive_config & RCR_MON) != 0 ? RSR_DIS : 0);
    case 15: return read_missed(nic);
    case 10:
    case 11: return OPEN;
    default: return 0; /* nothing collides, nothing is damaged */
    }
}

static uint8_t
read_page2(const Ne2000 *nic, unsigned offset)
{
    switch (offset) {
    case 1: return nic->page_start;
    case 2: return nic->page_stop;
    case 4: return nic->transmit_page;
    case 12: return nic->receive_config | 0xc0;
    case 13: return nic->transmit_config | 0xe0;
    case 14: return nic->data_config | 0x80;
    case 15: return nic->mask | 0x80;
    default: return OPEN;
    }
}

static uint8_t
read_register(Ne2000 *nic, unsigned offset)
{
    if (offset == 0)
        return nic->command;
    switch (nic->command >> PAGE_SHIFT) {
    case 0: return read_page0(nic, offset);
    case 1:
        return offset <= 6   ? nic->address[offset - 1]
               : offset == 7 ? nic->current
                             : nic->groups[offset - 8];
    case 2: return read_page2(nic, offset);
    default: return OPEN;
    }
}

/* --- ports --- */

static uint32_t
read_port(void *user, uint32_t offset, unsigned size)
{
    Ne2000 *nic = user;
    uint32_t value = 0;

    if (offset >= DATA_PORT && offset < RESET_PORT)
        return read_data(nic, size);
    if (offset >= RESET_PORT) {
        ne2000_chip_reset(nic);
        return 0;
    }
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)read_register(nic, (offset + i) & 15) << (8 * i);
    return value;
}

static void
write_port(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Ne2000 *nic = user;

    if (offset >= RESET_PORT)
        return; /* the end of a reset */
    if (offset >= DATA_PORT) {
        write_data(nic, value, size);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        write_register(nic, (offset + i) & 15, (uint8_t)(value >> (8 * i)));
}

static uint32_t
read_string(void *user, uint32_t offset, void *data, uint32_t count, unsigned size)
{
    uint8_t *bytes = data;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t value = GUINT32_TO_LE(read_port(user, offset, size));

        memcpy(bytes + (size_t)i * size, &value, size);
    }
    return count;
}

static uint32_t
write_string(void *user, uint32_t offset, const void *data, uint32_t count, unsigned size)
{
    const uint8_t *bytes = data;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = 0;

        memcpy(&value, bytes + (size_t)i * size, size);
        write_port(user, offset, GUINT32_FROM_LE(value), size);
    }
    return count;
}

const IomPortOps ne2000_port_ops = {
    .read = read_port,
    .write = write_port,
    .read_string = read_string,
    .write_string = write_string,
    .sizes = 7,
};
