# SPDX-License-Identifier: GPL-3.0-or-later
#
# libFuzzer with clang's address and undefined-behaviour sanitizers: a target is built from its sources and run for a
# while; what runs long adds a line to tests/fuzz/HOURS, an input that fails is kept in the build's folder and named.
# Targets on the device bench share the objects of the rooms around devices.
"""Fuzzers."""

import datetime
import os
import random
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
    """Builds the target `name` from sources and fuzzes it, from seeds (programs that
    print one, or a dictionary of them): `short` seconds, with
    --long `long`, or as many as the script was told. Ends the test where an input fails."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else long if os.environ.get('VITRINE_LONG') else short
    folder, program = _build(name, [ROOT / source for source in sources], packages)
    corpus = folder / 'corpus'
    corpus.mkdir(exist_ok=True)
    for seed in seeds:
        (corpus / Path(seed).name).write_bytes(seeds[seed] if isinstance(seeds, dict) else subprocess.run(
            [BUILD / seed], check=True, capture_output=True).stdout)
    _fuzz(name, program, corpus, folder / 'failed-', seconds, most, 100)


def _fuzz(label, program, corpus, failed, seconds, most, least, *options):
    """Runs a target; ends the test where an input fails or fewer than `least` were tried."""
    result = subprocess.run((program, f'-max_total_time={seconds}', f'-max_len={most}', '-rss_limit_mb=2048', '-timeout=100',
                             '-print_final_stats=1', f'-artifact_prefix={failed}', *options, corpus),
                            capture_output=True, text=True, errors='replace', timeout=seconds * 4 + 300, check=False,
                            env=dict(os.environ, G_DEBUG='fatal-criticals'))
    if result.returncode != 0:
        sys.exit(f'{label}: {result.stderr[-8000:]}')
    tried = next(int(line.split()[-1]) for line in result.stderr.splitlines() if 'number_of_executed_units' in line)
    print(f'{label}: {tried} inputs in {seconds} s', flush=True)
    if tried < least:
        sys.exit('nearly nothing was tried')
    if seconds >= 60:
        target = '' if Path(sys.argv[0]).stem.endswith(label) else f' {label}'
        with HOURS.open('a', encoding='utf-8') as file:
            print(f'{datetime.date.today()} {Path(sys.argv[0]).name}{target}, clang with sanitizers: {seconds / 3600:.3f} h, '
                  f'{tried} inputs, clean', file=file)


# What every device bench is made of.
ROOMS = ('vmm/base', 'vmm/cfgm', 'vmm/ssm', 'vmm/tm', 'vmm/pgm', 'vmm/iom', 'vmm/cpum', 'vmm/trpm', 'vmm/pdm',
         'devices/pci')
BENCH = tuple(f'tests/lib/{name}.c' for name in
              ('device-bench', 'bench-drivers', 'bench-media', 'bench-audio', 'bench-network')) + \
    ('tests/device/pci-guest.c', 'tests/fuzz/fuzz-bench.c')
BENCH_PACKAGES = ('glib-2.0', 'gmodule-2.0', 'libzstd')
BENCH_FLAGS = (*FLAGS, '-D_FILE_OFFSET_BITS=64', '-w', f'-I{ROOT}', f'-I{BUILD}', '-fsanitize=address,undefined',
               '-fno-sanitize-recover=undefined')
RANDOM_SEEDS, RANDOM_SIZE = 12, 700


def _is_stale(obj):
    """An object is older than something that it was made from."""
    made_from = obj.with_suffix('.d')
    if not obj.exists() or not made_from.exists():
        return True
    paths = made_from.read_text(encoding='utf-8').replace('\\\n', ' ').split()[1:]
    return any(not Path(path).exists() or Path(path).stat().st_mtime > obj.stat().st_mtime for path in paths)


def _compile(path, guided):
    """An object, guided: its coverage leads the fuzzer. Another test may be at the same."""
    folder = BUILD / 'fuzz-objects'
    folder.mkdir(parents=True, exist_ok=True)
    obj = folder / f'{"guided" if guided else "plain"}-{"-".join(path.relative_to(ROOT).parts)}.o'
    if _is_stale(obj):
        new = obj.with_suffix(f'.{os.getpid()}.o')
        subprocess.run(('clang', *BENCH_FLAGS, *(('-fsanitize=fuzzer-no-link',) if guided else ()),
                        *_pkg('--cflags', *BENCH_PACKAGES), '-MMD', '-MF', new.with_suffix('.d'), '-c', path, '-o', new),
                       check=True)
        new.with_suffix('.d').rename(obj.with_suffix('.d'))
        new.rename(obj)
    return obj


def _sources(names):
    """Files, and those of folders, that this host has."""
    for name in names:
        path = ROOT / name
        for source in sorted(path.glob('*.c')) if path.is_dir() else [path]:
            if not source.stem.endswith(('-windows', '-darwin')):
                yield source


def run_on_bench(name, tested, targets, seeds, short, long=600):
    """Fuzzes devices on the bench. `tested`: their files and folders; `targets` maps names to a target's own files and
    definitions, `seeds` to an input of a good driver each. The script's words: seconds, and targets if not all."""
    usual = long if os.environ.get('VITRINE_LONG') else short
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else usual
    folder = BUILD / f'fuzz-{name}'
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(lambda item: _compile(*item), [*((path, True) for path in _sources(tested)),
                                                                *((path, False) for path in _sources(ROOMS + BENCH))]))
    for target in sys.argv[2:] or targets:
        own, definitions = targets[target]
        corpus, program = folder / f'corpus-{target}', folder / f'fuzz-{target}'
        corpus.mkdir(parents=True, exist_ok=True)
        subprocess.run(('clang', *BENCH_FLAGS, '-fsanitize=fuzzer', *definitions, *_pkg('--cflags', *BENCH_PACKAGES),
                        *_sources(own), *objects, *_pkg('--libs', *BENCH_PACKAGES), '-lm', '-ldl', '-pthread', '-o', program),
                       check=True)
        (corpus / 'driver').write_bytes(seeds[target])
        for number in range(RANDOM_SEEDS):
            (corpus / f'random-{number}').write_bytes(seeds[target] + random.Random(number).randbytes(RANDOM_SIZE))
        _fuzz(target, program, corpus, folder / f'{target}-', seconds, 4096, 10, '-len_control=0')
