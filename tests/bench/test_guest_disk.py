#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gcc gzip qemu-system-x86
# timeout: 900
# long
# alone
#
# How fast a guest's disk is, on REM and on QEMU's TCG with the same controller: the same Linux with its
# own drivers works past its page cache on a raw image, sequentially and at random, with one and with
# many requests under way. Both machines are up at once and take turns, row by row, so that both
# see the same host. The images are in the host's memory, else its disk would be what is measured; and they
# are written to once before, else it would be how fast the host finds memory for them. What is read back
# has to be the same. The short run does less, at one controller.
"""A guest's disk against QEMU TCG."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bar
import media
import run_guest

LEAST_RATIO = 1.5
LONG_TURNS = 5
DISK_MIB = 512
MEMORY = '/dev/shm'
PROMPT = b'vitrine# '
QEMU = ('qemu-system-x86_64', '-M', 'pc', '-accel', 'tcg', '-cpu', 'max', '-m', '384', '-nodefaults',
        '-display', 'none', '-no-reboot', '-serial', 'stdio')
QEMU_DISKS = {
    'sata': ('-device', 'ahci,id=bus', '-device', 'ide-hd,drive=boot,bus=bus.0',
             '-device', 'ide-hd,drive=work,bus=bus.1'),
    'virtio-blk': ('-device', 'virtio-blk-pci,drive=boot', '-device', 'virtio-blk-pci,drive=work'),
}


@dataclass(frozen=True)
class Row:
    """A kind of work; MiB in the short and in the long run, and turns in the short one."""

    name: str
    words: str
    short: int
    long: int
    turns: int = 1


ROWS = (
    Row('sequential write, 1 MiB', 'write seq 1048576 4', 256, 2048, 3),
    Row('sequential read, 1 MiB', 'read seq 1048576 4', 256, 2048, 3),
    Row('random read, 4 KiB, one at a time', 'read rand 4096 1', 16, 64),
    Row('random read, 4 KiB, 32 at once', 'read rand 4096 32', 16, 64),
    Row('random write, 4 KiB, one at a time', 'write rand 4096 1', 16, 64),
    Row('random write, 4 KiB, 32 at once', 'write rand 4096 32', 16, 64),
)


class Machine:
    """A running guest that waits at its prompt for a line."""

    def __init__(self, words):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.ask(None)

    def ask(self, line):
        """What the guest says to a line, up to its next prompt."""
        if line:
            self.process.stdin.write(f'{line}\n'.encode())
            self.process.stdin.flush()
        text = b''
        while not text.endswith(PROMPT):
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                raise RuntimeError(f'the guest is gone\n{text.decode(errors="replace")[-2000:]}')
            # The shell asks the terminal where it is.
            text = (text + data).replace(b'\x1b[6n', b'')
        return text.decode(errors='replace')

    def stop(self):
        """Ends the process."""
        self.process.kill()
        self.process.wait()


def machines(bus, folder, stack):
    """Ours and QEMU's, each with disks of its own."""
    disks = {}
    for who in ('ours', 'tcg'):
        disks[who] = (media.copy('storage-amd64', folder / f'{who}-boot.img'), folder / f'{who}.img')
        with open(disks[who][1], 'wb') as file:
            file.truncate(DISK_MIB << 20)
    boot, work = disks['ours']
    ours = run_guest.command('--bus', bus, '--disk2', str(work), '--timeout', '800', disk=boot, ram=384,
                             serial='stdio')
    if not os.environ.get('VITRINE_ENGINE'):
        ours += ['--engine', 'rem']
    boot, work = disks['tcg']
    drives = (f'file={boot},format=raw,if=none,id=boot', f'file={work},format=raw,if=none,id=work')
    tcg = [*QEMU, *(word for drive in drives for word in ('-drive', drive)), *QEMU_DISKS[bus]]
    found = {}
    for who, words in (('ours', ours), ('tcg', tcg)):
        found[who] = Machine(words)
        stack.callback(found[who].stop)
    return found


def device(machine):
    """The name of the disk to work on: the one of that size."""
    text = machine.ask(f'grep -l ^{DISK_MIB * 2048}$ /sys/block/*/size')
    return '/dev/' + re.search(r'/sys/block/(\w+)/size', text).group(1)


def measure(machine, words):
    """Seconds and checksum of one turn."""
    text = machine.ask(f'disk-work {words}')
    found = re.search(r'disk-work: ([\d.]+) (\w+)', text)
    if not found:
        raise RuntimeError(f'no figure\n{text}')
    return float(found.group(1)), found.group(2)


def run(bus, long):
    """The rows of one controller; the smallest ratio."""
    least = float('inf')
    where = MEMORY if os.path.isdir(MEMORY) else None
    with tempfile.TemporaryDirectory(dir=where) as name, contextlib.ExitStack() as stack:
        guests = machines(bus, Path(name), stack)
        devices = {who: device(guest) for who, guest in guests.items()}
        for who, guest in guests.items():
            measure(guest, f'{devices[who]} {ROWS[0].words} {DISK_MIB}')
        for row in ROWS:
            mib = row.long if long else row.short
            turns = LONG_TURNS if long else row.turns
            seconds = {who: [] for who in guests}
            sums = set()
            for _ in range(turns):
                for who, guest in guests.items():
                    taken, checksum = measure(guest, f'{devices[who]} {row.words} {mib}')
                    seconds[who].append(taken)
                    sums.add(checksum)
            if len(sums) != 1:
                sys.exit(f'{bus}, {row.name}: the two guests read different things: {sums}')
            ours, tcg = (mib / statistics.median(seconds[who]) for who in ('ours', 'tcg'))
            print(f'{bus:11} {row.name:36} {ours:8.1f} {tcg:8.1f} MiB/s  ratio {ours / tcg:.2f}', flush=True)
            least = min(least, ours / tcg)
    return least


def main():
    """Both controllers that the bar is about."""
    long = bool(os.environ.get('VITRINE_LONG'))
    buses = QEMU_DISKS if long else ('virtio-blk',)
    least = min(run(bus, long) for bus in buses)
    return bar.verdict(least >= LEAST_RATIO)


if __name__ == '__main__':
    sys.exit(main())
