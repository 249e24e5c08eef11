#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: bochs bochs-sdl bochsbios vgabios binutils
# timeout: 600
# alone
#
# Millions of instructions a second of our engine and of Bochs, in three loops. They must compute the
# same, and ours must not be slower than Bochs in any.
"""Our engine against Bochs."""

import os
import sys
import tempfile
from pathlib import Path

import bar
import loops
import run_guest

SHORT_TURNS, LONG_TURNS = 4_000_000, 20_000_000
SECONDS = 250
LEAST_RATIO = 1.0


def main():
    """Runs both, prints a table."""
    turns = LONG_TURNS if os.environ.get('VITRINE_LONG') else SHORT_TURNS
    wrong = missed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        disk = folder / 'loops.img'
        loops.build_disk(disk, turns)
        command, serial = loops.bochs(disk, folder)
        reference = loops.measure(command, serial, SECONDS, typed='c\n')
        serial = folder / 'serial'
        result = loops.measure(run_guest.command(disk=disk, serial=serial), serial, SECONDS)
    print(f'{"loop":8} {"ours":>8} {"Bochs":>8}  MIPS')
    for loop in loops.NAMES:
        millions = loops.PER_TURN[loop] * turns / 1e6
        (seconds, checksum), (bochs_seconds, bochs_checksum) = result[loop], reference[loop]
        ratio = bochs_seconds / seconds
        print(f'{loop:8} {millions / seconds:8.1f} {millions / bochs_seconds:8.1f}  ratio {ratio:.2f}')
        if checksum != bochs_checksum:
            print(f'{loop}: checksum {checksum}, Bochs has {bochs_checksum}')
            wrong = True
        missed |= ratio < LEAST_RATIO
    return 1 if wrong else bar.verdict(not missed)


if __name__ == '__main__':
    sys.exit(main())
