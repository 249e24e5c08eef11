# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the tests of this folder share: a world of its own (home, runtime folder) for each test, clients
# in it, and a main loop that runs until something is true. Not a test itself.
"""Clients of a real service, in a world of their own."""

import contextlib
import gc
import os
import shutil
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path

BUILD = Path(os.environ.get('VITRINE_BUILD', 'build')).resolve()
TYPELIB = BUILD / 'app/api'
if str(TYPELIB) not in os.environ.get('GI_TYPELIB_PATH', ''):
    # The library is found by the loader only when the process starts with it.
    os.environ['GI_TYPELIB_PATH'] = str(TYPELIB)
    os.environ['LD_LIBRARY_PATH'] = str(TYPELIB)
    os.execv(sys.executable, [sys.executable, *sys.argv])

import gi  # noqa: E402
gi.require_version('Vitrine', '1.0')
from gi.repository import GLib, Vitrine  # noqa: E402

State = Vitrine.MachineState
Kind = Vitrine.MediumKind


class World:
    """A home of its own; the service in it ends with the test."""

    def __enter__(self):
        self.root = Path(tempfile.mkdtemp(prefix='vt-'))
        self.home, self.run = self.root / 'home', self.root / 'run'
        self.config = self.home / '.config/VirtualBox'
        self.home.mkdir()
        self.run.mkdir(mode=0o700)
        os.environ.update(HOME=str(self.home), XDG_RUNTIME_DIR=str(self.run),
                          XDG_CONFIG_HOME=str(self.home / '.config'))
        for name in ('VBOX_USER_HOME', 'DISPLAY', 'WAYLAND_DISPLAY'):
            os.environ.pop(name, None)
        return self

    def __exit__(self, *_):
        # A client that is still there would start a service again and again, in no folder.
        gc.collect()
        for pid in self.processes('vitrine-headless') + self.services():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def processes(self, name, without=None, having=None):
        """Processes of this program that live in this world: with this argument, not with that first one."""
        found = []
        for entry in Path('/proc').iterdir():
            try:
                program = os.path.basename(os.readlink(entry / 'exe'))
                environment = (entry / 'environ').read_bytes()
                arguments = (entry / 'cmdline').read_bytes().split(b'\0')
            except (OSError, ValueError):
                continue
            if without and without.encode() in arguments[1:2]:
                continue
            if having and having.encode() not in arguments:
                continue
            if program == name and f'XDG_RUNTIME_DIR={self.run}\0'.encode() in environment + b'\0':
                found.append(int(entry.name))
        return found

    def services(self):
        """A client of an earlier world may have started one with what this world says, for its own folder."""
        return self.processes('vitrine-service', having=str(self.config))

    def kill_service(self):
        """Of several that were started at once only one stays; that one, and its number."""
        until(lambda: len(self.services()) == 1, 'one service')
        pid = self.services()[0]
        os.kill(pid, signal.SIGKILL)
        return pid

    def client(self):
        # A service is told its folder; what it inherits names the world.
        return Vitrine.Client.new_sync(str(self.config), None)

    def machine(self, client, name, **options):
        variants = {'defaults': GLib.Variant('b', True), 'os-type': GLib.Variant('s', 'Other')}
        variants.update(options)
        created = client.create_machine_sync(name, GLib.Variant('a{sv}', variants), None)
        return client.find_machine(created[0])


def until(condition, what, seconds=30):
    """Runs the main loop until condition() is true."""
    context = GLib.MainContext.default()
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f'did not happen in {seconds} s: {what}'
        while context.iteration(False):
            pass
        time.sleep(0.005)


def refused(code, call, *arguments):
    """The message of an error with this code, which the call must end in."""
    try:
        call(*arguments)
    except GLib.Error as error:
        assert error.domain == 'vitrine-error-quark' and error.code == code, \
            f'{error.domain} {error.code}: {error.message}'
        assert error.message.endswith(('.', '…')) or '\n' in error.message, error.message
        return error.message
    raise AssertionError(f'not refused: {call.__name__} {arguments}')


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def run(*tests):
    for test in tests:
        with World() as world:
            test(world)
        print('ok', test.__name__, flush=True)
