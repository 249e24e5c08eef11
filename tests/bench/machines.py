# SPDX-License-Identifier: GPL-3.0-or-later
#
# The machines that benchmarks compare, each with its COM1 at hand: ours with one of its engines
# (run-guest), QEMU's TCG, Bochs. All get the same medium and as much memory, one CPU and no display.
"""Machines to compare, by name."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import run_guest
from serial_line import Serial

TCG, BOCHS = 'tcg', 'bochs'
LOOK_SECONDS = 2
COUNTERS_SECONDS = 5
COUNTERS_END = 'run-guest: end of counters'
COUNTER = re.compile(r'^(\S+) (\d+)$', re.M)
# Debian's Bochs has its debugger in it, which wants to be told to go on.
BOCHS_TYPED = b'c\n'
BOCHSRC = '''
megs: {memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=corei7_haswell_4770, reset_on_triple_fault=0
clock: sync=none
{drive}
com1: enabled=1, mode=socket-client, dev=localhost:{port}
display_library: sdl2
log: "{folder}/bochs.log"
panic: action=fatal
error: action=ignore
info: action=ignore
'''
BOCHS_CD = '''ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
ata1-master: type=cdrom, path="{medium}", status=inserted
boot: cdrom'''


class Machine:
    """A running machine. `line` is its serial line, `begin` the moment of its start."""

    def __init__(self, name, process, line, folder, begin):
        self.name, self.process, self.line = name, process, line
        self.folder, self.begin = folder, begin

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, trace):
        self.process.kill()
        self.process.wait()
        self.line.close()
        self.folder.cleanup()

    def wait(self, pattern, seconds):
        """Waits for a regular expression on the serial line: (the text up to it, the moment).

        Raises TimeoutError with what was seen, soon if the machine has ended."""
        end = time.monotonic() + seconds
        while True:
            try:
                text = self.line.wait(pattern, min(LOOK_SECONDS, seconds))
                return text, time.monotonic()
            except TimeoutError as error:
                code = self.process.poll()
                if code is not None:
                    raise TimeoutError(f'{self.name} has ended ({code}): {self._complaints()}') from error
                if time.monotonic() > end:
                    raise

    def _complaints(self):
        """The end of what the machine's process said."""
        path = Path(self.folder.name) / 'stderr'
        return path.read_text('utf-8', 'replace')[-300:].strip() if path.exists() else ''

    def cpu_seconds(self):
        """User and system time that the machine's process has used."""
        # Linux's id of a process's CPU clock, as clock_getcpuclockid(3) makes it: exact to nanoseconds.
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def counters(self):
        """What our engine has counted so far, by name; nothing of other machines."""
        complaints = Path(self.folder.name) / 'stderr'
        if self.name in (TCG, BOCHS):
            return {}
        before = complaints.read_text('utf-8', 'replace').count(COUNTERS_END)
        self.process.send_signal(signal.SIGUSR2)
        end = time.monotonic() + COUNTERS_SECONDS
        while time.monotonic() < end:
            parts = complaints.read_text('utf-8', 'replace').split(COUNTERS_END)
            if len(parts) > before + 1:
                return {name: int(value) for name, value in COUNTER.findall(parts[-2])}
            time.sleep(0.02)
        return {}

    def hold(self):
        """Stops a machine that would take a whole core for doing nothing."""
        if self.name == BOCHS:
            self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        """Ends hold()."""
        if self.name == BOCHS:
            self.process.send_signal(signal.SIGCONT)


def start(name, iso=None, disk=None, memory=256, cpus=1, options=(), log=os.devnull):
    """Starts a machine: 'tcg', 'bochs' or one of our engines. `disk` may be written to.

    `options` are further words for run-guest; what the guest says goes to the file `log` too."""
    folder = tempfile.TemporaryDirectory(prefix='vitrine-bench-')
    if name == BOCHS:
        return _start_bochs(iso, memory, folder, log)
    words = _qemu(iso, disk, memory, cpus) if name == TCG else _ours(
        name, iso, disk, memory, cpus, options)
    mine, its = socket.socketpair()
    begin = time.monotonic()
    with its, open(Path(folder.name) / 'stderr', 'wb') as complaints:
        process = subprocess.Popen(words, stdin=its, stdout=its, stderr=complaints)
    return Machine(name, process, _line(mine, log), folder, begin)


def _line(connection, log):
    line = Serial(None, log)
    line.attach(connection)
    return line


def _ours(engine, iso, disk, memory, cpus, options):
    words = run_guest.command('--engine', engine, '--serial', 'stdio', cdrom=iso, disk=disk, ram=memory)
    return words + (['--cpus', str(cpus)] if cpus > 1 else []) + list(options)


def _qemu(iso, disk, memory, cpus):
    words = ['qemu-system-x86_64', '-M', 'pc', '-accel', 'tcg', '-cpu', 'max', '-m', str(memory), '-smp',
             str(cpus), '-nodefaults', '-vga', 'std', '-display', 'none', '-serial', 'stdio']
    for path, kind in ((iso, 'cdrom'), (disk, 'disk')):
        if path:
            # The other machines have the medium open too; none writes to one that is shared.
            words += ['-drive', f'file={path},format=raw,if=ide,media={kind},file.locking=off']
    return words


def _start_bochs(iso, memory, folder, log):
    with socket.create_server(('localhost', 0)) as server:
        config = Path(folder.name) / 'bochsrc'
        config.write_text(BOCHSRC.format(memory=memory, drive=BOCHS_CD.format(medium=iso),
                                         port=server.getsockname()[1], folder=folder.name))
        environment = dict(os.environ, SDL_VIDEODRIVER='dummy', SDL_AUDIODRIVER='dummy')
        begin = time.monotonic()
        process = subprocess.Popen(['bochs', '-q', '-f', str(config)], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        process.stdin.write(BOCHS_TYPED)
        process.stdin.flush()
        server.settimeout(30)
        connection = server.accept()[0]
    connection.settimeout(None)
    return Machine(BOCHS, process, _line(connection, log), folder, begin)
