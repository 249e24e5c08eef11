#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# A window beside the machine's process: started detachable, closed while the machine runs on, opened again from the
# manager, and the machine's process killed under it: the window says so and ends with an error.
"""Windows that come and go while the machine runs."""

import os
import signal
import subprocess
import sys
import tempfile

import gui

MAKE = '''
import gi
gi.require_version("Vitrine", "1.0")
from gi.repository import GLib, Vitrine
client = Vitrine.Client.new_sync(None, None)
client.create_machine_sync("Box", GLib.Variant("a{sv}", {"defaults": GLib.Variant("b", True)}), None)
'''
TELL = '''
import gi
gi.require_version("Vitrine", "1.0")
from gi.repository import Vitrine
machine = Vitrine.Client.new_sync(None, None).get_machines().get_item(0)
print(machine.get_state().value_nick, machine.get_session_type(), machine.get_session_pid())
'''


def api(script):
    """Runs a script with the Main API; the words that it prints."""
    library = gui.program('app/api')
    result = subprocess.run(['/usr/bin/python3', '-c', script], check=True, capture_output=True, text=True,
                            env=dict(os.environ, GI_TYPELIB_PATH=library, LD_LIBRARY_PATH=library))
    return result.stdout.split()


def close_keeping(desktop):
    """Closes the window and lets the machine run on."""
    box = gui.wait_for('window', lambda: desktop.window('Box'), 30)
    desktop.focus(desktop.find(box, 'Screen of the guest'))
    desktop.key('Control_R+q')
    keep = desktop.find(box.parent, 'Keep it running', 'radio button')
    keep.doActionNamed('click')
    desktop.screenshot('close')
    desktop.find(box.parent, 'Close', 'push button').doActionNamed('click')
    gui.wait_for('end of the window', lambda: desktop.window('Box') is None)


def start(desktop):
    """Starts the machine detachable from the manager's menu."""
    manager = desktop.application('vitrine')
    desktop.find(manager, 'Box, .*', 'list item')
    desktop.find(manager, 'More ways to start', 'toggle button').doActionNamed('click')
    desktop.find(manager, 'Detachable start').doActionNamed('click')
    gui.wait_for('window', lambda: desktop.window('Box'), 30)
    state, kind, pid = api(TELL)
    if (state, kind) != ('running', 'headless'):
        raise gui.GuiError(f'the machine is {state}, {kind}')
    return manager, int(pid)


def killed(desktop, pid):
    """A window that was opened by hand; its machine's process is killed; returns what is wrong, or None."""
    process = subprocess.Popen([gui.program('app/vitrine'), '--startvm', 'Box', '--separate'],
                               env=desktop.environment(), stderr=subprocess.PIPE, text=True)
    gui.wait_for('window', lambda: desktop.window('Box'), 30)
    os.kill(pid, signal.SIGKILL)
    gui.wait_for('notice', close_button)
    desktop.screenshot('killed')

    def closed():
        button = close_button()
        if button:
            button.doActionNamed('click')
        return process.poll() is not None
    gui.wait_for('end of the window', closed)
    _, said = process.communicate(timeout=gui.PATIENCE)
    if process.returncode != 1 or 'ended unexpectedly' not in said:
        return f'the window of a killed machine ended with {process.returncode} and said {said!r}'
    return None


def close_button():
    """That of the notice of the window that was opened by hand; the manager has words of its own for it."""
    from dogtail import tree
    notices = [alert for app in tree.root.applications() if app.name == 'vitrine'
               for alert in app.findChildren(lambda node: node.roleName == 'alert' and node.showing)
               if alert.findChildren(lambda node: 'ended unexpectedly' in node.name)]
    return next((button for notice in notices for button in notice.findChildren(
        lambda node: node.roleName == 'push button' and node.name == 'Close' and node.showing)), None)


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        api(MAKE)
        desktop.launch([gui.program('app/vitrine')])
        manager, pid = start(desktop)
        close_keeping(desktop)
        if api(TELL) != ['running', 'headless', str(pid)]:
            return f'after the window was closed the machine is {api(TELL)}'
        desktop.find(manager, 'Show', 'push button').doActionNamed('click')
        gui.wait_for('window again', lambda: desktop.window('Box'), 30)
        desktop.screenshot('again')
        close_keeping(desktop)
        wrong = killed(desktop, pid)
        if wrong:
            return wrong
        desktop.find(manager, 'Box, Aborted.*', 'list item')
        desktop.screenshot('aborted')
    return None


if __name__ == '__main__':
    sys.exit(main())
