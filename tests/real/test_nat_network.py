#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc
# timeout: 600
# long
#
# Two Linux guests in a NAT network with IPv4 and IPv6: addresses from its DHCP server and from the router's
# advertisement, each other, files by HTTP from the host's own addresses of both kinds, ports of the host that lead to
# them.
"""A NAT network, with IPv6."""

import hashlib
import http.server
import random
import re
import socket
import sys
import tempfile
from pathlib import Path

import media
from network_peers import Switch, WebServer, free_port
from shell_guest import ShellGuest

SETUP = ('network', 'no-dhcp=1', 'name-server=3', 'ipv4=192.168.15.0/24', 'gateway=192.168.15.1', 'host=2', 'loopback=1',
         'loopback6=2', 'ipv6=1', 'prefix6=fd17:625c:f037:2::/64')
PREFIX = 'fd17:625c:f037:2:'
HOST6 = PREFIX + ':2'
MACS = ('080027000001', '080027000002')
PORT = 5000
FILE_SIZE = 1 << 20


class _Server6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def address6(guest):
    """The address that a guest made of the router's prefix."""
    for _ in range(20):
        said = guest.run('sleep 1; ip -6 addr show dev eth0', 30)
        if found := re.search(rf'inet6 ({PREFIX}[0-9a-f:]+)/64 scope global (?!.*tentative)', said):
            return found.group(1)
    sys.exit(f'no address by router advertisement:\n{said}')


def fetch(guest, address, port, wanted):
    """A file by HTTP from the host."""
    said = guest.run(f'wget -q -O - http://{address}:{port}/data | md5sum', 120)
    if wanted not in said:
        sys.exit(f'what arrived from {address} is not {wanted}:\n{said}')


def reached(switch, guest, kind, guest_address, *words):
    """A port of the host's own address leads to a guest."""
    family, own = (socket.AF_INET6, '::1') if kind == 6 else (socket.AF_INET, '127.0.0.1')
    port = free_port()
    switch.request('\n'.join(('forward', 'protocol=tcp', f'host-ip={own}', f'host-port={port}', f'guest-ip={guest_address}',
                              f'guest-port={PORT}', *words)))
    guest.run(f'(echo said over IPv{kind} | nc -l -p {PORT}) &')
    guest.run('sleep 1')
    with socket.socket(family) as line:
        line.settimeout(60)
        line.connect((own, port))
        got = line.recv(100)
    if got != f'said over IPv{kind}\n'.encode():
        sys.exit(f'through a port over IPv{kind} came {got!r}')
    switch.request('\n'.join(('unforward', 'protocol=tcp', f'host-ip={own}', f'host-port={port}', *words)))
    with socket.socket(family) as line:
        if line.connect_ex((own, port)) == 0:
            sys.exit('the port leads on')


def together(one, two, switch, ports, wanted):
    """What two guests can do."""
    for i, guest in enumerate((one, two)):
        said = guest.run('lease', 60)
        if not re.search(rf'lease: eth0 192\.168\.15\.{i + 4}/24 router 192\.168\.15\.1 dns 192\.168\.15\.3', said):
            sys.exit(f'no address by DHCP: {said}')
    own, other = address6(one), address6(two)
    for address, port in (('192.168.15.2', ports[0]), (f'[{HOST6}]', ports[1])):
        fetch(one, address, port, wanted)
        fetch(two, address, port, wanted)
    for address in ('192.168.15.5', other):
        said = one.run(f'ping -c 3 -w 30 {address}', 60)
        if ' 0% packet loss' not in said:
            sys.exit(f'the other guest is not reached at {address}:\n{said}')
    reached(switch, one, 4, '192.168.15.4')
    reached(switch, two, 6, other, 'ipv6=1')
    reached(switch, one, 6, own, 'ipv6=1')


def main():
    """The network and what is around it."""
    data = random.randbytes(FILE_SIZE)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        disks = [folder / 'one.img', folder / 'two.img']
        for disk in disks:
            media.copy('network-amd64', disk)
        (folder / 'www').mkdir()
        (folder / 'www' / 'data').write_bytes(data)
        with WebServer(folder / 'www') as web, WebServer(folder / 'www', _Server6, '::1') as web6, \
                Switch('\n'.join(SETUP)) as switch:
            switch.request('dhcp\nserver=192.168.15.3\nmask=255.255.255.0\nlower=192.168.15.4\nupper=192.168.15.254')
            switch.request('dhcp-option\nnumber=3\ndata=c0a80f01')
            switch.request('dhcp-option\nnumber=6\ndata=c0a80f03')
            wires = [switch.port(f'port{i}', mac) for i, mac in enumerate(MACS)]
            nics = [f'{card},fd={wire},mac={mac}' for card, wire, mac in zip(('82540EM', 'virtio'), wires, MACS)]
            with ShellGuest(disks[0], '--nic', nics[0], pass_fds=wires[:1]) as one, \
                    ShellGuest(disks[1], '--nic', nics[1], pass_fds=wires[1:]) as two:
                together(one, two, switch, (web.port, web6.port), hashlib.md5(data).hexdigest())
    print('ok: two guests in a NAT network, IPv4 and IPv6')


if __name__ == '__main__':
    main()
