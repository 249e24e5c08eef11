# SPDX-License-Identifier: GPL-3.0-or-later
#
# A host with an optical drive, MOCK RECORDER (sr0), and a disk (tests/lib/drive-mock.c):
#
#     with drive_host.Host(folder, disc):
#         ...   # services that are started here, and their machines, see the drives
"""A test on a host with a mocked optical drive."""

import os
from pathlib import Path

BUILD = Path(os.environ.get('VITRINE_BUILD', 'build')).resolve()
SECTOR = 2048


class Host:
    """What is below /dev and /sys/block for the programs that are started in its context."""

    def __init__(self, root, disc):
        self.root = Path(root)
        for name, number, kind in (('sr0', '11:0', '5'), ('sda', '8:0', '0')):
            block = self.root / 'sys/block' / name
            (block / 'device').mkdir(parents=True)
            (block / 'dev').write_text(f'{number}\n')
            (block / 'device/type').write_text(f'{kind}\n')
            (block / 'device/vendor').write_text('MOCK    \n')
            (block / 'device/model').write_text('RECORDER        \n')
        (self.root / 'dev').mkdir()
        (self.root / 'dev/sda').write_bytes(bytes(SECTOR))
        (self.root / 'dev/sr0').write_bytes(disc)
        (self.root / 'state').write_text('disc')
        (self.root / 'count').write_text('1')
        (self.root / 'log').write_text('')
        self.added = {'LD_PRELOAD': str(BUILD / 'tests/lib/drive-mock.so'), 'VITRINE_MOCK_DRIVES': str(self.root)}

    def __enter__(self):
        os.environ.update(self.added)
        return self

    def __exit__(self, *error):
        for name in self.added:
            os.environ.pop(name)

    def asked(self, what):
        """Whether the drive has been asked for it."""
        return what in (self.root / 'log').read_text()
