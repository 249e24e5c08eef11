#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip
# timeout: 900
#
# A machine made as a person would make it, with SATA, SCSI, SAS, NVMe and virtio disks and a CD drive at SATA: it
# boots from the SATA disk, and Linux finds each disk with its own driver and its size. While it runs, a disk
# comes to the SATA controller and is pulled out again: Linux sees it come and go, and what it wrote is there.
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
               ('Parallel', 'scsi', 'LSILogic', 13, 'sd[a-z]'), ('Serial', 'sas', 'LSILogicSAS', 15, 'sd[a-z]'))


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


def refuse(reason, *arguments):
    """What does not come or go says why."""
    try:
        guest.manage(*arguments)
    except guest.GuestError as error:
        if reason in str(error):
            return
        raise
    raise guest.GuestError(f'{arguments} was done')


def settings(machine):
    """What is written of the machine."""
    text = guest.manage('showvminfo', machine.name, '--machinereadable')
    path = re.search(r'^CfgFile="(.*)"$', text, re.M).group(1)
    return Path(path).read_text(encoding='utf-8')


def hot_plug(machine, folder):
    """A disk comes, is written to, and is pulled out."""
    disk = folder / 'plugged.img'
    subprocess.run(['truncate', '-s', '14M', disk], check=True)
    place = ('storageattach', machine.name, '--storagectl', 'SATA', '--port', 2)
    refuse('not hot-pluggable', 'storageattach', machine.name, '--storagectl', 'SATA', '--port', 1, '--medium', 'none')
    refuse('does not support hot-plugging', 'storageattach', machine.name, '--storagectl', 'NVMe', '--port', 0,
           '--medium', 'none')
    guest.manage(*place, '--type', 'hdd', '--medium', disk)
    if 'hotpluggable="true" port="2"' not in settings(machine):
        raise guest.GuestError('the settings do not have the drive')
    machine.serial.write('until f=$(grep -l ^28672$ /sys/block/*/size); do sleep 1; done; d=${f%/size}; '
                         'd=/dev/${d##*/}; i=0; while [ $i -lt 1000 ]; do echo vitrine; i=$((i + 1)); done >/text; '
                         'dd if=/text of=$d bs=4096 seek=100 conv=fsync; echo "written" to $d\n')
    machine.wait_serial('written to /dev/sd', 60)
    guest.manage(*place, '--medium', 'none')
    machine.serial.write('while grep -q ^28672$ /sys/block/*/size; do sleep 1; done; echo "it" went\n')
    machine.wait_serial('it went', 60)
    with open(disk, 'rb') as file:
        file.seek(100 * 4096)
        if file.read(8000) != b'vitrine\n' * 1000:
            raise guest.GuestError('what the guest wrote is not on the disk')
    if 'port="2"' in settings(machine):
        raise guest.GuestError('the settings still have the drive')
    guest.manage(*place, '--type', 'hdd', '--medium', disk)
    machine.serial.write('until grep -q ^28672$ /sys/block/*/size; do sleep 1; done; echo "it" came again\n')
    machine.wait_serial('it came again', 60)


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
        hot_plug(machine, Path(temporary))
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 120)


if __name__ == '__main__':
    main()
