#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip umockdev
# timeout: 600
#
# A running Linux gets a USB device of the host through the service: by a filter when it starts, by the command line
# afterwards, with a record of its traffic; it keeps it over a live snapshot, and has it again when that is restored; it
# sees it go each time it is taken back or pulled out, and in the end the host's drivers have it. The
# device is umockdev's, service and machine are real.
"""A running Linux gets a USB device of the host and gives it back."""

import sys
import tempfile
import time
from pathlib import Path

import guest
import media
import usb_capture
import usb_host

BOOT_SECONDS = 300
SECONDS = 90
FOUND, GONE = 'Product: Mock Device', 'USB disconnect'
# Taken by the filter, and each time again; the last is the power-off.
GIVEN_BACK = 'attach 0;'


def main():
    """On the host that has the device."""
    with tempfile.TemporaryDirectory() as folder:
        raw, disk, record = (Path(folder) / name for name in ('usb.img', 'usb.vdi', 'record.pcapng'))
        media.copy('usb-amd64', raw)
        guest.manage('convertfromraw', raw, disk, '--format', 'VDI')
        with guest.Machine('usb-service', disk=disk, settings=('--usb-xhci', 'on', '--exec-engine', 'rem')) as machine:
            guest.manage('usbfilter', 'add', 0, '--target', machine.name, '--name', 'mock', '--vendorid', '1234')
            machine.start()
            machine.wait_serial(FOUND, BOOT_SECONDS)  # before the prompt or after it
            machine.control('usbdetach', '1-1')
            machine.wait_serial(GONE, SECONDS)
            machine.control('usbattach', '1-1', '--capturefile', record)
            machine.wait_serial(FOUND, SECONDS)
            machine.serial.write('usb\n')
            machine.wait_serial(r'usb: \S+ 1234:5678 12 Mock Device', SECONDS)
            snapshots(machine)
            usb_host.unplug()
            machine.wait_serial(GONE, SECONDS)
            until_unlisted()
            usb_host.plug()
            machine.wait_serial(FOUND, SECONDS)
            machine.control('poweroff')
        usb_capture.check(record)
        asked = [event.setup[1] for event in usb_capture.read(record) if event.setup and not event.setup[0] & 0x60]
        if not {6, 9} <= set(asked):
            sys.exit(f'the record has no descriptors or no configuration: {asked}')


def until_unlisted():
    """The mocked host gives the device the address that it had, by which the service would take it for the old one."""
    end = time.monotonic() + SECONDS
    while 'Mock Device' in guest.manage('list', 'usbhost'):
        if time.monotonic() > end:
            sys.exit('the service still lists what was pulled out')
        time.sleep(0.05)


def snapshots(machine):
    """The guest keeps the device while a live snapshot is made. A restored machine has lost it, and gets it by its
    filter."""
    guest.manage('snapshot', machine.name, 'take', 'live', '--live', seconds=SECONDS)
    machine.serial.write('usb\n')
    machine.wait_serial(r'usb: \S+ 1234:5678 12 Mock Device', SECONDS)
    machine.control('poweroff')
    guest.manage('snapshot', machine.name, 'restore', 'live', seconds=SECONDS)
    machine.start()
    machine.wait_serial(GONE, SECONDS)
    machine.wait_serial(FOUND, SECONDS)


if __name__ == '__main__':
    usb_host.needs_other_engine()
    if usb_host.here():
        main()
    else:
        media.get('usb-amd64')  # not made on a host without its own devices
        RESULT, LOG = usb_host.run_here([sys.executable, __file__])
        if RESULT.returncode != 0 or not LOG.endswith(GIVEN_BACK):
            sys.exit(f'{RESULT.stdout}{RESULT.stderr}')
        print('by filter, by command, pulled out, given back')
