#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc umockdev
# timeout: 900
#
# A guest's program (usb-work.c) moves all four kinds of transfer through each controller to a device of the host,
# which libusb gets from a mocked usbfs; the device says what it was sent. It is of full speed, and of high speed at
# EHCI, where one of full speed is reached through the companion and by split transactions through a hub. It is pulled
# out in mid-transfer. A device that another program has, or that this user may not open, is told of, and the machine
# runs on.
"""Control, bulk, interrupt and isochronous transfers with a device of the host."""

import os
import re
import shutil
import signal
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import media
import run_guest
import usb_capture
import usb_host
from shell_guest import ShellGuest

# A name, the machine's controllers, options of the mocked host, more options, where the guest finds the device, its
# speed there; `long`: only with --long.
Way = namedtuple('Way', 'name controllers host options at place speed long')
WAYS = (
    Way('ohci', 'ohci', (), (), '1.2', r'\d+-1', 12, False),
    Way('xhci', 'xhci', (), (), '1.2', r'\d+-1', 12, False),
    Way('ehci', 'ohci,ehci', ('--high',), (), '1.2', r'\d+-1', 480, True),
    Way('ehci-hub', 'ohci,ehci', (), ('--usb-device', 'hub'), '1.2@hub', r'\d+-1\.1', 12, True),
    Way('ehci-companion', 'ohci,ehci', (), (), '1.2', r'\d+-1', 12, True),
    Way('ehci-hub-high', 'ohci,ehci', ('--high',), ('--usb-device', 'hub'), '1.2@hub', r'\d+-1\.1', 480, True),
    Way('xhci-high', 'xhci', ('--high',), (), '1.2', r'\d+-1', 480, True),
)
XHCI = WAYS[1]
NOBODY = 65534
KINDS = ('bulk', 'interrupt', 'isochronous')


def on_mocked_host(disk, way, *options, before=(), trace=None):
    """A guest on a host that has the device, whose traffic is recorded in a file."""
    tools = Path(os.environ['VITRINE_BUILD']) / 'tests' / 'lib'
    words = run_guest.command('--usb', way.controllers, '--usb-host', way.at, *way.options,
                              *(('--usb-trace', str(trace)) if trace else ()), disk=disk, ram=256, serial='stdio')
    return ShellGuest(disk, command=['umockdev-wrapper', tools / 'usb-mock-run', *way.host, *options, *before, *words])


def moved(text, who):
    """What went out by kind: bytes and what they add up to."""
    return {kind: (size, add) for kind, size, add in
            re.findall(who + r': (\w+) out (\d+) bytes ([0-9a-f]{8})', text)}


def fnv(data):
    """FNV-1a, as the guest and the device add up."""
    total = 0x811c9dc5
    for byte in data:
        total = (total ^ byte) * 0x01000193 & 0xffffffff
    return f'{total:08x}'


def check(way, disk):
    """All kinds, then pulled out; the record holds what was sent."""
    controller, trace = way.name, disk.with_name(f'{way.name}.pcapng')
    with on_mocked_host(disk, way, trace=trace) as shell:
        said = shell.run('usb-work move', 120)
        if 'usb-work: done' not in said:
            sys.exit(f'{controller}: {said[-2000:]}')
        print(f"{controller}: {re.search('isochronous in .*', said).group(0).strip()}")
        found = re.search(r'usb: (\S+) 1234:5678 (\d+) Mock Device', shell.run('usb'))
        if not found or not re.fullmatch(way.place, found.group(1)) or int(found.group(2)) != way.speed:
            sys.exit(f'{controller}: the device is {found and found.group(0)}')
        shell.begin('usb-work wait')
        shell.wait('usb-work: waiting')
        shell.process.send_signal(signal.SIGUSR1)
        shell.wait(r'usb-work: gone with status -\d+\n')
        found = shell.complaints()
        if found:
            sys.exit(f'{controller}: the kernel complains\n' + '\n'.join(found))
        shell.begin('poweroff -f')
        shell.wait(r'usb-mock: detach [^\n]*\n(usb-mock: [^\n]*\n){3}')
        guest, device = moved(said, 'usb-work'), moved(shell.text, 'usb-mock')
        if any(kind not in guest for kind in KINDS) or guest != device:
            sys.exit(f'{controller}: the guest sent {guest}, the device got {device}')
    recorded = {kind: (str(len(data)), fnv(data)) for kind, data in usb_capture.check(trace).items() if kind in KINDS}
    if recorded != guest:
        sys.exit(f'{controller}: the guest sent {guest}, the record has {recorded}')


def check_refused(disk, why, options, before):
    """The machine says why it has no device, and runs."""
    with on_mocked_host(disk, XHCI, *options, before=before) as shell:
        if not re.search(why, shell.text):
            sys.exit(f'{options}: no "{why}"\n{shell.text[-3000:]}')
        if '1234' in shell.run('usb'):
            sys.exit(f'{options}: the guest has the device')


if __name__ == '__main__':
    usb_host.needs_other_engine()
    with tempfile.TemporaryDirectory() as temporary:
        DISK = Path(temporary) / 'usb.img'
        media.copy('usb-amd64', DISK)
        for each in WAYS:
            if not each.long or os.environ.get('VITRINE_LONG'):
                check(each, DISK)
        check_refused(DISK, 'in use by another program', ('--busy',), ())
        # root may open anything
        nobody = (shutil.which('setpriv'), f'--reuid={NOBODY}', '--clear-groups', '--inh-caps=-all', '--') if os.geteuid() == 0 else ()
        os.chmod(temporary, 0o755)
        os.chmod(DISK, 0o666)
        check_refused(DISK, 'You may not open', ('--deny',), nobody)
        print('moved, pulled out, refused')
