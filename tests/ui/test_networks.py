#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick iproute2
#
# The network tool: a NAT network is made, changed with its DHCP server and ports, started, stopped and removed; an
# internal network gets a DHCP server; a host-only device is made, configured and removed where this is the administrator
# (in a network namespace of its own; with --long), and the reason is said where it is not.
"""The network tool."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import gui


def manage(*words):
    """Runs the command line; what it prints."""
    result = subprocess.run([gui.program('app/manage/vitrine-manage'), *words], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise gui.GuiError(f'{" ".join(words)}: {result.stderr or result.stdout}')
    return result.stdout


def cells(window):
    """The texts of the rows that are shown, one after the other."""
    try:
        return [cell.name for cell in window.findChildren(lambda node: node.roleName == 'table cell' and node.showing) if cell.name]
    except Exception:  # pylint: disable=broad-except
        return []  # the list was filled again while it was read


def press(desktop, node, name):
    """A push button."""
    desktop.find(node, name, 'push button').doActionNamed('click')


def texts(dialog, role='text'):
    """Entries of a dialog by their labels."""
    return {node.labeler.name if node.labeler else node.name: node
            for node in dialog.findChildren(lambda node: node.roleName == role and node.showing)}


def labels(dialog):
    """All that a dialog says."""
    return ' '.join(node.name for node in dialog.findChildren(lambda node: node.roleName == 'label' and node.showing))


def page(desktop, dialog, name):
    """One of the pages of a dialog."""
    desktop.select(dialog, name, 'page tab')


def gone(app, title):
    """A dialog has closed."""
    return not app.findChildren(lambda node: node.roleName == 'dialog' and node.name == title)


def open_page(desktop, window, name):
    """One of the three lists."""
    desktop.find(window, name, 'radio button').doActionNamed('click')


def make_nat(desktop, app, window):
    """A NAT network by the dialog, which refuses what cannot be."""
    press(desktop, window, 'New network')
    dialog = desktop.find(app, 'New NAT network', 'dialog')
    create = desktop.find(dialog, 'Create network', 'push button')
    entries = texts(dialog)
    if (entries['Name'].text, entries['IPv4 network'].text) != ('NatNetwork1', '10.0.3.0/24'):
        raise gui.GuiError(f"a new network is {entries['Name'].text} {entries['IPv4 network'].text}")
    entries['Name'].text = 'NatNetwork'
    gui.wait_for('refusal of a taken name', lambda: not create.sensitive and 'already' in labels(dialog))
    desktop.screenshot('networks-taken')
    entries['Name'].text = 'work'
    entries['IPv4 network'].text = '192.168.15.0'
    gui.wait_for('refusal of a network', lambda: not create.sensitive)
    entries['IPv4 network'].text = '192.168.15.0/24'
    desktop.find(dialog, 'IPv6 as well', 'check box').doActionNamed('click')
    gui.wait_for('consent', lambda: create.sensitive)
    desktop.screenshot('networks-nat')
    page(desktop, dialog, 'DHCP')
    entries = texts(dialog)
    if entries['First address'].text != '192.168.15.4':
        raise gui.GuiError(f"the first address is {entries['First address'].text}")
    entries['Last address'].text = '192.168.16.9'
    gui.wait_for('refusal of an address', lambda: not create.sensitive)
    entries['Last address'].text = '192.168.15.99'
    gui.wait_for('consent', lambda: create.sensitive)
    desktop.screenshot('networks-nat-dhcp')
    page(desktop, dialog, 'DHCP options')
    texts(dialog, 'spin button')['Lease usually'].text = '1200'
    gui.wait_for('consent', lambda: create.sensitive)
    page(desktop, dialog, 'IPv6 ports')
    press(desktop, dialog, 'Forward a port')
    for column, value in (('Host address', '::1'), ('Host port', '8080'), ('Guest address', 'fd17:625c:f037:2::5'),
                          ('Guest port', '80')):
        desktop.find(dialog, f'Rule 1: {column}', 'text').text = value
    gui.wait_for('consent', lambda: create.sensitive)
    desktop.screenshot('networks-nat-ports')
    create.doActionNamed('click')
    gui.wait_for('end of the dialog', lambda: gone(app, 'New NAT network'))


def nat(desktop, app, window):
    """Made, seen by the command line, started, stopped, its user told, removed."""
    open_page(desktop, window, 'NAT')
    make_nat(desktop, app, window)
    gui.wait_for('new network', lambda: 'work' in cells(window))
    said = manage('natnetwork', 'list', 'work')
    if '[::1]:8080:[fd17:625c:f037:2::5]:80' not in said or 'IPv6:         Yes' not in said:
        raise gui.GuiError(said)
    servers = manage('list', 'dhcpservers')
    if '192.168.15.99' not in servers or 'defaultLeaseTime: 1200 sec' not in servers:
        raise gui.GuiError(servers)
    press(desktop, window, 'Start')
    gui.wait_for('running network', lambda: 'Running' in cells(window))
    desktop.screenshot('networks-running')
    press(desktop, window, 'Stop')
    gui.wait_for('stopped network', lambda: 'Running' not in cells(window))
    # As it would be anyway: no DHCP server is written.
    press(desktop, window, 'Properties…')
    title = 'Properties of a NAT network'
    dialog = desktop.find(app, title, 'dialog')
    page(desktop, dialog, 'DHCP')
    texts(dialog)['Last address'].text = '192.168.15.254'
    page(desktop, dialog, 'DHCP options')
    texts(dialog, 'spin button')['Lease usually'].text = '0'
    press(desktop, dialog, 'Save')
    gui.wait_for('end of the dialog', lambda: gone(app, title))
    gui.wait_for('no server of its own', lambda: 'NetworkName:    work' not in manage('list', 'dhcpservers'))
    manage('modifyvm', 'Box', '--nic1', 'natnetwork', '--natnetwork1', 'work')
    gui.wait_for('user of the network', lambda: 'Box' in cells(window))
    press(desktop, window, 'Remove…')
    question = desktop.find(app, 'Question', 'alert')
    if 'Box' not in labels(question):
        raise gui.GuiError(f'the question says {labels(question)}')
    desktop.screenshot('networks-remove')
    press(desktop, question, 'Remove')
    gui.wait_for('end of the network', lambda: 'work' not in cells(window))


def internal(desktop, app, window):
    """A name in a machine's settings is a network; it gets a DHCP server here."""
    open_page(desktop, window, 'Internal')
    manage('modifyvm', 'Box', '--nic1', 'intnet', '--intnet1', 'lab')
    gui.wait_for('network of a card', lambda: cells(window) == ['lab', 'Off', 'Box'])
    gui.wait_for('nothing to remove', lambda: not desktop.find(window, 'Remove…', 'push button').sensitive)
    press(desktop, window, 'Properties…')
    title = 'Properties of an internal network'
    dialog = desktop.find(app, title, 'dialog')
    desktop.find(dialog, r'Give out addresses \(DHCP\)', 'check box').doActionNamed('click')
    desktop.screenshot('networks-internal')
    press(desktop, dialog, 'Save')
    gui.wait_for('end of the dialog', lambda: gone(app, title))
    gui.wait_for('server', lambda: cells(window) == ['lab', '192.168.57.10 to 192.168.57.254', 'Box'])
    if 'NetworkName:    lab' not in manage('list', 'dhcpservers'):
        raise gui.GuiError('the server is not there')
    options(desktop, app, window)
    manage('dhcpserver', 'modify', '--network', 'lab', '--group', 'printers', '--set-opt-hex', '43', '0102', '--suppress-opt', '12')
    options_again(desktop, app, window)


