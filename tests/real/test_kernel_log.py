#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 qemu-system-x86
# timeout: 1200
# long
#
# The kernel's own complaints (level warning and worse) on our machine, less those that it also has
# on QEMU's -M pc. Each that is left has its cause in EXPECTED; there may be ten at the most.
"""The kernel finds nothing odd in our machine."""

import re
import sys

import guest
import media
import qemu

BOOT_SECONDS = 300
MOST = 10
# A part of the message: why it is there and is right.
EXPECTED = {
    'tsc: Unable to calibrate against PIT':
        'the kernel times the PIT three times and wants no pause of ten port reads (about 5 us); a '
        'host that takes the CPU away for a time slice (4 ms were measured on a busy one, while '
        'the reads take 0.3 us) makes all three fail, on QEMU as well; the kernel then uses the '
        'power management timer. CPUID 0x15 would not help: Linux reads it on Intel CPUs only',
}


def complaints(text):
    """Messages of level 0 to 4 in `dmesg -r` output, without times and numbers."""
    messages = re.findall(r'^<[0-4]>\[[ \d.]+\] (.*)$', text, re.M)
    return {re.sub(r'0x[0-9a-f]+|\d+', 'N', message): message for message in messages}


def ask(line):
    """Lets the guest print its kernel's log."""
    line.wait('vitrine# ', BOOT_SECONDS)
    line.write('dmesg -r; echo "log "ends\n')
    return complaints(line.wait('log ends', 120))


def main():
    """Both architectures; the faults found."""
    faults = 0
    for arch in ('amd64', 'i386'):
        medium = media.get(f'linux-{arch}')
        with qemu.serial_session(medium, guest.evidence_folder() / f'qemu-{arch}.log') as line:
            reference = ask(line)
        with guest.Machine(f'log-{arch}', iso=medium, settings=('--ioapic', 'on')) as machine:
            machine.start()
            ours = ask(machine.serial)
        left = [ours[key] for key in sorted(set(ours) - set(reference))]
        print(f'{arch}: {len(reference)} complaints on QEMU, {len(left)} more on ours')
        for message in left:
            cause = next((why for part, why in EXPECTED.items() if part in message), None)
            faults += cause is None
            print(f'  {message}\n    {cause or "UNEXPECTED"}')
        faults += len(left) > MOST
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
