#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 150
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Settings, Network: a card's attachment, type, address and cable and its forwarded ports are set in the window, what is
# wrong is said beside the field, and all of it stands in the machine's settings afterwards. The manager's details name
# the cards.
"""A machine's network cards are set in the settings window."""

import os
import re
import subprocess
import sys
import tempfile

import gui

WANTED = {'nic1': 'nat', 'nictype1': 'virtio', 'macaddress1': '0800270102AB', 'cableconnected1': 'off',
          'Forwarding(0)': 'ssh,tcp,127.0.0.1,2222,,22', 'nic2': 'intnet', 'intnet2': 'lab', 'nic3': 'natnetwork', 'nat-network3': 'work',
          'nic5': 'nat'}


def manage(*words):
    """What vitrine-manage prints."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True,
                          capture_output=True, text=True).stdout


def info():
    """The machine's settings, by name."""
    lines = manage('showvminfo', 'Box', '--machinereadable').splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition('=') for line in lines)}


def control(dialog, name, role):
    """The control of that name on the tab that is shown; it has the focus then."""
    def seen():
        found = dialog.findChildren(lambda node: node.roleName == role and re.fullmatch(name, node.name)
                                    and node.visible and (node.showing or role == 'menu item'))
        return found and found[0]
    found = gui.wait_for(f'{role} {name}', seen)
    found.grabFocus()
    return found


def choose(dialog, name, choice):
    """Another choice in the combo box."""
    control(control(dialog, name, 'combo box'), re.escape(choice), 'menu item').doActionNamed('click')


def enter(desktop, dialog, name, text):
    """Text in a field, in the place of what is there."""
    desktop.focus(control(dialog, name, 'text'))
    desktop.key('ctrl+a')
    desktop.type(text)


def save_button(manager):
    """Save, which says why it cannot be pressed."""
    return next(iter(manager.findChildren(lambda node: node.name == 'Save' and node.showing)))


def first_card(desktop, manager):
    """NAT with a forwarded port; wrong entries are told."""
    choose(manager, 'Intel PRO/1000 MT Desktop', 'virtio-net')
    enter(desktop, manager, 'MAC address', '0900270102ab')
    desktop.find(manager, '.*second digit has to be even.*', 'label')
    if save_button(manager).sensitive:
        return 'settings with a wrong address can be saved'
    enter(desktop, manager, 'MAC address', '08:00:27:01:02:ab')
    control(manager, 'Cable connected', 'check box').doActionNamed('click')
    for _ in range(2):
        control(manager, 'Forward a port', 'push button').doActionNamed('click')
    enter(desktop, manager, 'Rule 1: Name', 'ssh')
    enter(desktop, manager, 'Rule 1: Host address', '127.0.0.1')
    enter(desktop, manager, 'Rule 1: Host port', '70000')
    desktop.find(manager, 'Rule “ssh”: the host.s port is a number from 1 to 65535.', 'label')
    desktop.screenshot('wrong')
    enter(desktop, manager, 'Rule 1: Host port', '2222')
    enter(desktop, manager, 'Rule 1: Guest port', '22')
    enter(desktop, manager, 'Rule 2: Host port', '2222')
    enter(desktop, manager, 'Rule 2: Guest port', '23')
    desktop.find(manager, 'Rule “Rule 2”: another rule has this port of the host.', 'label')
    control(manager, 'Remove rule 2', 'push button').doActionNamed('click')
    gui.wait_for('settings without fault', lambda: save_button(manager).sensitive)
    desktop.screenshot('nat')
    return None


def second_card(desktop, manager):
    """An internal network; other kinds ask for a device of the host."""
    desktop.find(manager, 'Adapter 2', 'page tab').select()
    control(manager, 'Enabled', 'check box').doActionNamed('click')
    gui.wait_for('address', lambda: re.fullmatch('080027[0-9A-F]{6}', control(manager, 'MAC address', 'text').text))
    before = control(manager, 'MAC address', 'text').text
    control(manager, 'New address at random', 'push button').doActionNamed('click')
    gui.wait_for('new address', lambda: control(manager, 'MAC address', 'text').text != before)
    choose(manager, 'NAT', 'Bridged network')
    desktop.find(manager, 'Needs a bridge.*TAP device.*ip tuntap add.*', 'label')
    desktop.find(manager, 'Say which device of the host.', 'label')
    desktop.screenshot('bridged')
    choose(manager, 'Bridged network', 'Internal network')
    enter(desktop, manager, 'Name', 'lab')


def third_card(desktop, manager):
    """A NAT network, of those that there are."""
    desktop.find(manager, 'Adapter 3', 'page tab').select()
    control(manager, 'Enabled', 'check box').doActionNamed('click')
    choose(manager, 'NAT', 'NAT network')
    desktop.find(manager, 'The network needs a name.', 'label')
    enter(desktop, manager, 'Name', 'work')
    desktop.find(manager, 'Machines in the same NAT network.*', 'label')
    desktop.screenshot('nat-network')


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(height=1000) as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--register')
        manage('natnetwork', 'add', '--netname', 'work', '--network', '10.9.0.0/24', '--dhcp', 'on')
        manage('modifyvm', 'Box', '--nic1', 'nat', '--nictype1', '82540EM', '--nic5', 'nat')
        desktop.launch([gui.program('app/vitrine')])
        manager = desktop.application('vitrine')
        desktop.find(manager, 'Network: Adapter 1: NAT, Intel PRO/1000 MT Desktop\nAdapter 5: NAT, Intel.*',
                     'push button').doActionNamed('click')
        desktop.find(manager, 'Adapter 1', 'page tab')
        wrong = first_card(desktop, manager)
        if wrong:
            return wrong
        second_card(desktop, manager)
        third_card(desktop, manager)
        save_button(manager).doActionNamed('click')
        gui.wait_for('saved settings', lambda: info().get('nictype1') == 'virtio')
        there = info()
        different = {name: there.get(name) for name, value in WANTED.items() if there.get(name) != value}
        desktop.find(manager, '(?s)Network: .*Adapter 2: Internal network “lab”, Intel.*', 'push button')
    return f'other than set: {different}' if different else None


if __name__ == '__main__':
    sys.exit(main())
