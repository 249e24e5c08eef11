#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang qemu-utils
# timeout: 1500
#
# libFuzzer on every image format (image-fuzz.c), with sanitizers, from images that qemu-img and we
# have made. A short run by default; --long, or this script with seconds and formats:
#   VITRINE_BUILD=build-sanitized tests/fuzz/test_images.py 600 VDI VHD
# What runs long adds a line to HOURS. An input that fails is kept and named.
"""Hostile image files harm nobody."""

import datetime
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get('VITRINE_BUILD', 'build-sanitized')).resolve() / 'fuzz-images'
HOURS = Path(__file__).with_name('HOURS')
SECONDS_SHORT, SECONDS_LONG = 1, 600
FLAGS = ['-std=gnu11', '-O1', '-g', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-fno-strict-aliasing',
         '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
BASE = ('clock-linux.c', 'crc32c.c', 'error.c', 'file-linux.c')

# Format, qemu-img's words for seeds (each one file).
SEEDS = {
    'VDI': [['-O', 'vdi'], ['-O', 'vdi', '-o', 'static=on']],
    'VHD': [['-O', 'vpc', '-o', 'subformat=dynamic,force_size=on'],
            ['-O', 'vpc', '-o', 'subformat=fixed,force_size=on']],
    'VMDK': [['-O', 'vmdk', '-o', f'subformat={kind}'] for kind in
             ('monolithicSparse', 'streamOptimized', 'monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat')],
    'VHDX': [['-O', 'vhdx', '-o', 'subformat=dynamic,block_size=1M,log_size=1M']],
    'QCOW': [['-O', 'qcow'], ['-O', 'qcow2'], ['-c', '-O', 'qcow2'], ['-O', 'qcow2', '-o', 'compat=0.10']],
    'QED': [['-O', 'qed']],
    'Parallels': [['-O', 'parallels']],
    'RAW': [['-O', 'raw']],
    'ISO': [['-O', 'raw']],
}
# What image-fuzz.c has between files, and the bytes at the end that tell it how images become larger.
PART_MARK = b'\n@@PART\n'
ENDS = [b'\0\0', b'\x09\0', b'\x0b\0', b'\x24\0', b'\x2c\0']
MOST_BYTES = {'VHDX': 6 << 20}


def compile_one(source):
    obj = FOLDER / (source.name + '.o')
    words = shlex.split(subprocess.run(['pkg-config', '--cflags', 'glib-2.0'], check=True, capture_output=True,
                                       text=True).stdout)
    newest = max(path.stat().st_mtime for path in [source, *source.parent.glob('*.h')])
    if not obj.exists() or obj.stat().st_mtime < newest:
        subprocess.run(['clang', *FLAGS, '-fsanitize=fuzzer-no-link', f'-I{ROOT}', *words, '-c', source, '-o', obj],
                       check=True)
    return obj


def build(formats):
    """The programs by format."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    sources = sorted((ROOT / 'devices/drivers/disk/image').glob('*.c'))
    sources += [ROOT / 'vmm/base' / name for name in BASE]
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, sources))
    words = shlex.split(subprocess.run(['pkg-config', '--cflags', '--libs', 'glib-2.0', 'zlib', 'libzstd'],
                                       check=True, capture_output=True, text=True).stdout)
    programs = {}
    for form in formats:
        programs[form] = FOLDER / f'fuzz-{form.lower()}'
        subprocess.run(['clang', *FLAGS, '-fsanitize=fuzzer', f'-DFUZZ_FORMAT="{form}"', f'-I{ROOT}',
                        Path(__file__).with_name('image-fuzz.c'), *objects, *words, '-o', programs[form]], check=True)
    return programs


def make_seeds(form):
    corpus = FOLDER / f'corpus-{form.lower()}'
    corpus.mkdir(exist_ok=True)
    raw = FOLDER / f'{form}.raw'
    raw.write_bytes(bytes(32769) + b'CD001' + b'data' * 1000 + bytes(131072) + b'more' * 9000 + bytes(4096))
    with raw.open('r+b') as file:
        file.truncate((raw.stat().st_size + 65535) // 65536 * 65536)
    for i, words in enumerate(SEEDS[form]):
        # As a file of its own, since images in several files are those below a name.
        folder = FOLDER / f'seed-{form.lower()}-{i}'
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        subprocess.run(['qemu-img', 'convert', '-f', 'raw', *words, raw, folder / 'a.vmdk'], check=True)
        pieces = [(folder / 'a.vmdk').read_bytes()]
        pieces += [path.read_bytes() for path in sorted(folder.iterdir()) if path.name != 'a.vmdk']
        for number, end in enumerate(ENDS):
            (corpus / f'seed-{i}-{number}').write_bytes(PART_MARK.join(pieces) + end)
    return corpus


def fuzz(form, program, seconds):
    """How many inputs were tried."""
    corpus = make_seeds(form)
    words = [program, f'-max_total_time={seconds}', f'-max_len={MOST_BYTES.get(form, 1 << 20)}', '-timeout=30',
             '-rss_limit_mb=2560', '-print_final_stats=1', f'-artifact_prefix={FOLDER}/failed-{form.lower()}-', corpus]
    env = dict(os.environ, ASAN_OPTIONS='detect_leaks=1:allocator_may_return_null=1')
    result = subprocess.run(words, capture_output=True, env=env, timeout=seconds * 4 + 300, check=False)
    text = result.stderr.decode(errors='replace')
    if result.returncode != 0:
        print(text[-8000:])
        raise SystemExit(f'{form}: exit code {result.returncode}')
    tried = next(int(line.split()[-1]) for line in text.splitlines() if 'number_of_executed_units' in line)
    print(f'{form}: {tried} inputs in {seconds} s', flush=True)
    return tried


def main():
    named = len(sys.argv) > 1
    seconds = int(sys.argv[1]) if named else SECONDS_LONG if os.environ.get('VITRINE_LONG') else SECONDS_SHORT
    formats = sys.argv[2:] or list(SEEDS)
    programs = build(formats)
    for form in formats:
        tried = fuzz(form, programs[form], seconds)
        assert tried > 10, f'{form}: nearly nothing was tried'
        if seconds >= 60:
            with HOURS.open('a') as file:
                print(f'{datetime.date.today()} test_images.py {form}, clang with sanitizers: {seconds / 3600:.3f} h, '
                      f'{tried} inputs, clean', file=file)


main()
