#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: memtest86+
# timeout: 900
#
# memtest86+ from its own ISO, with 64 MiB. Short: its screen, and the first test ended without an
# error. Long: tests 0 to 3.
"""memtest86+ finds our memory sound."""

import os
import re

import guest
import media

SECONDS = 800


def main():
    """Boots it and follows the number of the test and the count of errors on its screen."""
    last = 3 if os.environ.get('VITRINE_LONG') else 0
    later = '|'.join(str(number) for number in range(last + 1, 11))
    with guest.Machine('memtest', iso=media.get('memtest-x64'), memory=64) as machine:
        machine.start()
        machine.wait_screen(r'Memtest86\+ v', 120, 'started')
        machine.wait_screen(rf'Test #(?:{later})\b|Errors: *[1-9]', SECONDS, 'tested')
        text = machine.screen_text()
        if not re.search(r'Errors: *0\b', text):
            raise guest.GuestError(f'memtest86+ reports errors:\n{text}')


if __name__ == '__main__':
    main()
