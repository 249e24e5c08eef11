#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: gir1.2-glib-2.0 python3-gi
# alone
#
# A machine with 1000 snapshots, 250 of them in one line, each with a differencing image: from starting the
# service to a client's tree of them.
"""Many snapshots."""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'api'))
import bar  # noqa: E402
from client import World, until  # noqa: E402
from many_snapshots import COUNT, DEPTH, write_machine  # noqa: E402

MOST_SECONDS, RUNS = 1.0, 5


def time_to_tree(world, machine_id):
    """One start of the service: seconds until a client has the tree."""
    world.kill_service()
    until(lambda: not world.services(), 'the old service is gone')
    start = time.monotonic()
    client = world.client()
    client.find_machine(machine_id).load_snapshots_sync(None)
    return time.monotonic() - start


def main():
    """The median of a few starts."""
    with World() as world:
        path = world.home / 'VirtualBox VMs/Many/Many.vbox'
        machine_id = write_machine(path)
        client = world.client()
        client.register_machine_sync(str(path), None)
        del client
        median = statistics.median(time_to_tree(world, machine_id) for _ in range(RUNS))
    print(f'{COUNT} snapshots, {DEPTH} deep: a tree after {median:.2f} s (at most {MOST_SECONDS:.0f})')
    return bar.verdict(median <= MOST_SECONDS)


if __name__ == '__main__':
    sys.exit(main())
