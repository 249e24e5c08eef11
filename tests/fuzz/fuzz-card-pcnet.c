/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCnet cards for fuzz-card.c: the initialisation block and descriptors of each software style.
 */
#include "tests/fuzz/fuzz-card.h"

#define BLOCK FUZZ_MEMORY
#define RX_RING (FUZZ_MEMORY + 0x1000u)
#define TX_RING (FUZZ_MEMORY + 0x2000u)
#define DATA (FUZZ_MEMORY + 0x4000u)
#define PORTS 0xc000u
#define POWER 3u
#define ENTRIES (1u << POWER)

enum { INIT = 1, STRT = 2, STOP = 4, TDMD = 8, IENA = 0x40 };

static const char *const models[] = {"Am79C973", "Am79C970A", NULL};

const FuzzCardInfo fuzz_card = {
    .device = "pcnet",
    .option = "Model",
    .values = models,
    .ports = PORTS,
    .port_count = 0x20,
    .windows = 1 << 1,
};

static void
set(FuzzCard *card, unsigned number, uint16_t value, uint32_t offset)
{
    device_bench_write(card->bench, PCI_GUEST_BAR(1) + 0x12, number, 2);
    device_bench_write(card->bench, PCI_GUEST_BAR(1) + offset, value, 2);
}

static void
set_csr(FuzzCard *card, unsigned number, uint16_t value)
{
    set(card, number, value, 0x10);
}

static void
set_bcr(FuzzCard *card, unsigned number, uint16_t value)
{
    set(card, number, value, 0x16);
}

static unsigned
style(const FuzzCard *card)
{
    return (card->choice >> 2 & 3) == 1 ? 2 : card->choice >> 2 & 3;
}

static void
describe(FuzzCard *card, uint32_t ring, unsigned index, uint32_t gpa, uint32_t count,
         uint32_t flags)
{
    const unsigned form = style(card);
    const uint32_t at = ring + index % ENTRIES * (form == 0 ? 8 : 16);

    if (form == 0) {
        pci_guest_put32(card->bench, at, (gpa & 0xffffff) | flags << 24);
        pci_guest_put32(card->bench, at + 4, count & 0xffff);
        return;
    }
    pci_guest_put32(card->bench, at + (form == 3 ? 8 : 0), gpa);
    pci_guest_put32(card->bench, at + 4, (count & 0xffff) | flags << 24);
    pci_guest_put32(card->bench, at + (form == 3 ? 0 : 8), 0);
}

static void
start(FuzzCard *card, uint16_t mode, uint32_t rx, uint32_t tx, unsigned rx_power, unsigned tx_power)
{
    const bool small = style(card) == 0;
    uint32_t block[7] = {mode};
    uint8_t *bytes = (uint8_t *)block;
    const uint32_t rings[] = {rx, tx};
    const unsigned powers[] = {rx_power, tx_power};

    for (unsigned i = 0; i < 6; i++)
        bytes[(small ? 2 : 4) + i] = net_guest_own[i];
    for (unsigned i = 0; i < 2; i++) {
        block[(small ? 4 : 5) + i] = small ? (rings[i] & 0xffffff) | powers[i] << 29 : rings[i];
        if (!small)
            bytes[2 + i] = (uint8_t)(powers[i] << 4);
    }
    set_csr(card, 0, STOP);
    set_bcr(card, 20, (uint16_t)style(card));
    pci_guest_put(card->bench, BLOCK, block, sizeof(block));
    set_csr(card, 1, BLOCK & 0xffff);
    set_csr(card, 2, BLOCK >> 16);
    set_csr(card, 0, INIT);
    set_csr(card, 0, STRT | IENA);
}

void
fuzz_card_begin(FuzzCard *card)
{
    device_bench_pci_write(card->bench, NET_GUEST_SLOT, 0, 0x10, PORTS, 4);
    for (unsigned i = 0; i < ENTRIES; i++)
        describe(card, RX_RING, i, DATA + 0x800 * i, 0xf000 | (-0x600u & 0xfff), 0x80);
    start(card, 0x8000, RX_RING, TX_RING, POWER, POWER);
}

static void
send(FuzzCard *card, FuzzInput *input)
{
    const uint32_t flags = fuzz_take(input, 1);

    describe(card, TX_RING, card->made[0], (uint32_t)fuzz_take_address(input), fuzz_take(input, 2),
             flags | ((flags & 0xc) == 0 ? 0x80 : 0));
    card->made[0]++;
    if ((flags & 0x20) == 0)
        set_csr(card, 0, TDMD | IENA);
}

void
fuzz_card_work(FuzzCard *card, FuzzInput *input)
{
    const uint32_t what = fuzz_take(input, 1);

    switch (what & 7) {
    case 0:
        describe(card, RX_RING, card->made[1]++, (uint32_t)fuzz_take_address(input),
                 fuzz_take(input, 2), fuzz_take(input, 1));
        break;
    case 1: set_csr(card, fuzz_take(input, 1), (uint16_t)fuzz_take(input, 2)); break;
    case 2: set_bcr(card, fuzz_take(input, 1) & 63, (uint16_t)fuzz_take(input, 2)); break;
    case 3: {
        const uint32_t rx = (uint32_t)fuzz_take_address(input);
        const uint32_t tx = (what & 0x80) != 0 ? rx : (uint32_t)fuzz_take_address(input);

        start(card, (uint16_t)fuzz_take(input, 2), rx, tx, what >> 3 & 15, what >> 4 & 15);
        break;
    }
    default: send(card, input); break;
    }
}
