#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 1200
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick locales
#
# Pictures of the windows in each look that people use: to be looked at by whoever changes a window. The manager, the
# first page of the settings, preferences and the wizard, dark, at twice the size and in German; with --long all windows
# of tests/lib/window_tour.py in all looks. The test itself fails when a window does not come up, complains on its standard error, or has a fault that
# tests/lib/window_audit.py finds: two controls with one mnemonic, one without a name, a text without translation.
"""The windows in light, dark, high contrast, at twice the size, in German."""

import os
import subprocess
import sys
import tempfile

import gui
import window_tour

LOOKS = (('light', {}), ('dark', {'theme': 'Adwaita:dark'}), ('contrast', {'theme': 'HighContrast'}),
         ('double', {'scale': 2, 'width': 2200, 'height': 1500}), ('german', {'language': 'de_DE.UTF-8'}))
SHORT = ('dark', 'double', 'german')  # every other test is light


def look(name, options):
    """One look; what is wrong in it."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(**options) as desktop:
        os.environ['HOME'] = home
        os.environ['VITRINE_LOCALE_FOLDER'] = gui.program('po')
        window_tour.make_machines()
        stops = window_tour.FIRST
        if os.environ.get('VITRINE_LONG'):
            window_tour.furnish(home)
            stops = window_tour.ALL
        desktop.launch([gui.program('app/vitrine')])
        tour = window_tour.Tour(desktop, name, options.get('language'))
        for stop in stops:
            stop(tour)
        return '\n'.join(tour.wrong)


def main(names):
    """Returns what went wrong, or None. A desktop needs a process of its own: AT-SPI stays with the first bus."""
    if names:
        return look(names[0], dict(LOOKS)[names[0]]) or None
    looks = [name for name, _ in LOOKS if os.environ.get('VITRINE_LONG') or name in SHORT]
    failed = [name for name in looks if subprocess.run([sys.executable, __file__, name], check=False).returncode != 0]
    return f'failed: {", ".join(failed)}' if failed else None


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
