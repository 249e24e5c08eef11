#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: qemu-system-x86 gcc-multilib tcc gzip debian-installer-12-netboot-amd64 grub-pc-bin grub-common xorriso
# timeout: 600
#
# A smoke run of tests/bench/run: a few rows, short, on the host, on TCG and on our engine. All must
# compute the same, and the table, the plot and the figures must be there. Speed is not judged.
"""The engines' benchmark works."""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROWS = ('integer', 'x87', 'pingpong', 'compile')


def main():
    """Runs it and looks at what it leaves."""
    engine = os.environ.get('VITRINE_ENGINE', 'rem')
    names = ('native', 'tcg', engine)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([Path(__file__).with_name('run'), '--engines', ','.join(names), '--subject', engine,
                        '--arch', 'amd64', '--rows', ','.join(ROWS), '--target', '0.1', '--rounds', '1',
                        '--clock', 'cpu', '--out', folder], check=False)
        results = json.loads((Path(folder) / 'figures.json').read_text('utf-8'))
        table = (Path(folder) / 'table.txt').read_text('utf-8')
        picture = ElementTree.parse(Path(folder) / 'plot.svg').getroot()
    assert [result['name'] for result in results] == list(ROWS), results
    for result in results:
        for name in names:
            figure = result['figures'][name]
            assert figure['seconds'] > 0 and not figure['problem'], (result['name'], name, figure)
        assert result['title'] in table
    bars = [node for node in picture.iter() if node.tag.endswith('rect')]
    assert len(bars) > len(ROWS) * len(names), len(bars)
    return 0


if __name__ == '__main__':
    sys.exit(main())
