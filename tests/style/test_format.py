#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang-format
#
# The tree's .clang-format decides how C looks. `test_format.py --fix` makes it so.
"""C is formatted."""

import re
import subprocess
import sys

from tree import Tree, main

AT_ONCE = 40


def check(tree):
    """One line for each file that clang-format would change."""
    names = [str(tree.root / name) for name in tree.files('.c', '.h')]
    faulty = set()
    for start in range(0, len(names), AT_ONCE):
        result = subprocess.run(
            ['clang-format', '--style=file', '--dry-run', '-Werror', *names[start:start + AT_ONCE]],
            capture_output=True, text=True, check=False)
        found = re.findall(r'^(.*?):(\d+):\d+: error:', result.stderr, re.M)
        if result.returncode and not found:
            return ['clang-format: ' + result.stderr.strip()]
        for name, line in found:
            faulty.add(name.removeprefix(f'{tree.root}/'))
    return [f'{name}: clang-format would change it (tests/style/test_format.py --fix)'
            for name in sorted(faulty)]


def fix(tree):
    """Formats every C file in place."""
    for name in tree.files('.c', '.h'):
        subprocess.run(['clang-format', '--style=file', '-i', str(tree.root / name)], check=True)


if __name__ == '__main__':
    if sys.argv[1:] == ['--fix']:
        fix(Tree())
    main(check, 'format')
