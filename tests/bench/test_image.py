#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: qemu-utils
# timeout: 900
# alone
#
# The image layer alone against qemu-img bench on the same file system: the same content in each, the
# same sizes, steps and depths. "Random" is a step that shares no factor with the disk. Both through
# the host's cache, so it is the layer that is measured and not the disk. Wall clock is what counts;
# CPU time stands beside it because on a host with other work it is the steadier of the two.
"""Images are not slower than another program's, and long chains not slower than one image."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import bar

BUILD = Path(os.environ['VITRINE_BUILD'])
BENCH = BUILD / 'tests/unit/image/image-bench'
WORKER = BUILD / 'app/worker/vitrine-worker'
LONG = bool(os.environ.get('VITRINE_LONG'))
MIB = 1 << 20
CAPACITY = (1024 if LONG else 128) * MIB
RUNS = 5 if LONG else 1
RANDOM_STEP = 4096 * 40507
LEVELS = 30
CHAIN_BAR = 1.1

# name, bytes of a request, step, requests
PATTERNS = (
    ('sequential 64 KiB', 65536, 65536, CAPACITY // 65536),
    ('random 4 KiB', 4096, RANDOM_STEP, CAPACITY // 4096 // 2),
)


def timed(words):
    """Wall and CPU seconds of a child that prints its own, or qemu-img's sentence."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if 'completed in' in out:
        wall = float(out.split('completed in')[1].split()[0])
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall, cpu = out.split()
    return float(wall), float(cpu)


def ours(write, size, step, depth, count, *files):
    return timed([BENCH, 'write' if write else 'read', *map(str, (size, step, depth, count)), *files])


def theirs(form, write, size, step, depth, count, file):
    return timed(['qemu-img', 'bench', *(['-w'] if write else []), '-f', form,
                  '-s', str(size), '-S', str(step), '-d', str(depth), '-c', str(count), file])


def median(samples):
    """Of wall and of CPU time, each for itself."""
    return tuple(statistics.median(column) for column in zip(*samples, strict=True))


def worker(words, files):
    fds = [os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), 100 + i) for i, path in enumerate(files)]

    def place():
        for i, fd in enumerate(fds):
            os.dup2(fd, 3 + i, True)

    subprocess.run([WORKER, *map(str, words)], check=True, stdout=subprocess.DEVNULL, preexec_fn=place,
                   pass_fds=range(3, 3 + len(files)))
    for fd in fds:
        os.close(fd)


def compare(folder):
    """All rows; how many miss the bar of qcow2."""
    raw, qcow2, vdi = (folder / f'a.{form}' for form in ('raw', 'qcow2', 'vdi'))
    with raw.open('wb') as file:
        for _ in range(CAPACITY // MIB):
            file.write(os.urandom(MIB))
    subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2], check=True)
    worker(['clone', 1, raw, 'RAW', '', vdi, 'VDI', 'dynamic', 0, ''], [raw, vdi])
    print(f'{"":36}{"VDI":>16}{"qcow2":>16}{"raw":>16}   of raw   (seconds: wall, CPU)')
    missed = 0
    for name, size, step, count in PATTERNS:
        for write in (False, True):
            for depth in (1, 32):
                args = (write, size, step, depth, count)
                samples = [(ours(*args, vdi), theirs('qcow2', *args, qcow2), theirs('raw', *args, raw))
                           for _ in range(RUNS)]
                rows = [median(column) for column in zip(*samples, strict=True)]
                missed += rows[0][0] > rows[1][0]
                cells = ''.join(f'{wall:9.3f}{cpu:7.3f}' for wall, cpu in rows)
                print(f'{name + (" write" if write else " read"):24} depth {depth:<5}{cells}'
                      f'   {rows[2][0] / rows[0][0]:.2f}', flush=True)
    return missed


def compare_chain(folder):
    """Random reads through LEVELS images against one image with the same content."""
    base, flat = folder / 'a.vdi', folder / 'flat.vdi'
    chain, ident = [base], ''
    for level in range(1, LEVELS):
        child, child_ident = folder / f'{level}.vdi', str(uuid.uuid4())
        worker(['create-child', child, 'VDI', child_ident, chain[0], 'VDI', ident], [child, chain[0]])
        chain.insert(0, child)
        # Some blocks of its own.
        ours(True, 4096, 4096 * (30011 + 2 * level), 1, 4, *chain)
        ident = child_ident
    words = [word for path in chain for word in (path, 'VDI', '')]
    worker(['clone', len(chain), *words, flat, 'VDI', 'dynamic', 0, ''], [*chain, flat])
    args = (False, 4096, RANDOM_STEP, 1, CAPACITY // 4096)
    samples = [(ours(*args, *chain), ours(*args, flat)) for _ in range(max(RUNS, 3))]
    deep, single = (median(column) for column in zip(*samples, strict=True))
    ratio = deep[1] / single[1]
    print(f'{LEVELS} images: {deep[0]:.3f} s, {deep[1]:.3f} s CPU; one image: {single[0]:.3f} s, {single[1]:.3f} s '
          f'CPU; {ratio:.2f} times the CPU time')
    return ratio > CHAIN_BAR


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get('VITRINE_BENCH_FOLDER')) as name:
        folder = Path(name)
        missed = compare(folder)
        print(f'{missed} of 8 rows are slower than qcow2')
        slow = compare_chain(folder)
    return bar.verdict(missed == 0 and not slow)


sys.exit(main())
