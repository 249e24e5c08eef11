#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip
# timeout: 1800
#
# Every storage controller with firmware and Linux's own driver: SeaBIOS boots a disk on it, Debian's kernel
# writes files to a second one from several processes at once, reads them back, and has nothing to
# complain about; what is on the disk afterwards is a sound file system. With --long: more and larger files,
# with TRIM at every deletion.
"""Firmware and Linux work with every storage controller."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import run_guest

SCRATCH_MIB = 256
PROMPT, END = 'vitrine# ', 'storage: done'
# What the kernel says on any machine like ours, with any controller.
USUAL = ('tsc: ', 'fail to add MMCONFIG information', 'hrtimer: interrupt took',
         'clocksource: ')
BUSES = ('ide', 'nvme', 'sata', 'scsi', 'virtio-blk', 'virtio-scsi')


def boot(bus, folder, workload):
    """Runs the workload in a machine with both disks at that bus; returns what the guest said."""
    disk, scratch = folder / f'{bus}-boot.img', folder / f'{bus}.img'
    media.copy('storage-amd64', disk)
    with open(scratch, 'wb') as file:
        file.truncate(SCRATCH_MIB << 20)
    subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', scratch], check=True)
    options = ('--bus', bus, '--disk2', str(scratch), '--timeout', '240')
    with subprocess.Popen(run_guest.command(*options, disk=disk, ram=384, serial='stdio'), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        text = talk(guest, workload)
    check = subprocess.run(['e2fsck', '-fn', scratch], capture_output=True, text=True, check=False)
    if check.returncode != 0:
        sys.exit(f'{bus}: the file system has faults\n{check.stdout}')
    return text


def talk(guest, workload):
    """Gives the guest its work when it is ready, and switches it off at the end."""
    steps = [(PROMPT, f'{workload}\n'), (END, 'poweroff -f\n')]
    text = ''
    while data := os.read(guest.stdout.fileno(), 4096):
        text += data.decode(errors='replace')
        if steps and steps[0][0] in text:
            guest.stdin.write(steps.pop(0)[1].encode())
            guest.stdin.flush()
    return text


def complaints(text):
    """The kernel's warnings that are about storage, or about anything that it does not say elsewhere."""
    found = re.findall(r'storage: complaint: (.*)', text)
    return [line for line in found if not any(usual in line for usual in USUAL)]


def check(bus, folder, jobs, mib, options):
    """One controller."""
    sectors = SCRATCH_MIB * 2048
    text = boot(bus, folder, f'storage {sectors} {jobs} {mib} {options}')
    if f'storage: {jobs} of {jobs} files right' not in text or 'Power down' not in text:
        sys.exit(f'{bus}: the work was not done\n{text[-4000:]}')
    if found := complaints(text):
        sys.exit(f'{bus}: the kernel complains\n' + '\n'.join(found))
    print(f'{bus}: {jobs} files of {mib} MiB are right')


if __name__ == '__main__':
    LONG = bool(os.environ.get('VITRINE_LONG'))
    with tempfile.TemporaryDirectory() as temporary:
        for name in BUSES:
            check(name, Path(temporary), 8 if LONG else 4, 16 if LONG else 2,
                  'discard' if LONG and name != 'ide' else 'defaults')
