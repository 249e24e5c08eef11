# SPDX-License-Identifier: GPL-3.0-or-later
#
# Command lines of run-guest, the program that runs a machine straight on the VMM: no service, no
# settings, no window. For guest programs and benchmarks; real guests go through guest.py, as a
# person's would.
"""Run machines with run-guest."""

import os
from pathlib import Path

# Exit codes beyond 0: the machine could not be made; a text was not seen in time; triple fault.
FAULT, TIMEOUT, TRIPLE_FAULT = 1, 2, 3


def command(*options, disk=None, cdrom=None, ram=64, serial=None):
    """run-guest's command line; `serial` is the file that takes what the guest says on COM1."""
    words = [str(Path(os.environ['VITRINE_BUILD']) / 'tests' / 'lib' / 'run-guest'), '--ram', str(ram)]
    for name, value in (('disk', disk), ('cdrom', cdrom), ('serial', serial),
                        ('engine', os.environ.get('VITRINE_ENGINE'))):
        if value:
            words += [f'--{name}', str(value)]
    return words + list(options)
