#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: gir1.2-glib-2.0 python3-gi seabios
# timeout: 120
#
# A running machine's network cards from the command line: the cable, forwarded ports, what a card is
# attached to, its record of frames; and what cannot change.
"""Network cards change while a machine runs."""

import os
import re
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import run, until  # noqa: E402
from test_manage import SYNTAX, call, info, make, said  # noqa: E402

NAME = 'Online'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as line:
        return line.connect_ex(('127.0.0.1', port)) == 0


def link():
    """Whether the card says that its cable is in."""
    out, errors = call('debugvm', NAME, 'info', 'devices')
    return int(re.search(r'82540EM: status ([0-9a-f]{8})', out + errors).group(1), 16) & 2 != 0


def wrong():
    """What cannot be is refused, with what can be."""
    for what, *words in (('twelve', '--macaddress1', '0800'), ('tcp|udp', '--natpf1', 'bad'),
                         ('name of a rule', '--natpf1', 'delete', 'none'), ('none of these', '--nic1', 'wire')):
        said(what, 'modifyvm', NAME, *words, expect=SYNTAX)
    for what, *words in (('is no network', '--nat-net1', '192.168.0.0/33'), ('no IPv4 address', '--natbindip1', 'here'),
                         ('TFTP server', '--nat-tftp-server1', 'there'), ('no effect', '--nic-speed1', '1000')):
        said(what, 'modifyvm', NAME, *words)


def changes(world):
    first, second, trace = free_port(), free_port(), world.root / 'frames.pcapng'
    make(NAME)
    call('modifyvm', NAME, '--nic1', 'nat', '--nictype1', '82540EM', '--natpf1', f'one,tcp,127.0.0.1,{first},,22',
         '--nat-net1', '192.168/16')
    wrong()
    said('not currently running', 'controlvm', NAME, 'setlinkstate1', 'off')
    call('startvm', NAME, '--type', 'headless')
    until(lambda: listens(first), 'the port of the settings')
    # The cable.
    assert link()
    call('controlvm', NAME, 'setlinkstate1', 'off')
    until(lambda: not link(), 'the cable is out')
    assert info(NAME)['cableconnected1'] == 'off'
    call('controlvm', NAME, 'setlinkstate1', 'on')
    until(link, 'the cable is in')
    # Ports.
    call('controlvm', NAME, 'natpf1', f'two,tcp,127.0.0.1,{second},,80')
    assert listens(second) and listens(first)
    call('controlvm', NAME, 'natpf1', 'delete', 'one')
    assert listens(second) and not listens(first)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(('127.0.0.1', first))
        taken.listen()
        said(str(first), 'controlvm', NAME, 'natpf1', f'three,tcp,127.0.0.1,{first},,81')
    assert listens(second) and 'three' not in ''.join(map(str, info(NAME).values()))
    # What it is attached to.
    call('controlvm', NAME, 'nic1', 'intnet', 'elsewhere')
    assert info(NAME)['nic1'] == 'intnet' and info(NAME)['intnet1'] == 'elsewhere'
    until(lambda: not listens(second), 'NAT is gone')
    call('controlvm', NAME, 'nic1', 'null')
    call('controlvm', NAME, 'nic1', 'nat')
    until(lambda: listens(second), 'NAT is back')
    call('controlvm', NAME, 'nicpromisc1', 'allow-all')
    assert info(NAME)['nic1'] == 'nat'
    # The record of frames.
    call('controlvm', NAME, 'nictracefile1', trace)
    assert not trace.exists()
    call('controlvm', NAME, 'nictrace1', 'on')
    until(lambda: trace.exists() and trace.read_bytes()[:4] == b'\x0a\x0d\x0d\x0a', 'pcapng')
    call('controlvm', NAME, 'nictrace1', 'off')
    # What cannot change.
    said('powered off', 'modifyvm', NAME, '--nictype1', '82545EM')
    said('powered off', 'modifyvm', NAME, '--nic2', 'nat')
    said('network cards', 'controlvm', NAME, 'setlinkstate9', 'on', expect=SYNTAX)
    said('value', 'controlvm', NAME, 'setlinkstate1', expect=SYNTAX)
    assert listens(second)
    call('controlvm', NAME, 'poweroff')
    for _ in range(50):
        if not listens(second):
            break
        time.sleep(0.1)
    assert not listens(second), 'the port is closed with the machine'


def lacks(_world):
    """A port that is in use, a network or a sound server that is not there: each is told, and the machine runs."""
    os.environ['PULSE_SERVER'] = 'unix:/nonexistent'
    make(NAME)
    log = Path(info(NAME)['CfgFile']).parent / 'Logs/VBox.log'
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        call('modifyvm', NAME, '--nic1', 'nat', '--natpf1', f'one,tcp,127.0.0.1,{port},,22', '--nic2', 'hostonly',
             '--hostonlyadapter2', 'none7', '--nic3', 'natnetwork', '--nat-network3', 'none8', '--audio-driver', 'pulse', '--audio-enabled', 'on')
        call('startvm', NAME, '--type', 'headless')
    for wanted in (f'Network adapter 1: .*{port}.*in use', 'Network adapter 2: The host has no network device “none7”',
                   'Network adapter 3: There is no NAT network “none8”', 'sound server cannot be reached'):
        until(lambda wanted=wanted: re.search(r'Runtime message \(.*' + wanted, log.read_text()), wanted)
    assert info(NAME)['VMState'] == 'running'
    call('controlvm', NAME, 'poweroff')


if __name__ == '__main__':
    run(changes, lacks)
