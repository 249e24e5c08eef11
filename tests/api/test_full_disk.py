#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
# needs: binutils gir1.2-glib-2.0 python3-gi seabios util-linux
#
# A full host disk is a small tmpfs in a mount namespace of its own.
"""A full host disk: a machine pauses, says why and goes on; settings and images are not lost."""

import contextlib
import errno
import os
import subprocess
import sys
import time
from pathlib import Path

MARK = 'VITRINE_OWN_MOUNTS'
if MARK not in os.environ:
    SPACE = ['unshare', '--mount'] if os.geteuid() == 0 else ['unshare', '--map-root-user', '--mount']
    PROBE = subprocess.run([*SPACE, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], capture_output=True, text=True,
                           check=False)
    if PROBE.returncode:
        print(f'skipped: this host lets nobody mount a small disk: {PROBE.stderr.strip()}')
        sys.exit(77)
    os.environ[MARK] = '1'
    os.execvp(SPACE[0], [*SPACE, sys.executable, *sys.argv])

sys.path.insert(0, str(Path(__file__).parent))
from client import GLib, Kind, State, Vitrine, refused, run, until  # noqa: E402
from disks import block_of, pattern, writer_floppy  # noqa: E402

E = Vitrine.Error
MIB = 1 << 20
BLOCKS, FEW = 12, 3
ROOM, BALLAST = 20 * MIB, 12 * MIB


@contextlib.contextmanager
def small_disk(world):
    """A disk of 20 MiB, and a file on it that takes most of that."""
    folder = world.root / 'small'
    folder.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={ROOM}', 'tmpfs', str(folder)], check=True)
    try:
        yield folder
    finally:
        for pid in world.processes('vitrine-headless'):
            os.kill(pid, 9)
        subprocess.run(['umount', '--lazy', str(folder)], check=True)


def fill(path, leave):
    """Takes all room of a disk but some bytes, also where others write to it meanwhile."""
    with open(path, 'wb') as ballast:
        while True:
            space = os.statvfs(path.parent)
            room = space.f_bavail * space.f_frsize - leave
            if room <= 0:
                return
            try:
                os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, room)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def settled(file):
    """What is in a file once nobody has written to it for a second."""
    text = None
    while text != file.read_text():
        text = file.read_text()
        time.sleep(1)
    return text


def machine_with_writer(world, client, place, *symbols, **options):
    """A machine that fills a disk in the folder, and what it says on its serial port."""
    machine = world.machine(client, 'Writer', **options)
    floppy, serial = world.root / 'writer.img', world.root / 'serial'
    writer_floppy(floppy, *(symbols or [f'BLOCKS={BLOCKS}']))
    disk = client.create_medium_sync(str(place / 'disk.vdi'), Kind.HARD_DISK, 'VDI', 'dynamic', 64 * MIB, None,
                                     None).wait_sync(None)
    settings = machine.load_settings_sync(None)
    settings.put_attachment(Vitrine.Attachment.new('IDE', 0, 0, Kind.HARD_DISK, disk))
    settings.put_controller(Vitrine.Controller.new('Floppy', Vitrine.ControllerType.I82078))
    settings.put_attachment(Vitrine.Attachment.new(
        'Floppy', 0, 0, Kind.FLOPPY, client.open_medium_sync(str(floppy), Kind.FLOPPY, None)))
    uart = Vitrine.Uart.new(0)
    uart.enabled, uart.mode, uart.path = True, Vitrine.UartMode.RAW_FILE, str(serial)
    settings.set_uart(0, uart)
    machine.save_settings_sync(settings, None)
    return machine, serial


def machine_pauses_and_goes_on(world):
    client = world.client()
    with small_disk(world) as folder:
        machine, serial = machine_with_writer(world, client, folder)
        ballast = folder / 'ballast'
        fill(ballast, ROOM - BALLAST - 4 * MIB)
        machine.launch_sync('headless', None, None)
        console = machine.open_console_sync(None)
        told = []
        console.connect('runtime-error', lambda _, fatal, name, text: told.append((fatal, name, text)))
        until(lambda: machine.get_state() == State.PAUSED, 'the machine pauses', 60)
        log = Path(machine.get_log_folder()) / 'VBox.log'
        until(lambda: 'host-disk-full' in log.read_text(), 'the log says why', 60)
        before = settled(serial)
        assert 0 < before.count('.') < BLOCKS and 'error' not in before, before

        # Too early: it pauses again. What it said the first time may have been before somebody listened.
        heard = len(told)
        console.do_sync(Vitrine.ConsoleAction.RESUME, None)
        until(lambda: len(told) > heard and machine.get_state() == State.PAUSED, 'it pauses again', 60)
        fatal, name, text = told[-1]
        assert not fatal and name == 'host-disk-full', told
        assert 'Make some room, then resume' in text and 'disk.vdi' in text, text
        assert log.read_text().count(text) > 1
        assert settled(serial) == before, 'a write was lost'

        ballast.unlink()
        console.do_sync(Vitrine.ConsoleAction.RESUME, None)
        until(lambda: 'done\n' in serial.read_text(), 'the guest goes on', 60)
        assert serial.read_text() == '.' * BLOCKS + 'done\n', serial.read_text()
        console.do_sync(Vitrine.ConsoleAction.POWER_OFF, None)
        until(lambda: not world.processes('vitrine-headless'), 'off', 60)
        image = (folder / 'disk.vdi').read_bytes()
        for block in range(BLOCKS):
            assert block_of(image, block) == pattern(block), f'block {block} is not what the guest wrote'


