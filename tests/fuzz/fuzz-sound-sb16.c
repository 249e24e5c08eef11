/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Sound Blaster 16 for fuzz-sound.c: commands of the DSP, mixer, channels of the DMA
 * controllers. */
#include "tests/fuzz/fuzz-sound.h"

#define BASE 0x220u

const FuzzSoundInfo fuzz_sound = {.card = "sb16", .ports = BASE, .count = 0x10};

static void
out(FuzzSound *sound, unsigned port, uint32_t value)
{
    device_bench_out8(sound->bench, (uint16_t)port, (uint8_t)value);
}

/* Channel 1 of bytes or 5 of words. */
static void
set_dma(FuzzSound *sound, bool wide, uint32_t mode, uint32_t address, uint32_t last)
{
    const unsigned at = wide ? 0xc4 : 0x02, count = wide ? 0xc6 : 0x03;

    out(sound, wide ? 0xd8 : 0x0c, 0);
    out(sound, wide ? 0xd6 : 0x0b, mode);
    out(sound, at, address);
    out(sound, at, address >> 8);
    out(sound, wide ? 0x8b : 0x83, address >> 16);
    out(sound, count, last);
    out(sound, count, last >> 8);
    out(sound, wide ? 0xd4 : 0x0a, 1);
}

void
fuzz_sound_begin(FuzzSound *sound)
{
    out(sound, BASE + 6, 1);
    out(sound, BASE + 6, 0);
    device_bench_advance(sound->bench, 200000);
    device_bench_in8(sound->bench, BASE + 10);
    out(sound, 0xd6, 0xc0); /* the first controller behind the second one */
    out(sound, 0xd4, 0);
    set_dma(sound, false, 0x59, FUZZ_MEMORY, 0xff);
    set_dma(sound, true, 0x59, FUZZ_MEMORY, 0x7f);
}

static void
start(FuzzSound *sound, FuzzInput *input, uint32_t how)
{
    const bool wide = (how & 0x10) != 0;
    const uint32_t length = (how & 0x20) != 0 ? fuzz_take(input, 2) : 0x3f;

    out(sound, BASE + 12, (how & 0x40) != 0 ? 0x42 : 0x41);
    out(sound, BASE + 12, fuzz_take(input, 1));
    out(sound, BASE + 12, 0);
    out(sound, BASE + 12, (wide ? 0xb0 : 0xc0) | (how & 0x0f));
    out(sound, BASE + 12, fuzz_take(input, 1));
    out(sound, BASE + 12, length);
    out(sound, BASE + 12, length >> 8);
}

void
fuzz_sound_work(FuzzSound *sound, FuzzInput *input)
{
    const uint32_t what = fuzz_take(input, 1);

    switch (what & 7) {
    case 0:
    case 1:
        out(sound, BASE + 12, fuzz_take(input, 1));
        for (unsigned i = 0; i < (what >> 3 & 3); i++)
            out(sound, BASE + 12, fuzz_take(input, 1));
        break;
    case 2:
        out(sound, BASE + 4, fuzz_take(input, 1));
        out(sound, BASE + 5, fuzz_take(input, 1));
        break;
    case 3: {
        const uint32_t address = (uint32_t)fuzz_take_address(input);

        set_dma(sound, (what & 8) != 0, fuzz_take(input, 1), address, fuzz_take(input, 2));
        break;
    }
    case 4:
        for (unsigned i = 0; i < (what >> 3); i++)
            device_bench_in8(sound->bench, (uint16_t)(BASE + 10 + (i & 5)));
        break;
    default: start(sound, input, fuzz_take(input, 1)); break;
    }
}
