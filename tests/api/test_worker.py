#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""The worker's jobs on image files, word by word as the service gives them (app/worker/README.md)."""

import os
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

WORKER = Path(os.environ['VITRINE_BUILD']) / 'app/worker/vitrine-worker'
MIB = 1 << 20


def start(words, files):
    fds = [os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for path in files]
    # Out of the way of the numbers that the worker wants them to have.
    high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]

    def place():
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i, True)

    process = subprocess.Popen([WORKER, *map(str, words)], stdout=subprocess.PIPE, preexec_fn=place,
                               pass_fds=range(3, 3 + len(files)))
    for fd in fds + high:
        os.close(fd)
    return process


def job(words, files):
    answers = dict(line.split(' ', 1) for line in start(words, files).communicate()[0].decode().splitlines())
    assert 'done' in answers or 'error' in answers, answers
    return answers


def good(words, files):
    answers = job(words, files)
    assert 'error' not in answers, answers['error']
    return answers


def image(path, ident=''):
    return [path, '', ident]


def chain(*paths):
    return [len(paths)] + [word for path in paths for word in image(path)]


def content(path, files):
    """What the newest of files shows."""
    good(['clone', *chain(*files), 'raw', 'RAW', 'dynamic', 0, ''], [*files, path])
    data = path.read_bytes()
    path.unlink()
    return data


def make_raw(path, seed):
    blocks = [bytes([seed + i % 7]) * 65536 if i % 3 else bytes(65536) for i in range(256)]
    path.write_bytes(b''.join(blocks))
    return path


def adopt(path, parent):
    """Makes a base image one that differs from parent: type and parent's UUIDs of VDI's header."""
    probe = good(['probe', parent, ''], [parent])
    with path.open('r+b') as file:
        for at, value in ((0x4c, b'\4'), (0x1a8, uuid.UUID(probe['uuid']).bytes_le),
                          (0x1b8, uuid.UUID(probe['modification']).bytes_le)):
            file.seek(at)
            file.write(value)


def make_chain(folder):
    """base <- one <- two; base and two have content of their own."""
    base, one, two = (folder / f'{name}.vdi' for name in ('base', 'one', 'two'))
    raw = make_raw(folder / 'a.raw', 1)
    good(['clone', *chain(raw), base, 'VDI', 'dynamic', 0, ''], [raw, base])
    ident = str(uuid.uuid4())
    assert good(['create-child', one, 'VDI', ident, *image(base)], [one, base])['uuid'] == ident
    raw.write_bytes(os.urandom(5 * MIB) + bytes(11 * MIB))
    good(['clone', *chain(raw), two, 'VDI', 'dynamic', 0, ''], [raw, two])
    adopt(two, one)
    raw.unlink()
    return base, one, two


def probes(folder):
    base, one, _two = make_chain(folder)
    parent, child = good(['probe', base, ''], [base]), good(['probe', one, ''], [one])
    assert (parent['format'], parent['variant'], parent['capacity']) == ('VDI', 'dynamic', str(16 * MIB))
    assert (child['variant'], child['parent']) == ('diff', parent['uuid'])
    assert child['parent-modification'] == parent['modification']


def merges(folder):
    base, one, two = make_chain(folder)
    before = content(folder / 'c', [two, one, base])
    assert content(folder / 'c', [one, base]) != before
    good(['merge', 0, 2, *chain(two, one, base)], [two, one, base])
    assert content(folder / 'c', [base]) == before
    good(['merge', 2, 0, *chain(two, one, base)], [two, one, base])
    assert good(['probe', two, ''], [two])['variant'] == 'dynamic'
    assert content(folder / 'c', [two]) == before
    assert 'error' in job(['merge', 0, 3, *chain(two, one, base)], [two, one, base])


def refuses_wrong_chains(folder):
    base, one, two = make_chain(folder)
    parent, child = good(['probe', base, ''], [base])['uuid'], good(['probe', two, ''], [two])['parent']
    error = job(['check', *chain(two, base)], [two, base])['error']
    assert parent in error and child in error, error
    other = str(uuid.uuid4())
    error = job(['check', 1, *image(base, other)], [base])['error']
    assert parent in error and other in error, error
    probe = good(['probe', base, ''], [base])
    good(['set-uuids', two, '', '-', '-', probe['uuid'], probe['modification']], [two])
    good(['check', *chain(two, base)], [two, base])


