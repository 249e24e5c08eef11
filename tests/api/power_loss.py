# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a loss of power may leave of recorded changes of files (record.c). POSIX promises what was synced
# alone: the bytes of a file when the file was, a name in a folder when the folder was. Of all else each
# change may have arrived or not, whatever came after it. Only this is relied on beyond that: a rename is
# one change, also between folders, and a folder goes only when what was in it has gone. Not a test.
"""Folders as a loss of power may leave them."""

import itertools
import struct
from pathlib import Path

SIZE = 256 << 20
RECORD = struct.Struct('<IcxxxQQQ')


def new_record(path):
    with open(path, 'wb') as file:
        file.truncate(SIZE)
        file.write(struct.pack('<Q', 8))


def read_record(path):
    """(kind, inode, offset, length, from, to, data) of each change and sync."""
    found = []
    with open(path, 'rb') as file:
        used, = struct.unpack('<Q', file.read(8))
        assert used <= SIZE, 'the record is full'
        raw = file.read(used - 8)
    at = 0
    while at < len(raw):
        length, kind, inode, offset, count = RECORD.unpack_from(raw, at)
        assert length, 'a record was not finished'
        old, new, rest = raw[at + RECORD.size:at + length].split(b'\0', 2)
        data = rest[:count] if kind == b'W' else b''
        found.append((kind.decode(), inode, offset, count, old.decode(), new.decode(), data))
        at += length
    return found


class Change:
    """One change: of names, {(folder, name): what it then is, or None}, or of a file's bytes."""

    def __init__(self, names=None, file=None, edit=None, empties=None):
        self.names, self.file, self.edit, self.empties = names, file, edit, empties
        # What has to be synced before this one is safe.
        self.unsynced = {folder for folder, _ in names} if names else {file}
        self.safe_at = None


def put(content, edit):
    kind, offset, length, data = edit
    if kind == 'T':
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    elif kind == 'Z':
        end = min(offset + length, len(content))
        content[offset:end] = bytes(max(end - offset, 0))
    else:
        content.extend(bytes(max(offset + length - len(content), 0)))
        content[offset:offset + length] = data


class History:
    """Folders below a root as they were, and what was done to them."""

    def __init__(self, root):
        self.root, self.changes, self.numbers = Path(root), [], itertools.count(1)
        self.ids, self.folders, self.files = {}, {}, {}  # inode -> number; number -> names; number -> bytes
        self.top = self._take(self.root)
        self.now = {folder: dict(names) for folder, names in self.folders.items()}
        self.time = 0

    def _take(self, path):
        number = self.ids.setdefault(path.lstat().st_ino, next(self.numbers))
        if path.is_dir():
            self.folders[number] = {child.name: self._take(child) for child in path.iterdir()}
        elif path.is_file():
            self.files.setdefault(number, path.read_bytes())
        return number

    def _place(self, path):
        """The folder and the name, at the present moment; None: outside of the root."""
        path = Path(path)
        if self.root not in path.parents:
            return None
        number = self.top
        for part in path.relative_to(self.root).parts[:-1]:
            number = self.now[number][part]
        return number, path.name

    def _do(self, change):
        for (folder, name), target in (change.names or {}).items():
            if target is None:
                self.now[folder].pop(name, None)
            else:
                self.now[folder][name] = target
        self.changes.append((self.time, change))

    def _new(self, inode, is_folder):
        number = self.ids[inode] = next(self.numbers)
        if is_folder:
            self.folders[number] = {}
            self.now[number] = {}
        else:
            self.files[number] = b''
        return number

    def add(self, record):
        kind, inode, offset, length, old, new, data = record
        self.time += 1
        if kind == 'S':
            self._sync(self.ids.get(inode))
        elif kind in 'WTZ':
            if inode in self.ids:
                self._do(Change(file=self.ids[inode], edit=(kind, offset, length, data)))
        elif (place := self._place(old)) is not None:
            self._name(kind, inode, place, self._place(new) if new else None)

    def _name(self, kind, inode, place, to):
        if kind in 'CK':
            self._do(Change({place: self._new(inode, kind == 'K')}))
            return
        target = self.now[place[0]][place[1]]
        if kind == 'U':
            self._do(Change({place: None}))
        elif kind == 'D':
            self._do(Change({place: None}, empties=target))
        elif kind == 'L':
            self._do(Change({to: target}))
        else:
            assert to, 'renamed to where nothing is recorded'
            self._do(Change({place: None, to: target}))

    def _sync(self, number):
        for _, change in self.changes:
            change.unsynced.discard(number)
            if not change.unsynced and change.safe_at is None:
                change.safe_at = self.time

    def build(self, time, arrives):
        """{path: bytes, or None for a folder} when power fails after that many records; arrives(change)
        says of each that is not safe whether it did."""
        folders = {folder: dict(names) for folder, names in self.folders.items()}
        contents, lost = {}, set()
        for when, change in self.changes:
            if when > time:
                break
            safe = change.safe_at is not None and change.safe_at <= time
            if not safe and (change.empties in lost or not arrives(change)):
                lost.update(folder for folder, _ in change.names or ())
                continue
            for (folder, name), target in (change.names or {}).items():
                folders[folder].pop(name, None)
                if target is not None:
                    folders[folder][name] = target
            if change.edit:
                put(contents.setdefault(change.file, bytearray(self.files[change.file])), change.edit)
        return dict(self._walk(folders, contents, self.top, Path()))

    def _walk(self, folders, contents, number, path):
        if number not in folders:
            if number in self.files:
                yield str(path), bytes(contents.get(number, self.files[number]))
            return
        yield str(path), None
        for name, child in folders[number].items():
            yield from self._walk(folders, contents, child, path / name)


def lay_out(found, root):
    """Writes what build() returned."""
    for path, content in sorted(found.items()):
        if content is None:
            (root / path).mkdir(exist_ok=True)
        else:
            (root / path).write_bytes(content)
