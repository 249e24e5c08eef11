#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 900
#
# What Linux finds in /proc/cpuinfo: with the default profile all of x86-64-v3 that the host's CPU has, with
# x86-64-v2 none of it.
"""The CPU profile of a machine is what its guest sees."""

import sys
from pathlib import Path

import guest
import media

BOOT_SECONDS = 300
# Of x86-64-v3 and what comes with it, as Linux names them; the host's own kernel does too.
EXTENSIONS = {'abm', 'adx', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe', 'rdrand', 'sha_ni'}
# What engines do without the host.
ALWAYS = {'fsgsbase', 'invpcid', 'pcid', 'xsave', 'xsavec', 'xsaveopt'}


def flags_of(text):
    """The flags of the first CPU in /proc/cpuinfo."""
    for line in text.splitlines():
        if line.startswith('flags'):
            return set(line.split(':', 1)[1].split())
    return set()


def flags_in(name, *settings):
    """Boots and asks."""
    with guest.Machine(name, iso=media.get('linux-amd64'), settings=settings) as machine:
        machine.start()
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        machine.serial.write('grep -m1 ^flags /proc/cpuinfo; echo "flags "end\n')
        found = flags_of(machine.wait_serial('flags end', 60).replace('\r', ''))
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 60)
    return found


def main():
    """The faults of both."""
    host = flags_of(Path('/proc/cpuinfo').read_text(encoding='utf-8'))
    expected = (EXTENSIONS & host) | ALWAYS
    newest = flags_in('profile-host')
    older = flags_in('profile-v2', '--cpu-profile', 'x86-64-v2')
    faults = [f'the default profile lacks {flag}' for flag in sorted(expected - newest)]
    faults += [f'the default profile has {flag}, the host has not' for flag in sorted((EXTENSIONS & newest) - host)]
    faults += [f'x86-64-v2 has {flag}' for flag in sorted(older & (EXTENSIONS | ALWAYS))]
    if 'sse4_2' not in older:
        faults.append('x86-64-v2 has no sse4_2')
    for fault in faults:
        print(fault)
    print(f'{len(newest)} flags, {len(older)} with x86-64-v2, {len(faults)} faults')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
