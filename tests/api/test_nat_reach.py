#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: iproute2
# timeout: 120
#
# What of the host's own addresses a machine reaches through NAT, with frames that no honest driver sends: the
# addresses of the gateway, of the loopback itself, unspecified ones, IPv4 ones within IPv6. The worker is asked by
# frames; everything that listens on the host is in a network namespace with nothing but its loopback.
"""NAT lets machines reach the host only where it should."""

import shutil
import socket
import struct
import subprocess
import sys
import time

from network_peers import Switch

MAC = bytes.fromhex('080027000001')
GATEWAY = bytes.fromhex('525500000002')
HEADER = bytes(12)
FIRST_PORT = 7000
# Address, and the setting that opens it: '4', '6', or '' for none.
TARGETS = (('10.0.2.2', '4'), ('127.0.0.1', ''), ('127.1.2.3', ''), ('0.0.0.0', ''),
           ('fd17:625c:f037:2::2', '6'), ('fd17:625c:f037:2::99', ''), ('::1', ''), ('::', ''), ('::ffff:127.0.0.1', ''),
           ('::127.0.0.1', ''), ('fd17:625c:f037:2::3', ''), ('10.0.2.3', ''))
BROADCASTS = (('255.255.255.255', '4'), ('ff02::1', ''))
OPENS = {'4': 'loopback=1', '6': 'loopback6=2'}


def checksum(data):
    """RFC 1071."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(target, protocol, payload, place):
    """A frame to an address; the payload's checksum is at `place` of it."""
    if ':' in target:
        source, to = (socket.inet_pton(socket.AF_INET6, text) for text in ('fd17:625c:f037:2::15', target))
        head = struct.pack('>IHBB', 0x60000000, len(payload), protocol, 64) + source + to
        pseudo = source + to + struct.pack('>II', len(payload), protocol)
        kind = b'\x86\xdd'
    else:
        source, to = (socket.inet_aton(text) for text in ('10.0.2.15', target))
        head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + source + to
        head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
        pseudo = source + to + struct.pack('>BBH', 0, protocol, len(payload))
        kind = b'\x08\x00'
    payload = payload[:place] + struct.pack('>H', checksum(pseudo + payload)) + payload[place + 2:]
    return HEADER + GATEWAY + MAC + kind + head + payload


def syn(target, port):
    """The first segment of a connection."""
    return packet(target, 6, struct.pack('>HHIIBBHHH', 30000 + port % 1000, port, 1, 0, 5 << 4, 2, 65535, 0, 0), 16)


def datagram(target, port):
    """A datagram that says where it was sent to."""
    text = target.encode()
    return packet(target, 17, struct.pack('>HHHH', 20000 + port % 1000, port, 8 + len(text), 0) + text, 6)


def listeners(kind):
    """One port for each target, of all addresses of the host."""
    for i in range(len(TARGETS) + len(BROADCASTS)):
        line = socket.socket(socket.AF_INET6, kind)
        line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind(('::', FIRST_PORT + i))
        if kind == socket.SOCK_STREAM:
            line.listen(4)
        line.setblocking(False)
        yield line


def heard(line):
    """Whether somebody reached a listener."""
    try:
        if line.type == socket.SOCK_STREAM:
            line.accept()[0].close()
        else:
            line.recv(100)
        return True
    except BlockingIOError:
        return False


def reached(opened):
    """The targets that are reached with these settings: (by TCP, by UDP)."""
    words = ['network', 'ipv4=10.0.2.0/24', 'ipv6=1', *(OPENS[each] for each in opened)]
    targets = [target for target, _ in TARGETS + BROADCASTS]
    with Switch('\n'.join(words)) as switch:
        switch.port('one', MAC.hex())
        tcp, udp = list(listeners(socket.SOCK_STREAM)), list(listeners(socket.SOCK_DGRAM))
        for i, target in enumerate(targets):
            if target not in dict(BROADCASTS):
                switch.ports[0].send(syn(target, FIRST_PORT + i))
            switch.ports[0].send(datagram(target, FIRST_PORT + i))
        found = [set(), set()]
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for kind, lines in enumerate((tcp, udp)):
                found[kind] |= {target for target, line in zip(targets, lines) if heard(line)}
            time.sleep(0.05)
    for line in tcp + udp:
        line.close()
    return found


def main():
    """Each setting."""
    for opened in ('', '4', '6', '46'):
        tcp, udp = reached(opened)
        wanted = {target for target, needs in TARGETS if needs and needs in opened}
        more = {target for target, needs in BROADCASTS if needs and needs in opened}
        if tcp != wanted or not wanted <= udp <= wanted | more:
            sys.exit(f'with {opened or "nothing"} open TCP reaches {tcp or "nothing"} and UDP {udp or "nothing"}, not {wanted}')
    print('ok: what of the host is reached through NAT')


if __name__ == '__main__':
    if '--inside' in sys.argv:
        subprocess.run(('ip', 'link', 'set', 'lo', 'up'), check=True)
        main()
    elif shutil.which('unshare') is None or subprocess.run(('unshare', '-rn', 'true'), check=False).returncode != 0:
        print('skipped: without a network namespace others on this host could be spoken to')
        sys.exit(77)
    else:
        sys.exit(subprocess.run(('unshare', '-rn', sys.executable, __file__, '--inside'), check=False).returncode)
