#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: xvfb openbox at-spi2-core python3-dogtail xdotool imagemagick qemu-utils
#
# The media manager: disks with their sizes and users, a differencing image under its parent; a new disk is made in the
# dialog, described, removed with its file; one that a machine uses is released first. Of a differencing image it is asked
# whether it stays; branches of the tree that were closed stay closed.
"""The media manager."""

import os
import re
import subprocess
import sys
import tempfile

import gui

OTHER = '12345678-1234-4234-8234-123456789012'


def manage(*words):
    """Runs the command line; what it prints."""
    result = subprocess.run([gui.program('app/manage/vitrine-manage'), *words], capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise gui.GuiError(f'{" ".join(words)}: {result.stderr or result.stdout}')
    return result.stdout


def cells(tree):
    """The texts of the rows, one after the other."""
    return [cell.name for cell in tree.findChildren(lambda node: node.roleName == 'table cell') if cell.name]


def select(desktop, tree, name):
    """A row, by the text of its cell."""
    desktop.select(tree, name, 'table cell')


def choose(desktop, window, shown, wanted):
    """Another item of the combo box that shows the one."""
    box = desktop.find(window, shown, 'combo box')
    gui.wait_for(f'choice of {wanted}', lambda: box.sensitive)
    next(iter(box.findChildren(lambda node: node.roleName == 'menu item' and re.fullmatch(wanted, node.name)))).doActionNamed('click')


def press(desktop, node, name):
    """A push button."""
    desktop.find(node, name, 'push button').doActionNamed('click')


def make_disk(desktop, app, window, home):
    """A new disk by the dialog; an existing file is refused while typing."""
    press(desktop, window, 'New disk…')
    dialog = desktop.find(app, 'New disk', 'dialog')
    texts = {node.labeler.name if node.labeler else node.name: node
             for node in dialog.findChildren(lambda node: node.roleName == 'text')}
    texts['Folder'].text = home
    texts['Name'].text = 'used'
    create = desktop.find(dialog, 'Create disk', 'push button')
    gui.wait_for('refusal of a taken name', lambda: not create.sensitive)
    texts['Name'].text = 'fresh'
    gui.wait_for('consent', lambda: create.sensitive)
    split = desktop.find(dialog, 'In files of at most 2 GB', 'check box')
    if split.sensitive:
        raise gui.GuiError('a VDI can be split')
    choose(desktop, dialog, 'VDI.*', 'VMDK.*')
    gui.wait_for('VMDK', lambda: split.sensitive)
    split.doActionNamed('click')
    desktop.screenshot('new-disk')
    create.doActionNamed('click')
    gui.wait_for('end of the dialog', lambda: not app.findChildren(lambda node: node.roleName == 'dialog' and
                                                                   node.name == 'New disk'))


def change(desktop, app, window, tree, home):
    """Type, copy, size and room of a disk that nothing uses."""
    select(desktop, tree, 'used.vdi')
    for now, wanted in (('Normal', 'Immutable.*'), ('Immutable.*', 'Normal')):
        choose(desktop, window, now, wanted)
        gui.wait_for(f'type {wanted}', lambda there=wanted != 'Normal': there == (
            'immutable' in manage('showmediuminfo', os.path.join(home, 'used.vdi')).lower()))

    press(desktop, window, 'Copy…')
    dialog = desktop.find(app, 'Copy a disk', 'dialog')
    desktop.screenshot('copy')
    press(desktop, dialog, 'Copy disk')
    gui.wait_for('copy', lambda: 'used copy.vdi' in cells(tree))
    subprocess.run(['qemu-img', 'compare', os.path.join(home, 'used.vdi'), os.path.join(home, 'used copy.vdi')],
                   check=True, capture_output=True)

    select(desktop, tree, 'used copy.vdi')
    press(desktop, window, 'Resize…')
    dialog = desktop.find(app, 'Resize a disk', 'dialog')
    desktop.find(dialog, None, 'spin button').text = '1.00'
    desktop.screenshot('resize')
    press(desktop, dialog, 'Resize')
    gui.wait_for('larger disk', lambda: '1 GB' in cells(tree))
    desktop.find(window, 'More for this medium').doActionNamed('click')
    desktop.find(window, 'Compact').doActionNamed('click')
    gui.wait_for('end of the work', lambda: desktop.find(window, 'Copy…', 'push button').sensitive)
    desktop.screenshot('changed')
    if 'The work on the medium failed' in ' '.join(node.name for node in window.findChildren(
            lambda node: node.roleName == 'label')):
        raise gui.GuiError('compacting failed')


def attached():
    """Whether the machine has the differencing image."""
    return 'difference.vdi' in manage('showvminfo', 'Box', '--machinereadable')


def release_difference(desktop, app, window, tree, home):
    """An image of differences: it stays in the list, or goes with its file; nothing happens when the question is left."""
    path = os.path.join(home, 'difference.vdi')
    manage('createmedium', 'disk', '--filename', path, '--diffparent', os.path.join(home, 'used.vdi'))
    for answer in ('Cancel', 'Keep the image', 'Delete the image'):
        if not attached():
            manage('storageattach', 'Box', '--storagectl', 'IDE', '--port', '0', '--device', '0', '--type', 'hdd',
                   '--medium', path)
        gui.wait_for('differencing image', lambda: 'difference.vdi' in cells(tree))
        select(desktop, tree, 'difference.vdi')
        release = desktop.find(window, 'Release.*', 'push button')
        gui.wait_for('release', lambda: release.sensitive)  # pylint: disable=cell-var-from-loop
        release.doActionNamed('click')
        question = desktop.find(app, 'Question', 'alert')
        desktop.screenshot('release')
        press(desktop, question, answer)
        gui.wait_for('end of the question', lambda: not app.findChildren(lambda node: node.roleName == 'alert'))
        if answer == 'Cancel':
            if not attached():
                raise gui.GuiError('the image was released though nobody wanted that')
            continue
        gui.wait_for('machine without the image', lambda: not attached())
        if answer.startswith('Keep') and not os.path.exists(path):
            raise gui.GuiError('the image that was kept is gone')
    gui.wait_for('end of the image', lambda: 'difference.vdi' not in cells(tree) and not os.path.exists(path))


def branches(desktop, tree, home):
    """A closed branch stays closed when the list changes; an open one stays open."""
    child, more = (os.path.join(home, name) for name in ('child.vdi', 'more.vdi'))
    manage('createmedium', 'disk', '--filename', child, '--diffparent', os.path.join(home, 'used.vdi'))
    gui.wait_for('child', lambda: 'child.vdi' in cells(tree))
    select(desktop, tree, 'used.vdi')
    desktop.key('shift+Left')
    gui.wait_for('closed branch', lambda: 'child.vdi' not in cells(tree))
    manage('createmedium', 'disk', '--filename', more, '--size', '1')
    gui.wait_for('another disk', lambda: 'more.vdi' in cells(tree))
    if 'child.vdi' in cells(tree):
        raise gui.GuiError('the closed branch is open again')
    select(desktop, tree, 'used.vdi')
    desktop.key('shift+Right')
    gui.wait_for('open branch', lambda: 'child.vdi' in cells(tree))
    desktop.screenshot('branches')
    manage('closemedium', 'disk', more, '--delete')
    gui.wait_for('end of the other disk', lambda: 'more.vdi' not in cells(tree))
    if 'child.vdi' not in cells(tree):
        raise gui.GuiError('the open branch is closed')
    manage('closemedium', 'disk', child, '--delete')
    gui.wait_for('end of the child', lambda: 'child.vdi' not in cells(tree))


def repair(desktop, app, window, tree, home):
    """An image with another UUID than the registry's: both are told, and it gets the right one."""
    path = os.path.join(home, 'used copy.vdi')
    manage('internalcommands', 'sethduuid', path, OTHER)
    select(desktop, tree, 'used copy.vdi')
    desktop.find(window, 'More for this medium').doActionNamed('click')
    desktop.find(window, 'Look at the file again').doActionNamed('click')
    gui.wait_for('problem', lambda: 'inaccessible' in manage('showmediuminfo', path))
    desktop.find(window, f'.*{OTHER}.*', 'label')
    desktop.screenshot('problem')
    desktop.find(window, 'More for this medium').doActionNamed('click')
    desktop.find(window, 'Repair…').doActionNamed('click')
    question = desktop.find(app, 'Question', 'alert')
    desktop.screenshot('repair')
    press(desktop, question, 'Repair')
    gui.wait_for('repaired image', lambda: 'created' in manage('showmediuminfo', path))


def tour(desktop, app, home):
    """Everything in turn."""
    desktop.focus(desktop.find(app, 'Box.*', 'list item'))
    desktop.key('ctrl+d')
    window = desktop.find(app, 'Media')
    tree = desktop.find(window, 'Disks', 'tree table')
    gui.wait_for('disks', lambda: 'used.vdi' in cells(tree))
    if 'Box' not in ' '.join(cells(tree)) or '16 MB' not in cells(tree):
        return f'the list shows {cells(tree)}'
    desktop.screenshot('list')
    make_disk(desktop, app, window, home)
    gui.wait_for('new disk', lambda: 'fresh.vmdk' in cells(tree))
    select(desktop, tree, 'fresh.vmdk')
    if not os.path.exists(os.path.join(home, 'fresh-s001.vmdk')):
        return 'the disk lies in one file'
    desktop.find(window, os.path.join(home, 'fresh.vmdk'), 'label')
    press(desktop, window, 'Remove…')
    question = desktop.find(app, 'Question', 'alert')
    desktop.screenshot('remove')
    press(desktop, question, 'Delete the file')
    gui.wait_for('end of the disk', lambda: 'fresh.vmdk' not in cells(tree))
    if [name for name in os.listdir(home) if name.startswith('fresh')]:
        return 'a file of it is still there'
    select(desktop, tree, 'used.vdi')
    if desktop.find(window, 'Remove…', 'push button').sensitive:
        return 'a disk that a machine uses can be removed'
    press(desktop, window, 'Release')
    gui.wait_for('release', lambda: not re.search('used.vdi', manage('showvminfo', 'Box', '--machinereadable')))
    gui.wait_for('button', lambda: desktop.find(window, 'Remove…', 'push button').sensitive)
    release_difference(desktop, app, window, tree, home)
    branches(desktop, tree, home)
    change(desktop, app, window, tree, home)
    repair(desktop, app, window, tree, home)
    desktop.find(window, 'Optical', 'radio button').doActionNamed('click')
    desktop.find(window, 'No optical images are known yet.', 'label')
    return None


def main():
    """Returns what went wrong, or None."""
    with tempfile.TemporaryDirectory() as home, gui.Desktop(width=1100, height=760) as desktop:
        os.environ['HOME'] = home
        manage('createvm', '--name', 'Box', '--register', '--default')
        disk = os.path.join(home, 'used.vdi')
        manage('createmedium', 'disk', '--filename', disk, '--size', '16')
        manage('storageattach', 'Box', '--storagectl', 'IDE', '--port', '0', '--device', '0', '--type', 'hdd',
               '--medium', disk)
        desktop.launch([gui.program('app/vitrine')])
        app = desktop.application('vitrine')
        return tour(desktop, app, home)


if __name__ == '__main__':
    sys.exit(main())
