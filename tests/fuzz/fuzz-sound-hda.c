/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HD Audio for fuzz-sound.c: rings of commands and replies, streams with lists of buffers. */
#include "devices/sound/hda-private.h"
#include "tests/fuzz/fuzz-sound.h"

#define CORB FUZZ_MEMORY
#define RIRB (FUZZ_MEMORY + 0x800u)
#define LIST(stream) (FUZZ_MEMORY + 0x1000u + 0x1000u * (stream))
#define SD(stream, reg) (HDA_SD + (stream)*HDA_SD_SIZE + (reg))

const FuzzSoundInfo fuzz_sound = {.card = "hda", .window = 0x200};

static void
put(FuzzSound *sound, uint32_t offset, uint32_t value, unsigned size)
{
    device_bench_write(sound->bench, PCI_GUEST_BAR(0) + offset, value, size);
}

static void
start_rings(FuzzSound *sound, uint32_t corb, uint32_t rirb)
{
    put(sound, HDA_CORBCTL, 0, 1);
    put(sound, HDA_RIRBCTL, 0, 1);
    put(sound, HDA_CORBLBASE, corb, 4);
    put(sound, HDA_RIRBLBASE, rirb, 4);
    put(sound, HDA_RIRBWP, 0x8000, 2);
    put(sound, HDA_RIRBCTL, 3, 1);
    put(sound, HDA_CORBCTL, 2, 1);
}

static void
start_stream(FuzzSound *sound, unsigned stream, FuzzInput *input)
{
    const uint32_t how = fuzz_take(input, 1), length = fuzz_take(input, 4);
    const uint32_t list = (how & 1) != 0 ? (uint32_t)fuzz_take_address(input) : LIST(stream & 3);

    put(sound, SD(stream, 0x00), (how >> 4) << 20, 4);
    put(sound, SD(stream, 0x08), (how & 2) != 0 ? length : 0x400, 4);
    put(sound, SD(stream, 0x0c), how >> 2 & 3, 2);
    put(sound, SD(stream, 0x12), (how & 2) != 0 ? fuzz_take(input, 2) : 0x11, 2);
    put(sound, SD(stream, 0x18), list, 4);
    put(sound, SD(stream, 0x1c), 0, 4);
    put(sound, SD(stream, 0x00), (how >> 4) << 20 | 0x1e, 4);
}

void
fuzz_sound_begin(FuzzSound *sound)
{
    put(sound, HDA_GCTL, 1, 4);
    put(sound, HDA_INTCTL, 0xc00000ff, 4);
    start_rings(sound, CORB, RIRB);
    for (unsigned i = 0; i < 16; i++) {
        pci_guest_put64(sound->bench, LIST(i & 3) + 16 * (i >> 2),
                        FUZZ_MEMORY + 0x8000 + 0x100 * i);
        pci_guest_put64(sound->bench, LIST(i & 3) + 16 * (i >> 2) + 8, 1ull << 32 | 0x100);
    }
}

static void
send_verbs(FuzzSound *sound, FuzzInput *input, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        pci_guest_put32(sound->bench, CORB + 4 * (fuzz_take(input, 1) & 255), fuzz_take(input, 4));
    put(sound, HDA_CORBWP, fuzz_take(input, 1), 2);
}

void
fuzz_sound_work(FuzzSound *sound, FuzzInput *input)
{
    const uint32_t what = fuzz_take(input, 1);
    const unsigned stream = what >> 4 & 7;

    switch (what & 7) {
    case 0: send_verbs(sound, input, 1 + (what >> 4 & 7)); break;
    case 1:
        put(sound, HDA_ICOI, fuzz_take(input, 4), 4);
        put(sound, HDA_ICIS, 3, 2);
        break;
    case 2: { /* onto themselves, onto registers */
        const uint32_t corb = (uint32_t)fuzz_take_address(input);

        start_rings(sound, corb, (what & 8) != 0 ? corb : (uint32_t)fuzz_take_address(input));
        break;
    }
    case 3: {
        const uint64_t address = fuzz_take_address(input),
                       at = LIST(stream & 3) + 16 * (stream >> 2);

        pci_guest_put64(sound->bench, at, address);
        pci_guest_put32(sound->bench, at + 8, fuzz_take(input, 4));
        break;
    }
    case 4: /* positions */
        put(sound, 0x70, (uint32_t)fuzz_take_address(input) | (what >> 7), 4);
        put(sound, 0x74, 0, 4);
        break;
    case 5: put(sound, SD(stream, 0x03), 0x1c, 1); break;
    default: start_stream(sound, stream, input); break;
    }
}
