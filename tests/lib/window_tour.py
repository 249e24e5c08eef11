# SPDX-License-Identifier: GPL-3.0-or-later
#
# A way through all windows of the manager and of a running machine, one picture and one audit (window_audit.py) at each:
# tests/ui/test_looks.py goes it in each look. Names are those of the program in English; the look's language finds them.
"""All windows, one after the other."""

import os
import re
import subprocess
from pathlib import Path

import gui
from keyboard_audit import audit_keyboard
from window_audit import Language, audit

PAGES = ('General', 'System', 'Display', 'Storage', 'Audio', 'Network', 'Serial ports', 'USB')
SETTLE_SECONDS = 0.6  # pages fade in: nothing tells when they are there
SESSION_SECONDS = 3  # so that the plot has a curve
RULES = (('ssh', 'tcp', '127.0.0.1', '2222', '', '22'), ('web', 'tcp', '', '8080', '10.0.2.15', '80'),
         ('name service', 'udp', '', '5353', '', '53'))


def manage(*words):
    """Runs the command line; what it prints."""
    result = subprocess.run([gui.program('app/manage/vitrine-manage'), *words], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise gui.GuiError(f'{" ".join(words)}: {result.stderr or result.stdout}')
    return result.stdout


def make_machines():
    """Three of them, the one with a long name."""
    manage('createvm', '--name', 'A machine with a name that is rather long for a list', '--ostype', 'FreeBSD_64', '--register')
    manage('createvm', '--name', 'Windows XP', '--ostype', 'WindowsXP', '--default', '--register')
    manage('createvm', '--name', 'Debian 12', '--ostype', 'Debian_64', '--default', '--register')


def furnish(home):
    """A tree of snapshots, media of each kind and networks, for the machines."""
    disk, image = os.path.join(home, 'Debian 12.vdi'), os.path.join(home, 'debian-12-netinst.iso')
    Path(image).write_bytes(bytes(1 << 20))
    manage('createmedium', 'disk', '--filename', disk, '--size', '20480')
    manage('createmedium', 'disk', '--filename', os.path.join(home, 'Archive.vmdk'), '--size', '4096', '--format', 'VMDK')
    manage('storageattach', 'Debian 12', '--storagectl', 'SATA', '--port', '2', '--type', 'hdd', '--medium', disk)
    manage('modifyvm', 'Debian 12', '--memory', '128', '--audio-driver', 'null', '--nic1', 'nat', '--nic2', 'intnet', '--intnet2', 'lab')
    for rule in RULES:
        manage('modifyvm', 'Debian 12', '--natpf1', ','.join(rule))
    manage('usbfilter', 'add', '0', '--target', 'Debian 12', '--name', 'Security key', '--vendorid', '1050')
    manage('usbfilter', 'add', '1', '--target', 'Debian 12', '--name', 'Any camera', '--manufacturer', 'Logitech', '--active', 'no')
    branches()
    manage('storageattach', 'Windows XP', '--storagectl', 'IDE', '--port', '1', '--device', '0', '--type', 'dvddrive',
           '--medium', image)
    manage('natnetwork', 'add', '--netname', 'NatNetwork', '--network', '10.0.2.0/24', '--enable', '--dhcp', 'on')
    manage('natnetwork', 'add', '--netname', 'office', '--network', '192.168.15.0/24', '--enable', '--dhcp', 'off')
    manage('dhcpserver', 'add', '--network', 'lab', '--server-ip', '192.168.57.2', '--netmask', '255.255.255.0', '--lower-ip',
           '192.168.57.10', '--upper-ip', '192.168.57.99', '--enable')


def branches():
    """Two ways from the first snapshot; something differs from now."""
    def take(name, text=''):
        manage('snapshot', 'Debian 12', 'take', name, '--description', text)
    take('Fresh installation', 'As the installer left it: no desktop, one user.')
    take('With a desktop')
    take('Everything updated')
    manage('snapshot', 'Debian 12', 'restore', 'Fresh installation')
    take('A server instead', 'Web server and data base.')
    manage('modifyvm', 'Debian 12', '--memory', '192', '--description', 'For trying out what a server needs.')


class Tour:
    """A desktop, the manager on it, and what is wrong so far."""

    def __init__(self, desktop, look, language):
        self.desktop, self.prefix, self.wrong = desktop, look, []
        self.language = Language(language) if language else None
        self.app = desktop.application('vitrine')
        self.desktop.find(self.app, 'Debian 12.*', 'list item')

    def say(self, text):
        """A text of the program in the look's language."""
        return self.language.say(text) if self.language else text

    def name(self, text):
        """The same, to search for."""
        return re.escape(self.say(text))

    def find(self, text, role=None, node=None):
        """A widget by its English name."""
        return self.desktop.find(node or self.app, self.name(text), role)

    def press(self, text, role='push button', node=None):
        """A button."""
        self.find(text, role, node).doActionNamed('click')

    def top(self, title):
        """The window, dialog or question with that title, when keys go to it."""
        def active():
            window = dialog_of(self, title)
            return window if window and self.desktop.is_active(window) else None
        return gui.wait_for(f'active “{title}”', active)

    def look(self, label, window):
        """A picture of what settled, and what is wrong with the window."""
        gui.time.sleep(SETTLE_SECONDS)
        self.desktop.screenshot(f'{self.prefix}-{label}')
        self.wrong += [f'{self.prefix}-{label}: {line}' for line in audit(window, self.language)]

    def keyboard(self, label, window, default):
        """What is wrong with it for the keyboard: once is enough, no look changes that."""
        if self.prefix == 'light':
            self.wrong += [f'{self.prefix}-{label}: {line}' for line in audit_keyboard(self.desktop, window, default)]

    def shut(self, title):
        """Escape closes it."""
        self.top(title)
        self.desktop.key('Escape')
        gui.wait_for(f'end of “{title}”', lambda: dialog_of(self, title) is None)

    def dialog(self, title, label, default=None):
        """A dialog that was asked for: pictured and closed. default: the button that Enter presses."""
        window = self.top(title)
        self.look(label, window)
        if default:
            self.keyboard(label, window, default)
        self.shut(title)

    def select(self, node, text, dx=60):
        """Selects the row of a list or tree."""
        role = 'list item' if node.roleName == 'list box' else 'table cell'
        self.desktop.select(node, self.name(text) + '.*', role, dx)

    def command(self, keys, title):
        """A combination of the manager, and the window that it opens."""
        machines = self.find('Machines', 'list box')
        self.select(machines, 'Debian 12')
        self.desktop.focus(self.desktop.find(machines, 'Debian 12.*', 'list item'))
        self.desktop.key(keys)
        return self.top(title)


def dialog_of(tour, title):
    """The window of the manager with that title, or None; GTK itself names questions, in its own words."""
    def fits(window):
        return window.roleName == 'alert' if title == 'Question' else re.fullmatch(tour.name(title), window.name)
    try:
        return next((window for window in tour.app.children if window.showing and fits(window)), None)
    except Exception:  # pylint: disable=broad-except
        return None  # a window came or went


def manager(tour):
    """The machine's details."""
    frame = tour.top('Vitrine')
    tour.select(tour.find('Machines', 'list box'), 'Debian 12')
    tour.look('manager', frame)


def snapshots(tour):
    """The tree, its dialogs."""
    frame = tour.top('Vitrine')
    tour.press('Snapshots', 'radio button')
    tree = tour.find('Snapshots', 'tree table')
    for button, title, label, row, default in (
            ('Take…', 'Take a snapshot', 'take', 'Fresh installation', 'Take snapshot'),
            ('Restore…', 'Question', 'restore', 'Fresh installation', 'Cancel'),
            ('Clone…', 'Clone a machine', 'clone', 'Fresh installation', 'Clone'),
            ('Edit…', 'Snapshot', 'edit', 'A server instead', 'Save')):
        tour.select(tree, row, 20)
        if label == 'take':
            tour.look('snapshots', frame)
        tour.press(button)
        tour.dialog(title, f'snapshot-{label}', default)
    tour.press('Details', 'radio button')


def settings(tour, names=PAGES):
    """Pages of a machine's settings."""
    title = tour.say('Settings – %s').replace('%s', 'Debian 12')
    window = tour.command('ctrl+s', title)
    pages = tour.find('Pages', 'list box', window)
    for page in names:
        tour.select(pages, page)
        tour.look('settings-' + page.lower().replace(' ', '-'), window)
        if len(names) > 1:  # the short way leaves it to the other dialogs
            tour.keyboard('settings-' + page.lower().replace(' ', '-'), window, 'Save')
    tour.shut(title)


def media(tour):
    """The media manager, its dialogs."""
    window = tour.command('ctrl+d', 'Media')
    tree = tour.find('Disks', 'tree table', window)
    tour.select(tree, 'Archive.vmdk')
    tour.look('media', window)
    for button, title, label, default in (
            ('New disk…', 'New disk', 'new-disk', 'Create disk'), ('Copy…', 'Copy a disk', 'copy-disk', 'Copy disk'),
            ('Resize…', 'Resize a disk', 'resize-disk', 'Resize'), ('Remove…', 'Question', 'remove-disk', 'Cancel')):
        tour.press(button, node=window)
        tour.dialog(title, label, default)
    tour.select(tree, 'Debian 12.vdi')
    tour.look('media-chain', window)
    for kind in ('Optical', 'Floppy'):
        tour.press(kind, 'radio button', window)
        tour.look('media-' + kind.lower(), window)
    tour.shut('Media')


def networks(tour):
    """The network tool, its dialogs."""
    window = tour.command('ctrl+h', 'Networks')
    tour.look('networks-host-only', window)
    tour.press('NAT', 'radio button', window)
    tour.desktop.find(window, 'NatNetwork', 'table cell')
    tour.look('networks-nat', window)
    tour.press('New network', node=window)
    dialog = tour.top('New NAT network')
    for page in (None, 'DHCP', 'DHCP options', 'IPv4 ports'):
        if page:
            tour.desktop.select(dialog, tour.name(page), 'page tab')
        tour.look(f'networks-new-{page or "general"}'.lower().replace(' ', '-'), dialog)
        tour.keyboard(f'networks-new-{page or "general"}', dialog, 'Create network')
    tour.shut('New NAT network')
    tour.press('Internal', 'radio button', window)
    tour.select(tour.find('Internal', 'table', window), 'lab')
    tour.look('networks-internal', window)
    tour.press('Properties…', node=window)
    tour.dialog('Properties of an internal network', 'networks-internal-properties', 'Save')
    tour.shut('Networks')


def dialogs(tour):
    """What the manager opens by a combination."""
    for keys, title, label, default in (('ctrl+n', 'New machine', 'wizard', None), ('ctrl+o', 'Clone a machine', 'clone', 'Clone'),
                                        ('ctrl+comma', 'Preferences', 'preferences', None)):
        tour.command(keys, title)
        tour.dialog(title, label, default)


def enter(tour):
    """Enter in the field that has the focus does what the dialog is for."""
    if tour.prefix != 'light':
        return
    tour.command('ctrl+o', 'Clone a machine')
    tour.desktop.key('Return')
    gui.wait_for('end of the dialog', lambda: dialog_of(tour, 'Clone a machine') is None)
    tour.desktop.find(tour.app, 'Debian 12 clone.*', 'list item')


def first_page(tour):
    """The settings as they come up."""
    settings(tour, PAGES[:1])


def move(tour):
    """The dialog that moves a machine to another folder."""
    tour.press('More for this machine', 'toggle button')
    tour.press('Move to a folder…', None)
    title = tour.say('Move “%s” to a folder').replace('%s', 'Debian 12')
    tour.dialog(title, 'move')


def machine_window(tour):
    """A running machine: menus, Session Information, the close dialog."""
    process = tour.desktop.launch([gui.program('app/vitrine'), '--startvm', 'Debian 12'])
    window = gui.wait_for('window of the machine', lambda: tour.desktop.window('Debian 12'), 60)
    picture = tour.find('Screen of the guest', node=window)
    gui.wait_for('guest', lambda: picture.size[0] == 720, 60)
    tour.look('machine', window)
    for name in ('Machine', 'View', 'Input'):
        tour.find(name, 'menu', window).doActionNamed('click')
        tour.look('menu-' + name.lower(), window)
        tour.desktop.key('Escape', 'Escape')
    for name in ('Network', 'Audio', 'USB', 'Hard disks'):
        tour.find('Devices', 'menu', window).doActionNamed('click')
        tour.find(name, 'menu', window).doActionNamed('click')
        tour.look('menu-' + name.lower().replace(' ', '-'), window)
        tour.desktop.key('Escape', 'Escape', 'Escape')
    for keys, label in (('Control_R+n', 'session'), ('Control_R+q', 'close')):
        tour.desktop.focus(picture)
        tour.desktop.key(keys)
        other = gui.wait_for(label, lambda: next((other for other in window.parent.children if other.showing
                                                  and other.name != window.name and tour.desktop.is_active(other)), None))
        gui.time.sleep(SESSION_SECONDS if label == 'session' else 0)
        tour.look(label, other)
        tour.desktop.key('Escape')
        gui.wait_for(f'end of {label}', lambda: len([other for other in window.parent.children if other.showing]) == 1)
    manage('controlvm', 'Debian 12', 'poweroff')
    gui.wait_for('end of the machine', lambda: process.poll() is not None, 60)
    tour.desktop.children.remove(process)


FIRST = (manager, first_page, dialogs, enter)
ALL = (manager, snapshots, settings, media, networks, dialogs, move, machine_window)
