#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 500
# long
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc
#
# The pointer over a machine's window is the guest's pointer, without any software in the guest: a Linux with a USB
# tablet reads where it is and what is pressed, in the picture's own size and scaled.
"""The absolute pointer follows the person's."""

import os
import sys
import tempfile
import time
from pathlib import Path

import gui
import guest
import media
from input_events import ABS_X, ABS_Y, BTN_LEFT, EV_ABS, EV_KEY, decode

EVENTS = 24
RANGE = 32767
GUEST = (720, 400)  # its text screen
# Parts of the picture's width and height; the first one is where the button is pressed.
PLACES = ((0.25, 0.5), (0.75, 0.25), (0.5, 0.875))
TABLET = '"Vitrine USB Tablet"'


def listen(machine):
    """The guest prints the next events."""
    machine.serial.write(f'events {TABLET} {EVENTS}\n')
    machine.wait_serial('events: listening to /dev/input', 60)


def shown(picture):
    """Where the guest's screen is within its place: as large as fits in its proportions, in the middle."""
    (left, top), (width, height) = picture.position, picture.size
    scale = min(width / GUEST[0], height / GUEST[1])
    size = GUEST[0] * scale, GUEST[1] * scale
    return left + (width - size[0]) // 2, top + (height - size[1]) // 2, *size


def point(desktop, machine, picture):
    """Moves and presses until the guest has seen enough; its events."""
    begin = len(machine.serial.text())
    end = time.monotonic() + gui.PATIENCE
    while 'events: done' not in machine.serial.text()[begin:]:
        if time.monotonic() > end:
            raise gui.GuiError(f'the guest has not heard of {EVENTS} events: {machine.serial.text()[begin:]}')
        left, top, width, height = shown(picture)
        for number, (across, down) in enumerate(PLACES):
            place = left + round(across * width), top + round(down * height)
            desktop.pointer(*place)
            for button in ('mousedown', 'mouseup') if number == 0 else ():
                desktop.pointer(*place, button)
            time.sleep(0.2)  # each of them is an event of its own
    machine.wait_serial('events: done', 60)
    return decode(machine.serial.text())


def check(found, picture, what):
    """The guest's pointer was at every place, and the button was pressed."""
    for axis, side in ((ABS_X, 0), (ABS_Y, 1)):
        # A pixel more or less.
        near = 1.5 * RANGE / shown(picture)[2 + side]
        values = [value for kind, code, value in found if (kind, code) == (EV_ABS, axis)]
        for place in PLACES:
            wanted = place[side] * RANGE
            if not any(abs(value - wanted) <= near for value in values):
                raise gui.GuiError(f'{what}: nothing near {wanted:.0f} on axis {axis}: {values}')
    if (EV_KEY, BTN_LEFT, 1) not in found or (EV_KEY, BTN_LEFT, 0) not in found:
        raise gui.GuiError(f'{what}: no button in {found}')


def run(desktop, machine):
    """At the picture's own size, then scaled."""
    machine.start('gui')
    machine.wait_serial('vitrine# ', 180)
    app = desktop.application('vitrine')
    picture = desktop.find(app, 'Screen of the guest')
    gui.wait_for('size of the guest', lambda: picture.size == GUEST)
    listen(machine)
    check(point(desktop, machine, picture), picture, 'own size')
    desktop.screenshot('own-size')
    desktop.focus(picture)
    desktop.key('Control_R+c')
    gui.wait_for('scaled view', lambda: guest.manage('getextradata', machine.name, 'GUI/Scale').strip() == 'Value: on')
    # Half as large, in the guest's proportions.
    bars = [whole - part for whole, part in zip(gui.window_of(picture).size, GUEST)]
    gui.subprocess.run(['xdotool', 'search', '--name', f'^{machine.name}$', 'windowsize', str(GUEST[0] // 2 + bars[0]),
                        str(GUEST[1] // 2 + bars[1])], check=True)
    gui.wait_for('smaller picture', lambda: picture.size[0] < GUEST[0])
    listen(machine)
    check(point(desktop, machine, picture), picture, 'scaled')
    desktop.screenshot('scaled')


def main():
    """The machine in a window."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        disk = Path(home) / 'usb.img'
        media.copy('usb-amd64', disk)
        settings = ('--usb-xhci', 'on', '--mouse', 'usbtablet')
        with guest.Machine('Pointer', disk=disk, ostype='Debian_64', settings=settings) as machine:
            run(desktop, machine)


if __name__ == '__main__':
    sys.exit(main())
