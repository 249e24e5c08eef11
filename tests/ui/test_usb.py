#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick umockdev
#
# USB in the windows: controllers and filters in the settings (empty, from the device that is plugged in, edited,
# moved, removed; what is wrong is said beside the field), remote devices there, global filters in the preferences; the Devices menu of a running machine gives it the device
# and takes it away, names it in the status bar, and says why one cannot be had; and remote devices, those of the
# settings and one that came by the command line. The device is umockdev's.
"""USB devices are given to a machine in its windows."""

import os
import re
import subprocess
import sys
import tempfile

import gui
import usb_host

DEVICE = 'Mock Device [0100]'
WAITS = 'Waits at port 4001'


def manage(*words):
    """What vitrine-manage prints."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True, capture_output=True,
                          text=True).stdout


def info():
    """The machine's settings, by name."""
    lines = manage('showvminfo', 'Box', '--machinereadable').splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition('=') for line in lines)}


def press(desktop, node, name, role='push button'):
    """Presses a button that shows."""
    desktop.find(node, name, role).doActionNamed('click')


def enter(desktop, dialog, name, text):
    """Text in a field, in the place of what is there."""
    desktop.focus(desktop.find(dialog, name, 'text'))
    desktop.key('ctrl+a')
    desktop.type(text)


def choose(desktop, dialog, name):
    """Chooses in the dialog's only combo box; the keyboard may be nobody's then."""
    combo = desktop.find(dialog, None, 'combo box')
    items = gui.wait_for(name, lambda: combo.findChildren(lambda node: node.roleName == 'menu item' and node.name == name))
    items[0].doActionNamed('click')


def edit_filter(desktop, app):
    """An empty filter gets fields; a wrong one is told."""
    press(desktop, app, 'Add an empty filter')
    dialog = desktop.find(app, 'USB filter', 'dialog')
    enter(desktop, dialog, 'Name', 'Storage')
    enter(desktop, dialog, 'Vendor ID', '12x4')
    desktop.find(dialog, '.*12x4.* is no number.*', 'label')
    if desktop.find(dialog, 'Apply', 'push button').sensitive:
        return 'a filter with a wrong number can be applied'
    desktop.screenshot('filter-wrong')
    enter(desktop, dialog, 'Vendor ID', '1000-1fff')
    enter(desktop, dialog, 'Serial number', '7*')
    gui.wait_for('filter without fault', lambda: desktop.find(dialog, 'Apply', 'push button').sensitive)
    desktop.screenshot('filter')
    desktop.key('Return')
    desktop.find(app, 'Storage', 'table cell')
    return None


def remote(desktop, app):
    """A remote device that the machine connects to becomes one that it waits for."""
    desktop.find(app, 'No remote devices.*', 'label')
    press(desktop, app, 'Add a remote device')
    dialog = desktop.find(app, 'Remote USB device', 'dialog')
    desktop.find(dialog, 'Which computer.*', 'label')
    if desktop.find(dialog, 'Apply', 'push button').sensitive:
        return 'a remote device that is nowhere can be applied'
    enter(desktop, dialog, 'Computer', 'printer room')
    desktop.find(dialog, 'There can be no spaces.*', 'label')
    enter(desktop, dialog, 'Computer', 'printers')
    gui.wait_for('remote device without fault', lambda: desktop.find(dialog, 'Apply', 'push button').sensitive)
    desktop.screenshot('remote')
    desktop.key('Return')
    desktop.find(app, 'Connects to printers, port 4000', 'table cell')
    press(desktop, app, 'Edit the remote device')
    dialog = desktop.find(app, 'Remote USB device', 'dialog')
    desktop.focus(desktop.find(dialog, 'Computer', 'text'))
    desktop.key('ctrl+a', 'BackSpace', 'Tab', 'ctrl+a')
    desktop.type('4001')
    choose(desktop, dialog, 'The machine waits for a computer')
    desktop.find(dialog, 'Address', 'text')
    press(desktop, dialog, 'Apply')
    desktop.find(app, 'Waits at port 4001', 'table cell')
    return None


