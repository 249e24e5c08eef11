#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 600
# needs: binutils gir1.2-glib-2.0 python3-gi qemu-utils seabios
#
# Snapshots of a machine that runs are taken and deleted while its guest writes the same to its disk again and
# again. The service, or the machine's process, is killed before a call by which it changes files (cut.c). The
# tree is the one before or the one after, a machine whose service was killed runs on, images that a killed process
# left are merged when the machine has ended or the next service has come; and the disk always holds what the guest
# has written. The short run takes a few cuts, from other places each time. The disk is one file, or a VMDK in
# several, whole or sparse, which the guest's writes go over the ends of.
"""Cuts through snapshots of running machines."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, run  # noqa: E402
from disks import MIB, attached, pattern, writer_floppy  # noqa: E402
from test_manage import PROGRAM, call, info, make  # noqa: E402

LONG = bool(os.environ.get('VITRINE_LONG'))
BLOCKS = 6
PART = 4 * MIB  # of a disk in several files
SETTLED_SECONDS = 60
# How many calls a transaction makes at most, for cuts at random; and how many cuts are made.
CALLS = {'vitrine-service': {'take': 60, 'delete': 40}, 'vitrine-headless': {'take': 60, 'delete': 120}}
CUTS = 12 if LONG else 1


def wait(what, condition, seconds=SETTLED_SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f'did not happen in {seconds} s: {what}'
        time.sleep(0.05)


def in_several(folder, kind):
    """A VMDK of 16 MiB in four files, FLAT or SPARSE."""
    disk, lines = folder / 'disk.vmdk', []
    for part in range(4):
        name = f'disk-{kind[0].lower()}{part + 1:03}.vmdk'
        lines.append(f'RW {PART // 512} {kind} "{name}"' + (' 0' if kind == 'FLAT' else ''))
        if kind == 'FLAT':
            (folder / name).write_bytes(bytes(PART))
            continue
        other = folder / 'other.vmdk'
        call('createmedium', '--filename', other, '--size', PART // MIB, '--format', 'VMDK', '--variant', 'Split2G')
        (folder / name).write_bytes((folder / 'other-s001.vmdk').read_bytes())
        call('closemedium', other, '--delete')
    disk.write_text('# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n'
                    f'createType="twoGbMaxExtent{kind.capitalize()}"\n\n# Extent description\n' + '\n'.join(lines)
                    + '\n\n# The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = "4"\nddb.adapterType = "ide"\n'
                    'ddb.geometry.cylinders = "32"\nddb.geometry.heads = "16"\nddb.geometry.sectors = "63"\n'
                    f'ddb.uuid.image = "{uuid.uuid4()}"\n', encoding='utf-8')
    return disk


def machine_that_writes(world, kind='VDI'):
    """Its disk holds the pattern, and its guest writes it again."""
    make('m', '--default')
    disk, floppy, serial = world.home / 'disk.vdi', world.root / 'writer.img', world.root / 'serial'
    if kind == 'VDI':
        call('createmedium', '--filename', disk, '--size', 16)
    else:
        disk = in_several(world.home, kind)
    call('storageattach', 'm', '--storagectl', 'IDE', '--port', 0, '--device', 0, '--type', 'hdd', '--medium', disk)
    call('storagectl', 'm', '--name', 'Floppy', '--add', 'floppy')
    call('modifyvm', 'm', '--uart1', '0x3F8', '4', '--uartmode1', 'file', serial, '--boot1', 'floppy')
    for symbols in ((f'BLOCKS={BLOCKS}',), (f'BLOCKS={BLOCKS}', 'LOOP=1')):
        writer_floppy(floppy, *symbols)
        call('storageattach', 'm', '--storagectl', 'Floppy', '--port', 0, '--device', 0, '--type', 'fdd', '--medium',
             floppy)
        if len(symbols) == 1:
            start(world)
            wait('the disk is full', lambda: 'done' in serial.read_text())
            call('controlvm', 'm', 'poweroff')
    return serial


def start(world):
    (world.root / 'serial').unlink(missing_ok=True)
    call('startvm', 'm', '--type', 'headless')


def state():
    return info('m')['VMState']


def writes(serial):
    """Waits until the guest has written everything once more."""
    before = serial.stat().st_size
    wait('the guest goes on', lambda: serial.stat().st_size > before + BLOCKS)
    assert 'error' not in serial.read_text(), serial.read_text()[-100:]


def check_disk(world):
    copy = world.root / 'content.img'
    call('clonemedium', attached('m'), copy, '--format', 'RAW')
    data = copy.read_bytes()
    call('closemedium', copy, '--delete')
    for block in range(BLOCKS):
        assert data[block * MIB:][:MIB] == pattern(block), f'block {block} is not what the guest wrote'


def images(world):
    return sorted((world.home / 'VirtualBox VMs/m/Snapshots').glob('*.v[dm]*'))


def tree():
    keys = info('m')
    return [keys[key] for key in sorted(keys) if key.startswith('SnapshotName')]


def arm(world, program, number):
    mark = world.root / 'cut'
    mark.unlink(missing_ok=True)
    mark.symlink_to(f'{program} {number}')
    return mark


def settled(world):
    """No journal is left, and no worker is at work but that of the machine's network."""
    wait('all is settled', lambda: not (world.config / 'Vitrine-work').exists()
         and not world.processes('vitrine-worker', without='network'))


