#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
# needs: gir1.2-glib-2.0 python3-gi qemu-utils
#
# Snapshots, clones and moves of machines that are off, through the command line and the API: what the
# settings file says, which images there are, and what the disks hold after each step.
"""Snapshots, clones, kinds of disks."""

import fcntl
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import Kind, Vitrine, refused, run, until  # noqa: E402
from disks import attached, content, write_block  # noqa: E402
from test_manage import FAILED, call, make, said  # noqa: E402

E = Vitrine.Error
BLOCKS = 8
MERGED_BLOCKS = 48


def machine_with_disk(world, name='m'):
    make(name, '--default')
    disk = world.home / f'VirtualBox VMs/{name}/disk.vdi'
    call('createmedium', '--filename', disk, '--size', BLOCKS)
    call('storageattach', name, '--storagectl', 'IDE', '--port', 0, '--device', 0, '--type', 'hdd', '--medium', disk)
    return disk


def names(name):
    """The tree as text: '(one(two*)(three))'."""
    out, _ = call('snapshot', name, 'list', '--machinereadable')
    found = dict(re.findall(r'^SnapshotName([-\d]*)="(.*)"$', out, re.M))
    current = re.search(r'^CurrentSnapshotNode="SnapshotName([-\d]*)"$', out, re.M).group(1)

    def tree(prefix):
        below = ''.join(tree(f'{prefix}-{i}') for i in range(1, len(found)) if f'{prefix}-{i}' in found)
        return f'({found[prefix]}{"*" if prefix == current else ""}{below})'
    return tree('')


def images(world, name='m'):
    return sorted(path.name for path in (world.home / f'VirtualBox VMs/{name}/Snapshots').glob('*'))


def keep_and_return(world):
    machine_with_disk(world)
    write_block(attached('m'), 0, 1)
    out, _ = call('snapshot', 'm', 'take', 'one', '--description', 'first words')
    assert re.fullmatch(r'Snapshot taken. UUID: [-0-9a-f]{36}\n', out), out
    write_block(attached('m'), 1, 2)
    call('modifyvm', 'm', '--memory', 96)
    call('snapshot', 'm', 'take', 'two')
    write_block(attached('m'), 0, 3)
    assert names('m') == '(one(two*))' and content(world, attached('m')) == [3, 2] + [0] * 6
    call('snapshot', 'm', 'restore', 'one')
    assert names('m') == '(one*(two))' and content(world, attached('m')) == [1] + [0] * 7
    assert 'Memory size:                 64MB' in call('showvminfo', 'm')[0]
    assert 'Memory size:                 96MB' in call('snapshot', 'm', 'showvminfo', 'two')[0]
    write_block(attached('m'), 2, 4)
    call('snapshot', 'm', 'take', 'three')
    assert names('m') == '(one(two)(three*))'
    said('first one', 'snapshot', 'm', 'delete', 'one')
    call('snapshot', 'm', 'restore', 'two')
    assert content(world, attached('m')) == [1, 2] + [0] * 6
    call('snapshot', 'm', 'edit', 'two', '--name', 'second', '--description', 'more')
    assert names('m') == '(one(second*)(three))' and 'more' in call('snapshot', 'm', 'list')[0]
    call('snapshot', 'm', 'restorecurrent')
    said('could not find', 'snapshot', 'm', 'restore', 'nothing')
    said('could not find', 'snapshot', 'm', 'delete', 'nothing')


def merge_in_the_right_direction(world):
    disk = machine_with_disk(world)
    for number, name in enumerate(('one', 'two', 'three', 'four')):
        write_block(attached('m'), number, number + 1)
        write_block(attached('m'), 7, number + 10)
        call('snapshot', 'm', 'take', name)
    assert len(images(world)) == 4
    expected = [1, 2, 3, 4, 0, 0, 0, 13]
    call('snapshot', 'm', 'delete', 'three')  # between
    assert names('m') == '(one(two(four*)))' and len(images(world)) == 3
    assert content(world, attached('m')) == expected
    call('snapshot', 'm', 'delete', 'one')  # its image is the base, which stays
    assert names('m') == '(two(four*))' and len(images(world)) == 2 and disk.exists()
    assert content(world, attached('m')) == expected
    call('snapshot', 'm', 'restore', 'two')
    assert content(world, attached('m')) == [1, 2, 0, 0, 0, 0, 0, 11]
    call('snapshot', 'm', 'restore', 'four')
    assert content(world, attached('m')) == expected
    call('snapshot', 'm', 'delete', 'four')  # the current one
    call('snapshot', 'm', 'delete', 'two')
    assert attached('m') == disk and not images(world) and content(world, disk) == expected
    subprocess.run(['qemu-img', 'check', '-q', disk], check=True)
    assert not (world.config / 'Vitrine-work').exists(), 'a journal was left'


