#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 600
# needs: gir1.2-glib-2.0 python3-gi seabios
#
# The service, or a machine's process, is killed before each call by which it changes files (cut.c) while it
# saves a state, continues from one, or discards it. Afterwards the machine has its state, whole, and its guest
# continues, or it has none; no file is too many, and no work is left. The short run makes one cut of each kind at
# random, the long one all.
"""Cuts through saving, restoring and discarding a state."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, run  # noqa: E402
from test_manage import PROGRAM, call, info  # noqa: E402

LONG = bool(os.environ.get('VITRINE_LONG'))
MOST_CUTS = 1000
# A cut of the short run is among the first calls, so that it comes to be.
SURE = {'save': 6, 'restore': 3, 'discard': 5}
WORDS = {'save': ('controlvm', 'm', 'savestate'), 'restore': ('startvm', 'm', '--type', 'headless'),
         'discard': ('discardstate', 'm')}
SAVED, ENDED, GOES_ON = ('saved', 'aborted-saved'), ('poweroff', 'aborted'), ('running', 'paused')


def attempt(*words):
    """A command that may fail, since its service or machine is killed."""
    result = subprocess.run([str(PROGRAM), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            timeout=60, check=False)
    assert result.returncode in (0, 1), result
    return result.returncode == 0


def state():
    return info('m')['VMState']


def wait_for(condition, what):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


def rests():
    """A machine that runs does so by what its process says, which comes back to the next service."""
    words = info('m')
    return words['VMState'] in SAVED + ENDED or words['VMState'] in GOES_ON and 'SessionName' in words


def come_to_rest(world):
    """The state, once nothing is under way."""
    wait_for(rests, state)
    if state() not in GOES_ON:
        wait_for(lambda: not world.processes('vitrine-headless'), lambda: 'the process stays')
    wait_for(lambda: not (world.config / 'Vitrine-work').exists(), lambda: 'work is left')
    return state()


def bring_to(world, wanted):
    """The guest continues, or begins, and is saved: nothing of this may fail."""
    now = come_to_rest(world)
    if wanted == 'saved' and now not in SAVED:
        bring_to(world, 'running')
        call('controlvm', 'm', 'savestate')
    elif wanted == 'running' and now not in GOES_ON:
        call('startvm', 'm', '--type', 'headless')
    elif wanted == 'running':
        call('controlvm', 'm', 'pause')
        call('controlvm', 'm', 'resume')
    assert come_to_rest(world) == wanted or wanted == 'saved' and state() in SAVED, state()


def check(world):
    """The settings name the state if there is one, and no other file is there."""
    now = come_to_rest(world)
    settings, = (world.home / 'VirtualBox VMs').rglob('m.vbox')
    files = sorted(path.name for path in (settings.parent / 'Snapshots').glob('*'))
    text = settings.read_text(encoding='utf-8')
    assert (now in SAVED) == ('stateFile=' in text) == (len(files) == 1), (now, files)
    assert not files or f'Snapshots/{files[0]}"' in text, (now, files)
    assert 'LeftoverState1' not in info('m')
    return 'after' if now in ENDED else now


def cut_at(world, victim, what, number):
    """Whether the work ended before it came to that call; else what was found."""
    bring_to(world, 'running' if what == 'save' else 'saved')
    mark = world.root / 'cut'
    mark.symlink_to(f'{victim} {number}')
    attempt(*WORDS[what])
    reached = not mark.is_symlink()
    mark.unlink(missing_ok=True)
    return check(world) if reached else None


def renew(world):
    """The calls of a process are counted from its first cut: a new one for each."""
    for pid in world.services():
        os.kill(pid, 9)
    wait_for(lambda: not world.services(), lambda: 'the service stays')


def cuts(world, victim, what):
    number, found = 1 if LONG else random.randint(1, SURE[what]), {}
    while number < MOST_CUTS:
        renew(world)
        result = cut_at(world, victim, what, number)
        if result is None:
            break
        found[result] = found.get(result, 0) + 1
        number += 1
        if not LONG:
            break
    assert found and number < MOST_CUTS, f'{what}, {victim}: {number}'
    print(f'{what}, {victim}: cut at {number - 1} calls, {found}', flush=True)


def states(world):
    mark = world.root / 'cut'
    os.environ.update(LD_PRELOAD=str(BUILD / 'tests/api/cut.so'), VITRINE_CUT_MARK=str(mark))
    call('createvm', '--name', 'm', '--register', '--default')
    for what, victim in (('save', 'vitrine-service'), ('save', 'vitrine-headless'), ('restore', 'vitrine-service'),
                         ('restore', 'vitrine-headless'), ('discard', 'vitrine-service')):
        cuts(world, victim, what)
    bring_to(world, 'saved')
    bring_to(world, 'running')


if __name__ == '__main__':
    run(states)
