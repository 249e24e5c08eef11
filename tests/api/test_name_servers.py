#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 60
#
# What NAT says of name servers by DHCP: its own address, or with host-names the host's, where machines can ask those.
# The network worker is asked by frames, in a mount namespace where /etc/resolv.conf is the test's; what the service says
# to it for a machine's settings is in test_networks.py.
"""NAT tells machines of the host's name servers."""

import shutil
import socket
import struct
import subprocess
import sys
import tempfile

from network_peers import Switch

MAC = bytes.fromhex('080027000001')
HEADER = bytes(12)
OWN = '10.0.2.3'


def checksum(data):
    """Of an IPv4 header."""
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def discover():
    """The first message of a client."""
    message = (bytes((1, 1, 6, 0)) + b'\1\2\3\4' + bytes(20) + MAC + bytes(202) + b'\x63\x82\x53\x63'
               + bytes((53, 1, 1, 55, 3, 1, 3, 6, 255)))
    udp = struct.pack('>HHHH', 68, 67, 8 + len(message), 0) + message
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), b'\xff' * 4)
    head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
    return HEADER + b'\xff' * 6 + MAC + b'\x08\x00' + head + udp


def options_of(frame):
    """The options of an answer, by number; None: it is none."""
    data = frame[len(HEADER) + 14 + 20 + 8:]
    if frame[len(HEADER) + 12:len(HEADER) + 14] != b'\x08\x00' or data[236:240] != b'\x63\x82\x53\x63':
        return None
    options, at = {}, 240
    while data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return options


def told(lines, *words):
    """The name servers that a machine hears of when the host has these lines."""
    with open('/etc/resolv.conf', 'w', encoding='ascii') as file:
        file.write(lines)
    switch = Switch('\n'.join(('network', 'ipv4=10.0.2.0/24', *words)))
    with switch:
        switch.port('one', MAC.hex())
        line = switch.ports[0]
        line.settimeout(20)
        line.send(discover())
        while (options := options_of(line.recv(65536))) is None:
            pass
    # What stands before and behind the servers is what it was.
    assert options[53] == b'\2' and options[3] == bytes((10, 0, 2, 2)) and options[1] == b'\xff\xff\xff\0', options
    return [socket.inet_ntoa(options[6][i:i + 4]) for i in range(0, len(options[6]), 4)]


def main():
    """All cases."""
    three = 'search here.example\nnameserver 192.0.2.1\n# nameserver 192.0.2.9\nnameserver\t192.0.2.2\nnameserver 198.51.100.3\n'
    for lines, words, expected in (
            (three, (), [OWN]),
            (three, ('host-names=1',), ['192.0.2.1', '192.0.2.2', '198.51.100.3']),
            (three + 'nameserver 192.0.2.4\n', ('host-names=1',), ['192.0.2.1', '192.0.2.2', '198.51.100.3']),
            ('nameserver 192.0.2.1\n', ('host-names=1', 'domain=here.example', 'search=here.example'), ['192.0.2.1']),
            # One of IPv6 is told elsewhere. The host asks itself; the address is in the machine's own network; there is none.
            ('nameserver 2001:db8::1\nnameserver 192.0.2.1\n', ('host-names=1',), ['192.0.2.1']),
            ('nameserver 2001:db8::1\n', ('host-names=1',), [OWN]),
            ('nameserver 127.0.0.53\n', ('host-names=1',), [OWN]),
            ('nameserver 10.0.2.77\n', ('host-names=1',), [OWN]),
            ('nameserver nonsense\n', ('host-names=1',), [OWN]),
            ('', ('host-names=1',), [OWN])):
        got = told(lines, *words)
        assert got == expected, f'{lines!r} {words}: {got}, not {expected}'
    print('ok: name servers')


if __name__ == '__main__':
    if '--inside' in sys.argv:
        subprocess.run(('mount', '--bind', sys.argv[2], '/etc/resolv.conf'), check=True)
        main()
    elif shutil.which('unshare') is None or subprocess.run(('unshare', '-rm', 'true'), check=False).returncode != 0:
        print('skipped: without a mount namespace the host\'s own name servers would be changed')
        sys.exit(77)
    else:
        with tempfile.NamedTemporaryFile() as resolver:
            sys.exit(subprocess.run(('unshare', '-rm', sys.executable, __file__, '--inside', resolver.name), check=False).returncode)
