#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# long
# needs: gir1.2-glib-2.0 python3-gi seabios
#
# A saved state that is being loaded: how far it is, as every client and the command line see it; giving it up
# keeps the state, also when the service or the machine's process is killed meanwhile. A preloaded library makes
# reading the state as slow as from a bad disk.
"""Restoring a machine, watched and cancelled."""

import hashlib
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, GLib, State, Vitrine, run, until  # noqa: E402

E = Vitrine.Error


class Slow:
    """While the mark is there every read of a state takes its time."""

    def __init__(self, world):
        self.mark = world.root / 'slow'
        os.environ.update(LD_PRELOAD=str(BUILD / 'tests/api/slow.so'), VITRINE_SLOW_MARK=str(self.mark))

    def __enter__(self):
        self.mark.touch()
        return self

    def __exit__(self, *_):
        self.mark.unlink(missing_ok=True)


def saved(client, world, name):
    """A machine with a saved state, and that state's file."""
    machine = world.machine(client, name)
    machine.launch_sync('headless', None, None)
    machine.save_state_sync(None).wait_sync(None)
    until(lambda: machine.get_state() == State.SAVED and not world.processes('vitrine-headless'), 'saved')
    return machine, next(Path(machine.get_snapshot_folder()).glob('*.sav'))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def launch(machine):
    """Starts it without waiting; a list that gets the error, or None, when that has come to its end."""
    ends = []

    def done(source, result):
        try:
            source.launch_finish(result)
            ends.append(None)
        except GLib.Error as error:
            ends.append(error)
    machine.launch_async('headless', None, None, done)
    return ends


def restoring(machine, least=1):
    """Its progress, once it has come so far."""
    until(lambda: machine.get_restore_progress(), 'restoring is seen', 60)
    progress = machine.open_restore_progress()
    # What is told of a change may come before the answer that has all of it.
    until(lambda: progress.get_percent() >= least and progress.get_cancellable(), f'{least} %', 60)
    assert not progress.get_completed()
    assert machine.get_name() in progress.get_description(), progress.get_description()
    return progress


def is_as_before(machine, path, before):
    until(lambda: machine.get_state() == State.SAVED, 'saved again', 60)
    until(lambda: not machine.get_restore_progress(), 'nothing is being restored')
    assert digest(path) == before, 'the state has changed'
    assert path.name in Path(machine.get_settings_file()).read_text(encoding='utf-8')


def watched_and_cancelled(world):
    with Slow(world) as slow:
        client, other = world.client(), world.client()
        machine, path = saved(client, world, 'Cancels')
        before = digest(path)
        until(lambda: other.find_machine('Cancels'), 'the other client knows it')
        assert machine.open_restore_progress() is None
        ends = launch(machine)
        progress = restoring(other.find_machine('Cancels'))
        seen = progress.get_percent()
        until(lambda: progress.get_percent() > seen, 'it goes on', 90)
        progress.cancel()
        until(lambda: ends, 'the start has ended')
        assert ends[0] is not None and ends[0].code == E.CANCELLED, ends
        is_as_before(machine, path, before)
        try:
            progress.wait_sync(None)
        except GLib.Error as error:
            assert error.code == E.CANCELLED, error.message
        else:
            raise AssertionError('the progress succeeded')
        ends = launch(machine)
        progress = restoring(machine)
        slow.mark.unlink()
        until(lambda: ends, 'it runs', 60)
        assert ends == [None] and machine.get_state() == State.RUNNING, ends
        progress.wait_sync(None)
        until(lambda: progress.get_completed() and not machine.get_restore_progress(), 'complete')
        assert not path.exists()


def killed(world):
    """The machine's process, and the service: the state is there, and loads."""
    with Slow(world) as slow:
        client = world.client()
        machine, path = saved(client, world, 'Killed')
        before = digest(path)
        ends = launch(machine)
        progress = restoring(machine)
        os.kill(world.processes('vitrine-headless')[0], signal.SIGKILL)
        until(lambda: ends, 'the start has ended')
        assert ends[0] is not None, 'a killed machine has started'
        until(lambda: machine.get_state() == State.ABORTED_SAVED and not machine.get_restore_progress(), 'aborted')
        until(progress.get_completed, 'the progress has ended')
        assert digest(path) == before
        launch(machine)
        progress = restoring(machine, 2)
        first = machine.get_restore_progress()
        world.kill_service()
        until(progress.get_completed, 'what the service that has gone told of has ended')
        # The next one tells of it, too, and by another name.
        until(lambda: machine.get_restore_progress() not in ('', first), 'it is told anew', 60)
        restoring(machine, 3)
        slow.mark.unlink()
        until(lambda: machine.get_state() == State.RUNNING, 'it runs with the next service', 60)
        until(lambda: not path.exists() and not machine.get_restore_progress(), 'the state is over')


def read_all(fd):
    """What a terminal shows until its program has gone."""
    text = b''
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            data = b''
        if not data:
            return text.decode()
        text += data


def told_by_the_command_line(world):
    """On a terminal; a script sees what it always saw. Ctrl+C gives up."""
    with Slow(world) as slow:
        client = world.client()
        machine, path = saved(client, world, 'Tells')
        before = digest(path)
        command = [str(BUILD / 'app/manage/vitrine-manage'), 'startvm', 'Tells', '--type', 'headless']
        terminal, its_end = pty.openpty()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its_end, text=True)
        os.close(its_end)
        restoring(machine, 10)
        process.send_signal(signal.SIGINT)
        shown = read_all(terminal)
        os.close(terminal)
        assert process.wait(60) == 1 and '0%...' in shown and 'was not restored' in shown, shown
        is_as_before(machine, path, before)
        slow.mark.unlink()
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert result.stderr == '', result.stderr
        assert 'has been successfully started' in result.stdout


if __name__ == '__main__':
    # The first world's clients begin with no service of another one.
    run(killed, watched_and_cancelled, told_by_the_command_line)