def add_for(desktop, app, dialog, whom):
    """Settings for some clients, by the menu."""
    desktop.find(dialog, 'Add settings for some clients', 'toggle button').doActionNamed('click')
    desktop.find(app, whom).doActionNamed('click')


def choose(node, choice):
    """One of a list's, which is opened for that."""
    node.doActionNamed('press')
    gui.wait_for(choice, lambda: node.findChildren(lambda item: item.roleName == 'menu item' and item.name == choice and item.showing)
                 )[0].doActionNamed('click')


def options_page(desktop, app, window):
    """The properties of the selected network, with that page."""
    press(desktop, window, 'Properties…')
    dialog = desktop.find(app, 'Properties of an internal network', 'dialog')
    page(desktop, dialog, 'DHCP options')
    return dialog, desktop.find(dialog, 'Save', 'push button')


def options(desktop, app, window):
    """What the server tells everyone, a group, a machine's card, a card by its address."""
    dialog, save = options_page(desktop, app, window)
    press(desktop, dialog, 'Add an option')
    number = desktop.find(dialog, 'Option 1: Option', 'text')
    number.text = '7x'
    gui.wait_for('refusal of an option', lambda: not save.sensitive)
    number.text = '42'
    desktop.find(dialog, 'Option 1: Value', 'text').text = 'noon'
    gui.wait_for('refusal of a value', lambda: not save.sensitive and 'noon' in labels(dialog))
    desktop.find(dialog, 'Option 1: Value', 'text').text = '192.168.57.3'
    choose(desktop.find(dialog, 'Option 1: Is sent', 'combo box'), 'Always')
    gui.wait_for('consent', lambda: save.sensitive)
    gui.wait_for('end of the list', lambda: not desktop.find(dialog, 'Option 1: Is sent', 'combo box').findChildren(
        lambda item: item.roleName == 'menu item' and item.showing))
    desktop.screenshot('networks-options')
    add_for(desktop, app, dialog, 'Group of clients')
    gui.wait_for('the group', lambda: 'Name of the group' in texts(dialog))
    texts(dialog)['Name of the group'].text = 'printers'
    press(desktop, dialog, 'Add a condition')
    gui.wait_for('refusal of nothing', lambda: not save.sensitive)
    desktop.find(dialog, 'Condition 1: That is', 'text').text = '08:00:27:00:00:05'
    desktop.screenshot('networks-group')
    add_for(desktop, app, dialog, 'Network card by its address')
    gui.wait_for('refusal of no address', lambda: not save.sensitive and 'twelve' in labels(dialog))
    texts(dialog)['Address of the card'].text = '08-00-27-00-00-07'
    texts(dialog)['IPv4 address'].text = '192.168.57.77'
    add_for(desktop, app, dialog, "Machine's network card")
    gui.wait_for('the machine', lambda: 'Network card' in texts(dialog, 'spin button'))
    texts(dialog, 'spin button')['Network card'].text = '2'
    texts(dialog)['IPv4 address'].text = '192.168.57.78'
    desktop.screenshot('networks-fixed')
    gui.wait_for('consent', lambda: save.sensitive)
    save.doActionNamed('click')
    gui.wait_for('end of the dialog', lambda: gone(app, 'Properties of an internal network'))
    said = manage('list', 'dhcpservers')
    for wanted in ('192.168.57.3', 'printers', '080027000005', '192.168.57.77', '192.168.57.78'):
        if wanted not in said:
            raise gui.GuiError(f'{wanted} is not among\n{said}')


