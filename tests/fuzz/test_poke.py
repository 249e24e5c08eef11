#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: binutils
# builds: tests/lib/run-guest
# timeout: 900
#
# A guest that reads and writes random ports and device addresses (poke.S) never stops the process,
# never makes a sanitizer speak, and never keeps the machine from being stopped.
"""A hostile guest harms nobody."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import guestprog
import run_guest

SECONDS_SHORT, SECONDS_LONG = 6, 600
SECONDS_EACH = 10
STOP_SECONDS = 60


def run_once(folder, seed):
    """One disk, one process: how often the guest started, or raises AssertionError."""
    disk, serial = folder / 'poke.img', folder / 'serial'
    guestprog.build64(Path(__file__).with_name('poke.S'), disk, SEED=seed)
    words = run_guest.command('--timeout', str(SECONDS_EACH), '--statistics', disk=disk, serial=serial)
    result = subprocess.run(words, capture_output=True, timeout=SECONDS_EACH + STOP_SECONDS, check=False)
    errors = result.stderr.decode(errors='replace')
    if result.returncode not in (0, run_guest.TRIPLE_FAULT) or 'runtime error:' in errors:
        raise AssertionError(f'seed {seed}: exit code {result.returncode}\n{errors[-6000:]}')
    starts = serial.read_bytes().count(b'poke ')
    print(f"seed {seed}: {starts} starts; {errors.strip().splitlines()[-1]}")
    return starts


def main():
    """Seeds until the time is over; each failure names its seed."""
    end = time.monotonic() + (SECONDS_LONG if os.environ.get('VITRINE_LONG') else SECONDS_SHORT)
    first = int(os.environ.get('VITRINE_SEED', time.time_ns() & 0xffffff))
    total = 0
    with tempfile.TemporaryDirectory() as name:
        for seed in range(first, first + 1000):
            try:
                total += run_once(Path(name), seed)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                print(error)
                return 1
            if time.monotonic() > end:
                break
    return 0 if total else 1


if __name__ == '__main__':
    sys.exit(main())
