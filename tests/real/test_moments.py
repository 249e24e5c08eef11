#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: qemu-utils e2fsprogs grub-pc-bin grub-common
# timeout: 1500
#
# Moments of one machine that are kept and returned to, with a Linux that works on its disk meanwhile: saved and continued
# in another process; two snapshots of it running, the first under load; back to the first, whose memory and files are as they
# were; from there a branch; snapshots deleted; a full and a linked clone, a move. The guest's checksums hold at every step, and
# QEMU's tools agree on every image.
"""A machine's saved states, snapshots and clones, seen by its guest."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import guest
import media

LONG = bool(os.environ.get('VITRINE_LONG'))
# Name, words for storagectl.
CONTROLLERS = (
    ('SATA', ('--add', 'sata', '--portcount', 2)),
    ('NVMe', ('--add', 'pcie', '--controller', 'NVMe')),
    ('SCSI', ('--add', 'virtio', '--controller', 'VirtIO')),
    ('Blk', ('--add', 'virtio', '--controller', 'VirtioBlk')),
)
PROMPT = 'vitrine# '
DATA_MIB = 256
SECTORS = DATA_MIB * 2048
VDI_TYPE, VDI_DIFFERENCING = 0x4c, b'\4\0\0\0'


def data_disk(folder):
    """A VDI with an empty ext4, made from a raw image by our own command."""
    raw, vdi = folder / 'data.raw', folder / 'data.vdi'
    with open(raw, 'wb') as file:
        file.truncate(DATA_MIB << 20)
    subprocess.run(['mkfs.ext4', '-q', '-F', str(raw)], check=True)
    guest.manage('convertfromraw', raw, vdi, '--format', 'VDI')
    raw.unlink()
    return vdi


def system_disk(folder):
    """A VDI with the small Linux."""
    vdi = folder / 'system.vdi'
    subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'vdi', str(media.get('storage-amd64')), str(vdi)],
                   check=True)
    return vdi


def run(machine, command, seconds=90):
    """Runs a command in the guest; what it prints. Raises when it fails."""
    machine.serial.write(command + '; echo "end $?."\n')
    text = machine.wait_serial(r'\nend \d+\.', seconds)
    if not text.endswith('end 0.'):
        raise guest.GuestError(f'{command}: {text}')
    machine.wait_serial(PROMPT, 20)
    return text


def write(machine, name, mib):
    """A file of random bytes and its checksum, on the disk."""
    run(machine, f'dd if=/dev/urandom of=/mnt/{name} bs=65536 count={mib * 16} 2>/dev/null && '
                 f'sha256sum /mnt/{name} >/mnt/{name}.sum && sync')


def check(machine, there, gone=()):
    """The files are there with their contents, read from the disk; others are not."""
    run(machine, 'echo 3 >/proc/sys/vm/drop_caches')
    for name in there:
        run(machine, f'sha256sum -c /mnt/{name}.sum')
    for name in gone:
        run(machine, f'[ ! -e /mnt/{name} ]')


def go_on(machine):
    """Starts a machine whose state is kept; its shell answers."""
    machine.start()
    machine.serial.write('\n')
    machine.wait_serial(PROMPT, 60)


def boot(machine):
    """From the firmware to a shell with the data disk mounted."""
    machine.start()
    machine.wait_serial('vitrine: ready', 180)
    machine.wait_serial(PROMPT, 30)
    run(machine, 'for b in /sys/block/*; do [ "$(cat $b/size)" != %d ] || disk=/dev/${b##*/}; done; '
                 'mount -t ext4 $disk /mnt' % SECTORS)


def agree(machine, folder, name):
    """qemu-img checks every image that is not a differencing one, which it does not know; what the chain of the data disk
    shows, copied flat, is a clean file system."""
    whole = [image for image in folder.rglob('*.vdi') if image.read_bytes()[VDI_TYPE:VDI_TYPE + 4] != VDI_DIFFERENCING]
    for image in whole:
        subprocess.run(['qemu-img', 'check', '-f', 'vdi', str(image)], check=True, capture_output=True)
    flat = folder / 'flat.img'
    guest.manage('clonemedium', machine.info()[f'{name}-0-0'], flat, '--format', 'RAW', seconds=120)
    subprocess.run(['e2fsck', '-f', '-n', str(flat)], check=True, capture_output=True)
    return len(whole)


def saved(machine):
    """Saved, continued in a new process: memory and disk are as they were."""
    write(machine, 'first', 8)
    run(machine, 'mark=remembered')
    guest.manage('controlvm', machine.name, 'savestate', seconds=120)
    machine.wait_state('saved', 60)
    go_on(machine)
    run(machine, '[ "$mark" = remembered ]')
    check(machine, ['first'])


def snapshots(machine):
    """Two of them while the machine runs, the first under load, then back to the first."""
    run(machine, 'mark=one')
    run(machine, '(while :; do dd if=/dev/zero of=/mnt/load bs=65536 count=64 conv=fsync 2>/dev/null; done) & load=$!')
    guest.manage('snapshot', machine.name, 'take', 'one', seconds=180)
    write(machine, 'second', 8)
    run(machine, 'kill $load; mark=two')
    guest.manage('snapshot', machine.name, 'take', 'two', seconds=180)
    write(machine, 'third', 4)
    check(machine, ['first', 'second', 'third'])
    machine.control('poweroff')
    machine.wait_state('poweroff')
    guest.manage('snapshot', machine.name, 'restore', 'one', seconds=180)
    go_on(machine)
    run(machine, '[ "$mark" = one ]; kill $load; sleep 1')
    check(machine, ['first'], gone=['second', 'third'])


def images(machine, folder):
    """How many of the data disk's differencing images there are."""
    del machine
    return len(list(folder.rglob('Snapshots/*.vdi')))


