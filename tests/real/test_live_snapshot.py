#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 900
#
# A snapshot of a Linux that writes to its disk and computes. It goes on; what it writes later is not in the
# snapshot, whose state and disk fit together when it is restored.
"""A snapshot of a machine that runs."""

import re
import time

import guest
import media

BOOT_SECONDS = 300
DISK_MIB = 64
RIGHT = '07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541'
# Writes a number to the disk, reads it again past the cache and says it, for ever.
COUNT = ('n=0; while :; do n=$((n+1)); echo number $n end >/tmp/n; '
         'dd if=/tmp/n of=/dev/sda bs=512 count=1 conv=sync,fsync 2>/dev/null; '
         'dd if=/dev/zero bs=65536 count=8 2>/dev/null | sha256sum | cut -c1-64; '
         'echo "said $n: $(dd if=/dev/sda bs=512 count=1 2>/dev/null | head -1)."; done &')

# What the guest does after the snapshot, in memory and on the disk; and how often that is there.
MARK = 'echo later >/tmp/later; dd if=/tmp/later of=/dev/sda seek=100 conv=sync,fsync 2>/dev/null; echo marked $((1+1))'
LOOK = ('echo later: $(ls /tmp | grep -c later) $(dd if=/dev/sda skip=100 count=1 2>/dev/null | grep -c later) times')


def number(machine):
    """What the guest counts now; the disk says the same, and the sum beside it is right."""
    text = machine.wait_serial(r'[0-9a-f]{64}\r?\nsaid \d+: number \d+ end\.', 120)
    found = re.search(r'([0-9a-f]{64})\r?\nsaid (\d+): number (\d+) end\.\Z', text)
    if found.group(1) != RIGHT or found.group(2) != found.group(3):
        raise guest.GuestError(f'the guest is confused: {found.group(0)}')
    return int(found.group(2))


def restart(machine):
    """The guest's words to nobody are missing in the middle."""
    machine.serial.close()
    machine.serial.data.clear()
    machine.serial.seen = 0
    machine.start()


def main():
    """Take, go on, restore, twice."""
    with guest.Machine('live-snapshot', iso=media.get('linux-amd64'),
                       settings=('--boot1', 'dvd', '--exec-engine', 'rem')) as machine:
        disk = machine.folder / 'disk.vdi'
        guest.manage('createmedium', 'disk', '--filename', disk, '--size', DISK_MIB)
        guest.manage('storageattach', machine.name, '--storagectl', 'IDE', '--port', 0, '--device', 0,
                     '--type', 'hdd', '--medium', disk)
        machine.start()
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        machine.serial.write(f'{COUNT}\n')
        before = number(machine)
        begin = time.monotonic()
        guest.manage('snapshot', machine.name, 'take', 'live', '--live', seconds=300)
        taken = number(machine)
        print(f'taken in {time.monotonic() - begin:.1f} s, while the guest counted from {before} to {taken}')
        machine.serial.write(f'{MARK}\n')
        machine.wait_serial('marked 2', 60)
        number(machine)
        machine.control('poweroff')
        guest.manage('snapshot', machine.name, 'restore', 'live', seconds=120)
        if machine.info()['VMState'] != 'saved':
            raise guest.GuestError(f'not saved: {machine.info()["VMState"]}')
        restart(machine)
        again = number(machine)
        if again < before:
            raise guest.GuestError(f'it went on at {again}; the snapshot was taken after {before}')
        machine.serial.write(f'{LOOK}\n')
        machine.wait_serial('later: 0 0 times', 60)
        log = next(machine.folder.rglob('VBox.log.1')).read_text(encoding='utf-8')
        print(re.search(r'saved while it ran: .*', log).group(0))


if __name__ == '__main__':
    main()
