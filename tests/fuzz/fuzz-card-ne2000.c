/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The NE2000 for fuzz-card.c: its own memory through the data port, rings of any pages. */
#include "tests/fuzz/fuzz-card.h"

#define BASE 0x300u
#define SEND_PAGE 0x40u
#define FIRST 0x46u
#define STOP 0x80u
#define DATA_PORT 0x10u

const FuzzCardInfo fuzz_card = {.device = "ne2000", .ports = BASE, .port_count = 0x20};

static void
out(FuzzCard *card, unsigned port, uint32_t value)
{
    device_bench_out8(card->bench, (uint16_t)(BASE + port), (uint8_t)value);
}

static void
start(FuzzCard *card, uint32_t first, uint32_t stop, uint32_t boundary, uint32_t current)
{
    out(card, 0, 0x21);
    out(card, 14, 0x48 | (card->choice & 1));
    out(card, 12, 0x04 | (card->choice & 0x3b));
    out(card, 13, 0);
    out(card, 4, SEND_PAGE);
    out(card, 1, first);
    out(card, 2, stop);
    out(card, 3, boundary);
    out(card, 7, 0xff);
    out(card, 15, 0x7f);
    out(card, 0, 0x61);
    for (unsigned i = 0; i < 6; i++)
        out(card, 1 + i, net_guest_own[i]);
    out(card, 7, current);
    out(card, 0, 0x22);
}

void
fuzz_card_begin(FuzzCard *card)
{
    start(card, FIRST, STOP, STOP - 1, FIRST);
}

static void
remote(FuzzCard *card, FuzzInput *input, bool write)
{
    const uint32_t at = fuzz_take(input, 2), size = fuzz_take(input, 2),
                   count = fuzz_take(input, 1);
    const unsigned width = count >> 6;

    out(card, 8, at);
    out(card, 9, at >> 8);
    out(card, 10, size);
    out(card, 11, size >> 8);
    out(card, 0, write ? 0x12 : 0x0a);
    for (unsigned i = 0; i < (count & 63); i++) {
        if (!write)
            device_bench_in16(card->bench, BASE + DATA_PORT);
        else if (width == 0)
            out(card, DATA_PORT, fuzz_take(input, 1));
        else if (width == 1)
            device_bench_out32(card->bench, BASE + DATA_PORT, fuzz_take(input, 4));
        else
            device_bench_out16(card->bench, BASE + DATA_PORT, (uint16_t)fuzz_take(input, 2));
    }
}

void
fuzz_card_work(FuzzCard *card, FuzzInput *input)
{
    const uint32_t what = fuzz_take(input, 1);

    switch (what & 7) {
    case 0: remote(card, input, true); break;
    case 1: remote(card, input, false); break;
    case 2:
        start(card, fuzz_take(input, 1), fuzz_take(input, 1), fuzz_take(input, 1),
              fuzz_take(input, 1));
        break;
    case 3: out(card, 13, what >> 3); break; /* loopback */
    case 4: out(card, 3, fuzz_take(input, 1)); break;
    default:
        out(card, 4, fuzz_take(input, 1));
        out(card, 5, fuzz_take(input, 1));
        out(card, 6, (what & 0x80) != 0 ? fuzz_take(input, 1) : what >> 5 & 3);
        out(card, 0, 0x26);
        break;
    }
}
