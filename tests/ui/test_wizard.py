#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick memtest86+ grub-pc-bin xorriso
#
# The way of a new person: an empty manager, an image, three times Enter, a guest in its window that takes keys, and the
# window's close dialog.
"""From the first start to a running guest, by keyboard and AT-SPI."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import gui
import media

SCREEN_TEXT = '''
import sys, gi
gi.require_version("Vitrine", "1.0")
from gi.repository import Vitrine
client = Vitrine.Client.new_sync(None, None)
machine = client.get_machines().get_item(0)
console = machine.open_console_sync(None)
print(console.get_info_sync("screen-text", None))
'''


def screen_text():
    """What the guest shows, as text; empty while it cannot be asked."""
    library = gui.program('app/api')
    result = subprocess.run(['/usr/bin/python3', '-c', SCREEN_TEXT], capture_output=True, text=True,
                            check=False, env=dict(os.environ, GI_TYPELIB_PATH=library, LD_LIBRARY_PATH=library))
    return result.stdout if result.returncode == 0 else ''


def choose_image(desktop, path):
    """Chooses a file in GTK's own dialog; a slash opens its entry for a path."""
    desktop.key('space')
    dialog = gui.wait_for('file dialog', lambda: desktop.window('Choose an installation image'))
    gui.wait_for('active file dialog', lambda: desktop.is_active(dialog))
    desktop.key('slash')
    entry = desktop.find(dialog, role='text')
    gui.wait_for('focus', lambda: entry.focused)
    desktop.type(str(path).lstrip('/'))
    desktop.key('Return')


def of_machine(name):
    """Titles of the machine's window, with or without its state."""
    return re.escape(name) + '( – .*)?'


def open_wizard(desktop, manager):
    """By its keys, when the manager takes them."""
    gui.wait_for('active manager', lambda: desktop.is_active(desktop.find(manager, 'New', 'push button')))
    desktop.key('ctrl+n')
    desktop.find(manager, 'Installation image')
    gui.wait_for('active wizard', lambda: desktop.is_active(desktop.find(manager, 'Name', 'text')))


def leave(desktop, manager):
    """Escape leaves the wizard, and asks first when a name was typed."""
    open_wizard(desktop, manager)
    desktop.key('Escape')
    gui.wait_for('end of the wizard', lambda: desktop.window('New machine') is None)
    open_wizard(desktop, manager)
    desktop.focus(desktop.find(manager, 'Name', 'text'))
    desktop.type('Precious')
    desktop.key('Escape')
    question = desktop.find(manager, 'Discard the new machine.', 'label')
    gui.wait_for('active question', lambda: desktop.is_active(question))
    desktop.screenshot('discard')
    desktop.key('Return')  # keep it
    gui.wait_for('end of the question', lambda: desktop.window('Question') is None)
    gui.wait_for('wizard as it was', lambda: desktop.find(manager, 'Name', 'text').text == 'Precious'
                 and desktop.is_active(desktop.find(manager, 'Name', 'text')))
    desktop.key('Escape')
    desktop.find(manager, 'Discard', 'push button').doActionNamed('click')
    gui.wait_for('end of the wizard', lambda: desktop.window('New machine') is None)


def create(desktop, iso):
    """The wizard: returns the title that it proposed."""
    manager = desktop.application('vitrine')
    desktop.find(manager, 'Create a machine…', 'push button')
    desktop.screenshot('empty')
    leave(desktop, manager)
    open_wizard(desktop, manager)
    choose_image(desktop, iso)
    desktop.find(manager, 'Recognised: Memtest86.*', 'label', seconds=60)
    name = desktop.find(manager, 'Name', 'text').text
    desktop.screenshot('recognised')
    desktop.key('Return')
    desktop.find(manager, 'Create a new disk', 'radio button')
    desktop.screenshot('hardware')
    desktop.key('Return')
    desktop.find(manager, 'Start it now', 'check box')
    desktop.screenshot('summary')
    desktop.key('Return')
    return name


def use_guest(desktop, name):
    """The guest shows itself and takes a key."""
    gui.wait_for('window of the machine', lambda: desktop.window(of_machine(name)), 60)
    gui.wait_for('memtest86+', lambda: 'Memtest86+' in screen_text(), 120)
    desktop.screenshot('running')
    desktop.key('F1')
    gui.wait_for("memtest86+'s menu", lambda: 'Settings:' in screen_text(), 60)
    desktop.screenshot('key')
    desktop.key('Escape')


def close_window(desktop, name, home):
    """Closes the window as a person does; the machine ends."""
    window = desktop.window(of_machine(name))
    desktop.key('alt+F4')
    off = desktop.find(window.parent, 'Power off', 'radio button')
    desktop.screenshot('close')
    off.doActionNamed('click')
    desktop.find(window.parent, 'Close', 'push button').doActionNamed('click')
    gui.wait_for('end of the window', lambda: desktop.window(of_machine(name)) is None
                 and not running(home), 30)


def running(home):
    """Whether a VM process of this person's is left: other tests have theirs."""
    for process in Path('/proc').glob('[0-9]*'):
        try:
            command, environment = ((process / name).read_bytes() for name in ('cmdline', 'environ'))
        except OSError:
            continue  # it has ended
        if b'--startvm' in command and f'\0HOME={home}\0'.encode() in b'\0' + environment:
            return True
    return False


def main():
    """Returns what went wrong, or None."""
    iso = media.get('memtest-x64')
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        desktop.launch([gui.program('app/vitrine')])
        name = create(desktop, iso)
        use_guest(desktop, name)
        close_window(desktop, name, home)
        manager = desktop.application('vitrine')
        desktop.find(manager, f'{name}, Powered off'.replace('+', r'\+'), 'list item')
        desktop.find(manager, 'Network: NAT, Intel PRO/1000 MT Desktop', 'push button')
        desktop.screenshot('ended')
    return None


if __name__ == '__main__':
    sys.exit(main())
