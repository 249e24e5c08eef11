# SPDX-License-Identifier: GPL-3.0-or-later
#
# Who runs the rows: the host itself, or a guest on a machine. Both run the same files.
"""Run one row with an amount of work."""

import gzip
import os
import re
import resource
import shlex
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cpio
import machines
import media

NATIVE = 'native'
RESULT = re.compile(r'bench: ([0-9a-f]{16}) ([0-9.]+)')
UNSUPPORTED = 2
LOADERS = {'amd64': ('lib64/ld-linux-x86-64.so.2', 'lib/x86_64-linux-gnu'),
           'i386': ('lib/ld-linux.so.2', 'lib/i386-linux-gnu')}
GUEST_WORDS = {'bench': '/bench', 'tmp': '/tmp', 'sh': '/bin/sh', 'ld': ''}
MEMORY_MIB = 256
# How long a guest's clock is compared with the host's at first, and by how much it may differ then and
# over the whole of the rows.
CLOCK_SECONDS, FIRST_TOLERANCE, TOLERANCE = 3, 0.1, 0.02
BOOT_SECONDS = 900


class RowError(Exception):
    """A program failed or said nothing that can be understood."""


@dataclass(frozen=True)
class Sample:
    """One run: its result, seconds by the guest's clock, by the host's, and of CPU time."""

    checksum: str
    inside: float
    outside: float
    cpu: float


def _sample(name, row, text, status, outside, cpu):
    match = RESULT.search(text)
    if status == UNSUPPORTED:
        raise RowError(f'{name} cannot run it')
    if status or not match:
        raise RowError(f'{name}: {row.name} ended with status {status}: {text.strip()[-300:]}')
    return Sample(match.group(1), float(match.group(2)), outside, cpu)


class Native:
    """The host, with the programs, the shell and the libraries of the guest's own medium."""

    name = NATIVE
    trusted = True

    def __init__(self, arch):
        self._folder = tempfile.TemporaryDirectory(prefix='vitrine-bench-')
        root = Path(self._folder.name)
        _unpack(media.get(f'bench-{arch}'), root)
        loader, libraries = LOADERS[arch]
        ld = f'{root / loader} --library-path {root / libraries} '
        self._words = {'bench': root / 'bench', 'tmp': root / 'tmp', 'sh': f'{ld}{root}/bin/busybox sh',
                       'ld': ld}

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, trace):
        self._folder.cleanup()

    def clock_problem(self):
        """None: it is the host's."""
        return ''

    def run(self, row, amount, seconds):
        """Runs a row with that amount of work."""
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        words = shlex.split(row.command.format(n=amount, **self._words))
        result = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                timeout=seconds, check=False)
        outside, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return _sample(self.name, row, result.stdout + result.stderr, result.returncode, outside, cpu)


def _unpack(iso, root):
    """The files and links of the medium's initramfs."""
    packed = root / 'initrd.gz'
    subprocess.run(['xorriso', '-osirrox', 'on', '-indev', str(iso), '-extract', '/initrd.gz', str(packed)],
                   check=True, capture_output=True)
    for entry in cpio.read(gzip.decompress(packed.read_bytes())):
        path = root / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISDIR(entry.mode):
            path.mkdir(exist_ok=True)
        elif stat.S_ISLNK(entry.mode):
            # The loader's link is absolute; inside the folder it has to stay.
            target = entry.data.decode()
            path.symlink_to(os.path.relpath(root / target[1:], path.parent) if target[0] == '/' else target)
        elif stat.S_ISREG(entry.mode):
            path.write_bytes(entry.data)
            path.chmod(entry.mode & 0o777)


class Guest:
    """A machine with the benchmarks' Linux; it is held while others run where that saves a core.

    `trusted` says whether the guest's clock goes as the host's does: Bochs's counts instructions."""

    def __init__(self, name, arch, cpus=1, options=(), log=os.devnull):
        self.name, self.trusted, self._clocks = name, True, (0.0, 0.0)
        self._machine = machines.start(name, iso=media.get(f'bench-{arch}'), memory=MEMORY_MIB,
                                       cpus=cpus, options=options, log=log)

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, trace):
        self._machine.__exit__(kind, failure, trace)

    @property
    def machine(self):
        """The machine itself, for profiles."""
        return self._machine

    def boot(self):
        """Waits until the guest takes commands; returns when that was after power-on."""
        _, moment = self._machine.wait('bench: ready', BOOT_SECONDS)
        self._clocks = self._read_clocks()
        time.sleep(CLOCK_SECONDS)
        self.trusted = abs(self._drift()) < FIRST_TOLERANCE
        self._machine.hold()
        return moment - self._machine.begin

    def clock_problem(self):
        """What is wrong with a clock that was trusted, over all the time since the boot; or ''."""
        if not self.trusted:  # and may be held, unable to answer
            return ''
        drift = self._drift()
        if abs(drift) < TOLERANCE:
            return ''
        return f"its clock has gained {drift:.1%} on the host's"

    def _read_clocks(self):
        """(seconds since the guest's boot, the host's clock) at about the same moment."""
        self._machine.line.write('cat /proc/uptime\n')
        text, moment = self._machine.wait(r'bench: begin[^b]*bench: status 0', BOOT_SECONDS)
        return float(text.rsplit('begin', 1)[1].split()[0]), moment

    def _drift(self):
        inside, outside = self._read_clocks()
        return (inside - self._clocks[0]) / (outside - self._clocks[1]) - 1.0

    def run(self, row, amount, seconds):
        """Runs a row with that amount of work."""
        machine = self._machine
        machine.go_on()
        before = machine.cpu_seconds()
        machine.line.write(row.command.format(n=amount, **GUEST_WORDS) + '\n')
        _, begin = machine.wait('bench: begin', seconds)
        text, end = machine.wait(r'bench: status \d+', seconds)
        cpu = machine.cpu_seconds() - before
        machine.hold()
        return _sample(self.name, row, text, int(text.rsplit(' ', 1)[1]), end - begin, cpu)
