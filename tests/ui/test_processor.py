#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Settings, System: number of processors, execution cap, processor type, hardware virtualization, large
# pages and engine are set in the window and stand in the machine's settings afterwards.
"""A machine's processor is set in the settings window."""

import os
import re
import subprocess
import sys
import tempfile

import gui

WANTED = {'cpus': '2', 'cpuexecutioncap': '70', 'cpu-profile': 'x86-64-v2', 'hwvirtex': 'off',
          'largepages': 'on', 'exec-engine': 'rem', 'ioapic': 'on'}


def manage(*words):
    """What vitrine-manage prints."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True,
                          capture_output=True, text=True).stdout


def info():
    """The machine's settings, by name."""
    lines = manage('showvminfo', 'Box', '--machinereadable').splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition('=') for line in lines)}


def control(dialog, name, role):
    """The control of that name, which may be below what is on the screen; it has the focus then."""
    found = gui.wait_for(f'{role} {name}', lambda: dialog.findChildren(
        lambda node: node.roleName == role and re.fullmatch(name, node.name)))[0]
    found.grabFocus()
    return found


def choose(dialog, name, choice):
    """Another choice in the combo box."""
    control(control(dialog, name, 'combo box'), re.escape(choice), 'menu item').doActionNamed('click')


def set_all(dialog):
    """Everything on the page that makes the processor."""
    control(dialog, 'I/O APIC', 'check box').doActionNamed('click')
    control(dialog, 'Processors', 'spin button').value = 2
    control(dialog, 'Execution cap in percent', 'spin button').value = 70
    choose(dialog, 'Processor type|Like this computer', 'x86-64-v2: SSE4.2, since 2009')
    control(dialog, 'Hardware virtualization', 'check box').doActionNamed('click')
    control(dialog, 'Large pages', 'check box').doActionNamed('click')
    choose(dialog, 'Engine|Automatic', 'Recompiler (REM)')


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(height=1000) as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--ostype', 'Debian_64', '--register')
        manage('modifyvm', 'Box', '--ioapic', 'off', '--largepages', 'off', '--hwvirtex', 'on')
        desktop.launch([gui.program('app/vitrine')])
        manager = desktop.application('vitrine')
        desktop.focus(desktop.find(manager, 'Box, .*', 'list item'))
        desktop.key('ctrl+s')
        desktop.focus(desktop.find(manager, 'System', 'list item'))
        desktop.key('ctrl+f')
        desktop.type('clock')
        gui.wait_for('end of the search', lambda: not manager.findChildren(
            lambda node: node.roleName == 'list item' and node.name == 'Display' and node.showing))
        desktop.key('Return')
        desktop.find(manager, 'Hardware clock in UTC', 'check box')
        set_all(manager)
        # What a 64-bit system would rather have is said, and Save is possible all the same.
        desktop.find(manager, '.*meant for hardware virtualization.*', 'label')
        desktop.screenshot('processor')
        desktop.find(manager, 'Save|OK', 'push button').doActionNamed('click')
        gui.wait_for('the settings', lambda: all(info().get(name) == value for name, value in WANTED.items()))
    return None


if __name__ == '__main__':
    sys.exit(main())
