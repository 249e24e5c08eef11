#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 900
# needs: gir1.2-glib-2.0 python3-gi qemu-utils
#
# Power fails in the service's transactions: all that service and workers do to files is recorded with
# its syncs (record.c), folders are laid out as a loss of power could leave them (power_loss.py), and a
# service that starts on them must find the state before or the state after, whole. What a command had
# done when its work had ended stays done. The short run looks at as many as it has time for, others
# each time.
"""Loss of power in transactions."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, run  # noqa: E402
from disks import attached, write_block  # noqa: E402
from power_loss import History, lay_out, new_record, read_record  # noqa: E402
from test_manage import PROGRAM, call  # noqa: E402
from test_snapshot_cuts import end_service, reset, save, settle, state  # noqa: E402
from test_snapshots import machine_with_disk  # noqa: E402

SECONDS = 90 if os.environ.get('VITRINE_LONG') else 2  # for each command
SEED = int(os.environ.get('VITRINE_SEED', random.randrange(1 << 32)))


def whole_state(world):
    settings = {}
    for name in ('m', 'n'):
        out = subprocess.run([str(PROGRAM), 'showvminfo', name, '--machinereadable'], capture_output=True,
                             text=True, check=False).stdout
        settings[name] = [line for line in out.splitlines() if line.startswith(('memory=', 'name='))]
    return state(world), settings


def contents(root):
    return {str(path.relative_to(root)) if path != root else '.': path.read_bytes() if path.is_file() else None
            for path in [root, *root.rglob('*')] if path.is_file() or path.is_dir()}


def without_logs(found):
    return {path: content for path, content in found.items() if '.log' not in path}


def record(world, words):
    """The history of this command, and how many records it had when its work had ended."""
    path = world.root / 'record'
    new_record(path)
    history = History(world.home)
    environment = {**os.environ, 'LD_PRELOAD': str(BUILD / 'tests/api/record.so'), 'VITRINE_RECORD': str(path)}
    subprocess.run([str(PROGRAM), *map(str, words)], env=environment, capture_output=True, check=True, timeout=60,
                   stdin=subprocess.DEVNULL)
    ended = len(read_record(path))
    settle(world)
    end_service(world)
    for entry in read_record(path):
        history.add(entry)
    # Nothing escaped the record.
    replayed, real = without_logs(history.build(history.time, lambda change: True)), without_logs(contents(world.home))
    assert replayed == real, f'{words}: {[p for p in replayed.keys() | real if replayed.get(p) != real.get(p)]}'
    return history, ended


def losses(history):
    """(moment, what arrives), the telling ones first."""
    moments = sorted({when for when, _ in history.changes} | {history.time})
    ways = [lambda change: False, lambda change: change.names is not None, lambda change: change.file is not None]
    plain = [(moment, way) for moment in moments for way in ways]
    random.shuffle(plain)
    yield from plain
    for _ in range(100 * len(moments)):
        share, seed = random.random(), random.random()
        dice = random.Random(seed)
        yield random.choice(moments), lambda change, dice=dice, share=share: dice.random() < share


def find_state(world, found):
    end_service(world)
    shutil.rmtree(world.home)
    world.home.mkdir()
    lay_out(found, world.home)
    settle(world)
    return whole_state(world)


def fail_everywhere(world, *words):
    reset(world)
    before = whole_state(world)
    end_service(world)
    history, ended = record(world, words)
    after = whole_state(world)
    assert find_state(world, history.build(ended, lambda change: False)) == after, f'{words} did not last'
    end, looked, seen = time.monotonic() + SECONDS, 0, {}
    for moment, way in losses(history):
        found = history.build(moment, way)
        mark = hash(frozenset(without_logs(found).items()))
        if mark in seen:
            continue
        result = find_state(world, found)
        seen[mark] = 'before' if result == before else 'after'
        assert result in (before, after), \
            f'{words}, seed {SEED}, record {moment} of {history.time}:\n{result}\nbefore {before}\nafter {after}'
        if time.monotonic() > end:
            break
    counts = {name: list(seen.values()).count(name) for name in ('before', 'after')}
    print(f'{" ".join(map(str, words[:3]))}: {history.time} records, states: {counts}', flush=True)


def power_fails(world):
    random.seed(SEED)
    machine_with_disk(world)
    for number, name in enumerate(('one', 'two', 'three')):
        write_block(attached('m'), number, number + 1)
        call('snapshot', 'm', 'take', name)
    write_block(attached('m'), 5, 6)
    save(world)
    fail_everywhere(world, 'modifyvm', 'm', '--memory', 96)
    fail_everywhere(world, 'modifyvm', 'm', '--name', 'n')
    fail_everywhere(world, 'snapshot', 'm', 'take', 'four')
    fail_everywhere(world, 'snapshot', 'm', 'restore', 'two')
    fail_everywhere(world, 'snapshot', 'm', 'delete', 'two')
    fail_everywhere(world, 'snapshot', 'm', 'delete', 'one')
    fail_everywhere(world, 'movevm', 'm', '--folder', world.home / 'elsewhere')


if __name__ == '__main__':
    run(power_fails)
