#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The Session Information window: opens from the menu's action, names the engine, plots its load and lists its numbers;
# they go up while it is open; Escape closes it.
"""Session Information tells what the engines do."""

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


TIMES = {'IEM': 'Time in the interpreter', 'REM': 'Time in the recompiler', 'HM': 'Time in hardware virtualization'}


def cells(table):
    """{name: value} of the list."""
    texts = [cell.name for cell in table.findChildren(lambda node: node.roleName == 'table cell')]
    return dict(zip(texts[::2], texts[1::2]))


def seconds(table, name):
    """A time in the list."""
    return float(cells(table)[name].removesuffix(' s'))


def look(desktop):
    """Opens the window and reads it."""
    desktop.launch([gui.program('app/vitrine'), '--startvm', 'Box'])
    app = desktop.application('vitrine')
    picture = desktop.find(app, 'Screen of the guest')
    gui.wait_for('guest', lambda: picture.size == (720, 400), 40)
    desktop.focus(picture)
    desktop.key('Control_R+n')
    window = desktop.find(app, 'Box: Session information')
    engine = desktop.find(window, 'Execution engine: .*', 'label').name.split()[-1]
    plot = desktop.find(window, 'CPU load by engine')
    gui.wait_for('load', lambda: re.search(rf'\b{engine} \d+ %', plot.description))
    table = desktop.find(window, 'Statistics')
    name = TIMES[engine]
    before = seconds(table, name)
    gui.wait_for('more time', lambda: seconds(table, name) > before)
    numbers = cells(table)
    if numbers['Execution engine'] != engine or not re.fullmatch('[0-9,.]*[1-9][0-9,.]*', numbers['Instructions executed']):
        raise gui.GuiError(f'the numbers are wrong: {numbers}')
    gui.time.sleep(5)  # so that the picture shows a curve
    desktop.screenshot('information')
    desktop.focus(table)
    desktop.key('Escape')
    gui.wait_for('end of the window', lambda: not app.findChildren(
        lambda node: node.name == 'Box: Session information'))


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        library = gui.program('app/api')
        subprocess.run(['/usr/bin/python3', '-c', MAKE], check=True,
                       env=dict(os.environ, GI_TYPELIB_PATH=library, LD_LIBRARY_PATH=library))
        look(desktop)
        subprocess.run([gui.program('app/manage/vitrine-manage'), 'controlvm', 'Box', 'poweroff'], check=True,
                       capture_output=True)
    return None


if __name__ == '__main__':
    sys.exit(main())
