#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: binutils gir1.2-glib-2.0 python3-gi seabios
#
# The guest (eject-disc.S) ejects the disc of a drive whose ejects are temporary: the settings keep the disc, and the
# drive is empty until the machine starts anew. It tries to close the tray again and again and says what it finds.
"""What a guest has ejected for a while stays ejected in saved states and snapshots."""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import Kind, State, Vitrine, refused, run, until  # noqa: E402
from disks import boot_floppy  # noqa: E402
from test_manage import call, info  # noqa: E402


def make(world, client, name, temporary=True):
    """A machine with the guest and a disc; it, where its serial line goes, and the disc."""
    machine = world.machine(client, name)
    floppy, disc, serial = (world.root / f'{name}.{what}' for what in ('img', 'iso', 'serial'))
    boot_floppy(floppy, 'eject-disc.S')
    disc.write_bytes((bytes(16 * 2048) + b'\x01CD001\x01').ljust(64 * 2048, b'\0'))
    settings = machine.load_settings_sync(None)
    drive = Vitrine.Attachment.new('IDE', 1, 0, Kind.DVD, client.open_medium_sync(str(disc), Kind.DVD, None))
    drive.temp_eject = temporary
    settings.put_attachment(drive)
    settings.put_controller(Vitrine.Controller.new('Floppy', Vitrine.ControllerType.I82078))
    settings.put_attachment(Vitrine.Attachment.new(
        'Floppy', 0, 0, Kind.FLOPPY, client.open_medium_sync(str(floppy), Kind.FLOPPY, None)))
    uart = Vitrine.Uart.new(0)
    uart.enabled, uart.mode, uart.path = True, Vitrine.UartMode.RAW_FILE, str(serial)
    settings.set_uart(0, uart)
    machine.save_settings_sync(settings, None)
    return machine, serial, disc


def start(machine, serial, wanted):
    """Until the guest has said this since the start."""
    serial.unlink(missing_ok=True)
    machine.launch_sync('headless', None, None)
    says(serial, wanted)


def says(serial, wanted):
    until(lambda: serial.exists() and wanted in serial.read_text(), f'the guest says {wanted}', 60)


def is_ejected(machine):
    """As VBoxManage's scripts read it, and as this client knows it; both say the same."""
    drive = machine.load_settings_sync(None).find_attachment('IDE', 1, 0)
    found = info(machine.get_name())['IDE-IsEjected-1-0'] == 'on'
    until(lambda: machine.has_ejected(drive) == found, f'it is ejected: {found}')
    assert drive.medium, 'the settings have lost the disc'
    return found


def shown(machine, *which):
    """What people read of the drive: of now, or of a snapshot."""
    command = ('snapshot', machine.get_name(), 'showvminfo', *which) if which else ('showvminfo', machine.get_name())
    return next(line for line in call(*command)[0].splitlines() if '(temp eject)' in line)


def power_off(world, machine):
    machine.open_console_sync(None).do_sync(Vitrine.ConsoleAction.POWER_OFF, None)
    until(lambda: not world.processes('vitrine-headless') and machine.get_session_pid() == 0, 'off', 60)


def save(world, machine):
    machine.save_state_sync(None).wait_sync(None)
    until(lambda: not world.processes('vitrine-headless') and machine.get_state() == State.SAVED, 'saved', 60)


def next_service(world, client):
    seen = []
    handler = client.connect('notify::connected', lambda client, _: seen.append(client.get_connected()))
    world.kill_service()
    until(lambda: seen and seen[-1] is True, 'the next service', 30)
    client.disconnect(handler)


