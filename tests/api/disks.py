# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a guest would have written: blocks of VDI images, changed and read without a machine; and floppies
# with guests. Not a test itself.
"""Contents of disks for tests of snapshots."""

import struct
import subprocess
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


def attached(name, device=0):
    """The image of the machine's first disk, or another one at its cable."""
    out, _ = call('showvminfo', name, '--machinereadable')
    line = next(line for line in out.splitlines() if line.startswith(f'"IDE-0-{device}"'))
    return Path(line.split('=', 1)[1].strip('"'))


def block_of(image, number):
    """A block of a VDI."""
    blocks, data = struct.unpack_from('<II', image, 0x154)
    entry, = struct.unpack_from('<I', image, blocks + 4 * number)
    return image[data + entry * MIB:][:MIB] if entry < 0xfffffffe else bytes(MIB)


def boot_floppy(path, program, *symbols):
    """A floppy that boots this program of this folder, with these symbols defined, such as BLOCKS=12."""
    source = Path(__file__).with_name(program)
    obj = path.with_suffix('.o')
    defined = [word for symbol in symbols for word in ('--defsym', symbol)]
    subprocess.run(['as', '--32', *defined, str(source), '-o', str(obj)], check=True)
    subprocess.run(['ld', '-m', 'elf_i386', '-Ttext=0x7c00', '-e', 'start', '--oformat', 'binary', str(obj),
                    '-o', str(path)], check=True)
    path.write_bytes(path.read_bytes().ljust(1474560, b'\0'))


def writer_floppy(path, *symbols):
    """A floppy that boots fill-disk.S."""
    boot_floppy(path, 'fill-disk.S', *symbols)


def pattern(block):
    """What that guest writes to a block of 1 MiB."""
    return b''.join(struct.pack('<H', block * 32 + piece) * 16384 for piece in range(32))
