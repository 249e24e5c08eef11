#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: bochs bochs-sdl bochsbios vgabios debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 1200
# long
# alone
#
# From the kernel's first line to its init, on our interpreter and on Bochs. What comes before (firmware,
# a boot menu that waits for a second of the guest's own time) is not a matter of speed.
"""A Linux boot, our interpreter against Bochs."""

import os
import sys

import bar
import machines
import media

SECONDS = 500
MEMORY_MIB = 256
LEAST_RATIO = 1.0


def boot(name):
    """(seconds from power-on, from the first line, CPU seconds of the whole) to the init."""
    with machines.start(name, iso=media.get('linux-amd64'), memory=MEMORY_MIB) as machine:
        _, first = machine.wait('Linux version', SECONDS)
        _, end = machine.wait('vitrine: ready', SECONDS)
        return end - machine.begin, end - first, machine.cpu_seconds()


def main():
    """Each in turn, so that other work on the host falls on both."""
    engine = os.environ.get('VITRINE_ENGINE', 'iem')
    results = {name: boot(name) for name in (engine, machines.BOCHS)}
    print(f'{"":8} {"power-on":>10} {"kernel":>10} {"CPU":>10}   seconds to init')
    for name, figures in results.items():
        print(f'{name:8} ' + ' '.join(f'{seconds:10.1f}' for seconds in figures))
    ratio = results[machines.BOCHS][1] / results[engine][1]
    print(f'ratio {ratio:.2f} (at least {LEAST_RATIO})')
    return bar.verdict(ratio >= LEAST_RATIO)


if __name__ == '__main__':
    sys.exit(main())
