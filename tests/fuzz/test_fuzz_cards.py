#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang
# timeout: 4200
#
# libFuzzer on every network card through ports, registers, PCI configuration and rings in memory, while frames come
# from the network (fuzz-card*.c). A short run by default; --long, or this script with seconds and targets.
"""Hostile guests harm nobody through a network card."""

import fuzzing

TESTED = ('devices/network', 'devices/virtio', 'devices/drivers/network/frame')
COMMON = ('tests/fuzz/fuzz-card.c', 'tests/device/net-guest.c')
WAIT, FRAME = bytes((4, 3)), bytes((5, 0x13)) + bytes(8)
# An address in the middle of the memory for buffers, and how fuzz_take_address() is told so.
DATA = bytes((0x85, 0, 0x40))


def virtio(legacy):
    """The same file for both interfaces."""
    return ([*COMMON, 'tests/fuzz/fuzz-card-virtio.c', 'tests/device/virtio-guest.c'], [f'-DFUZZ_LEGACY={legacy}'])


TARGETS = {
    'e1000': ([*COMMON, 'tests/fuzz/fuzz-card-e1000.c'], []),
    'pcnet': ([*COMMON, 'tests/fuzz/fuzz-card-pcnet.c'], []),
    'ne2000': ([*COMMON, 'tests/fuzz/fuzz-card-ne2000.c'], []),
    'virtio': virtio(0),
    'virtio-legacy': virtio(1),
}
# A frame is sent, a long one in two pieces, and some are received; then a buffer is given back.
SEEDS = {
    'e1000': bytes((0,)) + bytes((11, 5, 0xc)) + DATA + bytes((60, 0x0b)) + bytes((11, 5, 1, 14, 33, 0, 0, 34, 50, 0, 0)) +
             bytes((11, 5, 0x96, 0xff, 2, 0x40, 0, 9, 0x4d)) + bytes(4) + FRAME * 3 + WAIT + bytes((11, 4, 11, 0)) + DATA,
    'pcnet': bytes((0x0c,)) + bytes((11, 5, 0x83)) + DATA + bytes((0xc4, 0xff)) + bytes((11, 5, 0x82)) + DATA + bytes((0, 0xfe)) +
             bytes((11, 5, 0x81)) + DATA + bytes((0, 0xfe)) + FRAME * 3 + WAIT + bytes((11, 0)) + DATA + bytes((0, 0xfa, 0x80)),
    'ne2000': bytes((1,)) + bytes((11, 0, 0, 0x40, 60, 0, 30)) + bytes(60) + bytes((11, 5, 0x40, 60)) + FRAME * 3 + WAIT +
              bytes((11, 1, 0, 0x46, 68, 0, 34)) + bytes((11, 4, 0x48)),
    'virtio': bytes((0,)) + (bytes((11, 2, 0, 8)) + bytes((11, 10, 0x40, 0)) + bytes(12) + FRAME) * 3 +
              bytes((11, 18)) + bytes((0, 0, 1)) + bytes(9) + WAIT,
}
SEEDS['virtio-legacy'] = SEEDS['virtio']

if __name__ == '__main__':
    fuzzing.run_on_bench('cards', TESTED, TARGETS, SEEDS, short=1)
