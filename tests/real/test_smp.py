#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 3600
#
# Debian's 64-bit kernel with several virtual CPUs: it finds them by our tables, starts them, spreads
# checksums of files over them that must all be right, and powers off. With --long: 1, 2, 4 and 8
# CPUs side by side, ten minutes of load each; else 4 CPUs and one round.
"""Linux boots with several CPUs and computes on all of them."""

import hashlib
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import guest
import media

BOOT_SECONDS = 400
ROUND_SECONDS = 900
LOAD_SECONDS = 600
BLOCKS = 24
# Each job writes a file of its own length, reads it through pipes and sums it up.
JOB = ('j() { dd if=/dev/zero of=/f$1 bs=65536 count=$1 2>/dev/null; cat /f$1 | cat | cat | sha256sum; '
       ': >/f$1; }; ')


def expected(blocks):
    """The checksum that a job must print."""
    return hashlib.sha256(bytes(65536 * blocks)).hexdigest()


def run_round(machine, cpus, number):
    """One job for each CPU and one more, at the same time; all sums have to be right."""
    lengths = [BLOCKS + i for i in range(cpus + 1)]
    jobs = ' '.join(f'j {length} &' for length in lengths)
    machine.serial.write(f'{jobs} wait; echo round "{number} over"\n')
    text = machine.wait_serial(f'round {number} over', ROUND_SECONDS)
    sums = sorted(re.findall(r'\b[0-9a-f]{64}\b', text))
    if sums != sorted(expected(length) for length in lengths):
        raise guest.GuestError(f'round {number} on {cpus} CPUs: wrong sums\n{text}')


def check(cpus, seconds):
    """Boots with that many CPUs and computes for so long."""
    settings = ('--cpus', cpus, '--ioapic', 'on')
    with guest.Machine(f'smp-{cpus}', iso=media.get('linux-amd64'), settings=settings) as machine:
        machine.start()
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        machine.serial.write('echo there are "$(grep -c ^processor /proc/cpuinfo)" cpus\n')
        machine.wait_serial(f'there are {cpus} cpus', 60)
        machine.serial.write('dmesg -n 1\n')  # what the kernel says would stand between the sums; it is looked at in the end
        machine.serial.write(JOB + '\n')
        machine.control('cpuexecutioncap', 70)
        run_round(machine, cpus, 'capped')
        if machine.info()['cpuexecutioncap'] != '70':
            raise guest.GuestError('the execution cap is not in the settings')
        machine.control('cpuexecutioncap', 100)
        end = time.monotonic() + seconds
        rounds = 0
        while rounds == 0 or time.monotonic() < end:
            run_round(machine, cpus, rounds)
            rounds += 1
        machine.serial.write('dmesg | grep -c -e "soft lockup" -e "rcu.*stall" -e "BUG:"; echo "looked"\n')
        machine.wait_serial(r'\n0\r?\nlooked', 60)
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 60)
        print(f'{cpus} CPUs: {rounds} rounds')


if __name__ == '__main__':
    if os.environ.get('VITRINE_LONG'):
        # All at once: more virtual CPUs than the host has, each waiting for others that do not run.
        with ThreadPoolExecutor() as pool:
            for one in [pool.submit(check, count, LOAD_SECONDS) for count in (1, 2, 4, 8)]:
                one.result()
    else:
        check(4, 0)
