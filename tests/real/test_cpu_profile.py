#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 900
#
# What Linux finds in /proc/cpuinfo: with the default profile all of x86-64-v3 that the host's CPU has, with
# x86-64-v2 none of it. On KVM less what KVM cannot give.
"""The CPU profile of a machine is what its guest sees."""

import fcntl
import os
import struct
import sys
from pathlib import Path

import guest
import media

BOOT_SECONDS = 300
# Of x86-64-v3 and what comes with it, as Linux names them; the host's own kernel does too.
EXTENSIONS = {'abm', 'adx', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe', 'rdrand', 'sha_ni'}
# What engines do without the host.
ALWAYS = {'fsgsbase', 'invpcid', 'pcid', 'xsave', 'xsavec', 'xsaveopt'}
# CPUID's leaf, register and bit in KVM's own table (Linux Documentation/virt/kvm/api.rst 4.46), and what a guest has not
# without it.
GET_SUPPORTED_CPUID = 0xc008ae05
OF_KVM = {(1, 'ecx', 26): {'xsave', 'xsavec', 'xsaveopt', 'avx', 'avx2', 'f16c', 'fma'},
          (1, 'ecx', 17): {'pcid', 'invpcid'}, (7, 'ebx', 0): {'fsgsbase'}}


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


def kvm_lacks():
    """What this host's KVM keeps from guests."""
    table = bytearray(struct.pack('<II', 256, 0) + bytes(256 * 40))
    with open('/dev/kvm', 'rb') as kvm:
        fcntl.ioctl(kvm, GET_SUPPORTED_CPUID, table)
    lacks = set()
    for leaf, register, bit in OF_KVM:
        rows = [struct.unpack_from('<7I', table, 8 + 40 * i) for i in range(struct.unpack_from('<I', table)[0])]
        words = [dict(zip(('eax', 'ebx', 'ecx', 'edx'), row[3:])) for row in rows if row[0] == leaf and row[1] == 0]
        if not words or not words[0][register] >> bit & 1:
            lacks |= OF_KVM[leaf, register, bit]
    return lacks


def main():
    """The faults of both."""
    host = flags_of(Path('/proc/cpuinfo').read_text(encoding='utf-8'))
    expected = (EXTENSIONS & host) | ALWAYS
    if os.environ.get('VITRINE_ENGINE') == 'hm':
        lacks = kvm_lacks()
        print("this host's KVM lacks:", *sorted(lacks))
        expected -= lacks
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
