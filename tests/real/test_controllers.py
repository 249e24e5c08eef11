#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip
# timeout: 900
#
# A machine made as a person would make it, with SATA, SCSI, SAS, NVMe and virtio disks and CD drives at SATA and SCSI:
# it boots from the SATA disk, and Linux finds each disk with its own driver and its size. While it runs, a disk
# comes to the SATA controller and is pulled out again: Linux sees it come and go, and what it wrote is there. Linux
# locks the tray, and ejects discs: the settings follow. With --long the virtio disk is at a virtio-scsi controller the
# second time, and comes and goes there, too.
"""Controllers of the settings are there in the guest."""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import guest
import media

BOOT_SECONDS = 400
# Name, bus, chip, MiB of its disk, how Linux calls the disk.
CONTROLLERS = (('NVMe', 'pcie', 'NVMe', 11, 'nvme0n1'), ('Blocks', 'virtio', 'VirtioBlk', 12, 'vda'),
               ('Parallel', 'scsi', 'LSILogic', 13, 'sd[a-z]'), ('Serial', 'sas', 'LSILogicSAS', 15, 'sd[a-z]'))
VIRTIO_SCSI = ('Blocks', 'virtio', 'VirtioSCSI', 12, 'sd[a-z]')


def add_controllers(machine, folder, controllers):
    """SATA with the disk to boot from and an empty CD drive, then the others with a disk each, one with a disc, too."""
    boot = media.copy('storage-amd64', folder / 'boot.img')
    guest.manage('storagectl', machine.name, '--name', 'SATA', '--add', 'sata', '--controller', 'IntelAhci',
                 '--portcount', 4)
    guest.manage('storageattach', machine.name, '--storagectl', 'SATA', '--port', 1, '--type', 'hdd',
                 '--medium', boot)
    guest.manage('storageattach', machine.name, '--storagectl', 'SATA', '--port', 3, '--type', 'dvddrive',
                 '--medium', 'emptydrive')
    for name, bus, chip, mib, _ in controllers:
        disk = folder / f'{name}.img'
        subprocess.run(['truncate', '-s', f'{mib}M', disk], check=True)
        guest.manage('storagectl', machine.name, '--name', name, '--add', bus, '--controller', chip,
                     *(('--portcount', 4) if bus == 'virtio' else ()))
        guest.manage('storageattach', machine.name, '--storagectl', name, '--port', 0, '--type', 'hdd',
                     '--medium', disk, '--nonrotational', 'on')
    disc = folder / 'disc.iso'
    disc.write_bytes((bytes(16 * 2048) + b'\x01CD001\x01').ljust(64 * 2048, b'\0'))
    guest.manage('storageattach', machine.name, '--storagectl', 'Parallel', '--port', 1, '--type', 'dvddrive',
                 '--medium', disc, '--tempeject', 'on')


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


def hot_plug(machine, disk, controller):
    """A disk comes, is written to, and is pulled out."""
    subprocess.run(['truncate', '-s', '14M', disk], check=True)
    place = ('storageattach', machine.name, '--storagectl', controller, '--port', 2)
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
    guest.manage(*place, '--medium', 'none')


def hot_plugs(machine, folder, controllers):
    """Where drives come and go, and where not."""
    refuse('not hot-pluggable', 'storageattach', machine.name, '--storagectl', 'SATA', '--port', 1, '--medium', 'none')
    refuse('does not support hot-plugging', 'storageattach', machine.name, '--storagectl', 'NVMe', '--port', 0,
           '--medium', 'none')
    hot_plug(machine, folder / 'plugged.img', 'SATA')
    if VIRTIO_SCSI in controllers:
        hot_plug(machine, folder / 'scsi.img', 'Blocks')
    else:
        refuse('virtio-blk device', 'storageattach', machine.name, '--storagectl', 'Blocks', '--port', 2, '--type', 'hdd',
               '--medium', folder / 'plugged.img')


def tray(machine, drive, what, answer):
    """The guest asks something of the tray of its drive, which is the shell's variable; it hears this answer."""
    machine.serial.write(f'disc-tray ${drive} {what}\n')
    found = machine.wait_serial(r'disc-tray: [^\r\n]*[\r\n]', 60)
    if answer not in found:
        raise guest.GuestError(f'{what}: {found!r} and not {answer!r}')


