#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common xorriso debootstrap e2fsprogs
# timeout: 1800
# long
# alone
#
# What a headless machine costs the host while its guest, Debian's 64-bit kernel at 250 Hz, does
# nothing: share of one core, and memory beyond the guest's own. The long run boots all of Debian.
"""An idle guest is cheap."""

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import bar
import guest
import media

GUEST_MIB = 256
MOST_CPU_PERCENT = 3.0
MOST_MEMORY_MIB = 64.0
BOOT_SECONDS = 900


def process_of(name, uuid):
    """The pid of the machine's VM process: ours, and with the machine on its command line."""
    for entry in Path('/proc').glob('[0-9]*'):
        try:
            words = (entry / 'cmdline').read_bytes().decode(errors='replace').split('\0')
        except OSError:
            continue
        if 'vitrine' in words[0] and 'vitrine-manage' not in words[0] and {name, uuid} & set(words):
            return entry
    raise guest.GuestError('the VM process is not among the processes')


def cpu_seconds(process):
    """User and system time that a process has used."""
    fields = (process / 'stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def memory_mib(process):
    """(PSS of all but the guest's RAM, PSS of the guest's RAM) in MiB.

    The guest's RAM is the one mapping that has its size, give or take what lies above 4 GiB."""
    other = ram = 0
    size = 0
    for line in (process / 'smaps').read_text().splitlines():
        match = re.match(r'(Size|Pss):\s+(\d+) kB', line)
        if match and match.group(1) == 'Size':
            size = int(match.group(2)) >> 10
        elif match:
            if size >= GUEST_MIB - 1:
                ram += int(match.group(2))
            else:
                other += int(match.group(2))
    return other / 1024, ram / 1024


def small_linux():
    """Kernel and shell only: (machine, what it says when it is up)."""
    return guest.Machine('idle', iso=media.get('linux-amd64'), memory=GUEST_MIB), 'vitrine: ready'


def debian(folder):
    """A whole Debian with systemd and its timers."""
    disk = media.copy('debian-amd64', Path(folder) / 'disk.img')
    return guest.Machine('idle', disk=disk, memory=GUEST_MIB), 'vitrine-guest login:'


def measure(machine, ready, settle, seconds):
    """Boots, lets it settle, looks for a while: (percent of a core, MiB beyond RAM, MiB of RAM)."""
    with machine:
        machine.start()
        machine.wait_serial(ready, BOOT_SECONDS)
        time.sleep(settle)
        process = process_of('idle', machine.info()['UUID'])
        before = cpu_seconds(process)
        time.sleep(seconds)
        percent = 100 * (cpu_seconds(process) - before) / seconds
        return percent, *memory_mib(process)


def main():
    """The small Linux, or all of Debian where there is time."""
    with tempfile.TemporaryDirectory() as folder:
        if os.environ.get('VITRINE_LONG'):
            settle, seconds = 60, 60
            percent, other, ram = measure(*debian(folder), settle, seconds)
        else:
            settle, seconds = 10, 20
            percent, other, ram = measure(*small_linux(), settle, seconds)
    print(f'idle: {percent:.2f} % of one core over {seconds} s (at most {MOST_CPU_PERCENT})')
    print(f'memory: {other:.1f} MiB beyond the guest\'s RAM, of which {ram:.1f} MiB are in use '
          f'(at most {MOST_MEMORY_MIB})')
    return bar.verdict(percent <= MOST_CPU_PERCENT and other <= MOST_MEMORY_MIB)


if __name__ == '__main__':
    sys.exit(main())
