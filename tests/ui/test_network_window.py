#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The VM window's indicator of network cards names attachment and address and counts the frames of a guest that boots
# over the network; its menu opens the settings' page, which says that the machine runs.
"""A running machine's network is seen in its window."""

import os
import re
import subprocess
import sys
import tempfile

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


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--register')
        manage('modifyvm', 'Box', '--nic1', 'nat', '--macaddress1', MAC, '--boot1', 'net', '--boot2', 'none',
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
        desktop.find(app, 'The machine is running. Switch it off.*', 'label')
        gui.wait_for('page of the first card', lambda: desktop.find(app, 'Adapter 1', 'page tab').showing)
        desktop.screenshot('locked')
        desktop.find(app, 'Cancel', 'push button').doActionNamed('click')
        manage('controlvm', 'Box', 'poweroff')
        gui.wait_for('end', lambda: process.poll() is not None)
        desktop.children.remove(process)
    return None


if __name__ == '__main__':
    sys.exit(main())
