#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The VM window's indicator of network cards names attachment and address and counts the frames of a guest that boots
# over the network; its menu opens the settings' page, which says that the machine runs: what a card leads to changes
# at once, the card itself is locked and says why. Beside it, on other pages: sound and the processors' cap.
"""A running machine's network is seen in its window."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import gui

MAC = '0800270102AB'
WORDS = r'Adapter 1: NAT, 08:00:27:01:02:AB\n.*: (\d+) frames received, (\d+) sent'


def manage(*words):
    """Runs vitrine-manage."""
    subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True, capture_output=True)


def said(*words):
    """What vitrine-manage prints."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True, capture_output=True,
                          text=True).stdout


def frames(indicator):
    """How many were received and sent."""
    match = re.fullmatch(WORDS, indicator.description)
    return [int(number) for number in match.groups()] if match else [0, 0]


def show(desktop, dialog, name):
    """Goes to a page."""
    desktop.select(dialog, name, 'list item')


def locked(desktop, dialog, name, role):
    """Whether a control is locked and says why."""
    node = desktop.find(dialog, name, role)
    return not node.sensitive and 'cannot change while the machine is running' in node.description


def live_settings(desktop, app):
    """What can change changes at once; the rest is locked and says why."""
    desktop.find(app, 'The machine is running: what you change is in force when .*', 'label')
    dialog = desktop.find(app, 'Settings – Box', 'dialog')
    wrong = [] if locked(desktop, dialog, 'New address at random', 'push button') else ['address']
    desktop.find(dialog, 'Cable connected', 'check box').doActionNamed('click')
    desktop.find(dialog, 'Forward a port', 'push button').doActionNamed('click')
    for name, text in (('Host port', '15022'), ('Guest port', '22')):
        desktop.focus(desktop.find(dialog, f'Rule 1: {name}', 'text'))
        desktop.type(text)
    desktop.screenshot('live')
    show(desktop, dialog, 'System')
    wrong += [] if locked(desktop, dialog, 'Hardware clock in UTC', 'check box') else ['clock']
    desktop.find(dialog, 'Execution cap in percent', 'spin button').value = 55
    desktop.screenshot('system')
    show(desktop, dialog, 'Audio')
    wrong += [] if locked(desktop, dialog, 'Sound card', 'check box') else ['sound card']
    for name in ('Audio output', 'Audio input'):
        desktop.find(dialog, name, 'check box').doActionNamed('click')
    if wrong:
        return f'not locked: {wrong}'
    desktop.find(app, 'Save', 'push button').doActionNamed('click')
    wanted = {'cableconnected1': 'off', 'Forwarding(0)': 'Rule 1,tcp,,15022,,22', 'audio_out': 'off',
              'audio_in': 'on'}

    def found():
        lines = said('showvminfo', 'Box', '--machinereadable').splitlines()
        values = {name: value.strip('"') for name, _, value in (line.partition('=') for line in lines)}
        return (all(values.get(name) == value for name, value in wanted.items())
                and 'executionCap="55"' in Path(values['CfgFile']).read_text(encoding='utf-8'))
    gui.wait_for('changed settings', found)
    with open('/proc/net/tcp', encoding='ascii') as table:
        if ':3AAE ' not in table.read():
            return 'nobody listens at the forwarded port'
    return None


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--default', '--register')
        manage('modifyvm', 'Box', '--audio-driver', 'null', '--nic1', 'nat', '--macaddress1', MAC, '--boot1', 'net', '--boot2', 'none',
               '--boot3', 'none', '--boot4', 'none')
        process = desktop.launch([gui.program('app/vitrine'), '--startvm', 'Box'])
        app = desktop.application('vitrine')
        indicator = desktop.find(app, 'Network cards', 'toggle button')
        gui.wait_for('frames in both directions', lambda: min(frames(indicator)) > 0, 60)
        desktop.screenshot('indicator')
        # The cable, from the menu and from the command line.
        name = r'Cable of adapter 1 connected \(NAT\)'
        indicator.doActionNamed('click')
        cable = desktop.find(app, name)
        desktop.screenshot('cable')
        cable.doActionNamed('click')
        gui.wait_for('the cable is out', lambda: 'cableconnected1="off"' in said('showvminfo', 'Box', '--machinereadable'))
        gui.wait_for('the indicator says so', lambda: 'cable not connected' in indicator.description)
        manage('controlvm', 'Box', 'setlinkstate1', 'on')
        gui.wait_for('the cable is in', lambda: 'cable not connected' not in indicator.description)
        indicator.doActionNamed('click')
        desktop.find(app, 'Network settings…').doActionNamed('click')
        problem = live_settings(desktop, app)
        if problem:
            return problem
        manage('controlvm', 'Box', 'poweroff')
        gui.wait_for('end', lambda: process.poll() is not None)
        desktop.children.remove(process)
    return None


if __name__ == '__main__':
    sys.exit(main())
