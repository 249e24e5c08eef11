# SPDX-License-Identifier: GPL-3.0-or-later
#
# A small Linux whose shell is on COM1, run by run-guest: commands go in, what they say comes out.
"""Small Linux guests as a shell."""

import contextlib
import queue
import re
import subprocess
import threading
import time

import run_guest

PROMPT = 'vitrine# '
# What the kernel says on any machine like ours, with any device.
USUAL = ('tsc: ', 'fail to add MMCONFIG information', 'hrtimer: interrupt took', 'clocksource: ')
# The kernel's own messages go to the same line; one may stand in the middle of what a program says.
KERNEL = re.compile(r'(?<!>)\[ *\d+\.\d{6}\] [^\n]*\n')
CONTROL = re.compile(r'\x1b(?:\[[0-9;?]*[A-Za-z]|[()].|.)|\r')


class ShellGuest:
    """A context: the guest is at its prompt inside of it and is switched off at its end, unless it ended
    before. Options with --load: it was saved at its prompt. Descriptors in `pass_fds` stay the same. `command`
    is another program's whole command line, whose COM1 is its standard input and output."""

    def __init__(self, disk, *options, ram=256, env=None, boot_seconds=120, pass_fds=(), command=None):
        self.command = command or run_guest.command(*options, disk=disk, ram=ram, serial='stdio')
        self.env, self.boot_seconds, self.pass_fds = env, boot_seconds, pass_fds
        self.text, self.seen = '', 0
        self.chunks = queue.Queue()
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=self.env, pass_fds=self.pass_fds)
        threading.Thread(target=self._read, daemon=True).start()
        try:
            if '--load' in self.command:
                # Its prompt may have been on its way when it was saved, or still be to come: only one behind
                # this answer is the last.
                self._send("echo loa''ded")
                self.wait('\nloaded', self.boot_seconds)
            self.wait(re.escape(PROMPT), self.boot_seconds)
        except TimeoutError:
            self.process.kill()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is None and self.process.poll() is None:
            with contextlib.suppress(BrokenPipeError):  # it may be off by now of itself
                self._send('poweroff -f')
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        self.process.kill()
        self.process.wait()

    def _read(self):
        while data := self.process.stdout.read1(4096):
            self.chunks.put(data.decode(errors='replace'))
        self.chunks.put(None)

    def _send(self, command):
        self.process.stdin.write(command.encode() + b'\n')
        self.process.stdin.flush()

    def wait(self, pattern, seconds=60):
        """Waits for a pattern behind what was waited for before; returns the match."""
        end = time.monotonic() + seconds
        while not (match := re.compile(pattern).search(self.text, self.seen)):
            try:
                chunk = self.chunks.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                chunk = None
            if chunk is None:
                raise TimeoutError(f'no {pattern!r} within {seconds} s; last:\n{self.text[-3000:]}')
            self.text += CONTROL.sub('', chunk)
        self.seen = match.end()
        return match

    def begin(self, command):
        """Types a command; wait() sees what it says."""
        self._send(command)

    def run(self, command, seconds=60):
        """Runs a command to its end; returns what it said, without what the kernel said meanwhile."""
        begin = self.seen
        self._send(command)
        self.wait(r'\n' + re.escape(PROMPT), seconds)
        return KERNEL.sub('', self.text[begin:self.seen - len(PROMPT)]).split('\n', 1)[-1]

    def save(self, seconds=60):
        """Ends the machine where it is, for one that has --save and --until saved."""
        self._send("echo sa''ved")
        if self.process.wait(seconds) != 0:
            raise RuntimeError(f'the machine cannot be saved:\n{self.text[-3000:]}')

    def complaints(self):
        """The kernel's warnings and worse, but for what it says everywhere."""
        lines = re.findall(r'^<[0-4]>(.*)', self.run("dmesg -r"), re.M)
        return [line for line in lines if not any(usual in line for usual in USUAL)]
