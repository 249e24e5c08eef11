#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: xvfb openbox at-spi2-core python3-dogtail gir1.2-gtk-3.0 xdotool imagemagick
#
# The harness itself, on a window of a few lines: it is found, clicked, typed into and pictured; a program's
# complaint is heard.
"""The desktop without a screen works."""

import sys
import tempfile
from pathlib import Path

import gui

SAMPLE = '''
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
window = Gtk.Window(title="Sample")
entry, label = Gtk.Entry(), Gtk.Label(label="untouched")
button = Gtk.Button(label="Copy")
button.connect("clicked", lambda *_: label.set_text("got " + entry.get_text()))
box = Gtk.Box(orientation="vertical")
for child in (entry, button, label):
    box.add(child)
window.add(box)
window.connect("destroy", Gtk.main_quit)
window.show_all()
Gtk.main()
'''

COMPLAINER = '''
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
Gtk.Label().set_markup("<b>")
'''


def is_heard(desktop, folder):
    """Whether a warning of GTK counts."""
    script = Path(folder) / 'complainer.py'
    script.write_text(COMPLAINER, encoding='ascii')
    desktop.launch(['/usr/bin/python3', str(script)]).wait()
    heard = desktop.complaints()
    desktop.said.pop()
    return len(heard) == 1


def main():
    """Types into the sample, presses its button, reads its label; the picture shows a window."""
    with tempfile.TemporaryDirectory() as folder, gui.Desktop() as desktop:
        script = Path(folder) / 'sample.py'
        script.write_text(SAMPLE, encoding='ascii')
        empty = desktop.screenshot('empty').read_bytes()
        desktop.launch(['/usr/bin/python3', str(script)])
        window = desktop.application('sample.py')
        desktop.find(window, role='text').grabFocus()
        desktop.type('words')
        gui.wait_for('typed text', lambda: desktop.find(window, role='text').text == 'words')
        desktop.find(window, 'Copy', 'push button').doActionNamed('click')
        desktop.find(window, 'got words', 'label')
        if desktop.screenshot('window').read_bytes() == empty:
            return 'the picture does not show the window'
        try:
            desktop.find(window, 'no such button', seconds=1)
        except gui.GuiError:
            return None if is_heard(desktop, folder) else 'a warning of GTK was not heard'
        return 'a button that is not there was found'


if __name__ == '__main__':
    sys.exit(main())
