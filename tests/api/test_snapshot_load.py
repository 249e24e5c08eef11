#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: gir1.2-glib-2.0 python3-gi
#
# A machine with 1000 snapshots, 250 of them in one line, each with a differencing image: how long the
# service takes to read it and a client to have the tree. VITRINE_SLOW multiplies what is allowed.
"""Many snapshots."""

import os
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import GLib, Vitrine, refused, run, until  # noqa: E402

COUNT, DEPTH = 1000, 250
# What the issue asks for, seconds; best of TRIES, since other work shares the processors.
MOST, TRIES = 1.0, 5


def hardware(image):
    return f'''<Hardware><CPU><PAE enabled="false"/></CPU><Memory RAMSize="64"/>
      <StorageControllers><StorageController name="IDE" type="PIIX4" PortCount="2" useHostIOCache="true"
        Bootable="true"><AttachedDevice type="HardDisk" hotpluggable="false" port="0" device="0">
        <Image uuid="{{{image}}}"/></AttachedDevice></StorageController></StorageControllers></Hardware>'''


def names(count):
    return [str(uuid.uuid4()) for _ in range(count)]


def write_machine(path):
    """One line of DEPTH, and from its first snapshot lines of 249 more."""
    machine, ids, images = str(uuid.uuid4()), names(COUNT), names(COUNT + 1)
    parent = {}
    for number in range(1, COUNT):
        parent[number] = number - 1 if number < DEPTH or (number - 1) % (DEPTH - 1) else 0
    children = {number: [] for number in range(COUNT)}
    for number, above in parent.items():
        children[above].append(number)

    def snapshot(number):
        below = ''.join(snapshot(child) for child in children[number])
        return (f'<Snapshot uuid="{{{ids[number]}}}" name="s{number}" timeStamp="2025-03-10T17:02:44Z">'
                f'{hardware(images[number])}{f"<Snapshots>{below}</Snapshots>" if below else ""}</Snapshot>')

    def disk(number):
        kind = ' type="Normal"' if number == 0 else ''
        below = ''.join(disk(child) for child in children.get(number, ()))
        if number == DEPTH - 1:
            below += f'<HardDisk uuid="{{{images[COUNT]}}}" location="Snapshots/now.vdi" format="VDI"/>'
        return (f'<HardDisk uuid="{{{images[number]}}}" location="Snapshots/{number}.vdi" format="VDI"{kind}>'
                f'{below}</HardDisk>')
    path.parent.mkdir(parents=True)
    path.write_text(f'''<?xml version="1.0"?>
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
<Machine uuid="{{{machine}}}" name="Many" OSType="Other" currentSnapshot="{{{ids[DEPTH - 1]}}}">
<MediaRegistry><HardDisks>{disk(0)}</HardDisks></MediaRegistry>
{snapshot(0)}{hardware(images[COUNT])}</Machine></VirtualBox>
''')
    return machine


def depth(snapshot):
    below = [depth(child) for child in snapshot.get_children()]
    return 1 + max(below, default=0)


def loads_quickly(world):
    sys.setrecursionlimit(5000)
    path = world.home / 'VirtualBox VMs/Many/Many.vbox'
    machine_id = write_machine(path)
    client = world.client()
    client.register_machine_sync(str(path), None)
    del client
    best = None
    for _ in range(TRIES):
        world.kill_service()
        until(lambda: not world.services(), 'the old service is gone')
        start = time.monotonic()
        client = world.client()
        machine = client.find_machine(machine_id)
        root = machine.load_snapshots_sync(None)
        took = time.monotonic() - start
        best = min(best or took, took)
        assert machine.get_snapshot_count() == COUNT and client.get_media().get_n_items() == COUNT + 1
        assert depth(root) == DEPTH and machine.get_current_snapshot_name() == f's{DEPTH - 1}'
        del client, root
    most = MOST * float(os.environ.get('VITRINE_SLOW', '1'))
    print(f'{COUNT} snapshots, {DEPTH} deep: {best:.3f} s', flush=True)
    assert best <= most, f'{best:.3f} s, more than {most} s'


def ends_where_the_schema_ends(world):
    path = world.home / 'VirtualBox VMs/Many/Many.vbox'
    client = world.client()
    machine = client.find_machine(write_machine(path) and client.register_machine_sync(str(path), None))
    assert '250' in refused(Vitrine.Error.INVALID, machine.take_snapshot_sync, 'one too many', None, None)
    machine.edit_snapshot_sync(machine.get_current_snapshot(), 'edited', 'deep down', None)
    assert machine.get_current_snapshot_name() == 'edited'
    assert 'deep down' in path.read_text()
    refused(Vitrine.Error.NOT_FOUND, machine.edit_snapshot_sync, GLib.uuid_string_random(), 'x', None, None)


run(loads_quickly, ends_where_the_schema_ends)
