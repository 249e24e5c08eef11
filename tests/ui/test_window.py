#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The VM window's manners: a saved place that no screen has any more is forgotten; bars make the window larger and never
# the picture smaller; indicators tell their drives; place and view mode are the same the next time.
"""The VM window follows the guest and remembers itself."""

import os
import subprocess
import sys
import tempfile

import gui

KEY = 'GUI/LastNormalWindowPosition'
MAKE = '''
import gi
gi.require_version("Vitrine", "1.0")
from gi.repository import GLib, Vitrine
client = Vitrine.Client.new_sync(None, None)
client.create_machine_sync("Box", GLib.Variant("a{sv}", {"defaults": GLib.Variant("b", True)}), None)
'''
GUEST = (720, 400)  # what the firmware shows


def manage(*words):
    """Runs vitrine-manage; what it prints."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True, capture_output=True,
                          text=True).stdout.strip()


def position():
    """The numbers of the saved place."""
    value = manage('getextradata', 'Box', KEY).removeprefix('Value: ')
    return [int(word) for word in value.split(',')[:4]] if value[0].isdigit() else None


def open_window(desktop):
    """Starts the machine; its process, accessible and the guest's picture at its first size."""
    process = desktop.launch([gui.program('app/vitrine'), '--startvm', 'Box'])
    app = desktop.application('vitrine')
    picture = desktop.find(app, 'Screen of the guest')
    return process, app, picture


def power_off(desktop, process):
    """Switches the machine off; its window goes."""
    manage('controlvm', 'Box', 'poweroff')
    gui.wait_for('end', lambda: process.poll() is not None)
    desktop.children.remove(process)


def whole_on_screen(picture):
    """Whether the guest's picture is on the screen as a whole."""
    (x, y), (width, height) = picture.position, picture.size
    return x >= 0 and y >= 0 and x + width <= 1280 and y + height <= 800


def first_time(desktop):
    """A lost place; the host key's bar; an indicator; a move that is kept."""
    manage('setextradata', 'Box', KEY, '5000,4000,740,480')
    process, app, picture = open_window(desktop)
    gui.wait_for('size of the guest', lambda: picture.size == GUEST, 30)
    gui.wait_for('place on the screen', lambda: whole_on_screen(picture))
    optical = desktop.find(app, 'Optical drives', 'toggle button')
    gui.wait_for('tooltip', lambda: 'Secondary master: Empty\n' in optical.description)
    desktop.focus(picture)
    window = app.children[0]
    before = window.size
    desktop.key('Control_R')
    desktop.find(app, 'Keyboard and pointer belong to the guest now.*', 'label')
    gui.wait_for('larger window', lambda: window.size[1] > before[1])
    desktop.screenshot('hint')
    if picture.size != GUEST or window.size[0] != before[0]:
        raise gui.GuiError(f'the bar made the picture {picture.size}')
    desktop.key('Control_R')
    gui.wait_for('window as before', lambda: window.size == before)
    subprocess.run(['xdotool', 'search', '--name', '^Box$', 'windowmove', '200', '90'], check=True)
    gui.wait_for('saved place', lambda: position() and abs(position()[0] - 200) < 40 and abs(position()[1] - 90) < 60)
    desktop.key('Control_R+c')  # scaled
    gui.wait_for('saved mode', lambda: manage('getextradata', 'Box', 'GUI/Scale') == 'Value: on')
    subprocess.run(['xdotool', 'search', '--name', '^Box$', 'windowsize', '500', '420'], check=True)
    gui.wait_for('saved size', lambda: position()[2] == 500)
    power_off(desktop, process)
    return position()


def second_time(desktop, saved):
    """The window is where and what it was."""
    process, _, picture = open_window(desktop)
    gui.wait_for('scaled picture', lambda: picture.size[0] == 500, 30)
    gui.wait_for('old place', lambda: abs(picture.position[0] - saved[0]) < 20)
    desktop.screenshot('scaled')
    gui.time.sleep(1)  # a window that creeps would say so by now
    if position() != saved:
        raise gui.GuiError(f'the window was at {saved} and is at {position()}')
    power_off(desktop, process)


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        library = gui.program('app/api')
        subprocess.run(['/usr/bin/python3', '-c', MAKE], check=True,
                       env=dict(os.environ, GI_TYPELIB_PATH=library, LD_LIBRARY_PATH=library))
        second_time(desktop, first_time(desktop))
    return None


if __name__ == '__main__':
    sys.exit(main())
