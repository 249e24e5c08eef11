#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The pages of the selected machine in the manager: the space bar only selects, Enter starts; Activity plots engine,
# memory and drives while the machine runs and says so when it is off; Logs has the log of this run and finds words in it.
"""Details, logs and activity of a machine."""

import os
import re
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


def api(script):
    """Runs a script with the Main API."""
    library = gui.program('app/api')
    subprocess.run(['/usr/bin/python3', '-c', script], check=True,
                   env=dict(os.environ, GI_TYPELIB_PATH=library, LD_LIBRARY_PATH=library))


def state():
    """What the command line says of the machine."""
    text = subprocess.run([gui.program('app/manage/vitrine-manage'), 'showvminfo', 'Box', '--machinereadable'],
                          check=True, capture_output=True, text=True).stdout
    return re.search('VMState="(.*)"', text).group(1)


def page(desktop, window, name):
    """Goes to a page by its button."""
    button = desktop.find(window, name, 'radio button')
    button.doActionNamed('click')
    gui.wait_for(f'page {name}', lambda: button.checked)


def activity(desktop, window):
    """The plots follow the running machine."""
    page(desktop, window, 'Activity')
    for name, text in (('CPU load by engine', r'(IEM|REM|HM) \d+ %'), ('Memory in use', r'In use [1-9]\d* MB'),
                       ('Accesses to drives', r'Reads \d+/s, Writes \d+/s')):
        plot = desktop.find(window, name)
        gui.wait_for(f'plot of {name}', lambda plot=plot, text=text: re.search(text, plot.description))
    gui.time.sleep(5)  # so that the picture shows curves
    desktop.screenshot('activity')


def logs(desktop, window):
    """The log is there, and a search marks what it finds."""
    page(desktop, window, 'Logs')
    text = desktop.find(window, 'VBox.log', 'text')
    gui.wait_for('log', lambda: 'PowerOn' in text.text or 'powered on' in text.text.lower() or len(text.text) > 200)
    desktop.focus(desktop.find(window, 'Find in the log', 'text'))
    word = text.text.split()[-1][:6]
    desktop.type(word)
    desktop.key('Return')
    gui.wait_for('found text', lambda: text.queryText().getNSelections() == 1)
    desktop.screenshot('logs')


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(width=1100, height=720) as desktop:
        os.environ['HOME'] = home
        api(MAKE)
        desktop.launch([gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        window = desktop.find(app, 'Vitrine', 'frame')
        row = desktop.find(window, 'Box.*', 'list item')
        desktop.focus(row)
        desktop.key('space')
        gui.time.sleep(1.5)
        if state() != 'poweroff':
            return f'the space bar changed the machine: {state()}'
        page(desktop, window, 'Activity')
        desktop.find(window, 'The machine is off.*', 'label')
        desktop.screenshot('off')
        page(desktop, window, 'Logs')
        desktop.find(window, 'There is no log yet.*', 'label')
        page(desktop, window, 'Details')
        desktop.focus(row)
        desktop.key('Return')
        gui.wait_for('start', lambda: state() == 'running')
        gui.wait_for('window of the machine', lambda: desktop.window('Box'))
        desktop.focus(desktop.find(window, 'Box.*', 'list item'))  # in front again
        activity(desktop, window)
        logs(desktop, window)
        subprocess.run([gui.program('app/manage/vitrine-manage'), 'controlvm', 'Box', 'poweroff'], check=True,
                       capture_output=True)
        page(desktop, window, 'Activity')
        desktop.find(window, 'The machine is off.*', 'label')
    return None


if __name__ == '__main__':
    sys.exit(main())
