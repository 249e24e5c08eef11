#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: zstd
# timeout: 300
# alone
#
# How fast a machine's memory is saved and loaded, against the zstd program on the same pages: half of them
# zeros, the others what a guest's memory is full of, programs and libraries. Both write to and read from the
# same folder; zstd's own way of leaving zeros out is holes in its output, so its output goes to nowhere.
"""Memory is saved and restored at the speed of zstd."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bar

SIZE = 1 << 30
SHORT_SIZE = 256 << 20
LEAST = 0.7
RUNS = 3
STEP = 4 << 20


def write_pages(path, size):
    """Every other 4 MiB are zeros, the rest is the content of the host's libraries."""
    folders = (Path('/usr/lib/x86_64-linux-gnu'), Path('/usr/bin'), Path('/usr/share'))
    files = sorted(file for folder in folders for file in folder.glob('*') if file.is_file())
    with path.open('wb') as out:
        out.truncate(size)
        at, data = 0, b''
        while at < size:
            while len(data) < STEP:
                data += files.pop(0).read_bytes()
            out.seek(at)
            out.write(data[:STEP])
            data = data[STEP:]
            at += 2 * STEP


def seconds(*command):
    """The best of some runs."""
    times = []
    for _ in range(RUNS):
        begin = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - begin)
    return min(times)


def main():
    """Both ways, ours and zstd's."""
    size = SIZE if os.environ.get('VITRINE_LONG') else SHORT_SIZE
    with tempfile.TemporaryDirectory() as name:
        pages, packed, state = (Path(name) / file for file in ('pages', 'pages.zst', 'state'))
        write_pages(pages, size)
        zstd_save = seconds('zstd', '-q', '-f', '-1', '-T0', pages, '-o', packed)
        zstd_load = seconds('zstd', '-q', '-d', '-c', packed)
        program = Path(os.environ['VITRINE_BUILD']) / 'tests' / 'state' / 'state-speed'
        output = subprocess.run((program, pages, state), check=True, capture_output=True, text=True).stdout
        ours = dict((word, float(value)) for word, value in (line.split() for line in output.splitlines()))
        print(f'{size >> 20} MiB, half of it zeros; file: zstd {packed.stat().st_size >> 20} MiB, '
              f'ours {state.stat().st_size >> 20} MiB')
    save, load = zstd_save / ours['save'], zstd_load / ours['load']
    print(f'saved in {ours["save"]:.3f} s, zstd -1 -T0 {zstd_save:.3f} s: {save:.2f} of its speed (at least {LEAST})')
    print(f'loaded in {ours["load"]:.3f} s, zstd -d {zstd_load:.3f} s: {load:.2f} of its speed (at least {LEAST})')
    return bar.verdict(min(save, load) >= LEAST)


if __name__ == '__main__':
    sys.exit(main())
