#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 600
# needs: gir1.2-glib-2.0 python3-gi qemu-utils
#
# The service is killed before each call by which it changes files (cut.c): every write, rename, link,
# sync, unlink and new file of taking, restoring and deleting a snapshot, cloning, moving and creating a
# disk. The next service finds the state before or the state after, whole: settings, tree, contents of the
# disks, no file too many. The short run takes every STRIDE-th cut, from another one each time.
"""Cuts through transactions."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, run, until  # noqa: E402
from disks import attached, content, write_block  # noqa: E402
from test_manage import PROGRAM, call  # noqa: E402
from test_snapshots import machine_with_disk, names  # noqa: E402

STRIDE = 1 if os.environ.get('VITRINE_LONG') else 9
MOST_CUTS = 400
FOLDERS = ('home', 'elsewhere')


def end_service(world):
    for pid in world.services():
        os.kill(pid, 9)
    until(lambda: not world.services() and not world.processes('vitrine-worker'), 'the service is gone')


def save(world):
    end_service(world)
    shutil.copytree(world.home, world.root / 'template', symlinks=True)


def reset(world):
    end_service(world)
    for folder in FOLDERS:
        shutil.rmtree(world.root / folder, ignore_errors=True)
    shutil.copytree(world.root / 'template', world.home, symlinks=True)


def settle(world):
    """What a killed service left is done by the next one."""
    call('list', 'vms')
    end = time.monotonic() + 30
    while (world.config / 'Vitrine-work').exists():
        assert time.monotonic() < end, list((world.config / 'Vitrine-work').iterdir())
        time.sleep(0.05)


def files(world):
    """Every image that is there, and what the registry says is there."""
    there = {path for folder in FOLDERS for path in (world.root / folder).rglob('*')
             if path.suffix in ('.vdi', '.vbox') or path.name.endswith(('-new', '-tmp', '.work'))}
    out, _ = call('list', 'hdds')
    assert 'inaccessible' not in out, out
    known = {Path(line.split(None, 1)[1]) for line in out.splitlines() if line.startswith('Location:')}
    for name in machines():
        text = call('showvminfo', name, '--machinereadable')[0]
        known.add(Path(next(line for line in text.splitlines() if line.startswith('CfgFile=')).split('"')[1]))
    return there, known


def machines():
    return [line.split('"')[1] for line in call('list', 'vms')[0].splitlines()]


def state(world):
    """All that a person could tell apart; how long a chain is is not among it."""
    there, known = files(world)
    assert there == known, f'too many: {there - known}, missing: {known - there}'
    found = {}
    for name in machines():
        has_tree = 'SnapshotName=' in call('showvminfo', name, '--machinereadable')[0]
        found[name] = (names(name) if has_tree else '', tuple(content(world, attached(name))))
    return found, 'elsewhere' if (world.root / 'elsewhere/m').exists() else 'home'


def cut_at(world, number, words):
    """Whether the command ended before that cut was reached."""
    mark = world.root / 'cut'
    mark.unlink(missing_ok=True)
    mark.symlink_to(f'vitrine-service {number}')
    environment = {**os.environ, 'LD_PRELOAD': str(BUILD / 'tests/api/cut.so'), 'VITRINE_CUT_MARK': str(mark)}
    assert not world.services()
    result = subprocess.run([str(PROGRAM), *map(str, words)], env=environment, capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert result.returncode in (0, 1), result
    assert not mark.is_symlink() or result.returncode == 0, result
    return mark.is_symlink()


def cut_everywhere(world, *words, extra=lambda world: None):
    reset(world)
    before = state(world), extra(world)
    end_service(world)
    call(*words)
    settle(world)
    after = state(world), extra(world)
    number, cuts, seen = random.randrange(STRIDE) + 1, 0, {'before': 0, 'after': 0}
    while number < MOST_CUTS:
        reset(world)
        if cut_at(world, number, words):
            break
        end_service(world)
        settle(world)
        found = state(world), extra(world)
        assert found in (before, after), f'{words}, cut {number}:\n{found}\nbefore {before}\nafter {after}'
        seen['before' if found == before else 'after'] += 1
        number += STRIDE
        cuts += 1
    assert cuts >= (2 if STRIDE > 1 else 8) and number < MOST_CUTS, f'{words}: {cuts} cuts'
    print(f'{" ".join(map(str, words[:3]))}: {cuts} cuts, {seen}', flush=True)


def transactions(world):
    machine_with_disk(world)
    for number, name in enumerate(('one', 'two', 'three')):
        write_block(attached('m'), number, number + 1)
        call('snapshot', 'm', 'take', name)
    write_block(attached('m'), 5, 6)
    save(world)
    cut_everywhere(world, 'snapshot', 'm', 'take', 'four')
    cut_everywhere(world, 'snapshot', 'm', 'restore', 'two')
    cut_everywhere(world, 'snapshot', 'm', 'delete', 'two')
    cut_everywhere(world, 'snapshot', 'm', 'delete', 'one')
    cut_everywhere(world, 'clonevm', 'm', '--name', 'c', '--register')
    cut_everywhere(world, 'movevm', 'm', '--folder', world.root / 'elsewhere')
    cut_everywhere(world, 'createmedium', '--filename', world.home / 'new.vdi', '--size', 1,
                   extra=lambda world: (world.home / 'new.vdi').exists())


def saved_states(world):
    """The machine's state, and the files of saved states."""
    machine, = (world.root / 'home').rglob('m.vbox')
    words = dict(line.split('=', 1) for line in call('showvminfo', 'm', '--machinereadable')[0].splitlines())
    return words['VMState'], sorted(path.name for path in (machine.parent / 'Snapshots').glob('*.sav'))


def ends_of_states(world):
    """A state that is discarded is there with the machine that names it, or not at all."""
    machine_with_disk(world)
    folder = attached('m').parent / 'Snapshots'
    folder.mkdir(exist_ok=True)
    state_file = folder / '2020-01-01T00-00-00-000000000Z.sav'
    state_file.write_bytes(b'Vitrine state\r\n\x1a\0' + bytes(100))
    call('adoptstate', 'm', state_file)
    save(world)
    cut_everywhere(world, 'discardstate', 'm', extra=saved_states)


if __name__ == '__main__':
    run(*([transactions, ends_of_states] if STRIDE == 1 else [transactions]))
