#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 busybox-static grub-pc-bin xorriso
# timeout: 900
#
# The same number of instructions leads to the same machine on every engine: a Linux boot in the
# deterministic mode, saved at several points; the saved states (registers, memory, devices) are equal
# to the bit. --long goes on into the kernel.
"""IEM and REM agree on every bit of a booting machine."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import run_guest

SHORT = (20_000_000, 200_000_000)
LONG = (20_000_000, 200_000_000, 1_500_000_000, 4_000_000_000)
ENGINES = ('iem', 'rem')
SECONDS = 400


def state(engine, iso, instructions, folder):
    """The saved state after so many instructions."""
    path = folder / f'{engine}.state'
    words = run_guest.command('--deterministic', '--instructions', str(instructions),
                              '--save', str(path), '--engine', engine, cdrom=iso)
    subprocess.run(words, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    return path.read_bytes()


def main():
    """Exit status 0 or 1."""
    points = LONG if '--long' in sys.argv or os.environ.get('VITRINE_LONG') else SHORT
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        for arch in ('amd64', 'i386'):
            for instructions in points:
                first, *others = [state(engine, media.get(f'linux-{arch}'), instructions, Path(name))
                                  for engine in ENGINES]
                same = all(other == first for other in others)
                print(f'{arch}: {instructions} instructions, {len(first)} bytes: '
                      f'{"equal" if same else "DIFFERENT"}')
                faults += not same
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