def settings(desktop, app):
    """The page."""
    desktop.find(app, 'No filters.*', 'label')
    desktop.screenshot('settings-empty')
    press(desktop, app, 'USB 3.0 controller .*', 'check box')
    desktop.find(app, 'USB 2.0 controller .*', 'check box')
    press(desktop, app, 'Add a filter for a device that is plugged in', 'toggle button')
    press(desktop, app, re.escape(DEVICE), 'menu item')
    desktop.find(app, re.escape(DEVICE), 'table cell')
    problem = edit_filter(desktop, app)
    if problem:
        return problem
    press(desktop, app, 'Earlier')
    problem = remote(desktop, app)
    if problem:
        return problem
    desktop.screenshot('settings')
    press(desktop, app, 'Save')
    gui.wait_for('filters in the settings', lambda: info().get('USBFilterName2') == DEVICE)
    found = info()
    wanted = {'xhci': 'on', 'USBFilterName1': 'Storage', 'USBFilterVendorId1': '1000-1fff',
              'USBFilterSerialNumber1': '7*', 'USBFilterVendorId2': '1234', 'USBFilterProductId2': '5678',
              'USBFilterRevision2': '0100', 'USBFilterProduct2': 'Mock Device', 'USBFilterActive2': 'on',
              'usbremotes': 'usbredir:tcp://:4001'}
    wrong = {name: found.get(name) for name, value in wanted.items() if found.get(name) != value}
    return f'settings: {wrong}' if wrong else None


def filter_lines():
    """The global filters, as the command line tells them."""
    return re.findall(r'^(Active|Action|Name|VendorId):\s+(.*)$', manage('list', 'usbfilters'), re.M)


def preferences(desktop, app):
    """Global filters are applied at once."""
    desktop.find(app, 'Start', 'push button')
    desktop.key('ctrl+comma')
    window = desktop.find(app, 'Preferences', 'frame')
    desktop.select(window, 'USB', 'list item')
    desktop.find(window, 'No filters.*', 'label')
    press(desktop, window, 'Add an empty filter')
    dialog = desktop.find(app, 'USB filter', 'dialog')
    enter(desktop, dialog, 'Name', 'Keep')
    enter(desktop, dialog, 'Vendor ID', '4321')
    choose(desktop, dialog, 'It waits for a machine')
    desktop.screenshot('preferences-filter')
    press(desktop, dialog, 'Apply')
    gui.wait_for('global filter', lambda: filter_lines() == [
        ('Active', 'yes'), ('Action', 'Hold'), ('Name', 'Keep'), ('VendorId', '4321')])
    press(desktop, window, 'Add a filter for a device that is plugged in', 'toggle button')
    press(desktop, app, re.escape(DEVICE), 'menu item')
    gui.wait_for('two global filters', lambda: ('Action', 'Ignore') in filter_lines())
    desktop.screenshot('preferences')
    desktop.find(window, re.escape(DEVICE), 'table cell')
    press(desktop, window, 'Remove the filter')
    gui.wait_for('one global filter', lambda: ('Action', 'Ignore') not in filter_lines())
    desktop.key('Escape')


def item(desktop, app, name=re.escape(DEVICE) + '.*'):
    """A device's item of Devices, USB, with the menus open."""
    desktop.find(app, 'Devices', 'menu').doActionNamed('click')
    desktop.find(app, 'USB', 'menu').doActionNamed('click')
    return desktop.find(app, name, 'check menu item')


def look(desktop, app, *name):
    """Check mark, whether it can be chosen, words, explanation; closes the menus."""
    found = item(desktop, app, *name)
    result = (found.checked, found.sensitive, found.name, found.description)
    desktop.key('Escape', 'Escape', 'Escape')
    return result


