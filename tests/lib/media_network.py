# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux disk for tests of network cards: Debian's kernel with its own drivers for each of them, a
# program that configures a card by DHCP, and one that measures TCP.
"""The small Linux guest with network drivers."""

import gzip
import stat
import subprocess
from pathlib import Path

import cpio
import media_kernel
import media_linux
from media_iso import GRUB_SERIAL, make_grub_iso

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


# Kernels of 64 bits have no drivers for ISA cards: the installer's of 32 bits, with its own modules.
ISA_MODULES = ('8390p', 'ne io=0x300 irq=3')
ISA_INIT = '''#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
@MODULES@
echo "vitrine: ready"
export PS1='vitrine# '
while :; do sh -i <>/dev/console >&0 2>&1; done
'''


def build_isa(out, work):
    """The ISO of the guest with ISA cards."""
    source = media_linux.NETBOOT / 'i386' / 'text' / 'debian-installer' / 'i386' / 'initrd.gz'
    found = {entry.name.rsplit('/', 1)[-1]: entry.data for entry in cpio.read(gzip.decompress(source.read_bytes()))
             if entry.name.endswith('.ko')}
    names = [words.split(' ')[0] for words in ISA_MODULES]
    loads = [f'insmod /lib/modules/{name}.ko {words.partition(" ")[2]}' for name, words in zip(names, ISA_MODULES)]
    program, folder = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755
    tree = work / 'tree'
    tree.mkdir()
    entries = media_linux.system('i386', ISA_INIT.replace('@MODULES@', '\n'.join(loads)).encode())
    entries += [cpio.Entry('lib/modules', folder)]
    entries += [cpio.Entry(f'bin/{name}', stat.S_IFLNK | 0o777, b'busybox') for name in ('insmod', *APPLETS)]
    entries += [cpio.Entry(f'bin/{name}', program, text.encode()) for name, text in (('lease', LEASE), ('leased', LEASED))]
    entries += [cpio.Entry(f'lib/modules/{name}.ko', program, found[f'{name}.ko']) for name in names]
    media_linux.write_kernel(tree, 'i386', entries)
    make_grub_iso(out, tree, GRUB_SERIAL + '''set timeout=0
menuentry "Small Linux" {
    linux /linux console=ttyS0,115200 panic=-1
    initrd /initrd.gz
}
''', 'NETWORK_ISA')
