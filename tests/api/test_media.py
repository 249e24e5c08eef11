#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: gir1.2-glib-2.0 python3-gi xorriso
"""Media: create, open, attach, close, cancel, damage, and recognising installation images."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import GLib, Kind, Vitrine, refused, run, until  # noqa: E402

E = Vitrine.Error
MIB = 1 << 20


def make_iso(path, volume):
    tree = path.parent / 'tree'
    tree.mkdir(exist_ok=True)
    (tree / 'file').write_text('x')
    subprocess.run(['xorriso', '-as', 'mkisofs', '-quiet', '-V', volume, '-o', path, tree], check=True,
                   capture_output=True)
    return str(path)


def create(client, path, size=8 * MIB, kind=Kind.HARD_DISK, format='', variant='dynamic'):
    progress = client.create_medium_sync(str(path), kind, format, variant, size, None, None)
    return client.find_medium(progress.wait_sync(None))


def creates_and_deletes(world):
    client = world.client()
    disk = create(client, world.root / 'one')
    disk.refresh_sync(None)
    path = Path(disk.get_location())
    assert path == world.root / 'one.vdi' and path.exists()
    assert (disk.get_format(), disk.get_variant(), disk.get_logical_size()) == ('VDI', 'dynamic', 8 * MIB)
    assert disk.get_state() == Vitrine.MediumState.CREATED
    fixed = create(client, world.root / 'two.vdi', variant='fixed')
    fixed.refresh_sync(None)
    assert fixed.get_variant() == 'fixed' and fixed.get_file_size() >= 8 * MIB
    refused(E.EXISTS, create, client, world.root / 'two.vdi')
    refused(E.INVALID, create, client, world.root / 'odd', 1000)
    refused(E.NOT_SUPPORTED, create, client, world.root / 'odd', MIB, Kind.HARD_DISK, 'QCOW')
    fixed.close_sync(True, None)
    assert not (world.root / 'two.vdi').exists()
    assert client.find_medium(str(world.root / 'two.vdi')) is None


def moves_between_registries(world):
    client = world.client()
    machine = world.machine(client, 'Has disks')
    disk = create(client, world.home / 'VirtualBox VMs/Has disks/Has disks.vdi')
    registry, settings_file = world.config / 'VirtualBox.xml', Path(machine.get_settings_file())
    assert disk.get_id() in registry.read_text()
    settings = machine.load_settings_sync(None)
    settings.put_attachment(Vitrine.Attachment.new('IDE', 0, 0, Kind.HARD_DISK, disk.get_id()))
    machine.save_settings_sync(settings, None)
    assert disk.get_id() not in registry.read_text()
    assert 'location="Has disks.vdi"' in settings_file.read_text(), 'not relative'
    assert disk.get_machines() == [machine.get_id()]
    refused(E.BUSY, disk.close_sync, True, None)
    other = world.machine(client, 'Wants it too')
    settings = other.load_settings_sync(None)
    settings.put_attachment(Vitrine.Attachment.new('IDE', 0, 0, Kind.HARD_DISK, disk.get_id()))
    assert 'Has disks' in refused(E.BUSY, other.save_settings_sync, settings, None)
    machine.unregister_sync(True, None)
    assert not Path(disk.get_location()).exists() and not settings_file.parent.exists()


def attachments_are_checked(world):
    client = world.client()
    machine = world.machine(client, 'Slots')
    disk = create(client, world.root / 'd')

    def attach(controller, port, device, kind, medium):
        settings = machine.load_settings_sync(None)
        settings.put_attachment(Vitrine.Attachment.new(controller, port, device, kind, medium))
        machine.save_settings_sync(settings, None)
    refused(E.NOT_FOUND, attach, 'Nowhere', 0, 0, Kind.HARD_DISK, disk.get_id())
    refused(E.INVALID, attach, 'IDE', 2, 0, Kind.HARD_DISK, disk.get_id())
    refused(E.INVALID, attach, 'IDE', 0, 0, Kind.HARD_DISK, '')
    refused(E.INVALID, attach, 'IDE', 0, 0, Kind.FLOPPY, '')
    refused(E.NOT_FOUND, attach, 'IDE', 0, 0, Kind.HARD_DISK, GLib.uuid_string_random())
    refused(E.NOT_FOUND, attach, 'IDE', 1, 1, Kind.DVD, disk.get_id())
    attach('ide', 0, 1, Kind.HARD_DISK, disk.get_id())
    refused(E.EXISTS, attach, 'IDE', 0, 0, Kind.HARD_DISK, disk.get_id())


def changes_media_of_a_resting_machine(world):
    client, other = world.client(), world.client()
    machine = world.machine(client, 'Drive')
    iso = client.open_medium_sync(make_iso(world.root / 'a.iso', 'A'), Kind.DVD, None)
    assert client.open_medium_sync(str(world.root / 'a.iso'), Kind.DVD, None) == iso, 'opened twice'
    machine.change_medium_sync('IDE', 1, 0, iso, False, None)
    assert machine.load_settings_sync(None).find_attachment('IDE', 1, 0).medium == iso
    until(lambda: other.find_medium(iso) and other.find_medium(iso).get_machines() == [machine.get_id()], 'users')
    machine.change_medium_sync('IDE', 1, 0, '', False, None)
    assert machine.load_settings_sync(None).find_attachment('IDE', 1, 0).medium == ''
    refused(E.NOT_FOUND, machine.change_medium_sync, 'IDE', 0, 0, iso, False, None)


def missing_and_damaged(world):
    client = world.client()
    disk = create(client, world.root / 'gone')
    Path(disk.get_location()).unlink()
    disk.refresh_sync(None)
    assert disk.get_state() == Vitrine.MediumState.INACCESSIBLE
    assert 'gone.vdi' in disk.get_access_error()
    bad = create(client, world.root / 'bad')
    path = Path(bad.get_location())
    data = bytearray(path.read_bytes())
    data[0x154:0x15c] = b'\xff' * 8
    path.write_bytes(data)
    bad.refresh_sync(None)
    assert bad.get_state() == Vitrine.MediumState.INACCESSIBLE and bad.get_access_error()
    refused(E.NOT_FOUND, client.open_medium_sync, str(world.root / 'none.vdi'), Kind.HARD_DISK, None)
    copy = world.root / 'copy.vdi'
    good = create(client, world.root / 'good')
    copy.write_bytes(Path(good.get_location()).read_bytes())
    assert 'copy' in refused(E.EXISTS, client.open_medium_sync, str(copy), Kind.HARD_DISK, None)


def cancels(world):
    client = world.client()
    path = world.root / 'big.vdi'
    progress = client.create_medium_sync(str(path), Kind.HARD_DISK, 'VDI', 'fixed', 1 << 36, None, None)
    progress.cancel()
    try:
        progress.wait_sync(None)
    except GLib.Error as error:
        # A host that reserves room at once may be quicker than we; one without room says so.
        assert error.code in (E.CANCELLED, E.NO_SPACE), error.message
        assert not path.exists(), 'it left a file'


def recognizes(world):
    client = world.client()
    expected = {'DEBIAN_12_AMD64_N': ('Debian_64', 'Debian 12'), 'Debian 12.5.0 i386 n': ('Debian', 'Debian 12'),
                'Ubuntu 24.04.1 LTS amd64': ('Ubuntu_64', 'Ubuntu 24.04 LTS'),
                'MEMTEST': ('Other_64', 'Memtest86+ 6'), 'NOTHING KNOWN': ('', '')}
    for number, (volume, answer) in enumerate(expected.items()):
        info = client.recognize_media_sync(make_iso(world.root / f'{number}.iso', volume), None)
        assert (info.os_type, info.os_name) == answer, (volume, info.os_type, info.os_name)
        assert info.volume_label == volume
    text = world.root / 'text'
    text.write_text('no image')
    refused(E.INVALID, client.recognize_media_sync, str(text), None)
    refused(E.NOT_FOUND, client.recognize_media_sync, '/no/such/file', None)


run(creates_and_deletes, moves_between_registries, attachments_are_checked,
    changes_media_of_a_resting_machine, missing_and_damaged, cancels, recognizes)
