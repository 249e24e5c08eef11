#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: binutils
# timeout: 300
# alone
#
# From the start of a headless VM process to the first guest instruction. The guest's firmware is
# first-instruction.S, which writes a byte to COM1 at once; the time is from just before the process
# is made until that byte is in the serial port's file, so nothing is taken on the program's word. The
# service runs already, as it does while any client is there; the time with its start is printed too.
"""A machine starts at once."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bar
import guest

RUNS = 9
MOST_SECONDS = 0.150
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.0005
# By then the service has ended if it has no client.
SERVICE_LINGERS_SECONDS = 8
NAME = 'start'


def build_firmware(folder):
    """The image of first-instruction.S."""
    source, obj, flat = Path(__file__).with_name('first-instruction.S'), folder / 'f.o', folder / 'f.bin'
    subprocess.run(['as', '--32', str(source), '-o', str(obj)], check=True)
    subprocess.run(['objcopy', '-O', 'binary', str(obj), str(flat)], check=True)
    return flat


def create(folder):
    """A machine with that firmware and a serial port that goes to a file, which is returned."""
    serial = folder / 'serial'
    guest.manage('createvm', '--name', NAME, '--ostype', 'Debian_64', '--basefolder', folder, '--register')
    guest.manage('modifyvm', NAME, '--memory', 1024, '--uart1', '0x3F8', '4', '--uartmode1', 'file', serial)
    guest.manage('storagectl', NAME, '--name', 'IDE', '--add', 'ide')
    guest.manage('setextradata', NAME, 'VBoxInternal/Devices/bios/0/Config/Path', build_firmware(folder))
    return serial


def time_to_byte(serial):
    """One start: seconds from before the process is made to the guest's byte."""
    serial.unlink(missing_ok=True)
    begin = time.monotonic()
    with subprocess.Popen([guest.binary('vitrine-headless'), '--startvm', NAME]) as process:
        try:
            while not (serial.exists() and serial.read_bytes() == b'!'):
                if process.poll() is not None or time.monotonic() - begin > PATIENCE_SECONDS:
                    raise guest.GuestError('the guest did not run')
                time.sleep(POLL_SECONDS)
            return time.monotonic() - begin
        finally:
            process.terminate()


def main():
    """The first start after the service ended, then the median of some while it runs."""
    with tempfile.TemporaryDirectory() as name:
        serial = create(Path(name))
        time.sleep(SERVICE_LINGERS_SECONDS)
        times = [time_to_byte(serial) for _ in range(RUNS + 1)]
        guest.manage('unregistervm', NAME)
    cold, median = times[0], statistics.median(times[1:])
    print(f'first guest instruction after {median * 1000:.0f} ms, median of {RUNS} from '
          f'{min(times[1:]) * 1000:.0f} to {max(times) * 1000:.0f} (at most {MOST_SECONDS * 1000:.0f}); '
          f'the first start took {cold * 1000:.0f} ms')
    return bar.verdict(median <= MOST_SECONDS)


if __name__ == '__main__':
    sys.exit(main())
