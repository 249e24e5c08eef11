#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
# long
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Settings, Storage: a controller becomes one of another kind (virtio block devices, which extra data keep) and its
# disk moves along; an optical drive has no place there, and that is said; a disk becomes hot-pluggable.
"""Controllers and drives are changed on the Storage page."""

import os
import subprocess
import sys
import tempfile

import gui

KEY = 'Vitrine/Storage/SATA/Model'


def manage(*words):
    """What vitrine-manage prints."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True, capture_output=True,
                          text=True).stdout


def edit(desktop, dialog, name, number):
    """Presses a row's button, counted from the top."""
    buttons = gui.wait_for(name, lambda: [node for node in dialog.findChildren(
        lambda node: node.roleName == 'push button' and node.name == name and node.showing)][number:number + 1])
    buttons[0].doActionNamed('click')


def choose(desktop, app, title, kind):
    """Another kind in a controller's dialog; the dialog."""
    dialog = desktop.find(app, title, 'dialog')
    kinds = desktop.find(dialog, None, 'combo box')
    item = gui.wait_for(kind, lambda: kinds.findChildren(lambda node: node.roleName == 'menu item' and node.name == kind))
    item[0].doActionNamed('click')
    return dialog


def apply_change(desktop, app, dialog, title):
    """Presses Apply and waits for the end of the dialog."""
    desktop.find(dialog, 'Apply', 'push button').doActionNamed('click')
    gui.wait_for('end of the dialog', lambda: not app.findChildren(
        lambda node: node.roleName == 'dialog' and node.name == title and node.showing))


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--default', '--register')
        subprocess.run(['truncate', '-s', '64M', f'{home}/disk.img'], check=True)
        manage('storageattach', 'Box', '--storagectl', 'SATA', '--port', '2', '--type', 'hdd', '--medium',
               f'{home}/disk.img')
        desktop.launch([gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        desktop.find(app, r'Storage:(.|\n)*', 'push button').doActionNamed('click')
        settings = desktop.find(app, 'Settings – Box', 'dialog')
        # The disk, while it is at SATA.
        edit(desktop, settings, 'Change the drive…', 1)
        drive = desktop.find(app, 'Drive', 'dialog')
        desktop.find(drive, 'Hot-pluggable', 'check box').doActionNamed('click')
        desktop.screenshot('drive')
        apply_change(desktop, app, drive, 'Drive')
        desktop.find(settings, 'Port 2, hot-pluggable', 'label')
        # The optical drive has no place at NVMe.
        edit(desktop, settings, 'Change the controller…', 0)
        controller = choose(desktop, app, 'Controller', 'PCIe, NVMe')
        desktop.find(controller, 'Not all of its drives have a place .*', 'label')
        if desktop.find(controller, 'Apply', 'push button').sensitive:
            return 'an optical drive can be moved to NVMe'
        desktop.screenshot('refused')
        desktop.find(controller, 'Cancel', 'push button').doActionNamed('click')
        edit(desktop, settings, 'Change the controller…', 1)
        controller = choose(desktop, app, 'Controller', 'VirtIO, block devices')
        desktop.screenshot('controller')
        apply_change(desktop, app, controller, 'Controller')
        desktop.find(settings, 'Port 2', 'label')
        desktop.screenshot('changed')
        desktop.find(settings, 'Save', 'push button').doActionNamed('click')
        gui.wait_for('model in the extra data',
                     lambda: manage('getextradata', 'Box', KEY).strip() == 'Value: virtio-blk')
        text = manage('showvminfo', 'Box', '--machinereadable')
        if f'"SATA-2-0"="{home}/disk.img"' not in text:
            return f'the disk did not move along:\n{text}'
    return None


if __name__ == '__main__':
    sys.exit(main())