def wait_info(machine, key, value):
    """Settings follow what the guest does, a moment later."""
    end = time.monotonic() + 60
    while (found := machine.info().get(key)) != value:
        if time.monotonic() > end:
            raise guest.GuestError(f'{key} is {found} and not {value}')
        time.sleep(0.2)


def ejects(machine, folder):
    """The guest locks a tray, so that only force opens it, and ejects: from the settings, or until it ends."""
    machine.serial.write('for s in /sys/block/sr*; do case $(readlink $s) in */ata*) ata=/dev/${s##*/};; '
                         '*) scsi=/dev/${s##*/};; esac; done; echo "ata" is $ata, "scsi" is $scsi\n')
    machine.wait_serial('ata is /dev/sr[01], scsi is /dev/sr[01]', 60)
    place = ('storageattach', machine.name, '--storagectl', 'SATA', '--port', 3, '--medium')
    disc = folder / 'other.iso'
    disc.write_bytes((folder / 'disc.iso').read_bytes())
    guest.manage(*place, disc)
    machine.serial.write('until disc-tray $ata state | grep ": disc"; do sleep 1; done\n')
    machine.wait_serial('disc-tray: disc', 60)
    tray(machine, 'ata', 'lock', 'done')
    refuse('locked the drive', *place, 'emptydrive')
    tray(machine, 'ata', 'eject', 'refused')
    tray(machine, 'ata', 'unlock', 'done')
    wait_info(machine, 'SATA-3-0', str(disc))
    tray(machine, 'ata', 'eject', 'done')
    wait_info(machine, 'SATA-3-0', 'emptydrive')
    tray(machine, 'ata', 'state', 'open')
    if 'SATA-ImageUUID-3-0' in machine.info() or machine.info()['SATA-IsEjected-3-0'] != 'off':
        raise guest.GuestError('the settings still have the disc')
    tray(machine, 'ata', 'lock', 'done')
    guest.manage(*place, disc, '--forceunmount')
    wait_info(machine, 'SATA-3-0', str(disc))
    guest.manage(*place, 'emptydrive', '--forceunmount')
    wait_info(machine, 'SATA-3-0', 'emptydrive')
    wait_info(machine, 'Parallel-IsEjected-1-0', 'off')
    tray(machine, 'scsi', 'eject', 'done')
    wait_info(machine, 'Parallel-IsEjected-1-0', 'on')
    wait_info(machine, 'Parallel-1-0', str(folder / 'disc.iso'))


def large_requests(machine):
    """What a program reads from the virtio disk in one piece is one request."""
    machine.serial.write('n() { set -- $(cat /sys/block/vda/stat); echo $1; }; a=$(n); '
                         'disk-work /dev/vda read seq 524288 1 4; b=$(n); '
                         'echo "segments" $(cat /sys/block/vda/queue/max_segments) requests $((b - a))\n')
    text = machine.wait_serial(r'segments \d+ requests \d+[\r\n]', 60)
    if 'segments 254 requests 8' not in text:
        raise guest.GuestError(f'not 8 requests for 8 pieces of 512 KiB: {text}')


def check(name, controllers):
    """One boot."""
    with tempfile.TemporaryDirectory() as temporary, guest.Machine(name) as machine:
        add_controllers(machine, Path(temporary), controllers)
        machine.start()
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        machine.serial.write('for b in /sys/block/*; do echo "${b##*/} $(cat $b/size) $(cat $b/queue/rotational)"; '
                             'done; echo "all" said\n')
        text = machine.wait_serial('all said', 60)
        wanted = [f'{disk} {mib * 2048} ' for _, _, _, mib, disk in controllers]
        for line in (*wanted, 'sd[a-z] 131072 1', 'sr0 ', 'sr1 '):
            if not re.search(line, text):
                raise guest.GuestError(f'the guest has no disk "{line}"\n{text}')
        if 'nvme0n1 22528 0' not in text:
            raise guest.GuestError(f'the NVMe disk is not solid-state\n{text}')
        hot_plugs(machine, Path(temporary), controllers)
        ejects(machine, Path(temporary))
        if VIRTIO_SCSI not in controllers:
            large_requests(machine)
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 120)
        wait_info(machine, 'Parallel-IsEjected-1-0', 'off')


def main():
    """With virtio block devices, and with virtio-scsi."""
    check('controllers', CONTROLLERS)
    if os.environ.get('VITRINE_LONG'):
        check('virtio-scsi', (CONTROLLERS[0], VIRTIO_SCSI, *CONTROLLERS[2:]))


if __name__ == '__main__':
    main()
