#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# Windows when things break: a machine that cannot be read, a service that is killed, a machine's process that is
# killed, a machine that does not exist.
"""Windows survive and say what happened."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import gui


def manage(*words):
    """Runs vitrine-manage; what it prints."""
    return subprocess.run([gui.program('app/manage/vitrine-manage'), *words], check=True, capture_output=True,
                          text=True).stdout


def process_of(program, home):
    """The process of that program which lives in our home."""
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            command = (folder / 'cmdline').read_bytes().split(b'\0')[0].decode()
            if Path(command).name == program and f'HOME={home}'.encode() in (folder / 'environ').read_bytes():
                return int(folder.name)
        except OSError:
            pass  # it ended meanwhile
    raise gui.GuiError(f'{program} does not run')


def unreadable(desktop, manager, file, good):
    """A damaged settings file is listed with its reason; Refresh reads a mended one."""
    desktop.select(manager, "Broken, Can't be read", 'list item')
    desktop.find(manager, '(?s).*Broken.vbox.*', 'label')
    desktop.screenshot('unreadable')
    file.write_text(good, encoding='utf-8')
    desktop.find(manager, 'Refresh', 'push button').doActionNamed('click')
    desktop.find(manager, 'Broken, Powered off', 'list item')


def killed_service(desktop, manager, home):
    """The service is killed under the manager and a window; both go on with a new one."""
    window = desktop.launch([gui.program('app/vitrine'), '--startvm', 'Good'])
    desktop.find(manager, 'Good, Running.*', 'list item')
    os.kill(process_of('vitrine-service', home), signal.SIGKILL)
    manage('createvm', '--name', 'Later', '--register')
    desktop.find(manager, 'Later, Powered off', 'list item')
    desktop.find(manager, 'Good, Running.*', 'list item')
    if window.poll() is not None:
        raise gui.GuiError('the window went with the service')
    return window


def killed_machine(desktop, manager, window):
    """The machine's process is killed: the manager says so."""
    window.kill()
    window.wait()
    desktop.find(manager, 'Good, Aborted.*', 'list item')
    desktop.find(manager, '“Good” has ended without being switched off.*', 'label')
    desktop.screenshot('killed')


def no_machine(desktop):
    """A name that no machine has: a dialog, a line, an exit code; what is wrong, or None."""
    process = subprocess.Popen([gui.program('app/vitrine'), '--startvm', 'Nowhere'], env=desktop.environment(),
                               stderr=subprocess.PIPE, text=True)

    def dialog():
        from dogtail import tree
        return next((button for app in tree.root.applications() if app.name == 'vitrine'
                     for button in app.findChildren(lambda node: node.roleName == 'alert')), None)
    alert = gui.wait_for('dialog', dialog)
    desktop.screenshot('nowhere')
    desktop.find(alert, 'Close', 'push button').doActionNamed('click')
    _, said = process.communicate(timeout=gui.PATIENCE)
    fits = process.returncode == 1 and re.search('no machine named “Nowhere”', said)
    return None if fits else f'exit code {process.returncode}, {said!r}'


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop() as desktop:
        os.environ['HOME'] = home
        for name in ('Good', 'Broken'):
            manage('createvm', '--name', name, '--register')
        file = Path(home) / 'VirtualBox VMs' / 'Broken' / 'Broken.vbox'
        good = file.read_text(encoding='utf-8')
        file.write_text(good[:len(good) // 2], encoding='utf-8')
        os.kill(process_of('vitrine-service', home), signal.SIGKILL)  # the next one reads it anew
        desktop.launch([gui.program('app/vitrine')])
        manager = desktop.application('vitrine')
        unreadable(desktop, manager, file, good)
        killed_machine(desktop, manager, killed_service(desktop, manager, home))
        return no_machine(desktop)


if __name__ == '__main__':
    sys.exit(main())
