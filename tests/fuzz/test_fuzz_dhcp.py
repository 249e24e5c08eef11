#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang
# timeout: 900
#
# libFuzzer on the DHCP server (fuzz-dhcp.c), with the address and undefined-behaviour sanitizers: messages of hostile
# machines, also many behind each other.
#   test_fuzz_dhcp.py [SECONDS]
"""Hostile machines do not harm the DHCP server."""

import struct

import fuzzing

SOURCES = ('tests/fuzz/fuzz-dhcp.c', 'app/worker/dhcp.c', 'app/worker/dhcp-leases.c', 'app/worker/dhcp-settings.c', 'devices/drivers/network/frame/frame.c')
DISCOVER, REQUEST, DECLINE, RELEASE, INFORM = 1, 3, 4, 7, 8


def message(kind, *options, client=bytes(4), card=0, minutes=0):
    """One message of an input."""
    data = (bytes((1, 1, 6, 0)) + b'\1\2\3\4' + bytes(4) + client + bytes(12) + bytes(6) + bytes(202) + b'\x63\x82\x53\x63'
            + bytes((53, 1, kind)) + b''.join(options) + b'\xff')
    return struct.pack('>BBH', card, minutes, len(data)) + data


def seeds():
    """Good inputs, to begin with."""
    wishes = bytes((55, 6, 1, 3, 6, 15, 43, 67))
    wanted = [bytes((50, 4, 10, 7, 0, number)) for number in (0x32, 0x33, 0x63)]
    server = bytes((54, 4, 10, 7, 0, 2))
    whole = [message(DISCOVER, wishes, card=card) + message(REQUEST, wanted[card], server, wishes, card=card)
             for card in range(3)]
    renew = message(REQUEST, wishes, bytes((51, 4, 0, 0, 14, 16)), client=bytes((10, 7, 0, 0x63)), minutes=5)
    back = message(RELEASE, client=bytes((10, 7, 0, 0x33)), card=1) + message(DECLINE, wanted[0], card=2)
    large = message(INFORM, bytes((57, 2, 5, 220)), wishes, client=bytes((10, 7, 0, 9)), card=2)
    return {'all': b''.join(whole), 'renew': whole[0] + renew, 'back': b''.join(whole) + back, 'large': large}


if __name__ == '__main__':
    fuzzing.run('dhcp', SOURCES, ('glib-2.0',), seeds(), short=2, most=8192)
