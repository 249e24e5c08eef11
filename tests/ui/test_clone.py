#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick qemu-utils
#
# Clones by the dialog: a full one with a disk of its own and the same network address, whose name is refused while it is taken; a linked one, for which a
# snapshot is taken, and whose disk stands on the machine's.
"""Clones of a machine, made in the manager."""

import os
import re
import subprocess
import sys
import tempfile

import gui


def manage(*words):
    """Runs the command line; what it prints."""
    result = subprocess.run([gui.program('app/manage/vitrine-manage'), *words], capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise gui.GuiError(f'{" ".join(words)}: {result.stderr or result.stdout}')
    return result.stdout


def disk_of(machine):
    """The path of its disk."""
    return re.search(r'"IDE-0-0"="(.*)"', manage('showvminfo', machine, '--machinereadable')).group(1)


def mac_of(machine):
    """The address of its first network card."""
    return re.search(r'macaddress1="(\w+)"', manage('showvminfo', machine, '--machinereadable')).group(1)


def keep_macs(desktop, dialog):
    """Not new ones, as is proposed."""
    box = desktop.find(dialog, 'New ones for all network cards', 'combo box')
    next(iter(box.findChildren(lambda node: node.name == 'The same for all network cards'))).doActionNamed('click')
    desktop.find(dialog, 'The same for all network cards', 'combo box')


def clone(desktop, app, name, linked):
    """By the shortcut, the dialog and its button."""
    desktop.select(app, 'Box.*', 'list item', 60)
    desktop.focus(desktop.find(app, 'Box.*', 'list item'))
    desktop.key('ctrl+o')
    dialog = desktop.find(app, 'Clone a machine', 'dialog')
    accept = desktop.find(dialog, 'Clone', 'push button')
    entry = desktop.find(dialog, 'Name', 'text')
    entry.text = 'Box'
    gui.wait_for('refusal of a taken name', lambda: not accept.sensitive)
    entry.text = name
    if linked:
        desktop.find(dialog, 'Linked clone', 'radio button').doActionNamed('click')
    else:
        keep_macs(desktop, dialog)
    gui.wait_for('consent', lambda: accept.sensitive)
    desktop.screenshot('linked' if linked else 'full')
    accept.doActionNamed('click')
    gui.wait_for('end of the dialog', lambda: not app.findChildren(lambda node: node.name == 'Clone a machine'), 40)
    desktop.find(app, name + '.*', 'list item')


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(width=1100, height=760) as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--register', '--default')
        disk = os.path.join(home, 'disk.vdi')
        manage('createmedium', 'disk', '--filename', disk, '--size', '16')
        manage('storageattach', 'Box', '--storagectl', 'IDE', '--port', '0', '--device', '0', '--type', 'hdd',
               '--medium', disk)
        desktop.launch([gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        clone(desktop, app, 'Whole', False)
        subprocess.run(['qemu-img', 'compare', disk, disk_of('Whole')], check=True, capture_output=True)
        if disk_of('Box') != disk:
            return f'the machine has another disk now: {disk_of("Box")}'
        clone(desktop, app, 'Light', True)
        if 'Base of “Light”' not in manage('snapshot', 'Box', 'list'):
            return 'there is no snapshot below the linked clone'
        if mac_of('Whole') != mac_of('Box') or mac_of('Light') == mac_of('Box'):
            return f'the cards have {mac_of("Box")}, {mac_of("Whole")} and {mac_of("Light")}'
        told = manage('showmediuminfo', disk_of('Light'))
        if not re.search(r'Parent UUID: +[0-9a-f]{8}-', told):
            return f'the disk of the linked clone stands on nothing: {told}'
        desktop.screenshot('both')
    return None


if __name__ == '__main__':
    sys.exit(main())