def options_again(desktop, app, window):
    """All of it is shown, and what is removed is gone."""
    dialog, save = options_page(desktop, app, window)
    whom = texts(dialog, 'combo box')['Settings for']
    choose(whom, 'Group “printers”')
    gui.wait_for('options of the group', lambda: desktop.find(dialog, 'Option 1: Option', 'text').text == '12 Name of the host')
    if desktop.find(dialog, 'Option 2: Value', 'text').text != '0102':
        raise gui.GuiError('the bytes of an option are not shown')
    choose(whom, 'Network card 08:00:27:00:00:07')
    press(desktop, dialog, 'Remove these settings')
    gui.wait_for('consent', lambda: save.sensitive)
    save.doActionNamed('click')
    gui.wait_for('end of the dialog', lambda: gone(app, 'Properties of an internal network'))
    said = manage('list', 'dhcpservers')
    if '192.168.57.77' in said or '0102' not in said or '192.168.57.78' not in said:
        raise gui.GuiError(said)


def devices(desktop, app, window):
    """A host-only device and its DHCP server."""
    open_page(desktop, window, 'Host-only')
    press(desktop, window, 'New network')
    gui.wait_for('device', lambda: 'vboxnet0' in cells(window) and '192.168.56.1/24' in cells(window))
    press(desktop, window, 'Properties…')
    title = 'Properties of a host-only network'
    dialog = desktop.find(app, title, 'dialog')
    texts(dialog)['IPv4 address'].text = '192.168.77.1'
    texts(dialog)['IPv6 address'].text = 'fd00:77::1'
    desktop.screenshot('networks-device')
    page(desktop, dialog, 'DHCP')
    if texts(dialog)['Server address'].text != '192.168.77.100':
        raise gui.GuiError('the server does not follow the device')
    desktop.find(dialog, r'Give out addresses \(DHCP\)', 'check box').doActionNamed('click')
    for name, value in (('Server address', '192.168.77.2'), ('First address', '192.168.77.10'), ('Last address', '192.168.77.20')):
        texts(dialog)[name].text = value
    press(desktop, dialog, 'Save')
    gui.wait_for('end of the dialog', lambda: gone(app, title))
    gui.wait_for('other address', lambda: '192.168.77.1/24' in cells(window) and '192.168.77.10 to 192.168.77.20' in cells(window))
    if 'fd00:77::1' not in manage('list', 'hostonlyifs'):
        raise gui.GuiError('the device has no IPv6 address')
    desktop.screenshot('networks-devices')
    press(desktop, window, 'Remove…')
    press(desktop, desktop.find(app, 'Question', 'alert'), 'Remove')
    gui.wait_for('end of the device', lambda: 'vboxnet0' not in cells(window))


