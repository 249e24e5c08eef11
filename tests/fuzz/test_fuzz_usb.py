#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang
# timeout: 3000
#
# libFuzzer on the USB controllers through registers and memory, and on VUSB's core with the emulated devices
# (fuzz-usb*.c), with the address and undefined-behaviour sanitizers. A short run by default; --long, or this
# script with seconds and targets. What runs long adds a line to HOURS; an input that fails is kept and named.
"""Hostile guests harm nobody through USB."""

import fuzzing

TESTED = ('devices/usb-controllers', 'usb/core', 'usb/devices',
          *(str(path.relative_to(fuzzing.ROOT)) for stem in ('scsi', 'drive', 'mmc')
            for path in sorted((fuzzing.ROOT / 'devices/storage').glob(f'{stem}*.c'))))
# What a driver does first: the drive is configured, gets a command to read a block, and is asked for it.
CONFIGURE = bytes((0, 9, 1, 0, 0, 0, 0, 0))
READ = bytes((0, 2, 0, 0, 0x80, 0, 10, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0)) + bytes(6)
WRAPPER = b'USBC' + bytes(4) + READ + bytes(1)
WAIT = bytes((4, 7))
SEEDS = {
    'ehci': bytes((9, 0x40, 0, 10, 0, 8)) + CONFIGURE + bytes(24) + WAIT + bytes((9, 0x40, 0, 9, 0, 0)) + WAIT +
            bytes((9, 0x42, 1, 8, 0, 31)) + WRAPPER + WAIT + bytes((9, 0x41, 1, 0x89, 0, 32)) + WAIT,
    'ohci': bytes((9, 0, 0x10, 8)) + CONFIGURE + bytes(24) + WAIT + bytes((9, 0, 0x18, 0)) + WAIT +
            bytes((9, 2, 5, 31)) + WRAPPER + WAIT + bytes((9, 1, 0x99, 0, 2)) + WAIT,
    'xhci': b''.join(bytes((9, 1, slot)) + CONFIGURE + bytes((9, 2, slot, 0, 0, 0, 0, 0x11, 0)) + bytes(32) + WAIT
                     for slot in range(3)) +
            b''.join(bytes((9, 15 | which << 4, 0)) + bytes((0, 1, 0)) * 4 + WAIT + bytes((12, 4)) + WAIT for which in range(3)) * 3,
    'vusb': b''.join(bytes((9, 1, port, 0, 0, 0)) + CONFIGURE + bytes((port,)) + WAIT +
                     bytes((9, 1, 0x84 + port)) + READ + bytes((port,)) + WAIT +
                     bytes((9, 1, 8 + port, 0, 2, 0x32)) + bytes(48) + bytes((port,)) + WAIT +
                     bytes((9, 1, 12 + port, 8, 0, 0x33)) + bytes(16) + bytes((port,)) + bytes((5, port, 1, 2, 3, 4, 5))
                     for port in range(4)),
}


def own(target):
    """A target's files and definitions."""
    return (['tests/fuzz/fuzz-usb.c', 'tests/device/usb-stream.c', f'tests/fuzz/fuzz-usb-{target}.c',
             *(['tests/fuzz/fuzz-usb-none.c'] if target != 'vusb' else [])], [f'-DFUZZ_TARGET="{target}"'])


if __name__ == '__main__':
    fuzzing.run_on_bench('usb', TESTED, {target: own(target) for target in SEEDS}, SEEDS, short=1)
