#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang
# builds: tests/fuzz/fuzz-ssm-seed
# timeout: 900
#
# libFuzzer on the reader of saved states (fuzz-ssm.c), with the address and undefined-behaviour
# sanitizers; it starts from a good state. A crash leaves the input among the evidence.
"""Hostile saved states harm nobody."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import guest

SECONDS_SHORT, SECONDS_LONG = 4, 600
ROOT = Path(__file__).resolve().parents[2]
ROOMS = ('base', 'ssm', 'cpum', 'iom', 'pgm')
FLAGS = ('-std=gnu11', '-g', '-O1', '-D_GNU_SOURCE', '-Wno-unknown-warning-option')
SANITIZERS = 'address,undefined'


def pkg(*words):
    """What pkg-config says, as words."""
    return subprocess.run(('pkg-config', *words), check=True, capture_output=True, text=True).stdout.split()


def build(folder, name, *flags):
    """The target with these flags."""
    program = folder / name
    sources = [source for room in ROOMS for source in sorted((ROOT / 'vmm' / room).glob('*.c'))
               if not source.stem.endswith(('-windows', '-darwin'))]
    packages = ('glib-2.0', 'gmodule-2.0', 'libzstd')
    subprocess.run(('clang', *FLAGS, *flags, f'-I{ROOT}', *pkg('--cflags', *packages), ROOT / 'tests/fuzz/fuzz-ssm.c',
                    *sources, '-o', program, *pkg('--libs', *packages), '-lm', '-ldl', '-pthread'), check=True)
    return program


def main():
    """Builds the target, makes the seed, fuzzes for a while."""
    seconds = SECONDS_LONG if os.environ.get('VITRINE_LONG') else SECONDS_SHORT
    evidence = guest.evidence_folder()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / 'corpus'
        corpus.mkdir()
        seed = Path(os.environ['VITRINE_BUILD']) / 'tests' / 'fuzz' / 'fuzz-ssm-seed'
        (corpus / 'good').write_bytes(subprocess.run(seed, check=True, capture_output=True).stdout)
        fuzzer = build(folder, 'fuzz', f'-fsanitize=fuzzer,{SANITIZERS}', '-fno-sanitize-recover=all')
        result = subprocess.run((fuzzer, f'-max_total_time={seconds}', '-max_len=65536', '-rss_limit_mb=1024',
                                 '-timeout=20', f'-artifact_prefix={evidence}/', corpus),
                                capture_output=True, text=True, errors='replace', check=False)
    print('\n'.join(result.stderr.splitlines()[-3:] if result.returncode == 0 else [result.stderr[-6000:]]))
    return result.returncode


if __name__ == '__main__':
    sys.exit(main())
