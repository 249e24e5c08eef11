#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang libxml2-dev
# timeout: 1200
#
# libFuzzer on the reader of settings files (fuzz-settings.c), with the address and undefined-behaviour sanitizers,
# from the files that tests/unit/settings has and with their words as a dictionary. A short run by default; --long, or
# this script with seconds. What runs long adds a line to HOURS; an input that fails is kept and named.
"""Hostile settings files harm nobody."""

import datetime
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('VITRINE_BUILD', 'build-sanitized')).resolve()
FOLDER = BUILD / 'fuzz-settings'
HOURS = Path(__file__).with_name('HOURS')
SECONDS_SHORT, SECONDS_LONG = 4, 600
SEEDS = ROOT / 'tests/unit/settings/data'
FLAGS = ['-std=gnu11', '-g', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-fno-strict-aliasing', '-w',
         '-DVITRINE_LIBEXECDIR="/nowhere"', '-DVITRINE_BINDIR="/nowhere"', '-DGETTEXT_PACKAGE="vitrine"']
SANITIZERS = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
INCLUDES = [f'-I{folder}' for folder in (ROOT, BUILD, ROOT / 'app/api', BUILD / 'app/api')]
PACKAGES = ('gio-2.0', 'gio-unix-2.0', 'libxml-2.0')


def pkg(word):
    return shlex.split(subprocess.run(['pkg-config', word, *PACKAGES], check=True, capture_output=True,
                                      text=True).stdout)


def compile_one(source):
    """What is tested is instrumented; what it stands on is only checked for its memory."""
    obj = FOLDER / f'{source.parent.name}-{source.name}.o'
    tested = source.parent.name == 'settings'
    newest = max(path.stat().st_mtime for path in [source, *source.parent.glob('*.h')])
    if not obj.exists() or obj.stat().st_mtime < newest:
        subprocess.run(['clang', *FLAGS, *SANITIZERS, *(['-fsanitize=fuzzer-no-link'] if tested else []), *INCLUDES,
                        *pkg('--cflags'), '-c', source, '-o', obj], check=True)
    return obj


def build():
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run(['ninja', '-C', BUILD, 'app/api/vitrine-dbus.h', 'app/api/vitrine-enum-types.h',
                    'app/api/vitrine-dbus.c', 'app/api/vitrine-enum-types.c'], check=True, capture_output=True)
    sources = sorted((ROOT / 'app/service/settings').glob('*.c'))
    sources += [path for path in sorted((ROOT / 'app/api').glob('*.c'))
                if not path.stem.endswith(('-darwin', '-windows'))]
    sources += sorted((BUILD / 'app/api').glob('*.c'))
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, sources))
    program = FOLDER / 'fuzz-settings'
    subprocess.run(['clang', *FLAGS, *SANITIZERS, '-fsanitize=fuzzer', *INCLUDES,
                    Path(__file__).with_name('fuzz-settings.c'), *objects, *pkg('--cflags'), *pkg('--libs'), '-o',
                    program], check=True)
    return program


def dictionary():
    """The words of the seeds, as libFuzzer reads them."""
    words = set()
    for path in SEEDS.iterdir():
        text = path.read_text(encoding='utf-8')
        words |= set(re.findall(r'</?[A-Za-z]+', text)) | set(re.findall(r' [A-Za-z]+="', text))
        words |= set(re.findall(r'"[^"\\]{1,40}"', text))
    target = FOLDER / 'words'
    lines = [''.join(f'\\x{byte:02x}' for byte in word.encode()) for word in sorted(words)]
    target.write_text(''.join(f'"{line}"\n' for line in lines))
    return target


def main():
    usual = SECONDS_LONG if os.environ.get('VITRINE_LONG') else SECONDS_SHORT
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else usual
    program = build()
    corpus = FOLDER / 'corpus'
    corpus.mkdir(exist_ok=True)
    for path in SEEDS.iterdir():
        (corpus / path.name).write_bytes(path.read_bytes())
    shared = Path('/dev/shm')
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        env = dict(os.environ, VITRINE_FUZZ_FOLDER=folder, ASAN_OPTIONS='detect_leaks=1', G_MESSAGES_DEBUG='',
                   G_DEBUG='fatal-criticals')
        result = subprocess.run([program, f'-max_total_time={seconds}', '-max_len=65536', '-timeout=30',
                                 '-rss_limit_mb=2048', '-print_final_stats=1', f'-dict={dictionary()}',
                                 f'-artifact_prefix={FOLDER}/failed-', corpus],
                                capture_output=True, env=env, timeout=seconds * 4 + 300, check=False)
    text = result.stderr.decode(errors='replace')
    if result.returncode != 0:
        print(text[-8000:])
        return result.returncode
    tried = next(int(line.split()[-1]) for line in text.splitlines() if 'number_of_executed_units' in line)
    print(f'{tried} inputs in {seconds} s')
    assert tried > 10, 'nearly nothing was tried'
    if seconds >= 60:
        with HOURS.open('a') as file:
            print(f'{datetime.date.today()} test_fuzz_settings.py, clang with sanitizers: {seconds / 3600:.3f} h, '
                  f'{tried} inputs, clean', file=file)
    return 0


sys.exit(main())