def cut_at(world, program, number, words):
    """Whether the cut was reached; the command's exit code."""
    mark = arm(world, program, number)
    result = subprocess.run([str(PROGRAM), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            timeout=90, check=False)
    assert result.returncode in (0, 1), result
    reached = not mark.is_symlink()
    mark.unlink(missing_ok=True)
    assert reached or result.returncode == 0, result
    return reached, result.returncode


def one_cut(world, serial, program, verb, number):
    """A chain of three, one snapshot more or less, and a cut in that."""
    for name in tree():
        if name not in ('a', 'b'):
            call('snapshot', 'm', 'delete', name)
    if state() != 'running':
        start(world)
    for name in ('a', 'b'):
        if name not in tree():
            call('snapshot', 'm', 'take', name)
            writes(serial)
    before = tree()
    name = 'c' if verb == 'take' else random.choice(before)
    after = before + ['c'] if verb == 'take' else [other for other in before if other != name]
    reached, code = cut_at(world, program, number, ('snapshot', 'm', verb, name))
    wait('the machine has a state', lambda: state() in ('running', 'aborted'))
    # A machine whose images were not switched although its settings say so goes on as it is until it ends.
    if verb == 'delete' or state() == 'aborted':
        settled(world)
    assert sorted(tree()) in (sorted(before), sorted(after)), f'{verb} {name}, cut {number}: {tree()} after {before}'
    assert code or sorted(tree()) == sorted(after), f'{verb} {name}: done, and not there'
    if program == 'vitrine-service':
        assert state() == 'running', state()
        writes(serial)
    if state() == 'running':  # its process may not have found the next service yet
        wait('power off', lambda: subprocess.run([str(PROGRAM), 'controlvm', 'm', 'poweroff'], capture_output=True,
                                                 check=False).returncode == 0)
    settled(world)
    check_disk(world)
    assert len(images(world)) <= len(tree()), f'{images(world)} for {tree()}'
    return reached


def killed_while_it_runs(world, kind='VDI', cuts=CUTS):
    os.environ.update(LD_PRELOAD=str(BUILD / 'tests/api/cut.so'), VITRINE_CUT_MARK=str(world.root / 'cut'))
    try:
        serial = machine_that_writes(world, kind)
        for program, verbs in CALLS.items():
            for verb, calls in verbs.items():
                reached = sum(one_cut(world, serial, program, verb, random.randrange(calls) + 1)
                              for _ in range(cuts))
                print(f'{kind}, {verb}, {program}: {reached} of {cuts} cuts', flush=True)
    finally:
        os.environ.pop('LD_PRELOAD')
        os.environ.pop('VITRINE_CUT_MARK')


def killed_with_whole_files(world):
    killed_while_it_runs(world, 'FLAT', CUTS // 2)


def killed_with_sparse_files(world):
    killed_while_it_runs(world, 'SPARSE', CUTS // 2)


def cancelled_and_powered_off(world, kind='VDI'):
    """A machine that ends while its images are merged: they are merged then."""
    serial = machine_that_writes(world, kind)
    start(world)
    for name in ('a', 'b', 'c'):
        call('snapshot', 'm', 'take', name)
        writes(serial)
    with subprocess.Popen([str(PROGRAM), 'snapshot', 'm', 'delete', 'b'], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as deletion:
        call('controlvm', 'm', 'poweroff')
        assert deletion.wait(60) == 0
    settled(world)
    assert tree() == ['a', 'c'] and len(images(world)) == 2, (tree(), images(world))
    check_disk(world)
    start(world)
    call('snapshot', 'm', 'delete', 'c')
    pid, = world.processes('vitrine-headless')
    call('snapshot', 'm', 'delete', 'a')
    assert not images(world) and attached('m').stem == 'disk', images(world)
    assert world.processes('vitrine-headless') == [pid], 'it runs on'
    writes(serial)
    os.kill(pid, signal.SIGKILL)
    wait('it is aborted', lambda: state() == 'aborted')
    check_disk(world)
    if kind != 'FLAT':  # it has nothing that could be checked
        subprocess.run(['qemu-img', 'check', '-q', attached('m')], check=True)


def in_whole_files(world):
    cancelled_and_powered_off(world, 'FLAT')


def in_sparse_files(world):
    cancelled_and_powered_off(world, 'SPARSE')


if __name__ == '__main__':
    run(*((cancelled_and_powered_off, in_whole_files, in_sparse_files, killed_while_it_runs, killed_with_whole_files,
           killed_with_sparse_files) if LONG else (cancelled_and_powered_off, in_sparse_files, killed_while_it_runs)))
