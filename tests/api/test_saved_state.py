#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
# needs: gir1.2-glib-2.0 python3-gi seabios
#
# Saved states from outside: save, continue, discard, adopt; what may change meanwhile; files that are
# damaged, gone or not ours; and processes that are killed on the way.
"""A machine's saved state."""

import contextlib
import os
import random
import shutil
import signal
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import GLib, State, Vitrine, refused, run, until  # noqa: E402

E = Vitrine.Error
KILLS = 12 if os.environ.get('VITRINE_LONG') else 6  # the rest is done at chosen moments by test_state_cuts.py
# Longer than a save of so small a machine takes.
LONGEST_MOMENT = 0.4
RESTING = (State.SAVED, State.ABORTED_SAVED, State.ABORTED, State.POWERED_OFF)


def start(world, client, name):
    machine = world.machine(client, name)
    machine.launch_sync('headless', None, None)
    return machine


def save(machine):
    """Through the progress object, as front ends do."""
    machine.save_state_sync(None).wait_sync(None)
    until(lambda: machine.get_state() == State.SAVED, 'saved')


def states(machine):
    """Files in the snapshot folder."""
    folder = Path(machine.get_snapshot_folder())
    return sorted(folder.iterdir()) if folder.exists() else []


def file_of(machine):
    """What the settings file says."""
    return Path(machine.get_settings_file()).read_text(encoding='utf-8')


def goes_on(world):
    client, other = world.client(), world.client()
    machine = start(world, client, 'Goes on')
    until(lambda: other.find_machine('Goes on'), 'machine-added')
    watched, seen = other.find_machine('Goes on'), []
    watched.connect('notify::state', lambda m, _: seen.append(m.get_state()))
    save(machine)
    until(lambda: not world.processes('vitrine-headless'), 'the process has ended')
    files = states(machine)
    assert len(files) == 1 and files[0].suffix == '.sav', files
    assert f'stateFile="Snapshots/{files[0].name}"' in file_of(machine)
    assert files[0].stat().st_mode & 0o777 == 0o600
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING
    until(lambda: seen and seen[-1] == State.RUNNING, 'the other client sees it')
    assert {State.SAVING, State.SAVED, State.RESTORING} <= set(seen), seen
    assert not states(machine) and 'stateFile' not in file_of(machine)
    console = machine.open_console_sync(None)
    console.do_sync(Vitrine.ConsoleAction.PAUSE, None)
    save(machine)  # a paused one, too
    machine.discard_state_sync(None)
    assert machine.get_state() == State.POWERED_OFF and not states(machine)
    assert 'stateFile' not in file_of(machine)
    refused(E.STATE, machine.discard_state_sync, None)
    refused(E.STATE, machine.save_state_sync, None)


def picture_of(png):
    """Width and height of a PNG file."""
    data = png.get_data()
    assert data[:8] == b'\x89PNG\r\n\x1a\n' and data[12:16] == b'IHDR', data[:32]
    return struct.unpack('>II', data[16:24])


def keeps_a_picture(world):
    """Of the screen, small, in the state's own file; also of a snapshot, as long as it is there."""
    client = world.client()
    machine = start(world, client, 'Picture')
    assert machine.load_state_picture_sync('', None) is None
    console = machine.open_console_sync(None)
    until(lambda: console.screenshot_png_sync(0, None), 'a picture')
    width, height = picture_of(console.screenshot_png_sync(0, None))
    machine.take_snapshot_sync('running', '', None).wait_sync(None)
    save(machine)
    for where in ('', machine.get_current_snapshot()):
        small = picture_of(machine.load_state_picture_sync(where, None))
        assert max(small[0] / 320, small[1] / 240) <= 1 and abs(small[0] * height - small[1] * width) <= width, small
    path = [path for path in states(machine) if path.suffix == '.sav'][-1]
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:-24], whole[:-24] + b'\xff' * 8 + whole[-16:], whole[-24:], b''):
        path.write_bytes(damaged)
        machine.load_state_picture_sync('', None)
        assert machine.load_state_picture_sync('', None) is None, len(damaged)
    path.write_bytes(whole[:-24 - struct.unpack('<Q', whole[-24:-16])[0]])  # as before there were pictures
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING
    assert machine.load_state_picture_sync('', None) is None
    refused(E.NOT_FOUND, machine.load_state_picture_sync, 'no-such-snapshot', None)


def settings_fit(world):
    """What the state is of cannot change; what a person calls the machine can."""
    client = world.client()
    machine = start(world, client, 'Fits')
    save(machine)
    for name, value in (('memory', 256), ('cpus', 2), ('chipset', Vitrine.Chipset.ICH9)):
        settings = machine.load_settings_sync(None)
        settings.set_property(name, value)
        refused(E.STATE, machine.save_settings_sync, settings, None)
    settings = machine.load_settings_sync(None)
    settings.set_property('name', 'Still fits')
    settings.set_property('description', 'saved')
    machine.save_settings_sync(settings, None)
    assert states(machine), 'the file went with its folder'
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING


