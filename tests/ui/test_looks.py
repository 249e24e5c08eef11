#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick locales
#
# Pictures of the manager's windows in each look that people use: to be looked at by whoever changes a window. The
# test itself fails when a window does not come up, or complains on its standard error.
"""The manager's windows in light, dark, high contrast, at twice the size, in German."""

import os
import subprocess
import sys
import tempfile

import gui

MACHINES = '''
import gi
gi.require_version("Vitrine", "1.0")
from gi.repository import GLib, Vitrine
client = Vitrine.Client.new_sync(None, None)
for name, system in (("Debian 12", "Debian_64"), ("Windows XP", "WindowsXP"),
                     ("A machine with a name that is rather long for a list", "FreeBSD_64")):
    client.create_machine_sync(name, GLib.Variant("a{sv}", {"os-type": GLib.Variant("s", system),
                               "defaults": GLib.Variant("b", True)}), None)
'''
LOOKS = (('light', {}), ('dark', {'theme': 'Adwaita:dark'}), ('contrast', {'theme': 'HighContrast'}),
         ('double', {'scale': 2, 'width': 2200, 'height': 1500}), ('german', {'language': 'de_DE.UTF-8'}))


def make_machines():
    """Three machines, through the Main API."""
    library = gui.program('app/api')
    subprocess.run(['/usr/bin/python3', '-c', MACHINES], check=True,
                   env=dict(os.environ, GI_TYPELIB_PATH=library, LD_LIBRARY_PATH=library))


def look(name, options, complaints):
    """One look: manager, settings, preferences, wizard."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(**options) as desktop:
        os.environ['HOME'] = home
        os.environ['VITRINE_LOCALE_FOLDER'] = gui.program('po')
        make_machines()
        with open(complaints, 'a', encoding='utf-8') as errors:
            desktop.children.append(subprocess.Popen(
                [gui.program('app/vitrine')], env=desktop.environment(), stderr=errors, start_new_session=True))
        manager = desktop.application('vitrine')
        desktop.find(manager, 'Debian 12.*', 'list item')
        desktop.screenshot(f'{name}-manager')
        for keys, title in (('ctrl+s', 'settings'), ('ctrl+comma', 'preferences'), ('ctrl+n', 'wizard')):
            before = len(windows(manager))
            desktop.key(keys)
            gui.wait_for(title, lambda count=before: len(windows(manager)) > count)
            gui.time.sleep(0.6) # the pages fade in
            desktop.screenshot(f'{name}-{title}')
            desktop.key('Escape' if title != 'preferences' else 'alt+F4')
            gui.wait_for(f'end of {title}', lambda count=before: len(windows(manager)) == count)


def windows(manager):
    """The windows that are showing."""
    return [window for window in manager.children if window.showing]


def main(names):
    """Returns what went wrong, or None. A desktop needs a process of its own: AT-SPI stays with the first bus."""
    if not names:
        for name, _ in LOOKS:
            subprocess.run([sys.executable, __file__, name], check=True)
        return None
    with tempfile.TemporaryDirectory() as folder:
        complaints = os.path.join(folder, 'errors')
        look(names[0], dict(LOOKS)[names[0]], complaints)
        with open(complaints, encoding='utf-8') as errors:
            wrong = [line for line in errors if 'CRITICAL' in line or 'WARNING' in line]
    return ''.join(wrong[:5]) or None


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
