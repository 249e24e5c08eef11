#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip qemu-utils
# timeout: 1800
#
# Every storage controller with firmware and Linux's own driver: SeaBIOS boots a disk on it, Debian's kernel
# writes files to a second one from several processes at once, reads them back, and has nothing to
# complain about; what is on the disk afterwards is a sound file system. That disk is an image that qemu-img made,
# checks and reads afterwards. The short form has one format at each controller; with --long every
# controller has every format that can be written to, with more and larger files and TRIM at every deletion.
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
BUSES = ('ide', 'nvme', 'sata', 'sas', 'scsi', 'virtio-blk', 'virtio-scsi')
# qemu-img's names and options, and whether it can check such an image.
FORMATS = {
    'raw': ('raw', '', False),
    'vdi': ('vdi', '', True),
    'vhd': ('vpc', 'subformat=dynamic,force_size=on', False),
    'vmdk': ('vmdk', 'subformat=monolithicSparse', True),
}


def qemu_img(*words):
    """Runs it; it has nothing to complain about."""
    done = subprocess.run(['qemu-img', *(str(word) for word in words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f'qemu-img {words}: {done.returncode}\n{done.stdout}{done.stderr}')


def make_scratch(kind, folder):
    """An image with an empty file system in it."""
    name, options, _ = FORMATS[kind]
    raw, image = folder / 'scratch.raw', folder / f'scratch.{kind}'
    with open(raw, 'wb') as file:
        file.truncate(SCRATCH_MIB << 20)
    subprocess.run(['mke2fs', '-q', '-F', '-t', 'ext4', raw], check=True)
    if kind != 'raw':
        qemu_img('convert', '-f', 'raw', '-O', name, *(('-o', options) if options else ()), raw, image)
    return image


def check_scratch(bus, kind, folder):
    """The image is sound, and so is the file system in it."""
    name, _, checked = FORMATS[kind]
    raw, image = folder / 'scratch.raw', folder / f'scratch.{kind}'
    if checked:
        qemu_img('check', '-f', name, image)
    if kind != 'raw':
        qemu_img('convert', '-f', name, '-O', 'raw', image, raw)
    found = subprocess.run(['e2fsck', '-fn', raw], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        sys.exit(f'{bus}, {kind}: the file system has faults\n{found.stdout}')


def boot(bus, kind, folder, workload):
    """Runs the workload in a machine with both disks at that bus; returns what the guest said."""
    disk, scratch = folder / f'{bus}-boot.img', make_scratch(kind, folder)
    media.copy('storage-amd64', disk)
    options = ('--bus', bus, '--disk2', str(scratch), '--timeout', '240')
    with subprocess.Popen(run_guest.command(*options, disk=disk, ram=384, serial='stdio'), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        text = talk(guest, workload)
    check_scratch(bus, kind, folder)
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


def check(bus, kind, jobs, mib, options):
    """One controller with one format."""
    sectors = SCRATCH_MIB * 2048
    with tempfile.TemporaryDirectory() as folder:
        text = boot(bus, kind, Path(folder), f'storage {sectors} {jobs} {mib} {options}')
    if f'storage: {jobs} of {jobs} files right' not in text or 'Power down' not in text:
        sys.exit(f'{bus}, {kind}: the work was not done\n{text[-4000:]}')
    if found := complaints(text):
        sys.exit(f'{bus}, {kind}: the kernel complains\n' + '\n'.join(found))
    print(f'{bus}, {kind}: {jobs} files of {mib} MiB are right', flush=True)


def main():
    """All controllers, and formats in turn or each."""
    kinds = tuple(FORMATS)
    for index, bus in enumerate(BUSES):
        if not os.environ.get('VITRINE_LONG'):
            check(bus, kinds[index % len(kinds)], 4, 2, 'defaults')
            continue
        for kind in kinds:
            check(bus, kind, 6, 16, 'discard' if bus != 'ide' else 'defaults')


if __name__ == '__main__':
    main()
