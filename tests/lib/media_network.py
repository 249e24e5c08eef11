# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux disk for tests of network cards: Debian's kernel with its own drivers for each of them, a
# program that configures a card by DHCP, and one that measures TCP.
"""The small Linux guest with network drivers."""

import subprocess
from pathlib import Path

import media_kernel

MODULES = ('e1000', 'pcnet32', 'virtio_pci', 'virtio_net', 'af_packet', 'ipv6', '8021q', 'ahci', 'ata_piix')
APPLETS = ('umount', 'rm', 'ip', 'udhcpc', 'wget', 'nc', 'ping', 'tftp', 'arping', 'tr', 'kill',
           'rmmod', 'printf', 'test', '[')
UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000005'
SOURCE = Path(__file__).resolve().parent / 'tcpspeed.c'

# `lease [CARD]`: brings a card up and asks for an address.
LEASE = '''#!/bin/sh
card=${1:-eth0}
ip link set lo up
ip link set $card up
udhcpc -q -n -t 8 -i $card -s /bin/leased 2>/dev/null || echo "lease: none"
'''

LEASED = '''#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/$mask dev $interface
[ -z "$router" ] || ip route add default via $router
mkdir -p /etc
for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
echo "lease: $interface $ip/$mask router $router dns $dns domain $domain boot $siaddr $boot_file"
'''


def build(out, work):
    """The disk."""
    speed = work / 'tcpspeed'
    subprocess.run(['gcc', '-O2', '-Wall', '-Werror', '-static', '-s', '-o', speed, SOURCE], check=True)
    media_kernel.build(out, work, UUID, MODULES, APPLETS,
                       {'lease': LEASE.encode(), 'leased': LEASED.encode(), 'tcpspeed': speed.read_bytes()})