def copies_one_image(folder):
    """A copy of a differing image alone, on a copy of what it stood on."""
    base, one, two = make_chain(folder)
    before = content(folder / 'c', [two, one, base])
    other, copy = folder / 'other.vmdk', folder / 'copy.vmdk'
    good(['clone', *chain(one, base), other, 'VMDK', 'dynamic', 0, ''], [one, base, other])
    probe = good(['probe', other, ''], [other])
    good(['clone', *chain(two, one, base), copy, 'VMDK', 'diff', 0, '', probe['uuid'], probe['modification'],
          other], [two, one, base, copy])
    assert copy.stat().st_size < 7 * MIB
    assert content(folder / 'c', [copy, other]) == before


def stands_on_raw(folder):
    """A raw image has no UUID of its own: the one that it is registered with serves."""
    raw, child, noise = make_raw(folder / 'a.raw', 3), folder / 'child.vdi', folder / 'noise.raw'
    ident = str(uuid.uuid4())
    assert 'error' in job(['create-child', child, 'VDI', '', raw, 'RAW', ''], [child, raw])
    child.unlink()
    good(['create-child', child, 'VDI', '', raw, 'RAW', ident], [child, raw])
    assert good(['probe', child, ''], [child])['parent'] == ident
    assert content(folder / 'c', [child, raw]) == raw.read_bytes()
    noise.write_bytes(os.urandom(3 * MIB) + bytes(13 * MIB))
    child.unlink()
    good(['clone', *chain(noise), child, 'VDI', 'dynamic', 0, ''], [noise, child])
    with child.open('r+b') as file:
        for at, value in ((0x4c, b'\4'), (0x1a8, uuid.UUID(ident).bytes_le)):
            file.seek(at)
            file.write(value)
    before = content(folder / 'c', [child, raw])
    assert before[:3 * MIB] == noise.read_bytes()[:3 * MIB]
    good(['merge', 0, 1, 2, child, 'VDI', '', raw, 'RAW', ident], [child, raw])
    assert raw.read_bytes() == before


def changes(folder):
    base = make_chain(folder)[0]
    before = content(folder / 'c', [base])
    assert good(['resize', base, '', 40 * MIB], [base])['capacity'] == str(40 * MIB)
    assert content(folder / 'c', [base]) == before + bytes(24 * MIB)
    assert 'error' in job(['resize', base, '', MIB], [base])
    good(['compact', base, ''], [base])
    good(['comment', base, '', 'Sätze und "Worte"'], [base])
    assert good(['probe', base, ''], [base])['comment'] == 'Sätze und "Worte"'
    assert content(folder / 'c', [base])[:16 * MIB] == before


def splits(folder):
    raw = make_raw(folder / 'a.raw', 9)
    words = ['disk.vmdk', 'VMDK', 'fixed,split', 3 << 30]
    names = good(['parts', *words], [])
    assert names['extents'] == '2', names
    words = ['disk.vmdk', 'VMDK', 'dynamic,split', 16 * MIB]
    names = good(['parts', *words], [])
    assert names['extent-0'] == 'disk-s001.vmdk', names
    disk, part = folder / 'disk.vmdk', folder / 'disk-s001.vmdk'
    good(['clone', *chain(raw), *words, '', '+extent', part.name], [raw, disk, part])
    answers = job(['probe', disk, ''], [disk])
    assert answers['extent-0'] == part.name and part.name in answers['error'], answers
    answers = good(['probe', disk, '', '+extent', part.name], [disk, part])
    assert (answers['kind'], answers['capacity']) == ('split', str(16 * MIB))
    copy = folder / 'copy.vmdk'
    good(['clone', 1, *image(disk), copy, 'VMDK', 'dynamic,stream', 0, '', '+extent', part.name],
         [disk, copy, part])
    assert good(['probe', copy, ''], [copy])['kind'] == 'stream'
    assert content(folder / 'c', [copy]) == raw.read_bytes()


def survives_being_killed(folder):
    """A merge that is ended anywhere shows the same, and can be done again."""
    base, one, two = make_chain(folder)
    before = content(folder / 'c', [two, one, base])
    for delay in range(12):
        process = start(['merge', 0, 2, *chain(two, one, base)], [two, one, base])
        time.sleep(delay * 0.004)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert content(folder / 'c', [two, one, base]) == before
    good(['merge', 0, 2, *chain(two, one, base)], [two, one, base])
    assert content(folder / 'c', [base]) == before


def main():
    for test in (probes, merges, refuses_wrong_chains, copies_one_image, stands_on_raw, changes, splits, survives_being_killed):
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder))
        print('ok', test.__name__, flush=True)


if __name__ == '__main__':
    main()
