#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debootstrap grub-pc-bin grub-common e2fsprogs qemu-utils
# timeout: 3000
# long
#
# A Debian 12 on a VDI behind IDE: to the login prompt, a login on the console's keyboard, files
# written, an orderly end after which fsck is clean, and a forced end that the next boot recovers.
"""Debian lives through orderly and forced ends."""

import os
import subprocess
import tempfile
from pathlib import Path

import guest
import media
import media_debian

BOOT_SECONDS = 900
PROMPT = r'root@vitrine-guest:~# '


def vdi_of(raw, path):
    """A VDI with a raw disk's content, made by QEMU's tool."""
    subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'vdi', str(raw), str(path)], check=True)
    return path


def fsck(vdi):
    """What e2fsck says of the VDI's file system: (is clean, text)."""
    raw = vdi.with_suffix('.raw')
    subprocess.run(['qemu-img', 'convert', '-f', 'vdi', '-O', 'raw', str(vdi), str(raw)], check=True)
    try:
        return media_debian.fsck(raw)
    finally:
        raw.unlink()


def log_in(machine):
    """From the firmware to a root shell on the serial line."""
    machine.wait_serial('vitrine-guest login: ', BOOT_SECONDS)
    machine.serial.write('root\n')
    machine.wait_serial('Password: ', 60)
    machine.serial.write('vitrine\n')
    machine.wait_serial(PROMPT, 60)


def run(machine, command, pattern=PROMPT, seconds=120):
    """Types a command into the serial shell and waits."""
    machine.serial.write(command + '\n')
    machine.wait_serial(pattern, seconds)


def log_in_by_keyboard(machine):
    """The console's own login: typed on the emulated keyboard, read off the screen."""
    machine.wait_screen('vitrine-guest login:', 60, 'login')
    machine.type('root')
    machine.press('return')
    machine.wait_screen('Password:', 60)
    machine.type('vitrine')
    machine.press('return')
    machine.wait_screen(r'root@vitrine-guest:.#', 120, 'shell')


def orderly(machine):
    """Boots, logs in twice, writes a file, and powers off from inside."""
    machine.start()
    log_in(machine)
    log_in_by_keyboard(machine)
    run(machine, 'dd if=/dev/urandom of=/root/big bs=1M count=16 && sha256sum /root/big >/root/sum')
    run(machine, 'poweroff', 'Power down|reboot: ', 300)
    machine.wait_state('poweroff', 60)


def forced(machine):
    """Writes, syncs one file, and is cut off in the middle of the next."""
    machine.start()
    log_in(machine)
    run(machine, 'echo kept >/root/kept && sync')
    machine.serial.write('while :; do dd if=/dev/zero of=/root/more bs=64k count=64; done\n')
    machine.wait_serial('records out', 120)
    machine.control('poweroff')
    machine.wait_state('poweroff', 60)


def recovered(machine):
    """The next boot replays the journal; what was synced is there, the first file unharmed."""
    machine.start()
    log_in(machine)
    run(machine, 'cat /root/kept', 'kept')
    run(machine, 'sha256sum -c /root/sum', 'big: OK')
    run(machine, 'poweroff', 'Power down|reboot: ', 300)
    machine.wait_state('poweroff', 60)


def main():
    """All three on one disk."""
    if os.geteuid() != 0:
        guest.skip('debootstrap needs root')
    with tempfile.TemporaryDirectory() as folder:
        vdi = vdi_of(media.get('debian-amd64'), Path(folder) / 'debian.vdi')
        with guest.Machine('debian', disk=vdi, memory=512, ostype='Debian_64') as machine:
            for stage in (orderly, forced, recovered):
                stage(machine)
                if stage is not forced:
                    clean, text = fsck(vdi)
                    if not clean:
                        raise guest.GuestError(f'after {stage.__name__}: {text}')


if __name__ == '__main__':
    main()
