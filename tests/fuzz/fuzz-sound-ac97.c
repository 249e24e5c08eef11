/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * AC'97 for fuzz-sound.c: lists of 32 buffers for each of its three boxes. */
#include "tests/fuzz/fuzz-sound.h"

#define PORTS 0x6000u
#define MASTER (PORTS + 0x100u)
#define LIST(box) (FUZZ_MEMORY + 0x100u * (box))

static const char *const codecs[] = {"STAC9700", "AD1980", NULL};

const FuzzSoundInfo fuzz_sound = {.card = "ac97", .ports = PORTS, .count = 0x140, .codecs = codecs};

static void
set_buffer(FuzzSound *sound, unsigned box, unsigned index, uint32_t address, uint32_t length)
{
    pci_guest_put32(sound->bench, LIST(box) + 8 * (index & 31), address);
    pci_guest_put32(sound->bench, LIST(box) + 8 * (index & 31) + 4, length);
}

static void
start(FuzzSound *sound, unsigned box, uint32_t list, uint8_t last, uint8_t control)
{
    const uint16_t at = (uint16_t)(MASTER + 0x10 * box);

    device_bench_out32(sound->bench, at, list);
    device_bench_out8(sound->bench, at + 5, last);
    device_bench_out8(sound->bench, at + 11, control);
}

void
fuzz_sound_begin(FuzzSound *sound)
{
    device_bench_out32(sound->bench, MASTER + 0x2c, 2);
    device_bench_out16(sound->bench, PORTS + 0x2a, 1);
    for (unsigned box = 0; box < 3; box++) {
        for (unsigned i = 0; i < 4; i++)
            set_buffer(sound, box, i, FUZZ_MEMORY + 0x4000, 0x80000000u | 0x100);
    }
}

void
fuzz_sound_work(FuzzSound *sound, FuzzInput *input)
{
    const uint32_t what = fuzz_take(input, 1);
    const unsigned box = (what >> 3) % 3;

    switch (what & 7) {
    case 0:
    case 1: {
        const uint32_t address = (uint32_t)fuzz_take_address(input);

        set_buffer(sound, box, fuzz_take(input, 1), address, fuzz_take(input, 4));
        break;
    }
    case 2: /* anywhere, the card's own registers among it */
        start(sound, box, (uint32_t)fuzz_take_address(input), (uint8_t)fuzz_take(input, 1),
              (uint8_t)fuzz_take(input, 1));
        break;
    case 3: /* a rate */
        device_bench_out16(sound->bench, (uint16_t)(PORTS + 0x2c + 2 * (what >> 5)),
                           (uint16_t)fuzz_take(input, 2));
        break;
    case 4:
        device_bench_out8(sound->bench, (uint16_t)(MASTER + 0x10 * box + 5),
                          (uint8_t)fuzz_take(input, 1));
        break;
    case 5: device_bench_out16(sound->bench, (uint16_t)(MASTER + 0x10 * box + 6), 0x1c); break;
    default: start(sound, box, LIST(box), (uint8_t)(what >> 6), 0x1d); break;
    }
}
