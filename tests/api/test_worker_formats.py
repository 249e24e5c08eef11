#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
# needs: qemu-utils
#
# Every format inside the worker's jail, where a system call too many ends the process: images that qemu-img makes are
# looked at, checked and read as a whole; images that we make are written, changed and read by qemu-img.
"""The worker's jobs on every format of disk images."""

import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from test_worker import MIB, content, good, make_raw, start  # noqa: E402

# qemu-img's name and options, what we call it.
THEIRS = (
    ('raw', (), 'RAW'), ('vdi', (), 'VDI'), ('vdi', ('-o', 'static=on'), 'VDI'),
    ('vmdk', ('-o', 'subformat=monolithicSparse'), 'VMDK'), ('vmdk', ('-o', 'subformat=streamOptimized'), 'VMDK'),
    ('vpc', ('-o', 'subformat=dynamic,force_size=on'), 'VHD'), ('vpc', ('-o', 'subformat=fixed,force_size=on'), 'VHD'),
    ('vhdx', ('-o', 'subformat=dynamic'), 'VHDX'), ('vhdx', ('-o', 'subformat=fixed'), 'VHDX'),
    ('qcow', (), 'QCOW'), ('qcow2', ('-o', 'compat=0.10'), 'QCOW'), ('qcow2', ('-c',), 'QCOW'),
    ('qcow2', ('-c', '-o', 'compression_type=zstd'), 'QCOW'), ('qed', (), 'QED'), ('parallels', (), 'Parallels'),
)
# Our name and variant, qemu-img's name, what can be done with it.
OURS = (
    ('RAW', 'dynamic', 'raw', ('resize', 'compact')), ('RAW', 'fixed', 'raw', ('resize', 'compact')),
    ('VDI', 'dynamic', 'vdi', ('resize', 'compact', 'comment', 'set-uuids')),
    ('VDI', 'fixed', 'vdi', ('resize', 'comment', 'set-uuids')),
    ('VHD', 'dynamic', 'vpc', ('resize', 'compact', 'set-uuids')), ('VHD', 'fixed', 'vpc', ('resize', 'set-uuids')),
    ('VMDK', 'dynamic', 'vmdk', ('resize', 'compact', 'comment', 'set-uuids')), ('VMDK', 'dynamic,stream', 'vmdk', ()),
)


def qemu_img(*words):
    """Runs it."""
    done = subprocess.run(['qemu-img', *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)


def reads(folder):
    """Each is what it is, sound, and holds what it was made from."""
    raw = make_raw(folder / 'from.img', 40)
    for number, (name, options, ours) in enumerate(THEIRS):
        disk = folder / f'theirs{number}'
        qemu_img('convert', '-f', 'raw', '-O', name, *options, raw, disk)
        answers = good(['probe', disk, ours if ours == 'RAW' else ''], [disk])
        assert answers['format'].upper() == ours.upper(), (name, answers)
        assert answers['capacity'] == str(16 * MIB), (name, answers)
        found = good(['check', 1, disk, ours, ''], [disk])
        assert found['leaked-blocks'] == '0' and found['stale-header'] == '0', (name, found)
        good(['clone', 1, disk, ours, '', folder / 'back', 'RAW', 'dynamic', 0, ''], [disk, folder / 'back'])
        assert (folder / 'back').read_bytes() == raw.read_bytes(), name
        (folder / 'back').unlink()
        disk.unlink()


def change(what, disk, name):
    """One of the jobs that change an image."""
    words = {'resize': [20 * MIB], 'compact': [], 'comment': ['Größer'],
             'set-uuids': [uuid.uuid4(), uuid.uuid4(), '-', '-']}[what]
    good([what, disk, name, *words], [disk])


def writes(folder):
    """Each holds what it was filled with, before and after it was changed."""
    raw = make_raw(folder / 'from.img', 90)
    for number, (name, variant, theirs, changes) in enumerate(OURS):
        disk = folder / f'ours{number}'
        good(['clone', 1, raw, 'RAW', '', disk, name, variant, 0, ''], [raw, disk])
        qemu_img('compare', '-f', 'raw', '-F', theirs, raw, disk)
        for what in changes:
            change(what, disk, name)
        wanted = raw.read_bytes() + bytes(4 * MIB if 'resize' in changes else 0)
        if name == 'RAW':
            assert disk.read_bytes() == wanted, variant
        else:
            assert content(folder / 'c', [disk]) == wanted, (name, variant)
        if theirs in ('vdi', 'vmdk'):
            qemu_img('check', '-f', theirs, disk)


def seen_confined(words, files):
    """Whether the process was seen in its jail before it ended."""
    process = start(words, files)
    seen = False
    while process.poll() is None and not seen:
        status = Path(f'/proc/{process.pid}/status').read_text(encoding='ascii')
        seen = 'Seccomp:\t2' in status and 'NoNewPrivs:\t1' in status
    process.kill()
    process.communicate()
    return seen


def is_confined(folder):
    """All this is in the jail, else it would show nothing: a job with much to copy is caught at it."""
    raw, disk = folder / 'large.img', folder / 'a.vdi'
    raw.write_bytes(b'\x2b' * (64 * MIB))
    words = ['clone', 1, raw, 'RAW', '', disk, 'VDI', 'dynamic', 0, '']
    for _ in range(20):
        if seen_confined(words, [raw, disk]):
            return
        disk.unlink()
    raise AssertionError('no worker was seen confined')


def main():
    """All of them."""
    for test in (reads, writes, is_confined):
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder))
        print('ok', test.__name__, flush=True)


if __name__ == '__main__':
    main()
