#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A host that is itself a virtual machine stands still whenever its own host takes a processor away. No program on it
# can do anything meanwhile, so what happens then says nothing of any. For each processor a process that goes before
# all others looks at the clock each millisecond.
#
#   host_watch.py PROCESSOR     prints when it stood still: "begin end", by time.monotonic()
"""When the host's processors stood still."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOOK_EVERY = 0.001
PRIORITY = 60


def watch(processor, least):
    """Does not return."""
    os.sched_setaffinity(0, {processor})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    before = time.monotonic()
    while True:
        time.sleep(LOOK_EVERY)
        now = time.monotonic()
        if now - before > least:
            print(f'{before:.4f} {now:.4f}', flush=True)
        before = now


class HostWatch:
    """A context. Where the host does not let us go before others, nothing is found."""

    def __init__(self, least):
        """What is shorter than `least` seconds does not count."""
        self.least = least
        self.folder = tempfile.TemporaryDirectory()
        self.processes = []

    def __enter__(self):
        for processor in os.sched_getaffinity(0):
            with open(Path(self.folder.name) / str(processor), 'wb') as file:
                self.processes.append(subprocess.Popen((sys.executable, __file__, str(processor), str(self.least)),
                                                       stdout=file))
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        self.folder.cleanup()

    def stood(self):
        """[(begin, end)] by time.monotonic() so far."""
        lines = [line for path in Path(self.folder.name).iterdir() for line in path.read_text().splitlines()]
        return sorted(tuple(map(float, line.split())) for line in lines)


if __name__ == '__main__':
    watch(int(sys.argv[1]), float(sys.argv[2]))
