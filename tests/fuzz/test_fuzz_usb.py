#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang
# timeout: 3000
#
# libFuzzer on the USB controllers through registers and memory, and on VUSB's core with the emulated devices
# (fuzz-usb*.c), with the address and undefined-behaviour sanitizers. A short run by default; --long, or this
# script with seconds and targets. What runs long adds a line to HOURS; an input that fails is kept and named.
"""Hostile guests harm nobody through USB."""

import datetime
import os
import random
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('VITRINE_BUILD', 'build-sanitized')).resolve()
FOLDER = BUILD / 'fuzz-usb'
HOURS = Path(__file__).with_name('HOURS')
TARGETS = ('ehci', 'ohci', 'xhci', 'vusb')
SECONDS_SHORT, SECONDS_LONG = 8, 600
TESTED = ('devices/usb-controllers', 'usb/core', 'usb/devices')
ROOMS = ('vmm/base', 'vmm/cfgm', 'vmm/ssm', 'vmm/tm', 'vmm/pgm', 'vmm/iom', 'vmm/cpum', 'vmm/trpm', 'vmm/pdm')
FILES = ('devices/pci/pci-msix.c', 'devices/pci/dma-list.c', 'tests/lib/device-bench.c', 'tests/lib/bench-drivers.c', 'tests/lib/bench-media.c',
         'tests/lib/bench-audio.c', 'tests/lib/bench-network.c', 'tests/device/pci-guest.c')
FLAGS = ['-std=gnu11', '-g', '-O1', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-fno-strict-aliasing', '-w',
         f'-I{ROOT}', f'-I{BUILD}']
SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
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
                     for slot in range(3)),
    'vusb': b''.join(bytes((9, 1, port, 0, 0, 0)) + CONFIGURE + bytes((port,)) + WAIT +
                     bytes((9, 1, 0x84 + port)) + READ + bytes((port,)) + WAIT +
                     bytes((9, 1, 8 + port, 0, 2, 0x32)) + bytes(48) + bytes((port,)) + WAIT +
                     bytes((9, 1, 12 + port, 8, 0, 0x33)) + bytes(16) + bytes((port,)) + bytes((5, port, 1, 2, 3, 4, 5))
                     for port in range(4)),
}
RANDOM_SEEDS, RANDOM_SIZE = 12, 700
PACKAGES = ('glib-2.0', 'gmodule-2.0', 'libzstd')


def pkg(word):
    return shlex.split(subprocess.run(['pkg-config', word, *PACKAGES], check=True, capture_output=True,
                                      text=True).stdout)


def sources():
    """Everything but the target's own files, and whether its coverage guides the fuzzer."""
    for room in TESTED + ROOMS:
        for path in sorted((ROOT / room).glob('*.c')):
            if not path.stem.endswith(('-windows', '-darwin')):
                yield path, room in TESTED
    units = [path for stem in ('scsi', 'drive', 'mmc') for path in sorted((ROOT / 'devices/storage').glob(f'{stem}*.c'))]
    for path in [*(ROOT / name for name in FILES), *units]:
        yield path, path.parent.name == 'storage'


def compile_one(item):
    path, tested = item
    obj = FOLDER / f'{path.parent.name}-{path.name}.o'
    newest = max(entry.stat().st_mtime for entry in [path, *path.parent.glob('*.h'), *(ROOT / 'usb').glob('*.h')])
    if not obj.exists() or obj.stat().st_mtime < newest:
        subprocess.run(['clang', *FLAGS, *SANITIZERS, *(['-fsanitize=fuzzer-no-link'] if tested else []),
                        *pkg('--cflags'), '-c', path, '-o', obj], check=True)
    return obj


def link(target, objects):
    program = FOLDER / f'fuzz-{target}'
    own = [ROOT / 'tests/fuzz/fuzz-usb.c', ROOT / f'tests/fuzz/fuzz-usb-{target}.c']
    if target != 'vusb':
        own.append(ROOT / 'tests/fuzz/fuzz-usb-none.c')
    subprocess.run(['clang', *FLAGS, *SANITIZERS, '-fsanitize=fuzzer', f'-DFUZZ_TARGET="{target}"', *pkg('--cflags'),
                    *own, *objects, *pkg('--libs'), '-lm', '-ldl', '-pthread', '-o', program], check=True)
    return program


def fuzz(target, program, seconds):
    """How many inputs were tried; what went wrong is on the screen."""
    corpus = FOLDER / f'corpus-{target}'
    corpus.mkdir(exist_ok=True)
    (corpus / 'driver').write_bytes(SEEDS[target])
    for number in range(RANDOM_SEEDS):
        (corpus / f'random-{number}').write_bytes(SEEDS[target] + random.Random(number).randbytes(RANDOM_SIZE))
    result = subprocess.run([program, f'-max_total_time={seconds}', '-max_len=4096', '-len_control=0', '-timeout=30',
                             '-rss_limit_mb=2048', '-print_final_stats=1', f'-artifact_prefix={FOLDER}/{target}-',
                             corpus],
                            capture_output=True, env=dict(os.environ, G_DEBUG='fatal-criticals'),
                            timeout=seconds * 4 + 300, check=False)
    text = result.stderr.decode(errors='replace')
    if result.returncode != 0:
        sys.exit(f'{target}: {text[-8000:]}')
    return next(int(line.split()[-1]) for line in text.splitlines() if 'number_of_executed_units' in line)


def main():
    usual = SECONDS_LONG if os.environ.get('VITRINE_LONG') else SECONDS_SHORT
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else usual
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, sources()))
    for target in sys.argv[2:] or TARGETS:
        tried = fuzz(target, link(target, objects), seconds)
        print(f'{target}: {tried} inputs in {seconds} s')
        assert tried > 10, 'nearly nothing was tried'
        if seconds >= 60:
            with HOURS.open('a', encoding='utf-8') as file:
                print(f'{datetime.date.today()} test_fuzz_usb.py {target}, clang with sanitizers: '
                      f'{seconds / 3600:.3f} h, {tried} inputs, clean', file=file)


main()
