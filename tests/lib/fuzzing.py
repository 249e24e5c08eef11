# SPDX-License-Identifier: GPL-3.0-or-later
#
# libFuzzer with clang's address and undefined-behaviour sanitizers: a target is built from its sources and run for a
# while; what runs long adds a line to tests/fuzz/HOURS, an input that fails is kept in the build's folder and named.
"""Fuzzers."""

import datetime
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOURS = ROOT / 'tests/fuzz/HOURS'
BUILD = Path(os.environ.get('VITRINE_BUILD', 'build-sanitized')).resolve()
FLAGS = ('-std=gnu11', '-g', '-O1', '-D_GNU_SOURCE', '-fno-strict-aliasing', '-Wno-unknown-warning-option')
SANITIZERS = ('-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all')


def _pkg(*words):
    return shlex.split(subprocess.run(('pkg-config', *words), check=True, capture_output=True, text=True).stdout)


def _build(name, sources, packages):
    folder = BUILD / f'fuzz-{name}'
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / 'fuzz'
    subprocess.run(('clang', *FLAGS, *SANITIZERS, f'-I{ROOT}', *_pkg('--cflags', *packages), *sources, '-o', program,
                    *_pkg('--libs', *packages), '-pthread'), check=True)
    return folder, program


def run(name, sources, packages, seeds, short=10, long=600, most=65536):
    """Builds the target `name` from sources and fuzzes it, from seeds (programs that print one): `short` seconds, with
    --long `long`, or as many as the script was told. Ends the test where an input fails."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else long if os.environ.get('VITRINE_LONG') else short
    folder, program = _build(name, [ROOT / source for source in sources], packages)
    corpus = folder / 'corpus'
    corpus.mkdir(exist_ok=True)
    for seed in seeds:
        (corpus / Path(seed).name).write_bytes(subprocess.run([BUILD / seed], check=True, capture_output=True).stdout)
    result = subprocess.run((program, f'-max_total_time={seconds}', f'-max_len={most}', '-rss_limit_mb=1024', '-timeout=20',
                             '-print_final_stats=1', f'-artifact_prefix={folder}/failed-', corpus),
                            capture_output=True, text=True, errors='replace', timeout=seconds * 3 + 120, check=False)
    if result.returncode != 0:
        sys.exit(result.stderr[-8000:])
    tried = next(int(line.split()[-1]) for line in result.stderr.splitlines() if 'number_of_executed_units' in line)
    print(f'{name}: {tried} inputs in {seconds} s')
    if tried < 100:
        sys.exit('nearly nothing was tried')
    if seconds >= 60:
        with HOURS.open('a', encoding='utf-8') as file:
            print(f'{datetime.date.today()} {Path(sys.argv[0]).name}, clang with sanitizers: {seconds / 3600:.3f} h, '
                  f'{tried} inputs, clean', file=file)
