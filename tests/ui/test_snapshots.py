#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick
#
# The snapshot tool by keyboard and pointer: take with a name, what differs after a change of the settings, restore with the
# present kept first, edit, delete, also of a running machine; closing its window with the way back; the command line sees the same tree. An empty name cannot be taken.
"""The snapshot tree in the manager."""

import os
import re
import subprocess
import sys
import tempfile

import gui

MANAGE = 'app/manage/vitrine-manage'


def manage(*words):
    """Runs the command line; what it prints."""
    result = subprocess.run([gui.program(MANAGE), *words], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise gui.GuiError(f'{" ".join(words)}: {result.stderr or result.stdout}')
    return result.stdout


def snapshots():
    """[name] in the order of the list, and the current one."""
    text = subprocess.run([gui.program(MANAGE), 'snapshot', 'Box', 'list', '--machinereadable'], capture_output=True,
                          text=True, check=False).stdout
    return (re.findall(r'^SnapshotName[-0-9]*="(.*)"', text, re.M),
            (re.findall(r'^CurrentSnapshotName="(.*)"', text, re.M) or [''])[0])


def expect(names, current):
    """Waits until the command line shows exactly that."""
    try:
        gui.wait_for('tree', lambda: snapshots() == (names, current))
    except gui.GuiError:
        raise gui.GuiError(f'the tree is {snapshots()}, not {(names, current)}') from None


def button(desktop, node, name):
    """Presses a push button."""
    desktop.find(node, name, 'push button').doActionNamed('click')


def select(desktop, window, name):
    """A row of the tree, by its cell's text."""
    desktop.select(desktop.find(window, 'Snapshots', 'tree table'), name, 'table cell', 20)


def take(desktop, app, window, name, picture=None):
    """Takes a snapshot of that name."""
    button(desktop, window, 'Take…')
    dialog = desktop.find(app, 'Take a snapshot', 'dialog')
    entry = desktop.find(dialog, 'Name', 'text')
    entry.text = ''
    accept = desktop.find(dialog, 'Take snapshot', 'push button')
    gui.wait_for('refusal of a snapshot without a name', lambda: not accept.sensitive)
    entry.text = name
    gui.wait_for('consent', lambda: accept.sensitive)
    if picture:
        desktop.screenshot(picture)
    accept.doActionNamed('click')
    gui.wait_for('end of the dialog', lambda: not app.findChildren(lambda node: node.name == 'Take a snapshot'))


def tour(desktop, app, window):
    """All commands of the tool."""
    desktop.find(window, 'Snapshots', 'radio button').doActionNamed('click')
    desktop.find(window, 'Snapshots', 'tree table')
    desktop.screenshot('empty')
    take(desktop, app, window, 'Clean', 'take')
    expect(['Clean'], 'Clean')
    manage('modifyvm', 'Box', '--memory', '96')
    take(desktop, app, window, 'Bigger')
    expect(['Clean', 'Bigger'], 'Bigger')
    select(desktop, window, 'Clean')
    desktop.find(window, '.*Memory 64 MB, now 96 MB.*', 'label')
    desktop.screenshot('difference')

    button(desktop, window, 'Restore…')
    question = desktop.find(app, 'Question', 'alert')
    keep = desktop.find(question, 'Keep the present first.*', 'check box')
    if not keep.checked:
        keep.doActionNamed('click')
    desktop.screenshot('restore')
    button(desktop, question, 'Restore')
    expect(['Clean', 'Bigger', 'Before going back to “Clean”'], 'Clean')
    if 'memory=64' not in manage('showvminfo', 'Box', '--machinereadable'):
        raise gui.GuiError('the memory is not what it was')
    desktop.find(desktop.find(window, 'Snapshots', 'tree table'), 'Before going back to “Clean”', 'table cell')
    desktop.screenshot('restored')

    select(desktop, window, 'Bigger')
    button(desktop, window, 'Edit…')
    dialog = desktop.find(app, 'Snapshot', 'dialog')
    desktop.find(dialog, 'Name', 'text').text = 'Larger'
    button(desktop, dialog, 'Save')
    expect(['Clean', 'Larger', 'Before going back to “Clean”'], 'Clean')

    first_of_two(desktop, window)
    select(desktop, window, 'Larger')
    button(desktop, window, 'Delete…')
    question = desktop.find(app, 'Question', 'alert')
    desktop.screenshot('delete')
    button(desktop, question, 'Delete')
    expect(['Clean', 'Before going back to “Clean”'], 'Clean')


def first_of_two(desktop, window):
    """The first snapshot cannot go while two follow it, and the button says so."""
    manage('snapshot', 'Box', 'take', 'Third')
    desktop.find(desktop.find(window, 'Snapshots', 'tree table'), 'Third', 'table cell')
    select(desktop, window, 'Clean')
    delete = desktop.find(window, 'Delete…', 'push button')
    gui.wait_for('refusal', lambda: not delete.sensitive)
    if 'at most one' not in delete.description:
        raise gui.GuiError(f'the button does not say why: {delete.description}')
    manage('snapshot', 'Box', 'delete', 'Third')
    gui.wait_for('permission', lambda: delete.sensitive)


def deleted_while_it_runs(desktop, app, window):
    """The machine goes on."""
    start = subprocess.run([gui.program(MANAGE), 'startvm', 'Box', '--type', 'headless'], check=True,
                           capture_output=True)
    del start
    select(desktop, window, 'Before going back to “Clean”')
    restore = desktop.find(window, 'Restore…', 'push button')
    gui.wait_for('reason', lambda: not restore.sensitive and 'has to be off' in restore.description)
    button(desktop, window, 'Delete…')
    button(desktop, desktop.find(app, 'Question', 'alert'), 'Delete')
    expect(['Clean'], 'Clean')
    if 'VMState="running"' not in manage('showvminfo', 'Box', '--machinereadable'):
        raise gui.GuiError('the machine does not run any more')
    desktop.screenshot('deleted-running')
    manage('controlvm', 'Box', 'poweroff')


def running(desktop):
    """From the machine's own window, while it runs."""
    process = desktop.launch([gui.program('app/vitrine'), '--startvm', 'Box'])
    window = gui.wait_for('window of the machine', lambda: desktop.window('Box'), 30)
    picture = desktop.find(window, 'Screen of the guest')
    gui.wait_for('guest', lambda: picture.size == (720, 400), 40)
    desktop.focus(picture)
    desktop.key('Control_R+t')
    dialog = gui.wait_for('dialog', lambda: desktop.window('Take a snapshot'))
    desktop.find(dialog, 'Name', 'text').text = 'Live'
    desktop.screenshot('live')
    button(desktop, dialog, 'Take snapshot')
    gui.wait_for('snapshot', lambda: snapshots()[1] == 'Live')
    if 'VMState="running"' not in manage('showvminfo', 'Box', '--machinereadable'):
        raise gui.GuiError('the machine does not run any more')
    window = desktop.window('Box')
    desktop.focus(desktop.find(window, 'Screen of the guest'))
    desktop.key('Control_R+q')
    back = desktop.find(window.parent, 'Then go back to the snapshot “Live”', 'check box')
    if back.sensitive:
        raise gui.GuiError('a snapshot can be restored without powering off')
    desktop.find(window.parent, 'Power off', 'radio button').doActionNamed('click')
    gui.wait_for('choice', lambda: back.sensitive)
    back.doActionNamed('click')
    desktop.screenshot('close-restoring')
    desktop.find(window.parent, 'Close', 'push button').doActionNamed('click')
    process.wait(gui.PATIENCE)
    gui.wait_for('state of the snapshot', lambda: 'VMState="saved"' in manage('showvminfo', 'Box', '--machinereadable'))


def pictured(desktop, window):
    """The screen of then is beside the snapshot, and in the preview of the machine that is saved."""
    select(desktop, window, 'Live')
    picture = desktop.find(window, 'Screen when the snapshot was taken')
    gui.wait_for('picture', lambda: picture.showing and picture.size[0] >= 320 and picture.size[1] >= 170)
    desktop.screenshot('pictured')
    desktop.find(window, 'Details', 'radio button').doActionNamed('click')
    preview = desktop.find(window, 'Preview', 'image')
    gui.wait_for('preview', lambda: preview.showing and preview.size[0] >= 160)
    desktop.screenshot('preview-saved')


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(width=1200, height=760) as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--register', '--default')
        manage('modifyvm', 'Box', '--memory', '64')
        disk = os.path.join(home, 'disk.vdi')
        manage('createmedium', 'disk', '--filename', disk, '--size', '16')
        manage('storageattach', 'Box', '--storagectl', 'IDE', '--port', '0', '--device', '0', '--type', 'hdd',
               '--medium', disk)
        desktop.launch([gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        window = desktop.find(app, 'Vitrine', 'frame')
        tour(desktop, app, window)
        deleted_while_it_runs(desktop, app, window)
        running(desktop)
        pictured(desktop, window)
    return None


if __name__ == '__main__':
    sys.exit(main())
