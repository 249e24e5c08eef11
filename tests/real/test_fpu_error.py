#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: binutils
# timeout: 300
#
# x87 exceptions through IRQ 13 and port 0xF0, as DOS programs have them: the boot sector of fpu-error.S.
# QEMU 7.2 is no reference here: its TCG ends with a failed assertion when FERR# rises.
"""The x87 reports its exceptions through the chipset."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import guestprog
import run_guest

SECONDS = 120
END = 'fpu: end'
# Intel SDM volume 1, appendix D. Cleared in the handler; ignored twice after one interrupt; cleared again.
EXPECTED = 'CWIWWCW fpu: end'


def said(command, serial):
    """What a machine says on COM1 until the end."""
    serial.write_bytes(b'')
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        end = time.monotonic() + SECONDS
        while END not in serial.read_text(errors='replace') and time.monotonic() < end:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        process.terminate()
    return serial.read_text(errors='replace').strip()


def main():
    """One boot."""
    with tempfile.TemporaryDirectory() as name:
        disk, serial = Path(name) / 'disk.img', Path(name) / 'serial'
        guestprog.build64(Path(__file__).with_name('fpu-error.S'), disk)
        log = said(run_guest.command(disk=disk, serial=serial), serial)
    print(f'{log!r}, expected {EXPECTED!r}')
    return 0 if log == EXPECTED else 1


if __name__ == '__main__':
    sys.exit(main())
