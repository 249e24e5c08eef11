#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang
# timeout: 900
#
# libFuzzer on what networks say of names (fuzz-names.c), with the address and undefined-behaviour sanitizers: lists of
# name servers in frames of the gateway, and questions of hostile machines.
#   test_fuzz_names.py [SECONDS]
"""Hostile names do not harm the network."""

import struct

import fuzzing

SOURCES = ('tests/fuzz/fuzz-names.c', 'app/worker/network-names.c', 'app/worker/network-resolver.c',
           'devices/drivers/network/frame/frame.c')
SERVERS = b'search example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver 2001:db8::2\n'


def two(kind, first, second):
    """One input."""
    return struct.pack('>BH', kind, len(first)) + first + second


def question(name, kind):
    """A DNS message (RFC 1035)."""
    labels = b''.join(bytes((len(word),)) + word for word in name.split(b'.'))
    return struct.pack('>6H', 7, 0x100, 1, 0, 0, 0) + labels + b'\0' + struct.pack('>HH', kind, 1)


def ipv6(protocol, data):
    """A frame of the gateway."""
    return (bytes(12) + b'\x86\xdd\x60\0\0\0' + struct.pack('>HBB', len(data), protocol, 255) + b'\xfe\x80' + bytes(14)
            + b'\xff\2' + bytes(14) + data)


def seeds():
    """Good inputs, to begin with."""
    dhcp = bytes(240) + bytes((53, 1, 2, 6, 4, 10, 0, 2, 3, 255)) + bytes(60)
    udp = struct.pack('>4H', 67, 68, 8 + len(dhcp), 0) + dhcp
    ipv4 = struct.pack('>BBHIBBH', 0x45, 0, 20 + len(udp), 0, 64, 17, 0) + bytes(8)
    dhcp6 = b'\7\0\0\1' + struct.pack('>HH', 23, 16) + bytes(16)
    advertisement = b'\x86' + bytes(15) + b'\3\4' + bytes(30) + b'\x19\3' + bytes(22) + b'\1\1' + bytes(6)
    back = b'.'.join([b'5', *[b'0'] * 23, *b'8 b d 0 1 0 0 2'.split()]) + b'.ip6.arpa'
    return {'dhcp': two(0, SERVERS, bytes(12) + b'\x08\0' + ipv4 + udp), 'router': two(0, SERVERS, ipv6(58, advertisement)),
            'dhcp6': two(0, SERVERS, ipv6(17, struct.pack('>4H', 547, 546, 8 + len(dhcp6), 0) + dhcp6)),
            'address': two(1, question(b'host.example', 1), b'192.0.2.1,::1,127.0.0.1'),
            'address6': two(3, question(b'host', 28), b'2001:db8::1'),
            'name': two(1, question(b'1.2.0.192.in-addr.arpa', 12), b'host.example'),
            'name6': two(1, question(back, 12), b'host.example'), 'failed': two(5, question(b'host', 1), b''),
            'missing': two(9, question(b'host', 1), b'')}


if __name__ == '__main__':
    fuzzing.run('names', SOURCES, ('glib-2.0',), seeds(), short=2, most=4096)
