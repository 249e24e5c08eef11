/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PRO/1000 cards for fuzz-card.c: legacy, context and data descriptors, rings of any place and
 * length. */
#include "tests/fuzz/fuzz-card.h"

#define ENTRIES 16u
#define RX_RING FUZZ_MEMORY
#define TX_RING (FUZZ_MEMORY + 0x1000u)
#define DATA (FUZZ_MEMORY + 0x4000u)
#define PORTS 0xc000u

enum {
    ICR = 0xc0,
    ITR = 0xc4,
    IMS = 0xd0,
    RCTL = 0x100,
    TCTL = 0x400,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDT = 0x2818,
    TDBAL = 0x3800,
    TDBAH = 0x3804,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
};

static const char *const models[] = {"82540EM", "82543GC", "82545EM", NULL};

const FuzzCardInfo fuzz_card = {
    .device = "e1000",
    .option = "Model",
    .values = models,
    .ports = PORTS,
    .port_count = 8,
    .windows = 1 << 0,
};

static void
set(FuzzCard *card, uint32_t offset, uint32_t value)
{
    pci_guest_write(card->bench, 0, offset, value);
}

void
fuzz_card_begin(FuzzCard *card)
{
    DeviceBench *bench = card->bench;

    device_bench_pci_write(bench, NET_GUEST_SLOT, 0, 0x18, PORTS, 4);
    for (unsigned i = 0; i < ENTRIES; i++)
        pci_guest_put64(bench, RX_RING + 16 * i, DATA + 0x800 * i);
    set(card, IMS, 0x1ffff);
    set(card, RDBAL, RX_RING);
    set(card, RDLEN, ENTRIES * 16);
    set(card, RDT, ENTRIES - 1);
    set(card, RCTL,
        1 << 1 | 1 << 3 | 1 << 5 | 1 << 15 | (card->choice & 0x30) << 12 |
            (card->choice & 0x40 ? 1 << 25 : 0));
    set(card, TDBAL, TX_RING);
    set(card, TDLEN, ENTRIES * 16);
    set(card, TCTL, 1 << 1 | 1 << 3);
    if ((card->choice & 0x80) != 0)
        set(card, ITR, 2000);
}

/* Kind and command as the input says; a context's words are all its own. */
static void
send(FuzzCard *card, FuzzInput *input)
{
    const uint32_t kind = fuzz_take(input, 1), at = TX_RING + 16 * (card->made[0] % ENTRIES);
    const uint32_t type = (kind & 3) == 0 ? 0 : 1u << 29 | (kind & 3 & ~1u) << 19;

    pci_guest_put64(card->bench, at,
                    (kind & 3) == 1 ? fuzz_take(input, 4) : fuzz_take_address(input));
    pci_guest_put32(card->bench, at + 8,
                    fuzz_take(input, 2 + (kind >> 7)) | type | (kind & 0xfc) << 22);
    pci_guest_put32(card->bench, at + 12, (kind & 4) != 0 ? fuzz_take(input, 4) : 0);
    card->made[0]++;
    if ((kind & 8) == 0)
        set(card, TDT, card->made[0] % ENTRIES);
}

static void
offer(FuzzCard *card, FuzzInput *input)
{
    const uint32_t index = card->made[1] % ENTRIES;

    pci_guest_put64(card->bench, RX_RING + 16 * index, fuzz_take_address(input));
    card->made[1]++;
    set(card, RDT, index);
}

void
fuzz_card_work(FuzzCard *card, FuzzInput *input)
{
    static const uint16_t rings[] = {RDBAL, TDBAL};
    const uint32_t what = fuzz_take(input, 1);
    const uint16_t ring = rings[what >> 3 & 1];

    switch (what & 7) {
    case 0: offer(card, input); break;
    case 1: /* a ring elsewhere, perhaps on the other one */
        set(card, ring, (uint32_t)fuzz_take_address(input));
        set(card, ring + 4, what & 0x10 ? fuzz_take(input, 1) : 0);
        break;
    case 2: set(card, ring + (TDLEN - TDBAL), fuzz_take(input, 2) << (what >> 5)); break;
    case 3:
        set(card, ring + (TDH - TDBAL), fuzz_take(input, 1));
        set(card, ring + (TDT - TDBAL), fuzz_take(input, 1 + (what >> 7)));
        break;
    case 4: pci_guest_read(card->bench, 0, ICR); break;
    default: send(card, input); break;
    }
}
