#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin xorriso
# timeout: 900
#
# A busy Linux is saved and goes on in a new process: with the same engine and with the other one, with one
# processor and with two. Its checksums stay right, its time goes on without a jump, the clock of its
# machine shows the host's time.
"""A guest that is saved while it works goes on where it was."""

import re
import time

import guest
import media

BOOT_SECONDS = 300
# Of half a MiB of zero bytes.
RIGHT = '07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541'
WORK = 'while :; do dd if=/dev/zero bs=65536 count=8 2>/dev/null | sha256sum; done & '
ROUNDS = 4
TIMES = 'echo up=$(cut -d. -f1 /proc/uptime) rtc=$(cat /sys/class/rtc/rtc0/since_epoch)= \n'
# The guest's time may go on by what it took to ask for it twice, on a host that does other things.
UPTIME_SLACK = 30
RTC_SLACK = 10
PAUSE = 3


def check_work(machine, rounds):
    """That many sums more, all right."""
    for _ in range(rounds):
        seen = machine.wait_serial(r'[0-9a-f]{64}  -', 120)[-67:-3]
        if seen != RIGHT:
            raise guest.GuestError(f'a wrong checksum: {seen}')


def times(machine):
    """Seconds of the guest's uptime and of its machine's clock."""
    machine.serial.write(TIMES)
    text = machine.wait_serial(r'up=\d+ rtc=\d+=', 60)
    return tuple(int(number) for number in re.search(r'up=(\d+) rtc=(\d+)=', text).groups())


def save_and_continue(machine, engine):
    """Through a saved state to a new process with this engine."""
    begin = time.monotonic()
    uptime, _ = times(machine)
    machine.control('savestate')
    if machine.info().get('VMState') != 'saved':
        raise guest.GuestError(f'not saved: {machine.info().get("VMState")}')
    guest.manage('modifyvm', machine.name, '--exec-engine', engine)
    time.sleep(PAUSE)
    saved = time.monotonic()
    machine.serial.close()
    machine.serial.data.clear()  # what the guest said to nobody is missing in the middle of a line
    machine.serial.seen = 0
    machine.start()
    print(f'{machine.name}: runs {time.monotonic() - saved:.1f} s after the start, now on {engine}')
    check_work(machine, ROUNDS)
    uptime_now, rtc = times(machine)
    passed = time.monotonic() - begin
    if not uptime <= uptime_now <= uptime + passed - PAUSE + UPTIME_SLACK:
        raise guest.GuestError(f'the uptime went from {uptime} to {uptime_now} in {passed:.0f} s')
    if abs(rtc - time.time()) > RTC_SLACK:
        raise guest.GuestError(f"the machine's clock is {rtc - time.time():.0f} s off")


def check(cpus, engines):
    """Boots on the first engine and goes on with the others, one after the other."""
    settings = ('--cpus', cpus, '--ioapic', 'on', '--rtcuseutc', 'on')
    with guest.Machine(f'saved-{cpus}', iso=media.get('linux-amd64'), settings=settings) as machine:
        guest.manage('modifyvm', machine.name, '--exec-engine', engines[0])
        machine.start()
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        machine.serial.write(f'{WORK}\n')
        check_work(machine, 1)
        for engine in engines[1:]:
            save_and_continue(machine, engine)
        folder = machine.folder / 'machines' / machine.name / 'Snapshots'
        left = list(folder.iterdir()) if folder.exists() else []
        if left:
            raise guest.GuestError(f'files were left behind: {left}')


if __name__ == '__main__':
    check(1, ('rem', 'rem', 'iem', 'rem'))
    check(2, ('rem', 'iem', 'rem'))
