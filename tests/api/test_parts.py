#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: binutils gir1.2-glib-2.0 python3-gi qemu-utils seabios
# timeout: 240
#
# VMDK images in several files, from the command line to a guest: made, opened, written to by a machine, snapshotted,
# copied, moved and deleted with all their files, and qemu-img's opinion of them.
"""Images in several files stay together."""

import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import run, until  # noqa: E402
from disks import writer_floppy  # noqa: E402
from test_manage import FAILED, PROGRAM, SYNTAX, UUID, call, said  # noqa: E402

MIB = 1 << 20
BLOCKS = 4
PARTS = 3


def same(left, right):
    subprocess.run(['qemu-img', 'compare', '-q', left, right], check=True)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix == '.vmdk')


def expected(stem, count, kind='s'):
    return sorted([f'{stem}.vmdk', *(f'{stem}-{kind}{number:03}.vmdk' for number in range(1, count + 1))])


def numbered(world):
    """What fill-disk.S writes."""
    path = world.root / 'expected.img'
    path.write_bytes(b''.join(number.to_bytes(2, 'little') * 16384 for number in range(BLOCKS * 32)))
    return path


def machine_writes(world, disk):
    serial = world.root / 'serial'
    writer_floppy(world.root / 'writer.img', f'BLOCKS={BLOCKS}')
    call('createvm', '--name', 'box', '--register')
    call('storagectl', 'box', '--name', 'IDE', '--add', 'ide')
    call('storagectl', 'box', '--name', 'Floppy', '--add', 'floppy')
    call('storageattach', 'box', '--storagectl', 'IDE', '--port', 0, '--device', 0, '--type', 'hdd', '--medium', disk)
    call('storageattach', 'box', '--storagectl', 'Floppy', '--port', 0, '--device', 0, '--type', 'fdd',
         '--medium', world.root / 'writer.img')
    call('modifyvm', 'box', '--memory', 32, '--uart1', '0x3F8', 4, '--uartmode1', 'file', serial)
    call('startvm', 'box', '--type', 'headless')
    until(lambda: serial.exists() and 'done\n' in serial.read_text(), 'the guest wrote', 90)
    call('controlvm', 'box', 'poweroff')


def from_a_guest_to_a_copy(world):
    folder, disk = world.root / 'disks', world.root / 'disks/a.vmdk'
    folder.mkdir()
    call('createmedium', 'disk', '--filename', disk, '--size', 5000, '--format', 'VMDK', '--variant', 'Split2G')
    assert names(folder) == expected('a', PARTS), names(folder)
    out, _ = call('showmediuminfo', disk)
    assert 'Format variant: dynamic split2G' in out and 'State:          created' in out, out
    machine_writes(world, disk)
    content = numbered(world)
    with open(content, 'r+b') as file:
        file.truncate(5000 * MIB)
    same(content, disk)

    call('snapshot', 'box', 'take', 'one')
    call('snapshot', 'box', 'delete', 'one')
    assert names(folder) == expected('a', PARTS), 'merging keeps its files'
    same(content, disk)

    target = world.root / 'elsewhere'
    target.mkdir()
    (target / 'a-s002.vmdk').write_text('mine')
    said('exists already', 'modifymedium', disk, '--move', target / 'b.vmdk')
    assert names(folder) == expected('a', PARTS) and names(target) == ['a-s002.vmdk'], 'nothing was moved'
    (target / 'a-s002.vmdk').unlink()
    call('modifymedium', disk, '--move', target / 'b.vmdk')
    assert not names(folder) and names(target) == sorted(['b.vmdk', *expected('a', PARTS)[:-1]]), names(target)
    moved = target / 'b.vmdk'
    same(content, moved)
    call('modifymedium', moved, '--move', target / 'c.vmdk')
    same(content, target / 'c.vmdk')
    moved = target / 'c.vmdk'

    call('clonemedium', moved, folder / 'c.vmdk', '--variant', 'Split2G')
    assert names(folder) == expected('c', PARTS)
    same(content, folder / 'c.vmdk')
    call('closemedium', folder / 'c.vmdk', '--delete')
    assert not names(folder)
    call('unregistervm', 'box', '--delete')
    assert not names(target), 'a deleted machine takes its disk along'


def small_ones(world):
    folder, raw = world.root / 'small', world.root / 'raw.img'
    folder.mkdir()
    raw.write_bytes(b''.join(bytes([number]) * MIB for number in (0, 7, 0, 9)))
    call('createmedium', '--filename', folder / 'flat.vmdk', '--size', 4, '--format', 'VMDK', '--variant', 'Fixed')
    assert names(folder) == ['flat-flat.vmdk', 'flat.vmdk']
    assert 'Format variant: fixed default' in call('showmediuminfo', folder / 'flat.vmdk')[0]
    call('modifymedium', folder / 'flat.vmdk', '--type', 'shareable')
    call('convertfromraw', raw, folder / 'two.vmdk', '--format', 'VMDK', '--variant', 'Fixed,Split2G')
    assert {'two.vmdk', 'two-f001.vmdk'} < set(names(folder))
    same(raw, folder / 'two.vmdk')
    theirs = folder / 'theirs.vmdk'
    subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', raw,
                    theirs], check=True)
    out, _ = call('clonemedium', theirs, folder / 'copy.vdi', '--format', 'VDI')
    assert re.search(UUID, out)
    same(raw, folder / 'copy.vdi')
    call('clonemedium', folder / 'copy.vdi', folder / 'flat.vmdk', '--existing', expect=1)
    same(raw, folder / 'two.vmdk')


