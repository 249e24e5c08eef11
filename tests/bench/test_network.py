#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc qemu-system-x86
# timeout: 1500
# long
# alone
#
# TCP between a guest and its host through NAT, on REM and on QEMU's TCG with -netdev user and the same
# card: so many MiB to the host and back, and the time of a question with its answer. Both guests are up at once and
# take short turns in pairs, each first in every other pair, so that both see the same host; what counts is the median
# over the pairs of what each of them compares, so that a disturbance of some does not matter. A first pair warms caches
# and translations up and does not count. Every byte is looked at (tcpspeed.c).
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

BOOT_SECONDS = 400  # beside others' work
TURN_SECONDS = 300
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
    found = {'ours': ShellGuest(disks['ours'], '--nic', f'{card},nat,loopback', *engine, boot_seconds=BOOT_SECONDS),
             'tcg': ShellGuest(None, command=tcg, boot_seconds=BOOT_SECONDS)}
    for who, guest in found.items():
        stack.enter_context(guest)
        if 'lease: eth0 10.0.2.15' not in guest.run('lease', TURN_SECONDS):
            sys.exit(f'{card}, {who}: no address\n{guest.text[-2000:]}')
    return found


def ask(guest, word, port, amount):
    """The figure of one turn: MB/s or microseconds."""
    text = guest.run(f'tcpspeed {word} 10.0.2.2 {port} {amount}', TURN_SECONDS)
    found = re.search(rf'tcpspeed: {word} ([\d.]+)', text)
    if not found:
        sys.exit(f'no figure\n{text}')
    return float(found.group(1))


def turns(pair, word, port, amount, count):
    """Figures of `count` pairs of turns: (ours, QEMU's) each."""
    found = []
    for i in range(count + 1):
        order = ('ours', 'tcg') if i % 2 else ('tcg', 'ours')
        figures = {who: ask(pair[who], word, port, amount) for who in order}
        if i:
            found.append((figures['ours'], figures['tcg']))
    return found


def spread(values):
    """The quarter in the middle's ends, as text."""
    lower, _, upper = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return f'{lower:.2f} to {upper:.2f}'


def measure(card, pair, port, long):
    """The rows of one card; what is not as it must be."""
    amounts = {'send': 128 if long else 64, 'receive': 128 if long else 64, 'answer': 2000 if long else 1000}
    faults = []
    for word, amount in amounts.items():
        found = turns(pair, word, port, amount, 11 if long else 3)
        ours, tcg = (statistics.median(values) for values in zip(*found))
        row = f'{card:8} {word:8} {ours:9.1f} {tcg:9.1f}'
        if word == 'answer':
            more = [a - b for a, b in found]
            print(f'{row} us    difference {statistics.median(more):.1f} ({spread(more)})', flush=True)
            good = statistics.median(more) <= MOST_SLOWER_US
        else:
            ratios = [a / b for a, b in found]
            print(f'{row} MB/s  ratio {statistics.median(ratios):.2f} ({spread(ratios)})', flush=True)
            good = statistics.median(ratios) >= LEAST_RATIO
        if not good:
            faults.append(f'{card}, {word}: in {len(found)} pairs {ours:.1f} against {tcg:.1f}')
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
