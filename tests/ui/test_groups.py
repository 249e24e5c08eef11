#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Groups in the manager's list: made and named by keyboard, closed and opened, filled by drag, moved by keys; what the
# service keeps of them is what the original would read.
"""Machines in groups, by keys and by drag."""

import os
import subprocess
import sys
import tempfile

import gui

API = '''
import sys, gi
gi.require_version("Vitrine", "1.0")
from gi.repository import GLib, Vitrine
client = Vitrine.Client.new_sync(None, None)
'''
MAKE = API + '''
for name in sys.argv[1:]:
    client.create_machine_sync(name, GLib.Variant("a{sv}", {"defaults": GLib.Variant("b", True)}), None)
'''
SHOW = API + '''
machines = [client.get_machines().get_item(i) for i in range(client.get_machines().get_n_items())]
names = {machine.get_id(): machine.get_name() for machine in machines}
for key in client.list_extra_data():
    if key.startswith("GUI/GroupDefinitions/"):
        value = client.get_extra_data(key)
        for ident, name in names.items():
            value = value.replace(ident, name)
        print(key.removeprefix("GUI/GroupDefinitions"), value)
for machine in machines:
    print(machine.get_name(), *machine.get_groups())
'''


def api(script, *words):
    """Runs a script with the Main API; what it prints, as a set of lines."""
    library = gui.program('app/api')
    result = subprocess.run(['/usr/bin/python3', '-c', script, *words], check=True, capture_output=True, text=True,
                            env=dict(os.environ, GI_TYPELIB_PATH=library, LD_LIBRARY_PATH=library))
    return set(result.stdout.splitlines())


def kept(*lines):
    """Waits until the service keeps exactly these definitions and memberships."""
    try:
        gui.wait_for('definitions', lambda: api(SHOW) == set(lines))
    except gui.GuiError:
        raise gui.GuiError(f'the service keeps {sorted(api(SHOW))}, not {sorted(lines)}') from None


def middle(node, share=0.5):
    """A place in a row: its middle, or that share of its height down."""
    (x, y), (width, height) = node.position, node.size
    return int(x + width / 2), int(y + height * share)


def drag(desktop, start, end):
    """Presses the button, moves in steps as a hand does, lets go."""
    desktop.pointer(*start)
    desktop.pointer(start[0], start[1], 'mousedown')
    for step in range(1, 9):
        desktop.pointer(*(int(a + (b - a) * step / 8) for a, b in zip(start, end)))
        gui.time.sleep(0.05)
    desktop.screenshot('drag')
    desktop.pointer(end[0], end[1], 'mouseup')


def by_keys(desktop, manager):
    """Makes a group around Beta, names it, closes and opens it."""
    desktop.select(manager, 'Beta, .*', 'list item')
    desktop.focus(desktop.find(manager, 'Beta, .*', 'list item'))
    desktop.key('ctrl+u')
    entry = desktop.find(manager, 'Group name', 'text')
    gui.wait_for('proposed name', lambda: entry.text == 'New group' and entry.focused)
    desktop.key('ctrl+a')
    desktop.type('a/b')
    desktop.find(manager, '.*is also a folder.*', 'label')
    desktop.screenshot('bad-name')
    desktop.key('ctrl+a')
    desktop.type('Work')
    desktop.key('Return')
    desktop.focus(desktop.find(manager, 'Group Work, 1 machine', 'list item'))
    kept('/ m=Alpha,go=Work,m=Gamma', '/Work m=Beta', 'Alpha /', 'Beta /Work', 'Gamma /')
    desktop.key('Left')
    desktop.find(manager, 'Group Work, closed, 1 machine', 'list item')
    kept('/ m=Alpha,gc=Work,m=Gamma', '/Work m=Beta', 'Alpha /', 'Beta /Work', 'Gamma /')
    desktop.key('Right')
    desktop.find(manager, 'Beta, .*', 'list item')


def by_drag(desktop, manager):
    """Drags Gamma onto the group, then above Alpha; Alpha goes in by keys."""
    group = desktop.find(manager, 'Group Work, 1 machine', 'list item')
    drag(desktop, middle(desktop.find(manager, 'Gamma, .*', 'list item')), middle(group))
    kept('/ m=Alpha,go=Work', '/Work m=Gamma,m=Beta', 'Alpha /', 'Beta /Work', 'Gamma /Work')
    alpha = desktop.find(manager, 'Alpha, .*', 'list item')
    drag(desktop, middle(desktop.find(manager, 'Gamma, .*', 'list item')), middle(alpha, 0.1))
    kept('/ m=Gamma,m=Alpha,go=Work', '/Work m=Beta', 'Alpha /', 'Beta /Work', 'Gamma /')
    desktop.select(manager, 'Alpha, .*', 'list item')
    desktop.key('alt+Down')
    kept('/ m=Gamma,go=Work', '/Work m=Alpha,m=Beta', 'Alpha /Work', 'Beta /Work', 'Gamma /')
    desktop.screenshot('filled')


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        api(MAKE, 'Alpha', 'Beta', 'Gamma')
        desktop.launch([gui.program('app/vitrine')])
        manager = desktop.application('vitrine')
        by_keys(desktop, manager)
        by_drag(desktop, manager)
        desktop.select(manager, 'Group Work, 2 machines', 'list item', 60)
        desktop.find(manager, '2 machines, none running', 'label')
        desktop.screenshot('group')
        desktop.find(manager, 'Ungroup', 'push button').doActionNamed('click')
        kept('/ m=Gamma,m=Alpha,m=Beta', 'Alpha /', 'Beta /', 'Gamma /')
    return None


if __name__ == '__main__':
    sys.exit(main())
