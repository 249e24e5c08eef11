# SPDX-License-Identifier: GPL-3.0-or-later
#
# The tree that the style checks look at: its files as git sees them (or all, outside git), and the
# few views of a C file that more than one check needs.
"""Files of the tree, for style checks."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMENT_OR_TEXT = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Tree:
    """A checked-out tree; paths are relative to its root, with '/'."""

    def __init__(self, root=ROOT):
        self.root = Path(root)

    def files(self, *suffixes):
        """All files, or those with one of the suffixes, sorted."""
        names = self._git_files() or self._all_files()
        return sorted(name for name in names
                      if (not suffixes or name.endswith(suffixes)) and (self.root / name).is_file())

    def _git_files(self):
        result = subprocess.run(
            ['git', '-C', str(self.root), 'ls-files', '-z', '--cached', '--others',
             '--exclude-standard', '--full-name', '.'], capture_output=True, check=False)
        return [name for name in result.stdout.decode().split('\0') if name]

    def _all_files(self):
        return [str(path.relative_to(self.root)) for path in self.root.rglob('*')
                if path.is_file() and '.git' not in path.parts]

    def exists(self, name):
        """Whether a file of that path is there."""
        return (self.root / name).is_file()

    def data(self, name):
        """A file's bytes."""
        return (self.root / name).read_bytes()

    def text(self, name):
        """A file's text."""
        return self.data(name).decode('utf-8', errors='replace')

    def code(self, name):
        """A C file's text with comments and literals blanked, line numbers kept."""
        def blank(match):
            return re.sub(r'[^\n]', ' ', match.group()) if match.group()[0] == '/' else '""'
        return COMMENT_OR_TEXT.sub(blank, self.text(name))


def main(check, what):
    """Runs one check over the tree and ends the process: 0, or 1 with each fault on a line."""
    faults = check(Tree())
    for fault in faults:
        print(fault)
    print(f'{what}: {len(faults)} faults')
    sys.exit(1 if faults else 0)