def branches_are_kept_apart(world):
    machine_with_disk(world)
    call('snapshot', 'm', 'take', 'root')
    for number, name in enumerate(('left', 'right'), 1):
        write_block(attached('m'), 0, number)
        call('snapshot', 'm', 'take', name)
        write_block(attached('m'), 1, number + 4)
        call('snapshot', 'm', 'take', f'{name} end')
        call('snapshot', 'm', 'restore', 'root')
    assert names('m') == '(root*(left(left end))(right(right end)))'
    call('snapshot', 'm', 'delete', 'left')
    call('snapshot', 'm', 'restore', 'left end')
    assert content(world, attached('m')) == [1, 5] + [0] * 6
    call('snapshot', 'm', 'delete', 'right end')
    call('snapshot', 'm', 'restore', 'right')
    assert content(world, attached('m')) == [2] + [0] * 7


def kinds_of_disks(world):
    make('a', '--default')
    make('b', '--default')

    def attach(name, device, disk, *words, expect=0):
        return call('storageattach', name, '--storagectl', 'IDE', '--port', 0, '--device', device, '--type', 'hdd',
                    '--medium', disk, *words, expect=expect)
    disks = {}
    for kind in ('immutable', 'multiattach', 'writethrough', 'shareable'):
        disks[kind] = world.root / f'{kind}.vdi'
        call('createmedium', '--filename', disks[kind], '--size', BLOCKS, '--variant',
             'Fixed' if kind == 'shareable' else 'Standard')
    said('fixed size', 'modifymedium', disks['writethrough'], '--type', 'shareable')
    attach('a', 0, disks['immutable'], '--mtype', 'immutable', '--comment', 'never changes')
    attach('a', 1, disks['multiattach'], '--mtype', 'multiattach')
    attach('b', 0, disks['multiattach'])
    assert len(images(world, 'a')) == 2 and len(images(world, 'b')) == 1
    said('cannot change', 'modifymedium', disks['immutable'], '--type', 'normal')
    write_block(attached('a'), 0, 1)
    call('startvm', 'a', '--type', 'headless')
    call('controlvm', 'a', 'poweroff')
    assert content(world, attached('a')) == [0] * BLOCKS, 'an immutable disk kept what was written'
    write_block(attached('b'), 0, 1)
    call('startvm', 'b', '--type', 'headless')
    call('controlvm', 'b', 'poweroff')
    assert content(world, attached('b')) == [1] + [0] * 7, 'a multi-attach disk lost what was written'
    attach('b', 1, disks['writethrough'], '--mtype', 'writethrough')
    said('attached to', 'storageattach', 'a', '--storagectl', 'IDE', '--port', 1, '--device', 1, '--type', 'hdd',
         '--medium', disks['writethrough'])
    call('snapshot', 'b', 'take', 's')
    text = (world.home / 'VirtualBox VMs/b/b.vbox').read_text()
    assert text.count('type="Writethrough"') == 1 and len(images(world, 'b')) == 2


def clones_and_moves(world):
    disk = machine_with_disk(world)
    write_block(attached('m'), 0, 1)
    call('snapshot', 'm', 'take', 'one')
    write_block(attached('m'), 1, 2)
    call('snapshot', 'm', 'take', 'two')
    write_block(attached('m'), 2, 3)
    call('clonevm', 'm', '--name', 'full', '--register')
    call('clonevm', 'm', '--name', 'linked', '--snapshot', 'one', '--options', 'Link', '--register')
    call('clonevm', 'm', '--name', 'whole', '--mode', 'all', '--options', 'KeepDiskNames', '--register')
    call('clonevm', 'm', '--name', 'no', '--options', 'Link', expect=FAILED)
    assert content(world, attached('full')) == [1, 2, 3] + [0] * 5 and not images(world, 'full')
    assert content(world, attached('linked')) == [1] + [0] * 7
    assert names('whole') == '(one(two*))' and content(world, attached('whole')) == [1, 2, 3] + [0] * 5
    assert (world.home / 'VirtualBox VMs/whole/disk.vdi').exists()
    call('snapshot', 'whole', 'restore', 'one')
    assert content(world, attached('whole')) == [1] + [0] * 7
    call('snapshot', 'm', 'delete', 'one')  # what the linked clone stands on must stay
    assert content(world, attached('linked')) == [1] + [0] * 7
    call('movevm', 'm', '--folder', world.root / 'elsewhere')
    moved = world.root / 'elsewhere/m/disk.vdi'
    assert moved.exists() and not disk.exists() and names('m') == '(two*)'
    assert content(world, attached('m')) == [1, 2, 3] + [0] * 5
    assert content(world, attached('linked')) == [1] + [0] * 7
    call('unregistervm', 'm', '--delete')
    assert moved.exists() and content(world, attached('linked')) == [1] + [0] * 7


