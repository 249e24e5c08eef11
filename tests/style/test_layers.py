#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Each #include in the tree against the table of who may include whom (layers.py), and private
# headers against their folder.
"""The layer rules hold."""

import posixpath
import re

from layers import (CORE_ROOMS, FORBIDDEN_IN_CORE, GENERATED, HOST_FILES, HOST_FREE_ROOMS, HOST_HEADERS,
                    LIBRARIES, OPEN_LIBRARIES, ROOMS)
from tree import main

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
ROOM_TOPS = ('vmm/', 'devices/', 'usb/', 'audio/', 'app/')


def room_of(name):
    """The room that a file belongs to: the longest row that is a prefix of its path."""
    rows = [row for row in ROOMS if name == row or (row.endswith('/') and name.startswith(row))]
    return max(rows, key=len, default=None)


def home_of(name, room):
    """The folder that counts as the file's own: devices' rooms share a row, not a home."""
    if room in ('devices/', 'usb/', 'audio/', 'vmm/', 'devices/drivers/'):
        return posixpath.dirname(name) + '/'
    return room


def library_of(header):
    """The library that a header in angle brackets is part of, or None for the C library."""
    fits = [(prefix, library) for library, prefixes in LIBRARIES.items() for prefix in prefixes
            if header.startswith(prefix)]
    return max(fits, default=(None, None), key=lambda fit: len(fit[0]))[1]


def _is_allowed(target, rows):
    return any(target == row or (row.endswith('/') and target.startswith(row)) for row in rows)


def _fault_of_library(name, room, header):
    library = library_of(header)
    if library is None:
        is_of_host = (posixpath.splitext(name)[0].endswith(HOST_FILES)
                      or not name.startswith(HOST_FREE_ROOMS))
        return None if is_of_host or not header.startswith(HOST_HEADERS) else (
            f'<{header}> is not on every host: it belongs in a file called *-linux.c')
    if name.startswith(CORE_ROOMS) and library in FORBIDDEN_IN_CORE:
        return f'{library} has no place in the core'
    if library in OPEN_LIBRARIES or library in ROOMS[room]:
        return None
    return f'{room} may not use {library}'


def _fault_of_header(tree, name, room, header):
    if header in GENERATED:
        allowed = name.startswith(GENERATED[header])
        return None if allowed else f'{header} belongs to {GENERATED[header]}'
    if not tree.exists(header):
        return f'{header} is not a path from the root'
    folder = posixpath.dirname(name)
    if header.endswith('-private.h') and posixpath.dirname(header) != folder:
        return f'{header} is private to its folder'
    if header.startswith(home_of(name, room)) or _is_allowed(header, ROOMS[room]):
        return None
    return f'{room} may not include {header}'


def check(tree):
    """All faults, each 'file:line: why'."""
    faults = []
    for name in tree.files('.c', '.h'):
        if not name.startswith(ROOM_TOPS):
            continue
        room = room_of(name)
        if room is None:
            faults.append(f'{name}: its room has no row in tests/style/layers.py')
            continue
        text = tree.text(name)
        for match in INCLUDE.finditer(text):
            quote, header = match.groups()
            fault = (_fault_of_library(name, room, header) if quote == '<'
                     else _fault_of_header(tree, name, room, header))
            if fault:
                line = text.count('\n', 0, match.start()) + 1
                faults.append(f'{name}:{line}: {fault}')
    return faults


if __name__ == '__main__':
    main(check, 'layers')