def adopted(world):
    client = world.client()
    machine = start(world, client, 'Adopts')
    refused(E.STATE, machine.adopt_state_sync, '/etc/hostname', None)
    save(machine)
    kept = world.home / 'kept.sav'
    shutil.copy(states(machine)[0], kept)
    refused(E.STATE, machine.adopt_state_sync, str(kept), None)
    machine.discard_state_sync(None)
    refused(E.NOT_FOUND, machine.adopt_state_sync, '/nowhere/at.sav', None)
    refused(E.INVALID, machine.adopt_state_sync, '/etc', None)
    machine.adopt_state_sync(str(kept), None)
    assert machine.get_state() == State.SAVED
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING
    assert kept.exists(), 'a file that was never ours is gone'


def start_fails(world, machine, code, word):
    """The start is refused with this word, and the state stays."""
    message = refused(code, machine.launch_sync, 'headless', None, None)
    assert word in message, message
    until(lambda: not world.processes('vitrine-headless'), 'its process has gone')
    until(lambda: machine.get_session_pid() == 0 and machine.get_state() == State.SAVED, 'saved still')
    refused(E.INVALID, machine.set_extra_data_sync, '', 'x', None)  # answered after the service knows, too


def damaged(world):
    """A bad file is refused with the place of the damage, and stays."""
    client = world.client()
    machine = start(world, client, 'Damaged')
    save(machine)
    path = states(machine)[0]
    good = path.read_bytes()
    at = good.index(b'UNITcpu')
    bad = bytearray(good)
    bad[at + 100] ^= 4
    path.write_bytes(bad)
    start_fails(world, machine, E.CORRUPT, 'cpu')
    path.write_bytes(good[:len(good) // 2])
    start_fails(world, machine, E.CORRUPT, 'damaged')
    path.write_bytes(b'\x7fVirtualBox SavedState V2.0\n' + bytes(200))
    start_fails(world, machine, E.NOT_SUPPORTED, 'VirtualBox')
    path.write_bytes(b'')
    start_fails(world, machine, E.CORRUPT, 'damaged')
    path.unlink()
    start_fails(world, machine, E.NOT_FOUND, path.name)
    path.write_bytes(good)
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING


def cancelled(world):
    """What is cancelled in time goes on as before; else it is saved."""
    client = world.client()
    machine = start(world, client, 'Cancelled')
    progress = machine.save_state_sync(None)
    progress.cancel()
    try:
        progress.wait_sync(None)
    except GLib.Error as error:
        assert error.code == E.CANCELLED, error.message
        until(lambda: machine.get_state() == State.RUNNING, 'runs again')
        assert not states(machine)
    else:
        until(lambda: machine.get_state() == State.SAVED, 'saved')


def restart(world, client):
    """The next service; all machines are known again."""
    seen = []
    handler = client.connect('notify::connected', lambda client, _: seen.append(client.get_connected()))
    world.kill_service()
    until(lambda: seen and seen[0] is False and seen[-1] is True, 'the next service', 30)
    client.disconnect(handler)


def journal(world, machine, *files):
    """As a service leaves it that was killed amidst its work on these."""
    folder = world.config / 'Vitrine-work'
    folder.mkdir(exist_ok=True)
    names = ''.join(f'{path};' for path in files)
    (folder / 'left.work').write_text(f'[work]\nmachine={machine.get_id()}\nfiles={names}\n', encoding='utf-8')


def leftovers(world):
    """A state that nobody names stays when the service starts; it is told of, and goes by a person's wish."""
    client = world.client()
    machine = start(world, client, 'Leftovers')
    save(machine)
    folder, named = Path(machine.get_snapshot_folder()), states(machine)[0]
    good = named.read_bytes()
    ours, other = folder / '2020-01-01T00-00-00-000000000Z.sav', folder / 'another.sav'
    linked, unfinished = folder / 'linked.sav', folder / 'old.sav.tmp'
    for path in (ours, other, unfinished):
        path.write_bytes(good)
    linked.symlink_to(named)
    names = sorted((ours.name, other.name, unfinished.name))
    assert not machine.get_leftover_states()
    restart(world, client)
    until(lambda: machine.get_leftover_states() == names, 'it is told')
    log = (world.config / 'vitrine-service.log').read_text(encoding='utf-8')
    assert log.count(f'"{ours}" is a saved state of no machine') == 1 and str(named) not in log, log
    for name in (named.name, linked.name, 'none.sav', '../Leftovers.vbox', ''):
        refused(E.NOT_FOUND, machine.remove_leftover_state_sync, name, None)
    machine.remove_leftover_state_sync(unfinished.name, None)
    machine.discard_state_sync(None)
    machine.adopt_state_sync(str(other), None)
    until(lambda: machine.get_leftover_states() == [ours.name], 'what is adopted is not left over')
    refused(E.NOT_FOUND, machine.remove_leftover_state_sync, other.name, None)
    machine.remove_leftover_state_sync(ours.name, None)
    until(lambda: not machine.get_leftover_states(), 'nothing is left over')
    assert {path.name for path in states(machine)} == {other.name, linked.name}, states(machine)


def needed_elsewhere(world):
    """What copies of settings, other settings or those that cannot be read speak of stays, whoever asks."""
    client = world.client()
    machine, lost = start(world, client, 'Needed'), world.machine(client, 'Lost')
    save(machine)
    settings, good = Path(machine.get_settings_file()), states(machine)[0].read_bytes()
    ours = settings.parent / 'Snapshots/2020-01-01T00-00-00-000000000Z.sav'
    beside = settings.parent / 'Other.vbox.bak'
    unreadable = Path(lost.get_settings_file())
    text = f'<Machine stateFile="Snapshots/{ours.name}"/>'
    for path, content, interrupted in (
            (beside, text.encode(), True), (beside, text.encode('utf-16'), True),
            (unreadable, text.encode(), True), (Path(f'{settings}-prev'), text.encode(), False)):
        ours.write_bytes(good)
        kept = path.read_bytes() if path.exists() else None
        path.write_bytes(content)
        if interrupted:
            journal(world, machine, ours)
        restart(world, client)
        until(lambda: machine.get_leftover_states() == [ours.name], f'{path.name}: it is told')
        message = refused(E.BUSY, machine.remove_leftover_state_sync, ours.name, None)
        assert str(path) in message, message
        assert ours.exists() and not (world.config / 'Vitrine-work').exists()
        path.unlink()
        if kept is not None:
            path.write_bytes(kept)
    # Nobody speaks of it any more: what the journal has goes, the machine's own state never.
    journal(world, machine, ours, *states(machine))
    restart(world, client)
    until(lambda: not ours.exists(), 'what an interrupted work left is gone')
    until(lambda: not machine.get_leftover_states(), 'nothing is left over')
    assert len(states(machine)) == 1
    # A discarded one that other settings name is theirs.
    beside.write_text(f'<Machine stateFile="Snapshots/{states(machine)[0].name}"/>', encoding='utf-8')
    machine.discard_state_sync(None)
    until(lambda: machine.get_leftover_states() == [states(machine)[0].name], 'it is told')
    machine.unregister_sync(True, None)
    assert len(list(settings.parent.glob('Snapshots/*.sav'))) == 1 and not settings.exists()


def settings_come_back(world):
    """The service is killed amidst a discard, and the settings before it are restored by hand: the state is there."""
    client = world.client()
    machine = start(world, client, 'Back')
    save(machine)
    path, settings = states(machine)[0], Path(machine.get_settings_file())
    before, good = settings.read_bytes(), path.read_bytes()
    machine.discard_state_sync(None)
    path.write_bytes(good)
    journal(world, machine, path)
    settings.write_bytes(b'<broken')
    restart(world, client)
    until(lambda: not machine.get_accessible(), 'it cannot be read')
    assert path.exists(), 'a state that settings may name is gone'
    settings.write_bytes(before)
    restart(world, client)
    until(lambda: machine.get_state() == State.SAVED, 'saved again')
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING


def kill(world, *names):
    for name in names:
        for pid in world.processes(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def killed(world):
    """Any process, at any moment of a save or a start: there is a machine with a state that loads, or
    one without a state, and no file that nobody names."""
    dice = random.Random(int(os.environ.get('VITRINE_SEED', time.time_ns())))
    saved = aborted = 0
    client = world.client()
    machine = world.machine(client, 'Killed')
    for _ in range(KILLS):
        if machine.get_state() in (State.SAVED, State.ABORTED_SAVED) and dice.random() < 0.5:
            machine.launch_async('headless', None, None, None)
        else:
            machine.launch_sync('headless', None, None)
            with contextlib.suppress(GLib.Error):
                machine.save_state_async(None, None)
        moment = time.monotonic() + dice.uniform(0, LONGEST_MOMENT)
        until(lambda moment=moment: time.monotonic() > moment, 'the moment')
        kill(world, *dice.sample(('vitrine-headless', 'vitrine-service'), dice.randint(1, 2)))
        moment = time.monotonic() + dice.uniform(0, LONGEST_MOMENT)
        until(lambda moment=moment: time.monotonic() > moment and client.get_connected(), 'some time later')
        kill(world, 'vitrine-headless')
        until(lambda: not world.processes('vitrine-headless'), 'all are gone')
        until(lambda: machine.get_state() in RESTING, 'it rests')
        has = machine.get_state() in (State.SAVED, State.ABORTED_SAVED)
        saved += has
        aborted += not has
        names = [path.name for path in states(machine)]
        assert ('stateFile' in file_of(machine)) == has, (machine.get_state(), names)
        if has:
            assert any(name in file_of(machine) for name in names), names
    print(f'{saved} times with a state, {aborted} times without')
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING


if __name__ == '__main__':
    run(goes_on, keeps_a_picture, settings_fit, adopted, damaged, cancelled, leftovers, needed_elsewhere,
        settings_come_back, killed)
