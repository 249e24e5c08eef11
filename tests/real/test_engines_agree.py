#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 busybox-static grub-pc-bin xorriso
# timeout: 900
#
# The same number of instructions leads to the same machine on every engine: a Linux boot in the
# deterministic mode, saved at several points; the saved states (registers, memory, devices) are equal
# to the bit. The short run ends while the kernel unpacks itself; --long goes on to the shell.
"""IEM and REM agree on every bit of a booting machine."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import run_guest

SHORT = (20_000_000, 200_000_000, 800_000_000)
LONG = (*SHORT, 4_000_000_000, 8_000_000_000)
ENGINES = ('iem', 'rem')
SECONDS = 400
# A state with less in it is that of a machine which has not even loaded the kernel.
KERNEL_BYTES = 16 << 20
READY = 'vitrine: ready'


def state(engine, iso, instructions, folder):
    """The saved state after so many instructions, and what COM1 has said."""
    path, serial = folder / f'{engine}.state', folder / f'{engine}.serial'
    serial.unlink(missing_ok=True)
    words = run_guest.command('--deterministic', '--instructions', str(instructions),
                              '--save', str(path), '--engine', engine, cdrom=iso, ram=128, serial=serial)
    subprocess.run(words, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    return path.read_bytes(), serial.read_text(errors='replace')


def main():
    """Exit status 0 or 1."""
    is_long = '--long' in sys.argv or bool(os.environ.get('VITRINE_LONG'))
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        for arch in ('amd64', 'i386'):
            for instructions in LONG if is_long else SHORT:
                first, *others = [state(engine, media.get(f'linux-{arch}'), instructions, Path(name))
                                  for engine in ENGINES]
                same = all(other == first for other in others)
                print(f'{arch}: {instructions} instructions, {len(first[0])} bytes: '
                      f'{"equal" if same else "DIFFERENT"}', flush=True)
                faults += not same
            # Of the last point.
            if len(first[0]) < KERNEL_BYTES or (is_long and READY not in first[1]):
                print(f'{arch}: Linux has not come so far\n{first[1][-500:]}')
                faults += 1
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