def remote_in_window(desktop, app, indicator):
    """Remote devices in the menu: one of the settings goes and comes, another one is the command line's."""
    gui.wait_for('remote device of the settings', lambda: look(desktop, app, WAITS)[0])
    gui.wait_for('remote device in the status bar', lambda: WAITS in indicator.description)
    item(desktop, app, WAITS).doActionNamed('click')
    gui.wait_for('remote device taken out', lambda: look(desktop, app, WAITS)[:2] == (False, True))
    gui.wait_for('status bar without remote device', lambda: WAITS not in indicator.description)
    path = os.path.join(os.environ['HOME'], 'peer_1')
    other = f'Waits at the socket {path}'
    manage('controlvm', 'Box', 'usbattach', f'usbredir:listen:{path}')
    gui.wait_for('remote device of the command line', lambda: look(desktop, app, re.escape(other))[0])
    item(desktop, app, WAITS).doActionNamed('click')
    gui.wait_for('remote device again', lambda: look(desktop, app, WAITS)[0])
    item(desktop, app)
    desktop.screenshot('menu-remote')
    item(desktop, app, re.escape(other)).doActionNamed('click')
    gui.wait_for('menu without it', lambda: not remotes(desktop, app, other))
    item(desktop, app, WAITS).doActionNamed('click')
    gui.wait_for('status bar without remote devices', lambda: 'Waits' not in indicator.description)


def remotes(desktop, app, name):
    """The items of that name."""
    found = item(desktop, app).parent.findChildren(lambda node: node.name == name)
    desktop.key('Escape', 'Escape', 'Escape')
    return found


def window(desktop):
    """The running machine."""
    process = desktop.launch([gui.program('app/vitrine'), '--startvm', 'Box'])
    app = desktop.application('vitrine')
    gui.wait_for('device by filter', lambda: 'USBAttachedUUID1' in info())
    gui.wait_for('check mark', lambda: look(desktop, app)[0])
    indicator = desktop.find(app, 'USB devices', 'toggle button')
    gui.wait_for('name in the status bar', lambda: DEVICE in indicator.description)
    remote_in_window(desktop, app, indicator)
    item(desktop, app)
    desktop.screenshot('menu')
    item(desktop, app).doActionNamed('click')
    gui.wait_for('device given back', lambda: 'USBAttachedUUID1' not in info())
    gui.wait_for('no check mark', lambda: look(desktop, app)[:2] == (False, True))
    item(desktop, app).doActionNamed('click')
    gui.wait_for('device by menu', lambda: 'USBAttachedUUID1' in info())
    usb_host.unplug()
    gui.wait_for('status bar without the device', lambda: 'no USB device' in indicator.description)
    usb_host.plug()
    gui.wait_for('device by filter again', lambda: DEVICE in indicator.description)
    manage('controlvm', 'Box', 'usbdetach', '1-1')
    usb_host.driver('usbfs')
    manage('list', 'usbhost')  # looks anew, and tells the window
    gui.wait_for('device of a program', lambda: 'used by a program' in look(desktop, app)[2])
    _, sensitive, _, description = look(desktop, app)
    if sensitive or '1234:5678' not in description or 'Close that and try again' not in description:
        return f'a device that cannot be had: {sensitive} {description}'
    item(desktop, app)
    desktop.screenshot('menu-unavailable')
    desktop.key('Escape', 'Escape', 'Escape')
    manage('controlvm', 'Box', 'poweroff')
    gui.wait_for('end', lambda: process.poll() is not None)
    desktop.children.remove(process)
    return None


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--register')
        manager = desktop.launch([gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        desktop.find(app, 'USB: No controller', 'push button').doActionNamed('click')
        problem = settings(desktop, app)
        if not problem:
            preferences(desktop, app)
        manager.terminate()
        manager.wait()
        desktop.children.remove(manager)
        return problem or window(desktop)


if __name__ == '__main__':
    if usb_host.here():
        sys.exit(main())
    RESULT, _ = usb_host.run_here([sys.executable, __file__])
    sys.exit(None if RESULT.returncode == 0 else RESULT.stdout + RESULT.stderr)
