# SPDX-License-Identifier: GPL-3.0-or-later
#
# Guest programs in assembly, built with the host's binutils into disks that any PC boots.
"""Assemble guest programs."""

import subprocess
import tempfile
from pathlib import Path

LIB = Path(__file__).resolve().parent
# Four cylinders of 16 heads and 63 sectors: a geometry that Bochs takes.
DISK_BYTES = 4 * 16 * 63 * 512


def build64(source, disk, **symbols):
    """Writes a raw disk that boots a program on top of boot64.S; `symbols` are numbers for it."""
    with tempfile.TemporaryDirectory() as name:
        obj, flat = Path(name) / 'program.o', Path(name) / 'program'
        defined = [word for symbol, value in symbols.items()
                   for word in ('--defsym', f'{symbol}={value}')]
        subprocess.run(['as', '--64', '-I', str(LIB), *defined, str(source), '-o', str(obj)],
                       check=True)
        subprocess.run(['ld', '-m', 'elf_x86_64', '-Ttext=0x7c00', '-e', 'start', '--oformat',
                        'binary', str(obj), '-o', str(flat)], check=True)
        Path(disk).write_bytes(flat.read_bytes().ljust(DISK_BYTES, b'\0'))
