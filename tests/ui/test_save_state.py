#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Closing a machine's window saves its state unless a person says otherwise; the manager shows that it is saved,
# continues it, saves it again by its menu, and discards the state after a question. Restoring from a slow disk
# (a preloaded library makes it one) tells how far it is; it is cancelled by its button and, with --long, by closing the window,
# and in the manager, where a machine without a window is started. With --long, too: a state that is left over is shown
# among the details, and deleted after a question.
"""Save a machine by closing its window, restore, cancel that, continue, discard."""

import os
import sys
import tempfile
from pathlib import Path

import gui
from test_separate import MAKE, TELL, api, start

LONG = bool(os.environ.get('VITRINE_LONG'))


def state():
    """The machine's state."""
    return api(TELL)[0]


def wait_for_state(wanted):
    gui.wait_for(f'state {wanted}', lambda: state() == wanted, 60)


def close_saving(desktop):
    """The way that is chosen is the right one."""
    box = gui.wait_for('window', lambda: desktop.window('Box'), 30)
    desktop.focus(desktop.find(box, 'Screen of the guest'))
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
    desktop.focus(desktop.find(desktop.application('vitrine'), 'Box, Saved.*', 'list item'))
    desktop.key('Control_L+j')
    desktop.find(desktop.application('vitrine'), 'Discard the state', 'push button')
    desktop.screenshot('discard')
    desktop.find(desktop.application('vitrine'), 'Discard the state', 'push button').doActionNamed('click')
    wait_for_state('powered-off')


def begin_restore(desktop, way):
    """Starts the machine by the manager's menu; the window that tells of it, and its Cancel button."""
    manager = desktop.application('vitrine')
    desktop.find(manager, 'More ways to start', 'toggle button').doActionNamed('click')
    desktop.find(manager, way).doActionNamed('click')
    window = gui.wait_for('window', lambda: desktop.window('Box – Restoring…'), 30)
    program = window.parent
    desktop.find(program, 'Restoring the state of the machine…', 'label')
    bar = desktop.find(program, role='progress bar')
    gui.wait_for('progress', lambda: bar.queryValue().currentValue > 0)
    return window, desktop.find(program, 'Cancel', 'push button')


def cancel_restores(desktop, mark):
    """The state stays, whichever way it is cancelled."""
    for way, by_button in (('Start', True), ('Detachable start', False))[:2 if LONG else 1]:
        mark.touch()
        window, cancel = begin_restore(desktop, way)
        desktop.screenshot(f'restoring-{"cancel" if by_button else "close"}')
        if by_button:
            cancel.doActionNamed('click')
        else:
            desktop.focus(desktop.find(window, 'Screen of the guest'))
            desktop.key('alt+F4')
        gui.wait_for('end of the window', lambda: desktop.window('Box – Restoring…') is None)
        mark.unlink()
        wait_for_state('saved')
        gui.wait_for('end of the processes', lambda: api(TELL)[-1] == '0')
    desktop.screenshot('cancelled')


def cancel_without_window(desktop, mark):
    """The manager tells how far a machine is that has no window."""
    mark.touch()
    manager = desktop.application('vitrine')
    desktop.find(manager, 'More ways to start', 'toggle button').doActionNamed('click')
    desktop.find(manager, 'Headless start').doActionNamed('click')
    desktop.find(manager, 'Restoring the state of "Box".*', 'label')
    bar = desktop.find(manager, 'Progress', 'progress bar')
    gui.wait_for('progress', lambda: bar.queryValue().currentValue > 0)
    desktop.screenshot('restoring-headless')
    desktop.find(manager, 'Cancel', 'push button').doActionNamed('click')
    gui.wait_for('end of the process', lambda: api(TELL)[-1] == '0')
    mark.unlink()
    wait_for_state('saved')


def delete_leftover(desktop, home):
    """Among the details, and after a question that names the file."""
    folder = home / 'VirtualBox VMs/Box/Snapshots'
    left = folder / '2020-01-01T00-00-00-000000000Z.sav'
    left.write_bytes(b'whose?')
    manager = desktop.application('vitrine')
    # It is looked for again when a state has gone.
    discard(desktop)
    line = desktop.find(manager, 'Left over: 1 saved state belongs to nothing', 'push button')
    desktop.screenshot('left-over')
    line.doActionNamed('click')
    desktop.find(manager, 'Delete the saved state that is left over\\?', 'label')
    desktop.find(manager, '(?s)This file in the folder .*', 'label')
    desktop.screenshot('delete-left-over')
    desktop.find(manager, 'Delete', 'push button').doActionNamed('click')
    gui.wait_for('end of the file', lambda: not left.exists())
    gui.wait_for('end of the line', lambda: not manager.findChildren(
        lambda child: (child.name or '').startswith('Left over: ') and child.showing))


def main():
    """The manager, a window, and back."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        mark = Path(home) / 'slow'
        os.environ.update(LD_PRELOAD=gui.program('tests/api/slow.so'), VITRINE_SLOW_MARK=str(mark))
        api(MAKE)
        desktop.launch([gui.program('app/vitrine')])
        for last in (False, True):
            manager, _pid = start(desktop)
            close_saving(desktop)
            if last:
                cancel_restores(desktop, mark)
            desktop.find(manager, 'Box, Saved.*', 'list item')
        desktop.screenshot('saved')
        if LONG:
            cancel_without_window(desktop, mark)
            delete_leftover(desktop, Path(home))
        else:
            discard(desktop)
        desktop.find(manager, 'Box, Powered off.*', 'list item')


if __name__ == '__main__':
    sys.exit(main())
