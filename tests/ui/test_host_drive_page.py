#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
# long
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Settings, Storage, on a host with an optical drive: it is offered for the machine's optical drive, and the guest's
# commands may be passed through to it at SATA. The window's Devices menu offers it, too.
"""The host's optical drive on the Storage page and in the Devices menu."""

import os
import sys
import tempfile

import gui
from drive_host import SECTOR, Host
from test_storage_page import apply_change, edit, manage

LABEL = r'Host drive “MOCK RECORDER \(sr0\)”'


def by_page(desktop, app):
    """The drive gets it with Save."""
    desktop.find(app, r'Storage:(.|\n)*', 'push button').doActionNamed('click')
    settings = desktop.find(app, 'Settings – Box', 'dialog')
    edit(desktop, settings, 'Choose a medium…', 0)
    item = desktop.find(app, LABEL, 'menu item')
    desktop.screenshot('choice')
    item.doActionNamed('click')
    desktop.find(settings, 'Host drive sr0', 'label')
    edit(desktop, settings, 'Change the drive…', 0)
    drive = desktop.find(app, 'Drive', 'dialog')
    desktop.find(drive, 'Passthrough', 'check box').doActionNamed('click')
    desktop.screenshot('drive')
    apply_change(desktop, app, drive, 'Drive')
    desktop.find(settings, '.*passthrough', 'label')
    desktop.screenshot('page')
    desktop.find(settings, 'Save', 'push button').doActionNamed('click')
    gui.wait_for('the drive in the settings',
                 lambda: '"/dev/sr0"' in manage('showvminfo', 'Box', '--machinereadable'))


def by_menu(desktop):
    """The running machine's drive loses it, and gets it again."""
    manage('startvm', 'Box', '--type', 'gui')
    app = gui.wait_for('window', lambda: desktop.window('Box'), 60)
    desktop.find(app, 'Devices', 'menu').doActionNamed('click')
    desktop.find(app, 'Optical drive .*', 'menu').doActionNamed('click')
    desktop.screenshot('menu')
    desktop.find(app, 'Eject', 'menu item').doActionNamed('click')
    gui.wait_for('an empty drive',
                 lambda: '"/dev/sr0"' not in manage('showvminfo', 'Box', '--machinereadable'))
    desktop.find(app, 'Devices', 'menu').doActionNamed('click')
    desktop.find(app, r'Optical drive \(empty\)', 'menu').doActionNamed('click')
    desktop.find(app, LABEL, 'menu item').doActionNamed('click')
    gui.wait_for('the host drive again',
                 lambda: '"/dev/sr0"' in manage('showvminfo', 'Box', '--machinereadable'))
    manage('controlvm', 'Box', 'poweroff')


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop, Host(f'{home}/host', bytes(SECTOR)):
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--default', '--register')
        manage('storagectl', 'Box', '--name', 'IDE', '--remove')
        manage('storageattach', 'Box', '--storagectl', 'SATA', '--port', '0', '--type', 'dvddrive', '--medium',
               'emptydrive')
        desktop.launch([gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        by_page(desktop, app)
        by_menu(desktop)
    return None


if __name__ == '__main__':
    sys.exit(main())
