#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 600
# alone
#
# What a headless machine costs the host while its guest, Debian's 64-bit kernel at 250 Hz, does
# nothing: share of one core, and memory beyond the guest's own.
"""An idle guest is cheap."""

import os
import re
import sys
import time
from pathlib import Path

import guest
import media

GUEST_MIB = 256
MOST_CPU_PERCENT = 3.0
MOST_MEMORY_MIB = 64.0
SETTLE_SECONDS = 10


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


def main():
    """Boots, lets it settle, looks for a while."""
    seconds = 60 if os.environ.get('VITRINE_LONG') else 20
    with guest.Machine('idle', iso=media.get('linux-amd64'), memory=GUEST_MIB) as machine:
        machine.start()
        machine.wait_serial('vitrine: ready', 300)
        time.sleep(SETTLE_SECONDS)
        process = process_of('idle', machine.info()['UUID'])
        before = cpu_seconds(process)
        time.sleep(seconds)
        percent = 100 * (cpu_seconds(process) - before) / seconds
        other, ram = memory_mib(process)
    print(f'idle: {percent:.2f} % of one core over {seconds} s (at most {MOST_CPU_PERCENT})')
    print(f'memory: {other:.1f} MiB beyond the guest\'s RAM, of which {ram:.1f} MiB are in use '
          f'(at most {MOST_MEMORY_MIB})')
    return 1 if percent > MOST_CPU_PERCENT or other > MOST_MEMORY_MIB else 0


if __name__ == '__main__':
    sys.exit(main())
