#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The search across the pages of the settings: it leaves the pages that have the words, and Enter goes to the control.
# Beside it: the manager's window is remembered.
"""Settings are found by their words."""

import os
import subprocess
import sys
import tempfile

import gui


def pages(manager):
    """The names of the pages that the list shows."""
    rows = manager.findChildren(lambda node: node.roleName == 'list item' and node.showing
                                and node.parent.name == 'Pages')
    return [row.name for row in rows]


def remembered(desktop):
    """The manager's place is kept."""
    def saved():
        value = subprocess.run([gui.program('app/manage/vitrine-manage'), 'getextradata', 'global',
                                'GUI/LastSelectorWindowPosition'], check=True, capture_output=True, text=True).stdout
        return value.removeprefix('Value: ').split(',')
    subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', '^Vitrine$', 'windowmove', '40', '30'],
                   check=True, env=desktop.environment())
    gui.wait_for('saved place', lambda: len(saved()) == 4 and abs(int(saved()[0]) - 40) < 40 and int(saved()[0]) >= 0)


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        subprocess.run([gui.program('app/manage/vitrine-manage'), 'createvm', '--name', 'Box', '--register'],
                       check=True, stdout=subprocess.DEVNULL)
        desktop.launch([gui.program('app/vitrine')])
        manager = desktop.application('vitrine')
        desktop.focus(desktop.find(manager, 'Box, .*', 'list item'))
        desktop.key('ctrl+s')
        desktop.focus(desktop.find(manager, 'Serial ports', 'list item'))
        every = pages(manager)
        desktop.key('ctrl+f')
        desktop.type('clock')
        gui.wait_for('page with the word', lambda: pages(manager) == ['System'])
        desktop.screenshot('found')
        desktop.key('Return')
        clock = desktop.find(manager, 'Hardware clock in UTC', 'check box')
        gui.wait_for('focus', lambda: clock.focused)
        desktop.key('ctrl+f', 'ctrl+a')
        desktop.type('xyzzy')
        gui.wait_for('no page', lambda: pages(manager) == [])
        desktop.screenshot('nothing')
        desktop.key('Escape')
        gui.wait_for('all pages', lambda: pages(manager) == every)
        desktop.key('Escape')
        gui.wait_for('end of the dialog', lambda: not pages(manager))
        remembered(desktop)
    return None


if __name__ == '__main__':
    sys.exit(main())
