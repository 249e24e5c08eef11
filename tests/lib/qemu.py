# SPDX-License-Identifier: GPL-3.0-or-later
#
# Boots a medium under QEMU's TCG, the reference for what a medium does: a medium that fails there
# proves nothing about our own machine.
"""QEMU as the reference machine."""

import contextlib
import json
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import screen
from serial_line import Serial

POLL_SECONDS = 1.0


def command(medium, folder, memory, serial=None):
    """QEMU's command line: -M pc, serial to a file or a socket, QMP on a socket, no display."""
    kind = 'cdrom' if medium.suffix == '.iso' else 'disk'
    return ['qemu-system-x86_64', '-M', 'pc', '-accel', 'tcg', '-m', str(memory),
            '-nodefaults', '-vga', 'std', '-display', 'none', '-no-reboot', '-snapshot',
            '-serial', serial or f'file:{folder}/serial.log',
            '-qmp', f'unix:{folder}/qmp,server=on,wait=off',
            # Nothing is written (-snapshot); other machines may have the medium open too.
            '-drive', f'file={medium},format=raw,if=ide,media={kind},file.locking=off']


class Qmp:
    """The few QMP commands that tests need."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile('rw', encoding='utf-8')
        self.file.readline()
        self.call('qmp_capabilities')

    def call(self, name, **arguments):
        """Sends a command and returns its answer, passing over events."""
        self.file.write(json.dumps({'execute': name, 'arguments': arguments}) + '\n')
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if 'event' not in answer:
                return answer

    def screenshot(self, path):
        """Writes the guest's screen as PNG."""
        self.call('screendump', filename=str(path), format='png')

    def key(self, name):
        """Presses and releases one key by its QEMU name."""
        self.call('send-key', keys=[{'type': 'qcode', 'data': name}])


def _connect(folder):
    for _ in range(100):
        try:
            return Qmp(folder / 'qmp')
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.1)
    raise TimeoutError('QEMU did not open its control socket')


def _text(folder, where, qmp):
    if where == 'serial':
        log = folder / 'serial.log'
        return log.read_text(errors='replace') if log.exists() else ''
    qmp.screenshot(folder / 'screen.png')
    return screen.read_text(folder / 'screen.png')


def _wait(folder, pattern, where, seconds, keys):
    qmp = _connect(folder)
    end = time.monotonic() + seconds
    text = ''
    pressed = 0
    while time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        text = _text(folder, where, qmp)
        if re.search(pattern, text):
            return None
        # Keys move a boot menu on: one at a time, spread over the first half of the wait.
        if pressed < len(keys) and time.monotonic() > end - seconds + 10 * (pressed + 1):
            qmp.key(keys[pressed])
            pressed += 1
    return f'no {pattern!r} on the {where} within {seconds} s; last seen:\n{text[-1500:]}'


def boot_until(medium, pattern, where, memory=256, seconds=120, keys=()):
    """Boots `medium` until the regular expression shows up; returns None or what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with subprocess.Popen(command(Path(medium), folder, memory)) as process:
            try:
                return _wait(folder, pattern, where, seconds, keys)
            except (TimeoutError, OSError, ValueError) as error:
                return f'QEMU: {error}'
            finally:
                process.kill()


@contextlib.contextmanager
def serial_session(medium, log, memory=256):
    """Boots `medium` and yields its serial line, to be read and written."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / 'serial'
        words = command(Path(medium), name, memory, f'unix:{path},server=on,wait=on')
        with subprocess.Popen(words) as process:
            line = Serial(path, log)
            try:
                line.connect()
                yield line
            finally:
                process.kill()
                line.close()
