#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang
# timeout: 3600
#
# libFuzzer on every sound card and the PC's speaker through ports, registers, PCI configuration, lists, rings and DMA
# channels, while time passes (fuzz-sound*.c). A short run by default; --long, or this script with seconds and targets.
"""Hostile guests harm nobody through a sound card."""

import fuzzing

TESTED = ('devices/sound', 'audio/core/audio-speaker.c', 'devices/chipset/i8254.c', 'devices/chipset/i8254-counter.c',
          'devices/chipset/i8237.c', 'devices/chipset/i8259.c')
TARGETS = {name: (['tests/fuzz/fuzz-sound.c', f'tests/fuzz/fuzz-sound-{name}.c'], [])
           for name in ('ac97', 'hda', 'sb16', 'speaker')}
WAIT = bytes((4, 3))
# Something is played and recorded; the host is not ready for a while; the guest asks and acknowledges.
SEEDS = {
    'ac97': bytes((0,)) + bytes((11, 0x4e)) + WAIT + bytes((11, 0x46)) + bytes((7, 0xff)) + WAIT + bytes((7, 0)) + WAIT +
            bytes((11, 0x0d)) + bytes((11, 0x2b)) + bytes((0x44, 0xac)) + WAIT + bytes((11, 0x0c, 3)) + WAIT,
    'hda': bytes((0,)) + bytes((11, 0x00, 1)) + (0x000f0000).to_bytes(4, 'little') + bytes((1,)) + WAIT +
           bytes((11, 0x46, 0x10)) + bytes(4) + bytes((11, 0x06, 0x2c)) + bytes(4) + WAIT * 3 + bytes((11, 0x45)) + WAIT,
    'sb16': bytes((0,)) + bytes((11, 5, 0x06, 0xac, 0x00)) + WAIT + bytes((11, 5, 0x56, 0x56, 0x30)) + WAIT +
            bytes((11, 4)) + bytes((11, 5, 0x0e, 0x56, 0x10)) + WAIT + bytes((11, 0, 0xd0)) + bytes((11, 2, 0x82, 0)),
    'speaker': bytes((0,)) + WAIT + bytes((11, 6, 0x32, 0xa9, 4)) + WAIT + bytes((11, 0xfc)) + bytes(range(1, 32)) + WAIT +
               bytes((11, 0x20)) + WAIT + bytes((11, 0x30)) + WAIT,
}

if __name__ == '__main__':
    fuzzing.run_on_bench('sound', TESTED, TARGETS, SEEDS, short=1)