def tour(desktop, app, administrator):
    """Everything in turn."""
    desktop.focus(desktop.find(app, 'Box.*', 'list item'))
    desktop.key('ctrl+h')
    window = desktop.find(app, 'Networks')
    if not administrator:
        desktop.find(window, "Only the host's administrator may make network devices.*", 'label')
        if desktop.find(window, 'New network', 'push button').sensitive:
            return 'a device can be made without the right to'
        desktop.screenshot('networks-refused')
        return None
    devices(desktop, app, window)
    nat(desktop, app, window)
    internal(desktop, app, window)
    return None


def main(administrator):
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(width=1100, height=760) as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--register', '--default')
        manage('natnetwork', 'add', '--netname', 'NatNetwork', '--network', '10.0.2.0/24', '--enable', '--dhcp', 'on')
        without = () if administrator else ('setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin')
        desktop.launch([*without, gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        return tour(desktop, app, administrator)


def inside():
    """The same program again, where it may make network devices."""
    if not os.environ.get('VITRINE_LONG'):
        return None
    if shutil.which('unshare') is None or subprocess.run(('unshare', '-rnm', 'ip', 'tuntap', 'add', 'probe', 'mode', 'tap'),
                                                         capture_output=True, check=False).returncode != 0:
        print('skipped: the administrator\'s part, as the host lets nobody make network devices')
        return None
    result = subprocess.run(('unshare', '-rnm', sys.executable, __file__, '--inside'), check=False)
    return f'the administrator\'s part failed ({result.returncode})' if result.returncode != 0 else None


if __name__ == '__main__':
    if '--inside' in sys.argv:
        # The kernel's list of devices is that of the namespace.
        subprocess.run(('mount', '-t', 'sysfs', 'sysfs', '/sys'), check=True)
        subprocess.run(('ip', 'link', 'set', 'lo', 'up'), check=True)
        sys.exit(main(True))
    sys.exit(main(False) or inside())
