# SPDX-License-Identifier: GPL-3.0-or-later
#
# Reads records of USB traffic: pcapng (draft-ietf-opsawg-pcapng) with packets of link type 220 (Linux's usbmon,
# Documentation/usb/usbmon.rst).
"""Records of USB traffic."""

import struct
from collections import namedtuple

Event = namedtuple('Event', 'number kind transfer endpoint address status length setup packets data')
TRANSFERS = ('isochronous', 'interrupt', 'control', 'bulk')
LINK, PACKET_BLOCK, HEADER = 220, 6, 64


def _blocks(data):
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from('<II', data, at)
        if size % 4 or size < 12 or struct.unpack_from('<I', data, at + size - 4) != (size,):
            raise ValueError(f'a block of {size} bytes at {at}')
        yield kind, data[at + 8:at + size - 4]
        at += size


def _event(packet):
    (number, kind, transfer, endpoint, address, _bus, no_setup, no_data, _s, _us, status, length,
     kept) = struct.unpack_from('<QcBBBHBBqiiII', packet)
    count = struct.unpack_from('<I', packet, HEADER - 4)[0]
    at = HEADER + 16 * count
    if len(packet) != HEADER + kept:
        raise ValueError(f'a packet of {len(packet)} bytes that says {kept}')
    packets = [struct.unpack_from('<iII', packet, HEADER + 16 * i) for i in range(count)]
    return Event(number, kind.decode(), TRANSFERS[transfer], endpoint, address, status, length,
                 None if no_setup else packet[40:48], packets, b'' if no_data else packet[at:])


def read(path):
    """The events of a file."""
    blocks = list(_blocks(path.read_bytes()))
    if [kind for kind, _ in blocks[:2]] != [0x0a0d0d0a, 1] or struct.unpack_from('<H', blocks[1][1]) != (LINK,):
        raise ValueError('not a record of USB traffic')
    events = []
    for kind, body in blocks[2:]:
        kept, original = struct.unpack_from('<II', body, 12)
        if kind != PACKET_BLOCK or kept != original:
            raise ValueError(f'a block of kind {kind}')
        events.append(_event(body[20:20 + kept]))
    return events


def check(path):
    """Every URB comes back once, behind its beginning; returns what went out by kind, together."""
    begun, sent = {}, {}
    for event in read(path):
        if event.kind == 'S':
            if event.number in begun:
                raise ValueError(f'URB {event.number} begins twice')
            begun[event.number] = event
            if not event.endpoint & 0x80:
                sent[event.transfer] = sent.get(event.transfer, b'') + event.data
        else:
            first = begun[event.number]
            if (first.transfer, first.endpoint) != (event.transfer, event.endpoint) or event.status == first.status:
                raise ValueError(f'URB {event.number} does not come back as it went')
    return sent
