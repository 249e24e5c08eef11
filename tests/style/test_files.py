#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What holds for files of any kind: size, licence head, text only, the top level, a README.md in
# each room, executable bits.
"""File rules hold."""

import posixpath
import re

from tree import main

MOST_LINES = 800
SOURCES = ('.c', '.h', '.py', '.sh', '.ui')
SPDX = 'SPDX-License-Identifier: GPL-3.0-or-later'
TOP = {'.ci', '.clang-format', '.editorconfig', '.gitattributes', '.github', '.gitignore', 'COPYING', 'README.md',
       'app', 'audio', 'data', 'devices', 'meson.build', 'meson_options.txt', 'po', 'tests', 'usb', 'vmm'}
ROOM = re.compile(r'(?:vmm|usb|audio|devices|app|tests|data|po)(?:/[a-z0-9-]+)?/')
# Folders with a README.md in the folder above that speaks for them.
NO_ROOM = re.compile(r'tests/unit/.|data/icons/.|devices/drivers/$|app/service/settings/res')
# Pictures belong to documents that show them, and samples to the tests that read them.
BINARY_ALLOWED = re.compile(r'tests/.*/samples?/')
README_MOST_LINES = 80


def _size_faults(tree):
    for name in tree.files(*SOURCES):
        lines = tree.data(name).count(b'\n')
        if lines > MOST_LINES:
            yield f'{name}: {lines} lines; the most is {MOST_LINES}'


def _head_faults(tree):
    for name in tree.files(*SOURCES, 'meson.build'):
        head = '\n'.join(tree.text(name).split('\n')[:4])
        if SPDX not in head and not (name.endswith('meson.build') and name != 'meson.build'):
            yield f'{name}: no "{SPDX}" in its first lines'


def _text_faults(tree):
    for name in tree.files():
        data = tree.data(name)
        if BINARY_ALLOWED.match(name):
            continue
        if b'\0' in data:
            yield f'{name}: is binary'
        elif data and not data.endswith(b'\n'):
            yield f'{name}: its last line does not end'
        elif name.endswith((*SOURCES, '.md', '.def', '.build')) and re.search(rb'[ \t]+$|\r', data, re.M):
            yield f'{name}: white space at the end of a line'


def _top_faults(tree):
    for top in sorted({name.split('/', 1)[0] for name in tree.files()} - TOP):
        yield f'{top}: does not belong at the top of the tree'


def _rooms(tree):
    rooms = set()
    for name in tree.files('.c', '.h', '.py', '.xml', '.svg', '.po', '.sh', '.build'):
        folder = posixpath.dirname(name) + '/'
        if ROOM.match(folder) and (ROOM.fullmatch(folder) or folder.startswith('devices/drivers/')):
            rooms.add(folder)
    return {room for room in rooms if not NO_ROOM.match(room)}


def _readme_faults(tree):
    for room in sorted(_rooms(tree)):
        if not tree.exists(room + 'README.md'):
            yield f'{room}: has no README.md'
    for name in tree.files('README.md'):
        text = tree.text(name)
        if text.count('\n') > README_MOST_LINES:
            yield f'{name}: longer than a page ({README_MOST_LINES} lines)'
        elif len(text.split()) < 20:
            yield f'{name}: says nothing'


def _mode_faults(tree):
    for name in tree.files('.py', '.sh'):
        is_script = tree.text(name).startswith('#!')
        if is_script != bool((tree.root / name).stat().st_mode & 0o100):
            yield f'{name}: a script starts with #! and is executable, other files are neither'


def check(tree):
    """All faults."""
    rules = (_size_faults, _head_faults, _text_faults, _top_faults, _readme_faults, _mode_faults)
    return [fault for rule in rules for fault in rule(tree)]


if __name__ == '__main__':
    main(check, 'files')
