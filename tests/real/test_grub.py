#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: grub-pc-bin grub-common e2fsprogs
# timeout: 300
#
# GRUB from a hard disk: its menu on the screen, walked by the keyboard; its choice is seen on the
# screen and on the serial line; its power-off entry ends the machine through ACPI.
"""GRUB's menu can be used."""

import tempfile
from pathlib import Path

import guest
import media


def main():
    """Chooses the second entry, leaves it, chooses the last."""
    with tempfile.TemporaryDirectory() as folder:
        disk = media.copy('grub-disk', Path(folder) / 'grub.img')
        with guest.Machine('grub', disk=disk, memory=64) as machine:
            machine.start()
            machine.wait_screen('First entry', 90, 'menu')
            machine.press('down', 'return')
            machine.wait_serial('chosen: second', 30)
            machine.wait_screen('chosen: second', 30, 'chosen')
            machine.press('escape')
            machine.wait_screen('Power off', 30)
            machine.press('end', 'return')
            machine.wait_state('poweroff', 60)


if __name__ == '__main__':
    main()
