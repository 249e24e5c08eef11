#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip
# timeout: 900
#
# A machine made as a person would make it, with SATA, SCSI, NVMe and virtio disks and a CD drive at SATA: it
# boots from the SATA disk, and Linux finds each disk with its own driver and its size.
"""Controllers of the settings are there in the guest."""

import re
import subprocess
import tempfile
from pathlib import Path

import guest
import media

BOOT_SECONDS = 400
# Name, bus, chip, MiB of its disk, how Linux calls the disk.
CONTROLLERS = (('NVMe', 'pcie', 'NVMe', 11, 'nvme0n1'), ('Blocks', 'virtio', 'VirtioBlk', 12, 'vda'),
               ('Parallel', 'scsi', 'LSILogic', 13, 'sd[a-z]'))


def add_controllers(machine, folder):
    """SATA with the disk to boot from and an empty CD drive, then the others with a disk each."""
    boot = media.copy('storage-amd64', folder / 'boot.img')
    guest.manage('storagectl', machine.name, '--name', 'SATA', '--add', 'sata', '--controller', 'IntelAhci',
                 '--portcount', 4)
    guest.manage('storageattach', machine.name, '--storagectl', 'SATA', '--port', 1, '--type', 'hdd',
                 '--medium', boot)
    guest.manage('storageattach', machine.name, '--storagectl', 'SATA', '--port', 3, '--type', 'dvddrive',
                 '--medium', 'emptydrive')
    for name, bus, chip, mib, _ in CONTROLLERS:
        disk = folder / f'{name}.img'
        subprocess.run(['truncate', '-s', f'{mib}M', disk], check=True)
        guest.manage('storagectl', machine.name, '--name', name, '--add', bus, '--controller', chip)
        guest.manage('storageattach', machine.name, '--storagectl', name, '--port', 0, '--type', 'hdd',
                     '--medium', disk, '--nonrotational', 'on')


def main():
    """One boot."""
    with tempfile.TemporaryDirectory() as temporary, guest.Machine('controllers') as machine:
        add_controllers(machine, Path(temporary))
        machine.start()
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        machine.serial.write('for b in /sys/block/*; do echo "${b##*/} $(cat $b/size) $(cat $b/queue/rotational)"; '
                             'done; echo "all" said\n')
        text = machine.wait_serial('all said', 60)
        wanted = [f'{disk} {mib * 2048} ' for _, _, _, mib, disk in CONTROLLERS]
        for line in (*wanted, 'sd[a-z] 131072 1', 'sr0 '):
            if not re.search(line, text):
                raise guest.GuestError(f'the guest has no disk "{line}"\n{text}')
        if 'nvme0n1 22528 0' not in text:
            raise guest.GuestError(f'the NVMe disk is not solid-state\n{text}')
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 120)


if __name__ == '__main__':
    main()
