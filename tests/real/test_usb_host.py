#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip umockdev
# timeout: 400
#
# A guest Linux finds a USB device of the host, which libusb gets from a mocked usbfs; the device is pulled out
# of the host while the guest has it; and the host's drivers have it back when the machine is off.
"""Linux finds a USB device of the host."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import run_guest
import usb_host

PROMPT, END = 'vitrine# ', 'usb: done'
FOUND = 'Product: Mock Device'
PLUGGED = 'usb: 1-1 1234:5678 12 Mock Device'
GONE = 'usb 1-1: USB disconnect'
GIVEN_BACK = 'usb-mock: detach 0; claim 0; release 0; configuration 1; claim 0; release 0; attach 0;'


def start(disk, *options):
    """A machine on a host that has the device."""
    tools = Path(os.environ['VITRINE_BUILD']) / 'tests' / 'lib'
    words = run_guest.command('--usb', 'xhci', '--usb-host', '1.2', '--timeout', '150', *options, disk=disk, ram=256,
                              serial='stdio')
    return subprocess.Popen(['umockdev-wrapper', str(tools / 'usb-mock-run'), *words], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def read(guest, until=()):
    """What the guest says, until it has said all of these; or to the end."""
    text = ''
    while not until or any(word not in text for word in until):
        data = os.read(guest.stdout.fileno(), 4096)
        if not data:
            break
        text += data.decode(errors='replace')
    return text


def check(text, *wanted):
    """All of these were said."""
    for word in wanted:
        if word not in text:
            sys.exit(f'no "{word}"\n{text[-3000:]}')


def check_found(disk):
    """It is there, and in the end the host has it."""
    with start(disk, '--until', END) as guest:
        text = read(guest, (PROMPT, FOUND))
        guest.stdin.write(b'usb\n')
        guest.stdin.flush()
        check(text + read(guest), FOUND, PLUGGED, GIVEN_BACK)
    if guest.returncode != 0:
        sys.exit(f'exit code {guest.returncode}')


def check_unplugged(disk):
    """Pulled out of the host: the guest's driver hears of it."""
    with start(disk, '--until', GONE) as guest:
        text = read(guest, (PROMPT, FOUND))
        guest.send_signal(signal.SIGUSR1)
        check(text + read(guest), FOUND, GONE)
    if guest.returncode != 0:
        sys.exit(f'exit code {guest.returncode}')


if __name__ == '__main__':
    usb_host.needs_other_engine()
    with tempfile.TemporaryDirectory() as temporary:
        DISK = Path(temporary) / 'usb.img'
        media.copy('usb-amd64', DISK)
        check_found(DISK)
        check_unplugged(DISK)
        print('found, pulled out, given back')
