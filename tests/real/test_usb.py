#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip
# timeout: 900
#
# Linux's own drivers on every USB controller with emulated devices: they are found at the right speed (on
# EHCI the slower ones by its companion), what a person points at and types arrives, the kernel has nothing
# to complain about; and a machine that was saved in between goes on with all of it. The same behind a hub.
# Without --long: behind a hub at EHCI, without one at xHCI.
"""Linux finds and uses emulated USB devices."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import run_guest
from input_events import ABS_X, ABS_Y, BTN_LEFT, EV_ABS, EV_KEY, KEY_A, decode

# What the machine has, and how fast its drives are. EHCI leaves the slower devices to its companion.
CONTROLLERS = {'ohci': ('ohci', 12), 'ehci': ('ohci,ehci', 480), 'xhci': ('xhci', 5000)}
HUB_SPEED = {'ohci': 12, 'ehci': 480, 'xhci': 480}
HUB = '80ee:0040 %d USB Hub'
DRIVE = '80ee:0030 %d USB Hard Disk'
# What the kernel says on any machine like ours.
USUAL = ('tsc: ', 'fail to add MMCONFIG information', 'hrtimer: interrupt took', 'clocksource: ')
PLUGGED = ('80ee:0021 12 USB Tablet', '80ee:0010 12 USB Keyboard')

PROMPT, END = 'vitrine# ', 'events: done'
LISTEN = 'events "Vitrine USB Tablet" 6\n'
TYPE = 'events "Vitrine USB Keyboard" 6\n'
# What the person does when the guest listens.
POINT = '{text:listening}{wait:1}{point:1000,2000,0}{wait:1}{point:65535,65535,1}'
PRESS = '{text:listening}{wait:1}a'


def run(disk, controller, command, keys, *options):
    """Gives the guest a command on the serial line, the machine some keys; returns what the guest said."""
    words = run_guest.command('--usb', CONTROLLERS[controller][0], '--usb-device', 'tablet,keyboard', '--keys', keys, '--timeout',
                              '200', *options, disk=disk, ram=256, serial='stdio')
    text = ''
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        # A machine that goes on where it was saved shows no new prompt.
        told = '--load' in options
        if told:
            guest.stdin.write(command.encode())
            guest.stdin.flush()
        while data := os.read(guest.stdout.fileno(), 4096):
            text += data.decode(errors='replace')
            if not told and PROMPT in text and 'hidraw1' in text:
                told = True
                guest.stdin.write(command.encode())
                guest.stdin.flush()
    if guest.returncode != 0:
        sys.exit(f'{controller}: exit code {guest.returncode}\n{text[-3000:]}')
    return text


def check_devices(controller, text):
    """They are there."""
    for device in PLUGGED:
        if device not in text:
            sys.exit(f'{controller}: no {device}\n{text[-3000:]}')
    check_quiet(controller, text)


def check_quiet(controller, text):
    """The kernel has nothing to complain about."""
    found = [line for line in re.findall(r'usb: complaint: (.*)', text) if not any(usual in line for usual in USUAL)]
    if found:
        sys.exit(f'{controller}: the kernel complains\n' + '\n'.join(found))


def check_events(controller, text):
    """The pointer went where it was sent, and the button went down."""
    got = decode(text)
    for wanted in ((EV_ABS, ABS_X, 500), (EV_ABS, ABS_Y, 1000), (EV_ABS, ABS_X, 32767), (EV_KEY, BTN_LEFT, 1)):
        if wanted not in got:
            sys.exit(f'{controller}: no event {wanted} in {got}')


def check_storage(controller, disk, folder):
    """The machine boots from a USB drive, and another one's data are read and written as they are."""
    data = folder / f'{controller}.data'
    half = os.urandom(8 << 20)
    data.write_bytes(half + bytes(8 << 20))
    drives = f'storage:{disk},storage:{data}'
    words = run_guest.command('--usb', CONTROLLERS[controller][0], '--usb-device', drives, '--timeout', '200', '--until',
                              'usb: done', ram=256, serial='stdio')
    text, told = '', False
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        while piece := os.read(guest.stdout.fileno(), 4096):
            text += piece.decode(errors='replace')
            if not told and PROMPT in text:
                told = True
                guest.stdin.write(b'storage\nusb\n')
                guest.stdin.flush()
    check_quiet(controller, text)
    read = hashlib.md5(half[:8192000]).hexdigest()
    if guest.returncode != 0 or f'storage: read {read}' not in text:
        sys.exit(f'{controller}: the drive was not read as it is\n{text[-3000:]}')
    if DRIVE % CONTROLLERS[controller][1] not in text:
        sys.exit(f'{controller}: the drive does not run at its speed\n{text[-3000:]}')
    if data.read_bytes() != half + half:
        sys.exit(f'{controller}: the drive was not written as it was asked for')


def check_hub(controller, folder):
    """The same behind a hub: at high speed through its transaction translator."""
    disk, state = folder / f'{controller}-hub.img', folder / f'{controller}-hub.state'
    data = folder / f'{controller}-hub.data'
    half = os.urandom(8 << 20)
    data.write_bytes(half + bytes(8 << 20))
    media.copy('usb-amd64', disk)
    devices = ('--usb-device', f'hub,tablet,keyboard,storage:{data}')
    text = run(disk, controller, 'storage\nusb\n' + LISTEN, POINT, '--until', END, *devices)
    speed = HUB_SPEED[controller]
    for device in (HUB % speed, DRIVE % speed):
        if device not in text:
            sys.exit(f'{controller}: no {device}\n{text[-3000:]}')
    check_devices(controller, text)
    check_events(controller, text)
    if f'storage: read {hashlib.md5(half[:8192000]).hexdigest()}' not in text or data.read_bytes() != half + half:
        sys.exit(f'{controller}: the drive at the hub does not hold what was written')
    run(disk, controller, 'usb\n', '{wait:0}', '--until', 'usb: done', '--save', str(state), *devices)
    check_events(controller, run(disk, controller, LISTEN, POINT, '--until', END, '--load', str(state), *devices))
    print(f'{controller}: hub found, pointed, read and wrote, saved and loaded')


def check(controller, folder):
    """One controller: everything at once, then saved in the middle."""
    disk, state = folder / f'{controller}.img', folder / f'{controller}.state'
    media.copy('usb-amd64', disk)
    text = run(disk, controller, 'usb\n' + LISTEN, POINT, '--until', END)
    check_devices(controller, text)
    check_events(controller, text)
    run(disk, controller, 'usb\n', '{wait:0}', '--until', 'usb: done', '--save', str(state))
    check_events(controller, run(disk, controller, LISTEN, POINT, '--until', END, '--load', str(state)))
    got = decode(run(disk, controller, TYPE, PRESS, '--until', END, '--load', str(state)))
    if (EV_KEY, KEY_A, 1) not in got or (EV_KEY, KEY_A, 0) not in got:
        sys.exit(f'{controller}: the key A is not in {got}')
    check_storage(controller, disk, folder)
    print(f'{controller}: found, pointed, typed, saved and loaded, booted from a drive, read and wrote')


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as temporary:
        for name in CONTROLLERS:
            if name == 'xhci' or os.environ.get('VITRINE_LONG'):
                check(name, Path(temporary))
            if name == 'ehci' or os.environ.get('VITRINE_LONG'):
                check_hub(name, Path(temporary))