def goes_on(machine, serial):
    """The guest writes all that it writes once more."""
    before = serial.stat().st_size
    until(lambda: serial.stat().st_size > before + 2 * FEW, 'the guest goes on', 60)
    assert machine.get_state() == State.RUNNING and 'error' not in serial.read_text()


def snapshots_need_room(world):
    """Of a machine that runs: taking one fails and leaves nothing; a merge that fails is done once there is room."""
    client = world.client()
    with small_disk(world) as folder:
        machine, serial = machine_with_writer(world, client, folder, f'BLOCKS={FEW}', 'LOOP=1',
                                              folder=GLib.Variant('s', str(folder)))
        machine.take_snapshot_sync('empty', None, None).wait_sync(None)
        machine.launch_sync('headless', None, None)
        until(serial.exists, 'it runs', 60)
        goes_on(machine, serial)
        images = folder / 'Writer/Snapshots'
        before = sorted(images.iterdir())
        fill(folder / 'ballast', 0)
        message = refused(E.NO_SPACE, machine.take_snapshot_sync('no room', None, None).wait_sync, None)
        assert 'room' in message or 'space' in message, message
        goes_on(machine, serial)
        assert sorted(images.iterdir()) == before, sorted(images.iterdir())
        assert machine.get_snapshot_count() == 1 and machine.get_current_snapshot_name() == 'empty'

        (folder / 'ballast').unlink()
        machine.take_snapshot_sync('full', None, None).wait_sync(None)
        goes_on(machine, serial)
        root = machine.load_snapshots_sync(None)
        fill(folder / 'ballast', 0)
        refused(E.NO_SPACE, machine.delete_snapshot_sync(root.get_id(), None).wait_sync, None)
        assert machine.get_snapshot_count() == 2
        (folder / 'ballast').unlink()
        fill(folder / 'ballast', MIB // 2)  # enough for settings, not for a block of an image
        message = refused(E.NO_SPACE, machine.delete_snapshot_sync(root.get_id(), None).wait_sync, None)
        assert 'were not merged' in message, message
        goes_on(machine, serial)
        until(lambda: machine.get_snapshot_count() == 1, 'the snapshot is gone', 60)
        assert (world.config / 'Vitrine-work').exists()
        (folder / 'ballast').unlink()
        machine.open_console_sync(None).do_sync(Vitrine.ConsoleAction.POWER_OFF, None)
        until(lambda: not (world.config / 'Vitrine-work').exists(), 'the merge is done', 60)
        until(lambda: len(list(images.glob('*.vdi'))) == 1, 'its image is gone', 60)
        data = (folder / 'disk.vdi').read_bytes()
        for block in range(FEW):
            assert block_of(data, block) == pattern(block), f'block {block} is not what the guest wrote'


def settings_are_kept(world):
    client = world.client()
    with small_disk(world) as folder:
        machine = world.machine(client, 'Here', folder=GLib.Variant('s', str(folder)))
        path = Path(machine.get_settings_file())
        assert folder in path.parents
        fill(folder / 'ballast', 0)
        settings = machine.load_settings_sync(None)
        settings.props.description = 'text ' * 20000
        before = path.read_bytes()
        assert 'Here.vbox' in refused(E.NO_SPACE, machine.save_settings_sync, settings, None)
        assert path.read_bytes() == before
        assert [p.name for p in path.parent.iterdir() if p.suffix not in ('.vbox', '.vbox-prev')] == []
        refused(E.NO_SPACE, client.create_machine_sync, 'Second',
                GLib.Variant('a{sv}', {'folder': GLib.Variant('s', str(folder))}), None)
        assert client.find_machine('Second') is None and not (folder / 'Second').exists()
        (folder / 'ballast').unlink()
        machine.save_settings_sync(settings, None)
        assert machine.load_settings_sync(None).props.description == settings.props.description


def new_images_are_removed(world):
    client = world.client()
    with small_disk(world) as folder:
        for variant in ('fixed', 'dynamic'):
            fill(folder / 'ballast', 0 if variant == 'dynamic' else 2 * MIB)
            progress = client.create_medium_sync(str(folder / 'new.vdi'), Kind.HARD_DISK, 'VDI', variant, 64 * MIB,
                                                 None, None)
            message = refused(E.NO_SPACE, progress.wait_sync, None)
            assert 'new.vdi' in message, message
            assert not (folder / 'new.vdi').exists(), 'it left a file'
            (folder / 'ballast').unlink()


if __name__ == '__main__':
    run(machine_pauses_and_goes_on, settings_are_kept, new_images_are_removed, snapshots_need_room)
