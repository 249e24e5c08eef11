#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Closing a machine's window saves its state unless a person says otherwise; the manager shows that it is saved,
# continues it, saves it again by its menu, and discards the state after a question.
"""Save a machine by closing its window, continue, discard."""

import os
import sys
import tempfile

import gui
from test_separate import MAKE, TELL, api, start


def state():
    """The machine's state."""
    return api(TELL)[0]


def wait_for_state(wanted):
    gui.wait_for(f'state {wanted}', lambda: state() == wanted, 60)


def close_saving(desktop):
    """The way that is chosen is the right one."""
    box = gui.wait_for('window', lambda: desktop.window('Box'), 30)
    desktop.find(box, 'Screen of the guest').grabFocus()
    desktop.key('Control_R+q')
    save = desktop.find(box.parent, 'Save the state of the machine', 'radio button')
    if not save.checked:
        raise gui.GuiError('another way to close is chosen')
    desktop.screenshot('close-saving')
    desktop.find(box.parent, 'Close', 'push button').doActionNamed('click')
    gui.wait_for('end of the window', lambda: desktop.window('Box') is None)
    wait_for_state('saved')


def discard(desktop):
    """By the keyboard, and after a question."""
    desktop.key('Control_L+j')
    desktop.find(desktop.application('vitrine'), 'Discard the state', 'push button')
    desktop.screenshot('discard')
    desktop.find(desktop.application('vitrine'), 'Discard the state', 'push button').doActionNamed('click')
    wait_for_state('powered-off')


def main():
    """The manager, a window, and back."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        api(MAKE)
        desktop.launch([gui.program('app/vitrine')])
        for _ in range(2):
            manager, _pid = start(desktop)
            close_saving(desktop)
            desktop.find(manager, 'Box, Saved.*', 'list item')
        desktop.screenshot('saved')
        discard(desktop)
        desktop.find(manager, 'Box, Powered off.*', 'list item')


if __name__ == '__main__':
    sys.exit(main())
