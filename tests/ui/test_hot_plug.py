#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 900
# long
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip
#
# A running Linux gets a new disk from its window's Devices menu, writes to it, and loses it again after a question;
# the settings of the running machine give it an optical drive and take it away. The disk that it has booted from
# stays.
"""Drives of a running machine come and go in its window."""

import sys
import tempfile

import gui
import guest
import media

BOOT_SECONDS = 400


def devices(desktop, app, name):
    """An item of Devices, Hard disks, with the menus open."""
    desktop.find(app, 'Devices', 'menu').doActionNamed('click')
    desktop.find(app, 'Hard disks', 'menu').doActionNamed('click')
    return desktop.find(app, name, 'menu item')


def by_menu(desktop, app, machine):
    """A disk comes, is written to, and goes."""
    fixed = devices(desktop, app, r'.*\(SATA, Port 1\): not hot-pluggable')
    desktop.screenshot('menu')
    if fixed.sensitive:
        return 'the disk that is not hot-pluggable can be removed'
    devices(desktop, app, 'Attach a new disk…').doActionNamed('click')
    dialog = desktop.find(app, 'New disk', 'dialog')
    desktop.screenshot('new-disk')
    desktop.find(dialog, 'Create.*', 'push button').doActionNamed('click')
    machine.serial.write('until [ -e /sys/block/sdb ]; do sleep 1; done; echo vitrine | dd of=/dev/sdb bs=4096 '
                         'conv=sync,fsync; echo "written" there\n')
    machine.wait_serial('written there', 90)
    devices(desktop, app, r'Remove .*\(SATA, Port 0\)…').doActionNamed('click')
    question = desktop.find(app, None, 'alert')
    desktop.screenshot('question')
    desktop.find(question, 'Remove disk', 'push button').doActionNamed('click')
    machine.serial.write('while [ -e /sys/block/sdb ]; do sleep 1; done; echo "it" went\n')
    machine.wait_serial('it went', 90)
    if '"SATA-0-0"="none"' not in guest.manage('showvminfo', machine.name, '--machinereadable'):
        return 'the settings still have the disk'
    return None


def by_settings(desktop, app, machine):
    """An optical drive, which the machine has not, comes with Save and goes with the next."""
    devices(desktop, app, 'Storage settings…').doActionNamed('click')
    dialog = desktop.find(app, 'Settings – .*', 'dialog')
    if desktop.find(dialog, 'Add a controller', 'toggle button').sensitive:
        return 'a running machine can have one more controller'
    desktop.find(dialog, 'Add a drive', 'toggle button').doActionNamed('click')
    desktop.find(app, 'Optical drive').doActionNamed('click')
    desktop.find(dialog, 'Empty', 'label')
    desktop.screenshot('settings')
    desktop.find(dialog, 'Save', 'push button').doActionNamed('click')
    machine.serial.write('until [ -e /sys/block/sr0 ]; do sleep 1; done; echo "sr0" came\n')
    machine.wait_serial('sr0 came', 90)
    return None


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as temporary, gui.Desktop() as desktop, guest.Machine('plug') as machine:
        guest.manage('storagectl', machine.name, '--name', 'IDE', '--remove')
        guest.manage('storagectl', machine.name, '--name', 'SATA', '--add', 'sata', '--portcount', 4)
        guest.manage('storageattach', machine.name, '--storagectl', 'SATA', '--port', 1, '--type', 'hdd', '--medium',
                     media.copy('storage-amd64', f'{temporary}/boot.img'))
        machine.start('gui')
        app = desktop.application('vitrine')
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        problem = by_menu(desktop, app, machine) or by_settings(desktop, app, machine)
        if problem:
            return problem
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 120)
    return None


if __name__ == '__main__':
    sys.exit(main())
