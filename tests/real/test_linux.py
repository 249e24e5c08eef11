#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 grub-pc-bin xorriso
# timeout: 900
#
# Debian's kernels, 64 and 32 bits, with a busybox: to a shell on the serial line, checksums that
# must be right, and a power-off that ends the machine.
"""Linux boots, computes and powers off."""

import guest
import media

BOOT_SECONDS = 300
SUMS = '''for s in md5sum sha256sum sha512sum; do dd if=/dev/zero bs=65536 count=8 2>/dev/null | $s; done
'''
# Of half a MiB of zero bytes, from the host's own tools.
EXPECTED = ('59071590099d21dd439896592338bf95',
            '07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541')


def check(arch, machine_name):
    """Boots one architecture."""
    with guest.Machine(f'linux-{arch}', iso=media.get(f'linux-{arch}')) as machine:
        machine.start()
        machine.wait_serial(f'vitrine: kernel .* {machine_name}', BOOT_SECONDS)
        machine.wait_serial('vitrine# ', 30)
        machine.screenshot('booted')
        machine.serial.write(SUMS)
        for expected in EXPECTED:
            machine.wait_serial(expected, 60)
        machine.serial.write('poweroff -f\n')
        machine.wait_state('poweroff', 60)


if __name__ == '__main__':
    check('amd64', 'x86_64')
    check('i386', 'i[56]86')
