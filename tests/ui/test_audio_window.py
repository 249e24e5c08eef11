#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The Devices menu of a VM window switches what the guest plays and hears while the machine runs; the settings keep
# it, and what the command line switches is seen in the menu.
"""Sound is switched in the VM window."""

import os
import subprocess
import sys
import tempfile

import gui

CARD = 'Intel HD Audio'


def manage(*words):
    """Runs vitrine-manage; what it says."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True, capture_output=True,
                          text=True).stdout


def settings():
    """What showvminfo says of sound."""
    lines = manage('showvminfo', 'Box', '--machinereadable').splitlines()
    return {line.split('=')[0]: line.split('"')[1] for line in lines if line.startswith('audio')}


def item(desktop, app, name):
    """An item of Devices, Audio, with the menus open."""
    desktop.find(app, 'Devices', 'menu').doActionNamed('click')
    desktop.find(app, 'Audio', 'menu').doActionNamed('click')
    return desktop.find(app, name, 'check menu item')


def checked(desktop, app, name):
    """Whether an item has its check mark; closes the menus."""
    is_checked = item(desktop, app, name).checked
    desktop.key('Escape', 'Escape', 'Escape')
    return is_checked


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--default', '--register')
        manage('modifyvm', 'Box', '--audio-driver', 'null', '--audio-controller', 'hda')
        if settings() != {'audio': 'null', 'audio_out': 'on', 'audio_in': 'off'}:
            return f'a new machine: {settings()}'
        process = desktop.launch([gui.program('app/vitrine'), '--startvm', 'Box'])
        app = desktop.application('vitrine')
        if checked(desktop, app, 'Audio input') or not checked(desktop, app, 'Audio output'):
            return 'the menu does not show the settings'
        item(desktop, app, 'Audio input').doActionNamed('click')
        gui.wait_for('input in the settings', lambda: settings().get('audio_in') == 'on')
        gui.wait_for('check mark', lambda: checked(desktop, app, 'Audio input'))
        manage('controlvm', 'Box', 'audioout', 'off')
        gui.wait_for('check mark gone', lambda: not checked(desktop, app, 'Audio output'))
        # The status bar says so too, and its menu switches it back.
        button = desktop.find(app, 'Sound card', 'toggle button')
        gui.wait_for('muted in the status bar', lambda: 'Output is off' in button.description)
        # With the title that the device has.
        gui.wait_for('the card in the status bar', lambda: CARD in button.description)
        desktop.screenshot('muted')
        button.doActionNamed('click')
        desktop.find(app, 'Audio output', 'check box').doActionNamed('click')
        gui.wait_for('output in the settings', lambda: settings().get('audio_out') == 'on')
        gui.wait_for('heard in the status bar', lambda: 'Output is on' in button.description)
        manage('controlvm', 'Box', 'audioout', 'off')
        gui.wait_for('check mark gone again', lambda: not checked(desktop, app, 'Audio output'))
        item(desktop, app, 'Audio output')
        desktop.screenshot('switched')
        desktop.key('Escape', 'Escape', 'Escape')
        manage('controlvm', 'Box', 'poweroff')
        gui.wait_for('end', lambda: process.poll() is not None)
        desktop.children.remove(process)
    return None


if __name__ == '__main__':
    sys.exit(main())
