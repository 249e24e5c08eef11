# SPDX-License-Identifier: GPL-3.0-or-later
#
# Reads and writes "newc" cpio archives, the form of a Linux initramfs (the kernel's
# Documentation/driver-api/early-userspace/buffer-format.rst). Leaves out hard links and checksums:
# each entry carries its own data.
"""newc cpio archives."""

import stat
from dataclasses import dataclass

MAGIC = b'070701'
HEADER = 110
TRAILER = 'TRAILER!!!'


@dataclass(frozen=True)
class Entry:
    """One member: name without leading slash, full st_mode, data (a link's target), device."""

    name: str
    mode: int
    data: bytes = b''
    rdev: tuple = (0, 0)


def _pad(size):
    return -size % 4


def read(archive):
    """Yields the entries of an archive held in memory."""
    at = 0
    while True:
        header = archive[at:at + HEADER]
        if header[:6] != MAGIC:
            raise ValueError(f'no newc header at offset {at}')
        words = [int(header[6 + 8 * i:14 + 8 * i], 16) for i in range(13)]
        mode, size, major, minor, name_size = words[1], words[6], words[9], words[10], words[11]
        name = archive[at + HEADER:at + HEADER + name_size - 1].decode()
        at += HEADER + name_size + _pad(HEADER + name_size)
        if name == TRAILER:
            return
        yield Entry(name, mode, archive[at:at + size], (major, minor))
        at += size + _pad(size)


def _record(inode, entry):
    name = entry.name.encode() + b'\0'
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    words = (inode, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.rdev, len(name), 0)
    head = MAGIC + b''.join(b'%08X' % word for word in words) + name
    return head + bytes(_pad(len(head))) + entry.data + bytes(_pad(len(entry.data)))


def write(entries):
    """The archive that holds the entries, in their order (folders before what is in them)."""
    parts = [_record(number, entry) for number, entry in enumerate(entries, 1)]
    parts.append(_record(0, Entry(TRAILER, 0)))
    return b''.join(parts)
