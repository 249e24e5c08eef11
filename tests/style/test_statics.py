#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# No mutable variables at file scope, and no function-local statics, in the core, the devices, USB
# and audio: state belongs to the instance, so that two machines never share it.
"""State belongs to instances."""

import re

from tree import main

CORE = ('vmm/', 'devices/', 'usb/', 'audio/')
# Where the host leaves no other way: the file, and why.
ALLOWED = {}

SKIP = re.compile(r'\s*(?:typedef|struct\s+\w+\s*\{|union\s+\w+\s*\{|enum\b[^=]*\{|extern|_Static_assert'
                  r'|G_[A-Z_]+\s*\(|struct\s+\w+\s*;)')
TYPE_BODY = re.compile(r'\b(?:struct|union|enum)\b[^()=]*\{$')
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n\\]|\\\n|\\.)*', re.M)


def _blank(match):
    return re.sub(r'[^\n]', ' ', match.group())


def declarations(code):
    """Yields (line, depth, text) of each statement: up to its ';' or the '{' that opens a body.

    The names after a type's body (`struct { … } name;`) come with the type's first line."""
    opened = []
    carried = ''
    start = 0
    for at, char in enumerate(code):
        if char not in '{};':
            continue
        text = code[start:at + 1].strip()
        start = at + 1
        if char == '}':
            first = opened.pop() if opened else ''
            carried = first.rstrip('{') if TYPE_BODY.search(first) else ''
            continue
        if text not in ('', ';', '{'):
            line = code.count('\n', 0, at - len(text) + 1) + 1
            yield line, len(opened), (carried + text if char == ';' or '=' in text else text)
        carried = ''
        if char == '{':
            opened.append(text)


def is_mutable(text):
    """Whether a file-scope statement defines a variable that can be written."""
    head = text.split('=', 1)[0].rstrip(' {;')
    if '=' not in text and re.search(r'\)\s*(?:G_GNUC_\w+\s*(?:\([^)]*\))?\s*|__attribute__.*)*$', head):
        return '(*' in head and not re.search(r'\(\*\s*const\b', head) and head.startswith('static')
    if re.search(r'\([^*]', head) and '=' not in text:
        return False
    if not re.search(r'[\w\]]\s*$', head):
        return False
    tail = head.rsplit('*', 1)[-1]
    return not re.search(r'\bconst\b', tail)


def check(tree):
    """All faults, each 'file:line: what'."""
    faults = []
    for name in tree.files('.c', '.h'):
        if not name.startswith(CORE) or name in ALLOWED:
            continue
        code = DIRECTIVE.sub(_blank, tree.code(name))
        for line, depth, text in declarations(code):
            if SKIP.match(text):
                continue
            at_file_scope = depth == 0 and (text.endswith(';') or '=' in text)
            local_static = depth > 0 and re.match(r'static\b', text)
            if (at_file_scope or local_static) and is_mutable(text):
                faults.append(f'{name}:{line}: mutable static: {" ".join(text.split())[:70]}')
    return faults


if __name__ == '__main__':
    main(check, 'statics')