def failed(*words):
    """What a command says that had begun with its work."""
    result = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=False)
    assert result.returncode == FAILED, result
    return result.stderr


def refusals(world):
    folder = world.root / 'refused'
    folder.mkdir()
    said('Only VMDK', 'createmedium', '--filename', folder / 'a.vdi', '--size', 4, '--variant', 'Split2G')
    said('240 are the most', 'createmedium', '--filename', folder / 'a.vmdk', '--size', 600 << 10, '--format', 'VMDK',
         '--variant', 'Split2G')
    call('createmedium', '--filename', folder / 'a.vmdk', '--size', 4, '--variant', 'ESX', expect=SYNTAX)
    call('clonemedium', folder / 'a', folder / 'b', '--variant', 'Stream,Fixed', expect=SYNTAX)
    (folder / 'a-s001.vmdk').write_text('mine')
    said('exists already', 'createmedium', '--filename', folder / 'a.vmdk', '--size', 4, '--format', 'VMDK',
         '--variant', 'Split2G')
    assert (folder / 'a-s001.vmdk').read_text() == 'mine' and not (folder / 'a.vmdk').exists()

    # A part that is a link leads nowhere, and a missing one is named.
    disk = folder / 'b.vmdk'
    call('createmedium', '--filename', disk, '--size', 4, '--format', 'VMDK', '--variant', 'Split2G')
    part, away = folder / 'b-s001.vmdk', world.root / 'away'
    part.rename(away)
    assert 'b-s001.vmdk' in call('showmediuminfo', disk)[0]
    os.symlink(away, part)
    out, _ = call('showmediuminfo', disk)
    assert 'inaccessible' in out and 'b-s001.vmdk' in out, out
    before = away.read_bytes()
    assert 'is a link' in failed('clonemedium', disk, folder / 'c.vdi', '--format', 'VDI')
    assert away.read_bytes() == before and not (folder / 'c.vdi').exists()


def become_larger(world):
    """By the last file and by new ones; what was there before is nobody's to take away."""
    folder, raw = world.root / 'larger', numbered(world)
    folder.mkdir()
    for stem, variant in (('one', 'Fixed'), ('two', 'Fixed,Split2G'), ('three', 'Split2G')):
        disk = folder / f'{stem}.vmdk'
        call('convertfromraw', raw, disk, '--format', 'VMDK', '--variant', variant)
        call('modifymedium', disk, '--resize', 9)
        assert 'Capacity:       9 MBytes' in call('showmediuminfo', disk)[0]
        same(raw, disk)
        assert 'only be made larger' in failed('modifymedium', disk, '--resize', 4)
    disk, mine = folder / 'three.vmdk', folder / 'three-s003.vmdk'
    mine.write_text('mine')
    said('exists already', 'modifymedium', disk, '--resize', 5000)
    assert mine.read_text() == 'mine' and '9 MBytes' in call('showmediuminfo', disk)[0]
    mine.unlink()
    call('modifymedium', disk, '--resize', 5000)
    assert '5000 MBytes' in call('showmediuminfo', disk)[0]
    assert set(expected('three', 3)) <= set(names(folder)) and not (world.config / 'Vitrine-work').exists()
    same(raw, disk)
    subprocess.run(['qemu-img', 'check', '-q', disk], check=True)
    said('are the most', 'modifymedium', disk, '--resize', 600 << 10)


def cut_short(world):
    """A service that was killed while files came to an image: the next one deletes what the image does not name."""
    disk = world.root / 'cut.vmdk'
    call('createmedium', '--filename', disk, '--size', 5000, '--format', 'VMDK', '--variant', 'Split2G')
    named, unnamed = world.root / 'cut-s003.vmdk', world.root / 'cut-s004.vmdk'
    unnamed.write_bytes(named.read_bytes())
    work = world.config / 'Vitrine-work'
    until(lambda: not world.services(), 'the service has ended')
    work.mkdir()
    (work / 'cut.work').write_text(f'[work]\nmachine=\nnew-parts={named};{disk};{unnamed};{disk};\n')
    assert 'State:          created' in call('showmediuminfo', disk)[0]
    assert named.exists() and not unnamed.exists() and not work.exists()


run(small_ones, refusals, become_larger, cut_short, from_a_guest_to_a_copy)
