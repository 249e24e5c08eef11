#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: gir1.2-glib-2.0 python3-gi
#
# A machine with 1000 snapshots, 250 of them in one line, each with a differencing image: the tree is whole,
# and no deeper one can be made.
"""Many snapshots."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import GLib, Vitrine, refused, run  # noqa: E402
from many_snapshots import COUNT, DEPTH, write_machine  # noqa: E402


def depth(snapshot):
    below = [depth(child) for child in snapshot.get_children()]
    return 1 + max(below, default=0)


def is_whole(world):
    sys.setrecursionlimit(5000)
    path = world.home / 'VirtualBox VMs/Many/Many.vbox'
    client = world.client()
    machine = client.find_machine(write_machine(path) and client.register_machine_sync(str(path), None))
    root = machine.load_snapshots_sync(None)
    assert machine.get_snapshot_count() == COUNT and client.get_media().get_n_items() == COUNT + 1
    assert depth(root) == DEPTH and machine.get_current_snapshot_name() == f's{DEPTH - 1}'


def ends_where_the_schema_ends(world):
    path = world.home / 'VirtualBox VMs/Many/Many.vbox'
    client = world.client()
    machine = client.find_machine(write_machine(path) and client.register_machine_sync(str(path), None))
    assert '250' in refused(Vitrine.Error.INVALID, machine.take_snapshot_sync, 'one too many', None, None)
    machine.edit_snapshot_sync(machine.get_current_snapshot(), 'edited', 'deep down', None)
    assert machine.get_current_snapshot_name() == 'edited'
    assert 'deep down' in path.read_text()
    refused(Vitrine.Error.NOT_FOUND, machine.edit_snapshot_sync, GLib.uuid_string_random(), 'x', None, None)


run(is_whole, ends_where_the_schema_ends)
