#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 isolinux xorriso tesseract-ocr
# timeout: 3000
# long
#
# Debian's installers, 64 and 32 bits, from ISOLINUX's graphical menu to "Choose language", then by
# keyboard two screens further.
"""The Debian installer can be used."""

import guest
import media

MENU_SECONDS = 120
BOOT_SECONDS = 1200


def check(arch):
    """Walks one installer."""
    with guest.Machine(f'netboot-{arch}', iso=media.get(f'netboot-{arch}'), memory=1024) as machine:
        machine.start()
        machine.wait_screen('(?i)installer menu', MENU_SECONDS, 'menu')
        machine.press('return')
        machine.wait_screen('Choose (the )?language|Select a language', BOOT_SECONDS, 'language')
        machine.press('return')
        machine.wait_screen('(?i)select your location', 120, 'location')
        machine.press('return')
        machine.wait_screen('(?i)configure the keyboard', 120, 'keyboard')


if __name__ == '__main__':
    check('amd64')
    check('i386')
