# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a guest would have written: blocks of VDI images, changed and read without a machine. Not a test
# itself.
"""Contents of disks for tests of snapshots."""

import struct
from pathlib import Path

from test_manage import call

MIB = 1 << 20


def write_block(path, block, byte):
    """Fills a block of a VDI image that nobody has open, as a guest's write does."""
    with open(path, 'r+b') as file:
        header = file.read(512)
        map_at, data_at = struct.unpack_from('<II', header, 0x154)
        size, = struct.unpack_from('<I', header, 0x178)
        blocks, allocated = struct.unpack_from('<II', header, 0x180)
        assert block < blocks
        file.seek(map_at + 4 * block)
        place, = struct.unpack('<I', file.read(4))
        if place >= 0xfffffffe:
            place = allocated
            file.seek(map_at + 4 * block)
            file.write(struct.pack('<I', place))
            file.seek(0x184)
            file.write(struct.pack('<I', allocated + 1))
        file.seek(data_at + place * size)
        file.write(bytes([byte]) * size)


def content(world, disk):
    """The first byte of each MiB that the chain of this image shows."""
    copy = world.root / 'content.img'
    call('clonemedium', disk, copy, '--format', 'RAW')
    data = copy.read_bytes()
    call('closemedium', copy, '--delete')
    assert all(data[at:at + MIB] == data[at:at + 1] * MIB for at in range(0, len(data), MIB)), 'torn'
    return [data[at] for at in range(0, len(data), MIB)]


def attached(name):
    """The image of the machine's first disk."""
    out, _ = call('showvminfo', name, '--machinereadable')
    line = next(line for line in out.splitlines() if line.startswith('"IDE-0-0"'))
    return Path(line.split('=', 1)[1].strip('"'))
