/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PC's speaker for fuzz-sound.c: counter 2 of the 8254 in all modes, its gate and the line. */
#include "tests/fuzz/fuzz-sound.h"

const FuzzSoundInfo fuzz_sound = {.card = "sb16", .speaker = true, .ports = 0x40, .count = 4};

static void
out(FuzzSound *sound, unsigned port, uint32_t value)
{
    device_bench_out8(sound->bench, (uint16_t)port, (uint8_t)value);
}

static void
program(FuzzSound *sound, uint32_t mode, uint32_t count)
{
    out(sound, 0x43, 0x80 | (mode & 0x3f));
    out(sound, 0x42, count);
    out(sound, 0x42, count >> 8);
}

void
fuzz_sound_begin(FuzzSound *sound)
{
    program(sound, 0x36, 1193);
    out(sound, 0x61, 3);
}

void
fuzz_sound_work(FuzzSound *sound, FuzzInput *input)
{
    const uint32_t what = fuzz_take(input, 1);

    switch (what & 7) {
    case 0:
    case 1: out(sound, 0x61, what >> 4); break;
    case 2: device_bench_in8(sound->bench, 0x61); break;
    case 3: device_bench_in8(sound->bench, 0x42); break;
    case 4: /* switched by the guest itself */
        for (unsigned i = 0; i < (what >> 3); i++) {
            device_bench_advance(sound->bench, 1000u * (1 + fuzz_take(input, 1)));
            out(sound, 0x61, i & 1 ? 2 : 0);
        }
        break;
    case 5: out(sound, 0x42, fuzz_take(input, 1)); break;
    default: program(sound, fuzz_take(input, 1), fuzz_take(input, (what & 8) != 0 ? 1 : 2)); break;
    }
}
