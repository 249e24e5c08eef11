# SPDX-License-Identifier: GPL-3.0-or-later
#
# The benchmark disk of loops.S: built with the host's assembler, run on a machine, timed by when its
# lines arrive on the serial line. Machines: ours (run-guest), Bochs, QEMU's TCG.
"""Time the benchmark loops on a machine."""

import os
import re
import subprocess
import time
from pathlib import Path

import guestprog

NAMES = ('integer', 'memory', 'float')
# Instructions in one turn of each loop of loops.S; the branch over one of them is taken half the time.
PER_TURN = {'integer': 14.5, 'memory': 16, 'float': 13}
POLL_SECONDS = 0.002
BOCHSRC = '''
megs: 64
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=core2_penryn_t9600, reset_on_triple_fault=0
clock: sync=none
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="{disk}", mode=flat, cylinders=4, heads=16, spt=63
boot: disk
com1: enabled=1, mode=file, dev="{serial}"
display_library: sdl2
log: "{folder}/bochs.log"
panic: action=fatal
error: action=ignore
info: action=ignore
'''


def build_disk(path, iterations):
    """Assembles the disk; `iterations` is the number of turns of each loop."""
    guestprog.build64(Path(__file__).with_name('loops.S'), path, ITERATIONS=iterations)


def measure(command, serial, seconds, typed=''):
    """Runs a machine until the loops are done: {name: (seconds, checksum)}.

    `serial` is the file that the machine writes its COM1 to; `typed` goes to its standard input."""
    serial.write_bytes(b'')
    environment = dict(os.environ, SDL_VIDEODRIVER='dummy', SDL_AUDIODRIVER='dummy')
    seen = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env=environment) as process:
        end = time.monotonic() + seconds
        try:
            process.stdin.write(typed.encode())
            process.stdin.flush()
            while 'bench: done' not in seen:
                now = time.monotonic()
                for line in serial.read_text(errors='replace').split('\n')[:-1]:
                    seen.setdefault(line.strip(), now)
                if now > end or (process.poll() is not None and 'bench: done' not in seen):
                    raise TimeoutError(f'{command[0]}: the loops did not end; it said {list(seen)}')
                time.sleep(POLL_SECONDS)
        finally:
            process.kill()
    return {name: _result(seen, name) for name in NAMES}


def _result(seen, name):
    begin = seen[f'bench: {name} begin']
    for line, moment in seen.items():
        match = re.fullmatch(f'bench: {name} end ([0-9a-f]+)', line)
        if match:
            return moment - begin, match.group(1)
    raise TimeoutError(f'{name} did not end')


def bochs(disk, folder):
    """Bochs's command line for the disk, and its serial file. Debian's build has a debugger in it,
    which wants to be told to go on: type 'c'."""
    serial = folder / 'bochs-serial'
    config = folder / 'bochsrc'
    config.write_text(BOCHSRC.format(disk=disk, serial=serial, folder=folder))
    return ['bochs', '-q', '-f', str(config)], serial


def qemu(disk, folder):
    """QEMU's command line for the disk, and its serial file."""
    serial = folder / 'qemu-serial'
    return ['qemu-system-x86_64', '-accel', 'tcg', '-nodefaults', '-display', 'none', '-serial',
            f'file:{serial}', '-drive', f'file={disk},format=raw,if=ide'], serial
