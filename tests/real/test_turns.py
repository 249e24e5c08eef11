#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 600
#
# Linux boots in the deterministic mode on each engine that counts instructions, and on all of them in turns that change at
# random instructions: registers and memory are the same to the bit. The long run goes to the shell.
"""Engines take turns through a Linux boot."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import run_guest

SHORT, LONG = 800_000_000, 8_000_000_000
READY = 'vitrine: ready'


def engines():
    """Names of those that count, which run-bare lists; the last one is all in turns."""
    program = Path(os.environ['VITRINE_BUILD']) / 'tests' / 'guest' / 'run-bare'
    names = subprocess.run([program, '--engines'], check=True, capture_output=True, text=True).stdout.split()
    return [name for name in names if name != 'hm']


def run(engine, iso, instructions, serial):
    """The digest of the state after so many instructions."""
    words = run_guest.command('--engine', engine, '--profile', 'x86-64-v2', '--deterministic', '--digest',
                              '--instructions', str(instructions), cdrom=iso, ram=128, serial=serial)
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return re.search(r'^state: (\w{64})$', out, re.M)[1]


def main():
    """Returns what went wrong, or None."""
    iso, names = media.get('linux-amd64'), engines()
    if len(names) < 3:
        print('skipped: only one engine counts instructions')
        return 77
    is_long = bool(os.environ.get('VITRINE_LONG'))
    states = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            serial = Path(folder) / name
            states[name] = run(name, iso, LONG if is_long else SHORT, serial)
            print(name, states[name], flush=True)
            if is_long and READY not in serial.read_text(errors='replace'):
                return f'{name}: Linux was not ready'
    return f'the states differ: {states}' if len(set(states.values())) > 1 else None


if __name__ == '__main__':
    sys.exit(main())
