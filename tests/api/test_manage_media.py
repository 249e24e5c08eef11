#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
# needs: gir1.2-glib-2.0 python3-gi qemu-utils
#
# The commands of vitrine-manage about media: what they print, what they make, and qemu-img's opinion of it.
"""Media on the command line."""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import run  # noqa: E402
from test_manage import DONE, PROGRAM, SYNTAX, UUID, call, said  # noqa: E402

MIB = 1 << 20


def raw_disk(world):
    path = world.root / 'raw.img'
    path.write_bytes(b''.join(bytes([number]) * MIB for number in (0, 7, 0, 9)))
    return path


def same(left, right):
    subprocess.run(['qemu-img', 'compare', '-q', left, right], check=True)


def copies_and_converts(world):
    raw, disk = raw_disk(world), world.root / 'a.vdi'
    out, _ = call('convertfromraw', raw, disk)
    assert f'Creating dynamic image with size {4 * MIB} bytes (4MB)' in out, out
    same(raw, disk)
    assert str(disk) not in call('list', 'hdds')[0], 'a converted image is not registered'
    target = world.root / 'b.vmdk'
    with open(raw, 'rb') as file:
        code = subprocess.run([str(PROGRAM), 'convertfromraw', 'stdin', str(target), str(4 * MIB), '--format', 'VMDK'],
                              stdin=file, capture_output=True, check=False).returncode
    assert code == DONE and not (world.root / 'b.vmdk-input').exists()
    same(raw, target)
    for name, format_name in (('c.vhd', 'VHD'), ('d.vmdk', 'VMDK'), ('e.img', 'RAW')):
        out, _ = call('clonemedium', disk, world.root / name, '--format', format_name)
        assert re.fullmatch(f"Clone medium created in format '{format_name}'. UUID: {UUID}\n", out), out
        same(raw, world.root / name)
    empty = world.root / 'empty.vdi'
    call('createmedium', '--filename', empty, '--size', 4)
    before = re.search(UUID, call('showmediuminfo', empty)[0]).group()
    assert before in call('clonemedium', disk, empty, '--existing')[0], 'it keeps its UUID'
    same(raw, empty)
    said('exists', 'clonemedium', disk, world.root / 'c.vhd')
    said('not "qcow"', 'clonemedium', disk, world.root / 'f', '--format', 'qcow')
    call('clonemedium', disk, expect=SYNTAX)
    call('convertfromraw', 'stdin', world.root / 'g.vdi', expect=SYNTAX)


def changes(world):
    disk = world.root / 'disk.vdi'
    call('convertfromraw', raw_disk(world), disk)
    call('modifymedium', disk, '--resize', 8)
    assert 'Capacity:       8 MBytes' in call('showmediuminfo', disk)[0]
    call('modifymedium', disk, '--compact')
    out, _ = call('modifymedium', disk, '--move', world.root / 'sub/moved.vdi')
    assert re.fullmatch(f'Move medium with UUID {UUID} finished\n', out), out
    moved = world.root / 'sub/moved.vdi'
    assert moved.exists() and not disk.exists()
    call('modifymedium', moved, '--move', f'{world.root}/new/')
    moved = world.root / 'new/moved.vdi'
    assert moved.exists()
    moved.rename(disk)
    assert 'inaccessible' in call('showmediuminfo', moved)[0]
    out, _ = call('modifymedium', moved, '--setlocation', disk)
    assert re.fullmatch(f'Set new location of medium with UUID {UUID} finished\n', out), out
    assert 'State:          created' in call('showmediuminfo', disk)[0]
    assert call('modifymedium', disk, '--description', 'words')[0] == 'Medium description has been changed.\n'
    call('modifymedium', disk, '--type', 'immutable', '--property', 'a=b')
    assert call('mediumproperty', disk.parent / 'none', expect=SYNTAX) and \
        call('mediumproperty', 'get', disk, 'a')[0] == 'a=b\n'
    out, _ = call('showmediuminfo', disk)
    assert 'Type:           immutable (base)' in out and 'Property:       a=b' in out and 'words' in out
    call('mediumproperty', 'disk', 'delete', disk, 'a')
    said('not set', 'mediumproperty', 'get', disk, 'a')
    said('512', 'modifymedium', disk, '--resizebyte', 1000)
    for words in (('modifymedium', disk), ('modifymedium', disk, '--property', 'a'),
                  ('modifymedium', disk, '--type', 'soft'), ('mediumproperty', 'set', disk, 'a')):
        call(*words, expect=SYNTAX)


def chains_and_repairs(world):
    base, child = world.root / 'base.vdi', world.root / 'child.vdi'
    call('convertfromraw', raw_disk(world), base)
    call('createmedium', 'disk', '--filename', child, '--diffparent', base)
    own = re.search(UUID, call('showmediuminfo', base)[0]).group()
    out, _ = call('showmediuminfo', child)
    assert f'Parent UUID:    {own}' in out and 'Type:           normal (differencing)' in out
    assert 'Child UUIDs:' in call('showmediuminfo', base)[0]
    call('clonemedium', child, world.root / 'whole.img', '--format', 'RAW')
    same(raw_disk(world), world.root / 'whole.img')
    said('stand on it', 'modifymedium', base, '--resize', 64)
    said('differencing', 'closemedium', base)
    copy = world.root / 'copy.vdi'
    copy.write_bytes(base.read_bytes())
    said('sethduuid', 'showmediuminfo', copy)
    out, _ = call('internalcommands', 'sethduuid', copy)
    assert re.fullmatch(f'UUID changed to: {UUID}\n', out), out
    assert 'State:          created' in call('showmediuminfo', copy)[0]
    changed = re.search(UUID, call('internalcommands', 'sethduuid', base)[0]).group()
    out, _ = call('showmediuminfo', base)
    assert 'inaccessible' in out and own in out and changed in out and 'sethduuid' in out, out
    call('internalcommands', 'sethduuid', base, own)
    assert 'State:          created' in call('showmediuminfo', base)[0]
    call('internalcommands', 'sethdparentuuid', child, changed)
    out, _ = call('showmediuminfo', child)
    assert 'sethdparentuuid' in out and own in out and changed in out, out
    call('internalcommands', 'sethdparentuuid', child, own)
    assert 'State:          created' in call('showmediuminfo', child)[0]
    call('internalcommands', 'sethdparentuuid', child, expect=SYNTAX)
    call('closemedium', child, '--delete')
    assert not child.exists() and base.exists()


run(copies_and_converts, changes, chains_and_repairs)
