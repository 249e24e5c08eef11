# SPDX-License-Identifier: GPL-3.0-or-later
#
# A host with a USB device that only a test has (tests/lib/usb-mock.h). A test runs itself once more on it:
#
#     if usb_host.here():
#         ...   # service and machines see the device; usb_host.unplug(), usb_host.plug()
#     else:
#         result, log = usb_host.run_here([sys.executable, __file__])
"""A test on a host with a mocked USB device."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

MARK = 'VITRINE_MOCKED_HOST'
INTERFACE = 'sys/devices/pci0000:00/0000:00:1d.0/usb1/1-1/1-1:1.0'


def needs_other_engine():
    """Ends the test where an engine is forced that no mocked host has: umockdev shows no /dev/kvm."""
    if os.environ.get('VITRINE_ENGINE') == 'hm':
        print('hm: a mocked host has no /dev/kvm')
        sys.exit(77)


def here():
    """Whether this process is on that host."""
    return MARK in os.environ


def root():
    """Where umockdev keeps the files that stand for /dev and /sys."""
    return Path(os.environ['UMOCKDEV_DIR'])


def unplug():
    """Pulls the device out of the host."""
    os.kill(int(os.environ[MARK]), signal.SIGUSR1)


def plug():
    """Plugs it in again."""
    os.kill(int(os.environ[MARK]), signal.SIGUSR2)


def deny():
    """This user may not open it from now on; root may all the same."""
    os.chmod(root() / 'dev/bus/usb/001/002', 0)


def driver(name):
    """The host's driver of the device's interface; None: none."""
    folder = root() / INTERFACE
    shutil.rmtree(folder, ignore_errors=True)
    if name:
        folder.mkdir()
        (folder / 'driver').symlink_to(f'../../../../../../../bus/usb/drivers/{name}')


def run_here(words, user=None):
    """Runs a program on that host; its result, and what the host's kernel was asked for in the end."""
    tools = Path(os.environ['VITRINE_BUILD']) / 'tests/lib'
    preload = f'libumockdev-preload.so.0 {tools / "usb-mock-adopt.so"}'
    # The shell's parent is the host: it hears of the signals.
    script = f'export {MARK}=$PPID LD_PRELOAD="{preload}"; exec "$@"'
    identity = {'user': user, 'group': user, 'extra_groups': []} if user is not None else {}
    result = subprocess.run(['umockdev-wrapper', str(tools / 'usb-mock-run'), '/bin/sh', '-c', script, 'sh', *words],
                            capture_output=True, text=True, check=False, **identity)
    log = re.search(r'^usb-mock: (.*)$', result.stdout, re.M)
    return result, log.group(1).strip() if log else ''
