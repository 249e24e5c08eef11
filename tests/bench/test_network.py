#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc qemu-system-x86
# timeout: 900
# alone
#
# TCP between a guest and its host through NAT, on REM and on QEMU's TCG with -netdev user and the same
# card: so many MiB to the host and back, and the time of a question with its answer. Both guests are up at once and
# take turns, so that both see the same host. Every byte is looked at (tcpspeed.c).
"""A guest's network against QEMU TCG."""

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
from network_peers import free_port, tcpspeed
from shell_guest import ShellGuest

LEAST_RATIO = 1.5
MOST_SLOWER_US = 100
QEMU = ('qemu-system-x86_64', '-M', 'pc', '-accel', 'tcg', '-cpu', 'max', '-m', '256', '-nodefaults',
        '-display', 'none', '-no-reboot', '-serial', 'stdio', '-netdev', 'user,id=net')
CARDS = {'82540EM': 'e1000', 'virtio': 'virtio-net-pci'}


def guests(card, folder, stack):
    """Ours and QEMU's, online."""
    disks = {who: media.copy('network-amd64', folder / f'{card}-{who}.img') for who in ('ours', 'tcg')}
    tcg = [*QEMU, '-device', f'{CARDS[card]},netdev=net', '-drive', f'file={disks["tcg"]},format=raw']
    engine = () if os.environ.get('VITRINE_ENGINE') else ('--engine', 'rem')
    found = {'ours': ShellGuest(disks['ours'], '--nic', f'{card},nat,loopback', *engine),
             'tcg': ShellGuest(None, command=tcg)}
    for who, guest in found.items():
        stack.enter_context(guest)
        if 'lease: eth0 10.0.2.15' not in guest.run('lease'):
            sys.exit(f'{card}, {who}: no address\n{guest.text[-2000:]}')
    return found


def ask(guest, word, port, amount):
    """The figure of one turn: MB/s or microseconds."""
    text = guest.run(f'tcpspeed {word} 10.0.2.2 {port} {amount}', 200)
    found = re.search(rf'tcpspeed: {word} ([\d.]+)', text)
    if not found:
        sys.exit(f'no figure\n{text}')
    return float(found.group(1))


def measure(card, pair, port, long):
    """The rows of one card; what is not as it must be."""
    turns = 5 if long else 3
    amounts = {'send': 256 if long else 64, 'receive': 256 if long else 64, 'answer': 4000 if long else 1000}
    faults = []
    for word, amount in amounts.items():
        figures = {who: [] for who in pair}
        for _ in range(turns):
            for who, guest in pair.items():
                figures[who].append(ask(guest, word, port, amount))
        ours, tcg = (statistics.median(figures[who]) for who in ('ours', 'tcg'))
        if word == 'answer':
            print(f'{card:8} {word:8} {ours:9.1f} {tcg:9.1f} us', flush=True)
            good = ours <= tcg + MOST_SLOWER_US
        else:
            print(f'{card:8} {word:8} {ours:9.1f} {tcg:9.1f} MB/s  ratio {ours / tcg:.2f}', flush=True)
            good = ours / tcg >= LEAST_RATIO
        if not good:
            faults.append(f'{card}, {word}: {ours} against {tcg}')
    return faults


def main():
    """All cards."""
    port, faults = free_port(), []
    server = subprocess.Popen([tcpspeed(), 'serve', str(port)], stdout=subprocess.DEVNULL)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for card in CARDS:
                with contextlib.ExitStack() as stack:
                    pair = guests(card, Path(folder), stack)
                    faults += measure(card, pair, port, bool(os.environ.get('VITRINE_LONG')))
    finally:
        server.kill()
        server.wait()
    return faults


if __name__ == '__main__':
    FAULTS = main()
    print('\n'.join(FAULTS))
    sys.exit(bar.verdict(not FAULTS))
