#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang libslirp-dev
# timeout: 900
#
# libFuzzer on the network worker (fuzz-network.c), with the address and undefined-behaviour sanitizers: frames of
# hostile machines into the switch, the DHCP server and the gateway. It runs in a network namespace of its own, so that
# nothing gets out, and begins with good frames. A crash leaves the input among the evidence.
#   test_fuzz_network.py [SECONDS]
"""Hostile machines do not harm their network."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import guest

SECONDS_SHORT, SECONDS_LONG = 5, 600
ROOT = Path(__file__).resolve().parents[2]
SOURCES = ('tests/fuzz/fuzz-network.c', 'app/worker/network-switch.c', 'app/worker/network-local.c',
           'app/worker/network-names.c', 'app/worker/network-resolver.c', 'app/worker/network-nat.c', 'app/worker/network-reach.c',
           'app/worker/network-fragments.c', 'app/worker/dhcp.c', 'app/worker/dhcp-leases.c', 'app/worker/dhcp-settings.c',
           'devices/drivers/network/frame/frame.c', 'app/worker/network-join.c')
FLAGS = ('-std=gnu11', '-g', '-O1', '-D_GNU_SOURCE', '-Wno-unknown-warning-option', '-fsanitize=fuzzer,address,undefined',
         '-fno-sanitize-recover=all')
ONE, ALL = bytes.fromhex('080027000001'), b'\xff' * 6
GATEWAY = bytes.fromhex('52550a000202')


def pkg(*words):
    """What pkg-config says, as words."""
    return subprocess.run(('pkg-config', *words), check=True, capture_output=True, text=True).stdout.split()


def build(folder):
    """The target."""
    program = folder / 'fuzz'
    packages = ('gio-2.0', 'slirp')
    subprocess.run(('clang', *FLAGS, f'-I{ROOT}', *pkg('--cflags', *packages), *(ROOT / source for source in SOURCES),
                    '-o', program, *pkg('--libs', *packages)), check=True)
    return program


def ipv4(to, protocol, payload, flags=0, number=1):
    """A packet from 10.0.2.15; its sum is put by the target."""
    return struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), number, flags, 64, protocol, 0,
                       bytes((10, 0, 2, 15)), bytes(to)) + payload


def udp(source, to, payload):
    """A datagram without a checksum."""
    return struct.pack('>HHHH', source, to, 8 + len(payload), 0) + payload


def frame(kind, payload, to=GATEWAY, flags=16):
    """One frame of an input."""
    data = to + ONE + struct.pack('>H', kind) + payload
    return struct.pack('>BBH', flags, 0, len(data)) + data


def dhcp(kind, *options):
    """A DHCP message."""
    head = bytes((1, 1, 6, 0)) + b'\x01\x02\x03\x04' + bytes(20) + ONE + bytes(202) + b'\x63\x82\x53\x63'
    return head + bytes((53, 1, kind)) + b''.join(options) + b'\xff'


def seeds():
    """Good inputs, to begin with."""
    here = (10, 0, 2, 2)
    arp = frame(0x0806, bytes.fromhex('0001080006040001') + ONE + bytes((10, 0, 2, 15)) + bytes(6) + bytes(here), ALL)
    ask = [frame(0x0800, ipv4((255,) * 4, 17, udp(68, 67, dhcp(kind, bytes((55, 3, 1, 3, 6)), bytes((50, 4, 10, 0, 2, 4))))), ALL)
           for kind in (1, 3, 8, 7, 4)]
    syn = struct.pack('>HHIIBBHHH', 1025, 80, 1, 0, 0x50, 2, 8192, 0, 0)
    tcp = frame(0x0800, ipv4(here, 6, syn), flags=16 | 2 | 32)
    parts = [frame(0x0800, ipv4(here, 17, part, flags)) for part, flags in
             ((udp(1025, 9, bytes(24)), 0x2000), (bytes(16), 0x2004), (bytes(5), 0x0006))]
    echo = frame(0x0800, ipv4(here, 1, b'\x08\0\xf7\xff' + bytes(4)))
    tftp = frame(0x0800, ipv4(here, 17, udp(1026, 69, b'\0\x01file\0octet\0blksize\x001024\0')))
    dns = frame(0x0800, ipv4((10, 0, 2, 3), 17, udp(1027, 53, bytes.fromhex('000101000001000000000000') + b'\1a\0\0\1\0\1')))
    solicit = frame(0x86dd, bytes.fromhex('6000000000183aff') + bytes(15) + b'\1' + bytes.fromhex('ff0200000000000000000001ff000002')
                    + bytes.fromhex('8700000000000000fd17625cf03700020000000000000002'), bytes.fromhex('3333ff000002'))
    return {'dhcp': b'\0' + b''.join(ask), 'bootp': b'\1' + b''.join(ask), 'arp': b'\0' + arp + echo, 'tcp': b'\1' + arp + tcp,
            'fragments': b'\0' + b''.join(parts), 'tftp': b'\1' + arp + tftp, 'dns': b'\0' + dns, 'ipv6': b'\1' + solicit}


def main():
    """Builds the target, fuzzes for a while."""
    seconds = SECONDS_LONG if os.environ.get('VITRINE_LONG') else SECONDS_SHORT
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else seconds
    evidence = guest.evidence_folder()
    alone = ('unshare', '-rn') if shutil.which('unshare') and subprocess.run(
        ('unshare', '-rn', 'true'), capture_output=True, check=False).returncode == 0 else ()
    if not alone:
        print('skipped: without a network namespace frames would get out')
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / 'corpus'
        corpus.mkdir()
        for label, data in seeds().items():
            (corpus / label).write_bytes(data)
        fuzzer = build(folder)
        result = subprocess.run((*alone, fuzzer, f'-max_total_time={seconds}', '-max_len=16384', '-rss_limit_mb=1024',
                                 '-timeout=20', f'-artifact_prefix={evidence}/', corpus),
                                capture_output=True, text=True, errors='replace', check=False)
    print('\n'.join(result.stderr.splitlines()[-3:] if result.returncode == 0 else [result.stderr[-6000:]]))
    return result.returncode


if __name__ == '__main__':
    sys.exit(main())