def merged(machine):
    """Snapshots are deleted while the guest works on the disk: what stands on each is merged with it, the newest, too."""
    folder = machine.folder
    before = images(machine, folder)
    run(machine, '(while :; do dd if=/dev/urandom of=/mnt/load bs=65536 count=32 conv=fsync 2>/dev/null; done) & load=$!')
    for name in ('m1', 'm2', 'm3'):
        guest.manage('snapshot', machine.name, 'take', name, seconds=180)
        write(machine, name, 4)
    for name in ('m2', 'm3', 'm1'):
        guest.manage('snapshot', machine.name, 'delete', name, seconds=180)
        check(machine, ['first', 'm1', 'm2', 'm3'], gone=['second', 'third'])
        machine.wait_state('running', 10)
    run(machine, 'kill $load; rm /mnt/m1 /mnt/m2; sync')
    assert images(machine, folder) == before, f'{images(machine, folder)} images, {before} before'
    check(machine, ['first', 'm3'])


def branches(machine):
    """A second branch; then snapshots are deleted: a leaf, one in the middle."""
    write(machine, 'branch', 8)
    guest.manage('snapshot', machine.name, 'take', 'branch', seconds=180)
    write(machine, 'later', 4)
    run(machine, 'umount /mnt')
    machine.control('poweroff')
    machine.wait_state('poweroff')
    guest.manage('snapshot', machine.name, 'delete', 'two', seconds=180)
    guest.manage('snapshot', machine.name, 'delete', 'branch', seconds=180)
    boot(machine)
    check(machine, ['first', 'branch', 'later'], gone=['second', 'third'])
    run(machine, 'umount /mnt')
    machine.control('poweroff')
    machine.wait_state('poweroff')


def clones(machine, folder):
    """A full and a linked clone are made; the machine itself runs after a move."""
    guest.manage('clonevm', machine.name, '--name', 'whole', '--basefolder', folder, '--register', seconds=180)
    guest.manage('clonevm', machine.name, '--snapshot', 'one', '--options', 'link', '--name', 'linked', '--basefolder',
                 folder, '--register', seconds=180)
    guest.manage('movevm', machine.name, '--folder', folder / 'moved', seconds=180)
    boot(machine)
    check(machine, ['first', 'branch', 'later'], gone=['second', 'third'])
    run(machine, 'umount /mnt')
    machine.control('poweroff')
    machine.wait_state('poweroff')
    for clone in ('linked', 'whole'):
        guest.manage('unregistervm', clone, '--delete', seconds=60)


def all_moments(name, words, settings):
    """Everything, with the data disk on this controller."""
    with tempfile.TemporaryDirectory(prefix='vitrine-moments-') as place:
        folder = Path(place)
        system, data = system_disk(folder), data_disk(folder)
        with guest.Machine('moments', disk=system, settings=('--ioapic', 'on', *settings)) as machine:
            guest.manage('storagectl', machine.name, '--name', name, *words)
            guest.manage('storageattach', machine.name, '--storagectl', name, '--port', 0, '--device', 0, '--type', 'hdd',
                         '--medium', data)
            boot(machine)
            saved(machine)
            snapshots(machine)
            merged(machine)
            branches(machine)
            clones(machine, folder / 'clones')
            machine.wait_state('poweroff')
            print(f'{name}: {agree(machine, folder, name)} images are right for qemu-img', flush=True)


def main():
    """Raises when something goes wrong."""
    for name, words in CONTROLLERS if LONG else CONTROLLERS[:1]:
        all_moments(name, words, ('--cpus', 2) if LONG else ())


if __name__ == '__main__':
    sys.exit(main())
