#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gcc gzip xorriso
# timeout: 600
#
# The host's optical drive (tests/lib/drive-mock.c) in a small Linux: its disc is mounted and read, the lock on its door and
# the ejection reach the drive, an empty drive is an empty one, and another disc is another disc, with nothing left of the
# first in the guest's memory. The kernel does not complain. Without --long only where commands pass through.
"""A host's optical drive, seen by Linux."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import guest
import media
from drive_host import Host

LONG = bool(os.environ.get('VITRINE_LONG'))
PROMPT = 'vitrine# '
FILE_MIB = 6
# The controller, its port, and whether SCSI commands pass through.
DRIVES = (('SATA', ('--add', 'sata', '--portcount', 2), 1, 'on'),
          ('SATA', ('--add', 'sata', '--portcount', 2), 1, 'off'),
          ('SCSI', ('--add', 'virtio', '--controller', 'VirtIO'), 0, 'on'),
          ('IDE', None, 1, 'off'))


def disc(folder, name):
    """An ISO 9660 disc with one file; the disc, and the file's checksum."""
    tree = folder / name
    tree.mkdir()
    data = os.urandom(FILE_MIB << 20)
    (tree / name).write_bytes(data)
    iso = folder / f'{name}.iso'
    subprocess.run(['xorriso', '-as', 'mkisofs', '-quiet', '-R', '-V', name.upper(), '-o', str(iso), str(tree)], check=True,
                   capture_output=True)
    return iso.read_bytes(), hashlib.sha256(data).hexdigest()


def run(machine, command, wanted='end 0.', seconds=60):
    """Runs a command in the guest; what it prints."""
    machine.serial.write(command + '; echo "end $?."\n')
    text = machine.wait_serial(r'\nend \d+\.', seconds)
    if wanted not in text:
        raise guest.GuestError(f'{command}: {text}')
    machine.wait_serial(PROMPT, 20)
    return text


def is_read(machine, name, checksum):
    """The disc is mounted and its file has the right bytes."""
    run(machine, 'mount -t iso9660 -o ro /dev/sr0 /mnt')
    run(machine, f"sha256sum /mnt/{name}", checksum)
    run(machine, 'umount /mnt')


def until(machine, what, seconds=30):
    """The tray comes to be as it is wanted; Linux asks when it is asked."""
    end = time.monotonic() + seconds
    while what not in run(machine, 'disc-tray /dev/sr0 state', 'disc-tray: '):
        if time.monotonic() > end:
            raise guest.GuestError(f'the drive does not say “{what}”')
        time.sleep(0.5)


def put_in(host, content):
    """A person puts a disc into the drive."""
    (host.root / 'dev/sr0').write_bytes(content)
    (host.root / 'count').write_text(str(int((host.root / 'count').read_text()) + 1))
    (host.root / 'state').write_text('disc')


def drive(machine, host, discs):
    """What the guest sees of a drive."""
    (first, first_sum), (second, second_sum) = discs
    until(machine, ': disc')
    is_read(machine, 'first', first_sum)
    run(machine, 'disc-tray /dev/sr0 eject', 'disc-tray: done')
    if not host.asked('eject'):
        raise guest.GuestError('the drive was not asked to eject')
    until(machine, ': open')
    put_in(host, second)
    until(machine, ': disc')
    is_read(machine, 'second', second_sum)
    (host.root / 'state').write_text('empty')
    until(machine, ': no disc')
    run(machine, 'mount -t iso9660 -o ro /dev/sr0 /mnt', 'No medium')
    put_in(host, first)
    until(machine, ': disc')
    is_read(machine, 'first', first_sum)


def one(machine, host, discs, attach):
    """One controller."""
    name, words, port, passthrough = attach
    if words:
        guest.manage('storagectl', machine.name, '--name', name, *words)
    guest.manage('storageattach', machine.name, '--storagectl', name, '--port', port, '--device', 0, '--type', 'dvddrive',
                 '--medium', 'host:/dev/sr0', '--passthrough', passthrough)
    put_in(host, discs[0][0])
    machine.start()
    machine.wait_serial('vitrine: ready', 180)
    machine.wait_serial(PROMPT, 30)
    drive(machine, host, discs)
    said = run(machine, "dmesg -r | grep '^<[0-4]>' | grep -i 'sr0\\|ata\\|scsi\\|cdrom\\|isofs'", 'end ')
    complaints = re.findall(r'^<[0-4]>.*', said, re.M)
    if complaints:
        raise guest.GuestError('\n'.join(complaints))
    print(f'{name}, pass-through {passthrough}: two discs read, ejected, empty', flush=True)


def main():
    """Raises when something goes wrong."""
    with tempfile.TemporaryDirectory(prefix='vitrine-drive-') as place:
        folder = Path(place)
        discs = [disc(folder, 'first'), disc(folder, 'second')]
        with Host(folder / 'host', discs[0][0]) as host:
            for attach in DRIVES if LONG else DRIVES[:1]:
                with guest.Machine('drive', disk=media.copy('storage-amd64', folder / 'boot.img'),
                                   settings=('--ioapic', 'on')) as machine:
                    one(machine, host, discs, attach)


if __name__ == '__main__':
    sys.exit(main())
