#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 900
# long
#
# Two machines at the same time, one on the interpreter, one on the recompiler: both say so, boot
# Linux, compute the same right sums, and one goes on when the other is gone.
"""Machines on different engines do not disturb each other."""

import contextlib

import guest
import media
from test_linux import BOOT_SECONDS, EXPECTED, SUMS

ENGINES = ('iem', 'rem')


def compute(machine):
    """The machine has to come to the right sums."""
    for expected in EXPECTED:
        machine.wait_serial(expected, BOOT_SECONDS)


def main():
    """Starts both before it waits for either."""
    with contextlib.ExitStack() as stack:
        machines = []
        for engine in ENGINES:
            machine = guest.Machine(f'two-{engine}', iso=media.get('linux-amd64'))
            machines.append(stack.enter_context(machine))
            guest.manage('modifyvm', machine.name, '--exec-engine', engine)
            machine.start()
        for machine, engine in zip(machines, ENGINES):
            machine.wait_serial('vitrine# ', BOOT_SECONDS)
            running = machine.info().get('engine', '').lower()
            if running != engine:
                raise guest.GuestError(f'{machine.name} runs on {running}')
        for machine in machines:
            machine.serial.write(SUMS)
        for machine in machines:
            compute(machine)
        first, last = machines
        last.serial.write('poweroff -f\n')
        last.wait_state('poweroff', 60)
        first.serial.write(SUMS)
        compute(first)
        first.serial.write('poweroff -f\n')
        first.wait_state('poweroff', 60)


if __name__ == '__main__':
    main()
