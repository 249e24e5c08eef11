#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc qemu-system-x86
# timeout: 900
# long
# alone
#
# Bulk transfers of a guest with a remote USB device at high speed on xHCI: on REM, and on QEMU's TCG with
# qemu-xhci and usb-redir. The same guest, the same program in it (usb-work.c), the same peer (usbredir-peer.c). Both
# guests are up at once and take turns, so that both see the same host.
"""USB bulk transfers against QEMU TCG."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import bar
import media
from shell_guest import ShellGuest

LEAST_RATIO = 1.0
QEMU = ('qemu-system-x86_64', '-M', 'pc', '-accel', 'tcg', '-cpu', 'max', '-m', '256', '-nodefaults',
        '-display', 'none', '-no-reboot', '-serial', 'stdio', '-device', 'qemu-xhci')
# Bytes of a transfer, and how many are under way.
LOADS = ((16384, 16), (4096, 16), (512, 1))


@contextlib.contextmanager
def peer():
    """A peer's port."""
    program = Path(os.environ['VITRINE_BUILD']) / 'tests' / 'lib' / 'usbredir-peer'
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        process.kill()


def guests(folder, stack):
    """Ours and QEMU's, with the device."""
    disks = {who: media.copy('usb-amd64', folder / f'{who}.img') for who in ('ours', 'tcg')}
    ports = {who: stack.enter_context(peer()) for who in disks}
    tcg = [*QEMU, '-drive', f'file={disks["tcg"]},format=raw', '-chardev',
           f'socket,id=peer,host=127.0.0.1,port={ports["tcg"]}', '-device', 'usb-redir,chardev=peer']
    engine = () if os.environ.get('VITRINE_ENGINE') else ('--engine', 'rem')
    found = {'ours': ShellGuest(disks['ours'], '--usb', 'xhci', '--usb-remote', f'127.0.0.1:{ports["ours"]}', *engine),
             'tcg': ShellGuest(None, command=tcg)}
    for guest in found.values():
        stack.enter_context(guest)
    return found


def turn(guest, mib, size, count):
    """MiB/s out and in."""
    text = guest.run(f'usb-work bulk {mib} {size} {count}', 200)
    found = re.findall(r'usb-work: bulk (out|in) ([\d.]+)', text)
    if len(found) != 2:
        sys.exit(f'no figures\n{text[-2000:]}')
    return {way: float(figure) for way, figure in found}


def main():
    """All loads."""
    long, faults = bool(os.environ.get('VITRINE_LONG')), []
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        pair = guests(Path(temporary), stack)
        print('transfers        way       ours       tcg')
        for size, count in LOADS:
            mib = max((64 if long else 16) * count * size // (16 * 16384), 1)
            turns = [{who: turn(guest, mib, size, count) for who, guest in pair.items()}
                     for _ in range(5 if long else 3)]
            for way in ('out', 'in'):
                ours, tcg = (statistics.median(each[who][way] for each in turns) for who in ('ours', 'tcg'))
                print(f'{count:2} of {size:5} bytes {way:4} {ours:9.2f} {tcg:9.2f} MiB/s  ratio {ours / tcg:.2f}', flush=True)
                if ours < tcg * LEAST_RATIO:
                    faults.append(f'{count} of {size} bytes {way}: {ours} against {tcg} MiB/s')
    print('\n'.join(faults))
    return bar.verdict(not faults)


if __name__ == '__main__':
    sys.exit(main())