def seen_through_the_api(world):
    client = world.client()
    machine = world.machine(client, 'Seen')
    assert machine.load_snapshots_sync(None) is None and machine.get_snapshot_count() == 0
    heard = []
    machine.connect('notify::snapshots-generation', lambda *_: heard.append(machine.get_current_snapshot_name()))
    first = machine.take_snapshot_sync('first', 'words', None).wait_sync(None)
    second = machine.take_snapshot_sync('second', None, None).wait_sync(None)
    root = machine.load_snapshots_sync(None)
    assert (root.get_id(), root.get_description(), root.get_online()) == (first, 'words', False)
    child = root.get_children().get_item(0)
    assert child.get_id() == second and child.get_parent() == root and root.find('second') == child
    assert machine.get_current_snapshot() == second and not machine.get_current_state_modified()
    settings = machine.load_settings_sync(None)
    settings.set_uint('memory', 100)
    machine.save_settings_sync(settings, None)
    assert machine.get_current_state_modified()
    assert machine.load_snapshot_settings_sync(first, None).get_uint('memory') != 100
    machine.restore_snapshot_sync(first, None).wait_sync(None)
    assert machine.load_settings_sync(None).get_uint('memory') != 100
    machine.delete_snapshot_sync(second, None).wait_sync(None)
    assert machine.get_snapshot_count() == 1 and heard[-1] == 'first'
    refused(E.INVALID, machine.take_snapshot_sync, '', None, None)
    refused(E.NOT_FOUND, machine.restore_snapshot_sync, second, None)
    client.create_medium_sync(str(world.root / 'd'), Kind.HARD_DISK, 'VDI', 'dynamic', 1 << 20, None,
                              None).wait_sync(None)


def two_disks(world, client, name, blocks=BLOCKS):
    """A machine with two disks of so many MiB and a snapshot; afterwards all was written to."""
    make(name, '--default')
    folder = world.home / f'VirtualBox VMs/{name}'
    for device in (0, 1):
        disk = folder / f'{device}.vdi'
        call('createmedium', '--filename', disk, '--size', blocks)
        call('storageattach', name, '--storagectl', 'IDE', '--port', 0, '--device', device, '--type', 'hdd',
             '--medium', disk)
    call('snapshot', name, 'take', 'one')
    for device in (0, 1):
        for block in range(blocks):
            write_block(attached(name, device), block, 1 + (block + device) % 200)
    until(lambda: client.find_machine(name) and client.find_machine(name).get_current_snapshot(), 'the client knows it', 30)
    return client.find_machine(name)


def shown(world, name):
    return [content(world, attached(name, device)) for device in (0, 1)]


def one_progress_for_all_disks(world):
    """It goes from 0 to 100 once; at half of it one of two disks of one size is merged."""
    client = world.client()
    machine = two_disks(world, client, 'p', MERGED_BLOCKS)
    seen, before = [], shown(world, 'p')
    progress = machine.delete_snapshot_sync(machine.get_current_snapshot(), None)
    progress.connect('notify::percent', lambda *_: seen.append((progress.get_percent(), len(images(world, 'p')))))
    until(progress.get_completed, 'the snapshot is deleted', 60)
    percents = [percent for percent, _ in seen]
    assert percents == sorted(percents) and percents[-1] == 100, seen
    assert all(count <= 1 for percent, count in seen if percent > 60), seen
    assert not images(world, 'p') and shown(world, 'p') == before


def cancelled_between_disks(world):
    """What is merged stays so, what is not is as before; the next service does it."""
    client = world.client()
    machine = two_disks(world, client, 'c')
    before, kept = shown(world, 'c'), attached('c', 1)
    with open(kept, 'rb') as somebody:
        # Until it is closed this image cannot be merged.
        fcntl.fcntl(somebody, fcntl.F_OFD_SETLK, struct.pack('hhqqi4x', fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
        progress = machine.delete_snapshot_sync(machine.get_current_snapshot(), None)
        until(lambda: images(world, 'c') == [kept.name], 'the first disk is merged')
        progress.cancel()
        refused(E.CANCELLED, progress.wait_sync, None)
    assert machine.get_snapshot_count() == 0 and images(world, 'c') == [kept.name] and shown(world, 'c') == before
    killed = world.kill_service()
    until(lambda: killed not in world.services() and not images(world, 'c'), 'the next service merges it', 60)
    assert shown(world, 'c') == before


if __name__ == '__main__':
    run(keep_and_return, merge_in_the_right_direction, branches_are_kept_apart, kinds_of_disks, clones_and_moves,
        seen_through_the_api, one_progress_for_all_disks, cancelled_between_disks)
