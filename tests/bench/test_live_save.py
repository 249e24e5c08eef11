#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 900
# alone
# long
#
# A Linux with 1 GiB writes to some hundred MiB of it over and over, and computes checksums. Its state is saved
# while it runs: how long it stands is the figure. It goes on, and so does the machine that the state is loaded
# into, with checksums that are right.
"""The pause of a machine that is saved while it runs."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bar
import media
import run_guest

MOST_MS = 300
PATIENCE = 400
RAM = 1024
# Of half a MiB of zero bytes.
RIGHT = '07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541'
COPIES = ' '.join(['$s'] * 8)
KEYS = ('{text:vitrine# }mount -t tmpfs -o size=800m t /tmp{enter}'
        's=/tmp/s; for i in 1 2 3 4 5 6 7 8; do cat /bin/busybox; done >$s{enter}'
        f'while :; do for i in 1 2 3 4 5 6; do cat {COPIES}; done >/tmp/x; done &{{enter}}'
        'sleep 10; while :; do dd if=/dev/zero bs=65536 count=8 2>/dev/null | sha256sum >/dev/ttyS0; done{enter}')


def run(folder, *options):
    """One process of run-guest; what it printed."""
    command = run_guest.command('--cpus', '1', '--until', RIGHT, '--timeout', str(PATIENCE), *options,
                                cdrom=media.get('linux-amd64'), ram=RAM, serial=folder / 'serial')
    result = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=PATIENCE + 60,
                            check=False)
    if result.returncode:
        raise AssertionError(f'exit code {result.returncode}\n{result.stdout[-1000:]}{result.stderr[-3000:]}')
    return result.stdout


def measure(engine):
    """Saves on this engine, loads on it again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = folder / 'state'
        text = run(folder, '--engine', engine, '--keys', KEYS, '--save-live', state)
        pause, whole = map(float, re.search(r'pause ([\d.]+) ms of ([\d.]+) s', text).groups())
        size = state.stat().st_size >> 20
        begin = time.monotonic()
        run(folder, '--engine', engine, '--load', state)
        print(f'{engine}: stood for {pause:.0f} ms (at most {MOST_MS}); saved in {whole:.1f} s, {size} MiB; a right '
              f'checksum {time.monotonic() - begin:.1f} s after the start from it')
    return pause


def main():
    """The recompiler writes faster than the interpreter."""
    return bar.verdict(max(measure('rem'), measure('iem')) <= MOST_MS)


if __name__ == '__main__':
    sys.exit(main())
