#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 900
# needs: gir1.2-glib-2.0 python3-gi seabios xvfb
#
# Commands work on machines and images while processes are killed at random moments: service, VM
# processes, workers, the manager, the commands themselves. What a command reported as done is there
# afterwards, no file is damaged, and everything works when the killing ends. VITRINE_SEED repeats a
# run as far as moments can be repeated.
"""kill -9 of anything at any time."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, run  # noqa: E402
from test_manage import PROGRAM, call, info  # noqa: E402

SECONDS_SHORT, SECONDS_LONG = 10, 300
VICTIMS = ('vitrine-service', 'vitrine-headless', 'vitrine-worker', 'vitrine', 'vitrine-manage')
MACHINES = 3


class Killer(threading.Thread):
    """Kills one process after the other until it is stopped."""

    def __init__(self, world, dice):
        super().__init__()
        self.world, self.dice = world, dice
        self.over = threading.Event()
        self.killed = dict.fromkeys(VICTIMS, 0)

    def run(self):
        while not self.over.wait(self.dice.uniform(0.01, 0.4)):
            name = self.dice.choice(VICTIMS)
            for pid in self.world.processes(name)[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed[name] += 1


class Manager:
    """The manager on a screen that nobody sees; started again when it was killed."""

    def __enter__(self):
        read_end, write_end = os.pipe()
        self.screen = subprocess.Popen(['Xvfb', '-displayfd', str(write_end), '-nolisten', 'tcp', '-noreset'],
                                       pass_fds=[write_end], stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            self.display = f':{answer.readline().strip()}'
        self.process = None
        return self

    def keep_open(self):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen([BUILD / 'app/vitrine'], env={**os.environ, 'DISPLAY': self.display},
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __exit__(self, *_):
        for process in (self.process, self.screen):
            if process:
                process.kill()
                process.wait()


class Work:
    """Commands, and what is known of their effect."""

    def __init__(self, world, dice):
        self.world, self.dice = world, dice
        self.confirmed = {}  # what -> the value of the last command that reported success
        self.possible = {}   # what -> values that commands since then may have set
        self.count = self.done = 0

    def attempt(self, *words):
        result = subprocess.run([str(PROGRAM), *(str(word) for word in words)], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert result.returncode in (0, 1, -signal.SIGKILL), (words, result)
        assert result.returncode != 1 or 'error: ' in result.stderr, (words, result)
        self.count += 1
        self.done += result.returncode == 0
        return result.returncode == 0

    def change(self, what, value, *words):
        self.possible.setdefault(what, set()).add(value)
        if self.attempt(*words):
            self.confirmed[what] = value
            self.possible[what] = {value}

    def set_extra_data(self):
        value = f'{self.dice.random()}' + 'x' * self.dice.choice((1, 100, 20000))
        self.change('extra', value, 'setextradata', 'global', 'Test/Key', value)

    def describe(self):
        name = f'm{self.dice.randrange(MACHINES)}'
        value = f'text {self.dice.random()}'
        if name in self.confirmed:
            self.change(f'{name} text', value, 'modifyvm', name, '--description', value)

    def create_machine(self):
        name = f'm{self.dice.randrange(MACHINES)}'
        if name not in self.confirmed:
            self.change(name, True, 'createvm', '--name', name, '--register', '--default')

    def create_disk(self):
        path = self.world.root / f'disk{self.count}.vdi'
        self.change(path, True, 'createmedium', '--filename', path, '--size', 8, '--variant',
                    self.dice.choice(('Standard', 'Fixed')))

    def run_machine(self):
        name = f'm{self.dice.randrange(MACHINES)}'
        if name in self.confirmed and self.attempt('startvm', name, '--type', 'headless'):
            self.attempt('controlvm', name, self.dice.choice(('pause', 'reset', 'poweroff', 'poweroff')))

    def step(self):
        self.dice.choice((self.set_extra_data, self.describe, self.create_machine, self.create_disk,
                          self.run_machine))()


def check_files(world):
    """Every settings file is whole."""
    files = [world.config / 'VirtualBox.xml', *(world.home / 'VirtualBox VMs').rglob('*.vbox')]
    for path in files:
        ElementTree.parse(path)
    return len(files)


def check(world, work):
    """After the last kill."""
    for pid in world.processes('vitrine-headless'):
        os.kill(pid, signal.SIGKILL)
    out, _ = call('list', 'vms')
    assert '<inaccessible>' not in out, out
    for what, value in work.confirmed.items():
        if what == 'extra':
            found = call('getextradata', 'global', 'Test/Key')[0].removeprefix('Value: ').rstrip('\n')
            assert found in work.possible[what], f'extra data is lost: {found[:40]}'
        elif isinstance(what, Path):
            assert 'State:          created\n' in call('showmediuminfo', what)[0], what
        elif value is True:
            assert f'"{what}" ' in out, f'{what} is lost'
        else:
            found = info(what.removesuffix(' text')).get('description')
            assert found in work.possible[what], f'{what}: {found}'


def killed_at_any_time(world):
    seed = int(os.environ.get('VITRINE_SEED', time.time_ns() & 0xffffff))
    dice = random.Random(seed)
    work, killer = Work(world, dice), Killer(world, random.Random(seed + 1))
    seconds = SECONDS_LONG if os.environ.get('VITRINE_LONG') else SECONDS_SHORT
    end = time.monotonic() + seconds
    call('list', 'vms')
    with Manager() as manager:
        killer.start()
        try:
            while time.monotonic() < end:
                manager.keep_open()
                work.step()
        finally:
            killer.over.set()
            killer.join()
        print(f'seed {seed}: {work.done} of {work.count} commands done; killed: {killer.killed}', flush=True)
        assert work.done > 10 and all(killer.killed[name] for name in VICTIMS[:2]), 'this tested nothing'
    print(f'{check_files(world)} settings files are whole')
    check(world, work)
    for name in sorted({what for what in work.confirmed if isinstance(what, str) and what[0] == 'm'}):
        if ' ' not in name:
            call('startvm', name, '--type', 'headless')
            call('controlvm', name, 'poweroff')
            call('unregistervm', name, '--delete')
    assert not list((world.home / 'VirtualBox VMs').rglob('*.vbox-tmp')), 'a temporary file was left'


if __name__ == '__main__':
    run(killed_at_any_time)
