# SPDX-License-Identifier: GPL-3.0-or-later
#
# Drives a machine of ours from outside, as a script of a person would: through vitrine-manage. Waits
# for lines on its serial port or text on its screen, types, and keeps pictures and serial logs as
# evidence. A machine is a context manager and is powered off and removed at the end:
#
#     with guest.Machine('menu', disk=media.copy('grub-disk', 'grub.img')) as machine:
#         machine.start()
#         machine.wait_serial('First entry', 60)
#         machine.press('down', 'return')
#         machine.wait_screen('chosen: second', 20)
"""A running machine, for tests with real guests."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import screen
from serial_line import Serial

POLL_SECONDS = 0.5
SKIPPED = 77

# Scan codes of set 1, as controlvm keyboardputscancode takes them: (make, break).
KEYS = {
    'return': ('1c', '9c'), 'escape': ('01', '81'), 'tab': ('0f', '8f'), 'space': ('39', 'b9'),
    'backspace': ('0e', '8e'),
    'up': ('e0 48', 'e0 c8'), 'down': ('e0 50', 'e0 d0'), 'left': ('e0 4b', 'e0 cb'),
    'right': ('e0 4d', 'e0 cd'), 'home': ('e0 47', 'e0 c7'), 'end': ('e0 4f', 'e0 cf'),
    'page-up': ('e0 49', 'e0 c9'), 'page-down': ('e0 51', 'e0 d1'), 'delete': ('e0 53', 'e0 d3'),
    **{f'f{n}': (f'{0x3a + n:02x}', f'{0xba + n:02x}') for n in range(1, 11)},
}


class GuestError(AssertionError):
    """The guest did not do what it should; the message has what was seen instead."""


def binary(name):
    """The path of one of our programs: vitrine, vitrine-manage, vitrine-headless, vitrine-service."""
    app = Path(os.environ['VITRINE_BUILD']) / 'app'
    folder = {'vitrine-manage': 'manage', 'vitrine-headless': 'headless',
              'vitrine-service': 'service'}.get(name)
    return str(app / folder / name if folder else app / name)


def evidence_folder():
    """Where this test's pictures and logs go."""
    folder = os.environ.get('VITRINE_EVIDENCE') or tempfile.mkdtemp(prefix='vitrine-evidence-')
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def manage(*words, seconds=60):
    """Runs vitrine-manage; returns what it prints, raises GuestError if it fails."""
    command = [binary('vitrine-manage'), *(str(word) for word in words)]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            timeout=seconds, check=False)
    if result.returncode:
        raise GuestError(f"{' '.join(command[1:])}: exit code {result.returncode}\n"
                         f'{result.stdout}{result.stderr}')
    return result.stdout


def skip(reason):
    """Ends the test as skipped."""
    print(reason)
    sys.exit(SKIPPED)


class Machine:
    """One machine. `iso` and `disk` are paths; `disk` may be any image that the program knows.

    `settings` are words for modifyvm, such as ('--boot1', 'dvd')."""

    def __init__(self, name, iso=None, disk=None, memory=256, ostype='Other', settings=()):
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix='vitrine-guest-'))
        self.evidence = evidence_folder()
        log = self.evidence / f'{name}-serial.log'
        log.unlink(missing_ok=True)
        self.serial = Serial(self.folder / 'serial', log)
        self.pictures = 0
        self._create(iso, disk, memory, ostype, settings)

    def _create(self, iso, disk, memory, ostype, settings):
        manage('createvm', '--name', self.name, '--ostype', ostype, '--basefolder',
               self.folder / 'machines', '--register')
        manage('modifyvm', self.name, '--memory', memory, '--uart1', '0x3F8', '4', '--uartmode1',
               'server', self.serial.path, '--bios-boot-menu', 'disabled', *settings)
        if os.environ.get('VITRINE_ENGINE'):
            manage('modifyvm', self.name, '--exec-engine', os.environ['VITRINE_ENGINE'])
        manage('storagectl', self.name, '--name', 'IDE', '--add', 'ide')
        if disk:
            manage('storageattach', self.name, '--storagectl', 'IDE', '--port', 0, '--device', 0,
                   '--type', 'hdd', '--medium', disk)
        if iso:
            manage('storageattach', self.name, '--storagectl', 'IDE', '--port', 1, '--device', 0,
                   '--type', 'dvddrive', '--medium', iso)

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, trace):
        if kind is not None:
            self._keep_trace()
        self.serial.close()
        for words in (('controlvm', self.name, 'poweroff'), ('unregistervm', self.name)):
            try:
                manage(*words)
            except (GuestError, subprocess.TimeoutExpired):
                pass  # it may have ended by itself, or never have started
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keep_trace(self):
        """What helps to understand a failure: the last picture and the machine's log."""
        try:
            self.screenshot('failure')
        except (GuestError, subprocess.TimeoutExpired):
            pass
        for log in self.folder.rglob('*.log'):
            shutil.copy(log, self.evidence / f'{self.name}-{log.name}')

    def start(self, kind='headless'):
        """Starts the machine and listens to its serial line: from the first moment, since nobody keeps what a restored
        machine says before somebody listens."""
        self.serial.path.unlink(missing_ok=True)
        with ThreadPoolExecutor(1) as executor:
            starting = executor.submit(manage, 'startvm', self.name, '--type', kind)
            self.serial.connect(lambda: not starting.done() or starting.exception() is None)
            starting.result()

    def control(self, *words):
        """controlvm, for this machine."""
        return manage('controlvm', self.name, *words)

    def info(self):
        """showvminfo --machinereadable as a dictionary."""
        text = manage('showvminfo', self.name, '--machinereadable')
        pairs = (line.split('=', 1) for line in text.splitlines() if '=' in line)
        return {key.strip('"'): value.strip('"') for key, value in pairs}

    def wait_state(self, state, seconds=60):
        """Waits until the machine's state is `state`, such as 'poweroff'."""
        self._wait(f'state {state}', lambda: self.info().get('VMState') == state, seconds,
                   lambda: self.info().get('VMState'))

    def wait_serial(self, pattern, seconds):
        """Waits for a regular expression on the serial line, after what earlier waits matched."""
        try:
            return self.serial.wait(pattern, seconds)
        except TimeoutError as error:
            raise GuestError(f'{self.name}: {error}') from error

    def screenshot(self, label=None):
        """A picture of the guest's screen; among the evidence if it has a label."""
        if label:
            path = self.evidence / f'{self.name}-{self.pictures:02}-{label}.png'
            self.pictures += 1
        else:
            path = self.folder / 'screen.png'
        self.control('screenshotpng', path)
        return path

    def screen_text(self):
        """The text on the guest's screen."""
        return screen.read_text(self.screenshot())

    def wait_screen(self, pattern, seconds, label=None):
        """Waits for a regular expression on the screen; keeps a picture of it under `label`."""
        last = ['']

        def look():
            last[0] = self.screen_text()
            return re.search(pattern, last[0])
        match = self._wait(f'{pattern!r} on the screen', look, seconds, lambda: last[0])
        if label:
            self.screenshot(label)
        return match

    def _wait(self, what, look, seconds, seen):
        end = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                raise GuestError(f'{self.name}: no {what} within {seconds} s; last seen:\n{seen()}')
            time.sleep(POLL_SECONDS)

    def press(self, *names):
        """Presses and releases keys by name (see KEYS)."""
        for name in names:
            down, up = KEYS[name]
            self.control('keyboardputscancode', *down.split(), *up.split())

    def type(self, text):
        """Types a text on the keyboard."""
        self.control('keyboardputstring', text)