def saved_and_continued(world):
    client = world.client()
    machine, serial, disc = make(world, client, 'saved')
    assert not is_ejected(machine)
    start(machine, serial, 'en')
    assert is_ejected(machine) and shown(machine).endswith('(temp eject) (ejected)')
    next_service(world, client)
    until(lambda: machine.get_state() == State.RUNNING, 'the next service knows the machine')
    until(lambda: is_ejected(machine), 'it hears of the eject')
    for _ in range(2):  # what was restored is saved again
        save(world, machine)
        assert is_ejected(machine)
        next_service(world, client)
        until(lambda: machine.get_state() == State.SAVED, 'the next service knows the state')
        assert is_ejected(machine)
        start(machine, serial, 'nnn')
        assert 'y' not in serial.read_text() and 'e' not in serial.read_text(), serial.read_text()
        assert is_ejected(machine)
    medium = client.open_medium_sync(str(disc), Kind.DVD, None)
    machine.change_medium_sync('IDE', 1, 0, medium, False, None)
    says(serial, 'y')
    assert not is_ejected(machine)
    save(world, machine)
    assert not is_ejected(machine)
    start(machine, serial, 'y')
    assert 'n' not in serial.read_text() and not is_ejected(machine)
    power_off(world, machine)
    assert not is_ejected(machine)


def state_is_over(world):
    """Discarded, adopted, or with another disc in the drive by then."""
    client = world.client()
    machine, serial, disc = make(world, client, 'over')
    start(machine, serial, 'en')
    save(world, machine)
    path, kept = next(Path(machine.get_snapshot_folder()).glob('*.sav')), world.root / 'kept.sav'
    shutil.copy(path, kept)
    machine.discard_state_sync(None)
    assert not is_ejected(machine)
    machine.adopt_state_sync(str(kept), None)
    assert is_ejected(machine)
    other = world.root / 'other.iso'
    shutil.copy(disc, other)
    machine.change_medium_sync('IDE', 1, 0, client.open_medium_sync(str(other), Kind.DVD, None), False, None)
    assert not is_ejected(machine)
    next_service(world, client)
    until(lambda: machine.get_state() == State.SAVED, 'the next service knows the state')
    assert not is_ejected(machine)
    start(machine, serial, 'y')
    power_off(world, machine)
    # A record is only believed where the settings agree, whatever stands in it.
    data = kept.read_bytes()
    at = data.index(b' 1/0/IDE\n')
    for damaged in (data[:at + 9] + b'\xff' * 8 + data[at + 17:], data[:at + 9], data[:at - 36] + b'\0' * 36 + data[at:]):
        kept.write_bytes(damaged)
        machine.adopt_state_sync(str(kept), None)
        assert not is_ejected(machine)
        machine.discard_state_sync(None)


def in_snapshots(world):
    client = world.client()
    machine, serial, _ = make(world, client, 'tree')
    machine.take_snapshot_sync('off', None, None).wait_sync(None)
    start(machine, serial, 'en')
    machine.take_snapshot_sync('running', None, None).wait_sync(None)
    places = {name: machine.load_snapshot_ejected_drives_sync(
        machine.load_snapshots_sync(None).find(name).get_id(), None) for name in ('off', 'running')}
    assert places == {'off': [], 'running': ['1/0/IDE']}, places
    refused(Vitrine.Error.NOT_FOUND, machine.load_snapshot_ejected_drives_sync, 'none', None)
    for _ in range(2):  # while the machine has ejected it, and when it is off
        assert shown(machine, 'running').endswith('(ejected)') and not shown(machine, 'off').endswith('(ejected)')
        if machine.get_state() == State.RUNNING:
            power_off(world, machine)
    assert not is_ejected(machine)
    for name, ejected in (('running', True), ('off', False), ('running', True)):
        call('snapshot', 'tree', 'restore', name)
        until(lambda: machine.get_current_snapshot_name() == name, f'{name} is restored')
        assert is_ejected(machine) == ejected, name
    start(machine, serial, 'nnn')
    assert 'y' not in serial.read_text() and is_ejected(machine)
    power_off(world, machine)


def for_good(world):
    """An eject that is not temporary empties the settings, and no state or snapshot speaks of it."""
    client = world.client()
    machine, serial, _ = make(world, client, 'good', temporary=False)
    start(machine, serial, 'en')
    until(lambda: not machine.load_settings_sync(None).find_attachment('IDE', 1, 0).medium, 'the settings follow')
    save(world, machine)
    assert info('good')['IDE-IsEjected-1-0'] == 'off' and info('good')['IDE-1-0'] == 'emptydrive'
    start(machine, serial, 'nnn')
    power_off(world, machine)


if __name__ == '__main__':
    run(saved_and_continued, state_is_over, in_snapshots, for_good)
