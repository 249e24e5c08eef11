#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 grub-pc-bin grub-common e2fsprogs gzip gcc ipxe-qemu
# timeout: 900
#
# Every network card with Linux's own driver: behind NAT it gets an address by DHCP, fetches a file by
# HTTP from the host unharmed and is reached through forwarded ports, and all of that again after it was
# saved and loaded; two guests get addresses from the network's DHCP server and move data through its
# switch; a guest boots over the network from NAT's TFTP server. The virtio card is used through its modern and
# its legacy interface, by Linux and by iPXE.
"""Linux uses every network card."""

import hashlib
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import media_linux
from network_peers import Switch, WebServer, free_port, tcpspeed
from shell_guest import PROMPT, ShellGuest

LONG = bool(os.environ.get('VITRINE_LONG'))
CARDS = ('82540EM', '82543GC', '82545EM', 'Am79C970A', 'Am79C973', 'virtio')
SAVED = CARDS if LONG else ('82540EM', 'Am79C973', 'virtio')
FILE_SIZE = 3 << 20
TCP_PORT, UDP_PORT = 5000, 5001
ISA_ADDRESS = '08:00:27:56:49:10'  # which the driver ne says at the level of warnings
LEGACY = 'Devices/virtio-net/0/Config/Interface=legacy'
MACS = ('080027000001', '080027000002')


def fail(card, what, guest):
    """Ends the test with what the guest said last."""
    sys.exit(f'{card}: {what}\n{guest.text[-3000:]}')


def fetch(card, guest, port, wanted):
    """A file by HTTP from the host."""
    said = guest.run(f'wget -q -O - http://10.0.2.2:{port}/data | md5sum', 120)
    if wanted not in said:
        fail(card, f'what arrived is not {wanted}', guest)


def through_tcp(card, guest, port):
    """Both ways through a forwarded port; tcpspeed looks at each byte."""
    for word in ('send', 'receive'):
        done = subprocess.run([tcpspeed(), word, '127.0.0.1', str(port), '2'], timeout=120, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            fail(card, f'{word} through a forwarded port: {done.stdout}', guest)


def through_udp(card, guest, port):
    """Datagrams of several sizes come back as they were."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(10)
        line.connect(('127.0.0.1', port))
        for size in (1, 100, 1472, 1473, 9000, 60000):
            data = random.randbytes(size)
            line.send(data)
            try:
                got = line.recv(65536)
            except TimeoutError:
                fail(card, f'a datagram of {size} bytes did not come back', guest)
            if got != data:
                fail(card, f'a datagram of {size} bytes came back as {len(got)} others', guest)


def check_quiet(card, guest, usual='nothing'):
    """The kernel has nothing to complain about, but for what it says of any card of the kind."""
    if found := [line for line in guest.complaints() if usual not in line]:
        sys.exit(f'{card}: the kernel complains\n' + '\n'.join(found))


def ask_for_address(card, guest):
    """By DHCP."""
    said = guest.run('lease', 60)
    if not re.search(r'lease: eth0 10\.0\.2\.15/\S+ router 10\.0\.2\.2 dns 10\.0\.2\.3', said):
        fail(card, 'no address by DHCP', guest)


def use_legacy_driver(guest):
    """From here on Linux drives the card through its ports."""
    guest.run('rmmod virtio_net; rmmod virtio_pci; insmod /lib/modules/virtio_pci.ko force_legacy=1; '
              'insmod /lib/modules/virtio_net.ko')
    features = guest.run('cat /sys/bus/virtio/devices/virtio0/features').split()[-1]
    if features[32] != '0' or features[27] != '1':
        fail('virtio', f'this is not the legacy interface: {features}', guest)
    ask_for_address('virtio', guest)


def behind_nat(card, folder, disk, web, wanted, legacy=False):
    """One card, once or twice; `legacy`: it is saved while an old driver uses it."""
    tcp, udp = free_port(), free_port(socket.SOCK_DGRAM)
    nic = f'{card},nat,loopback,forward=tcp:{tcp}:{TCP_PORT},forward=udp:{udp}:{UDP_PORT}'
    state = folder / f'{card}.state'
    saving = ('--save', str(state), '--until', 'saved') if card in SAVED else ()
    with ShellGuest(disk, '--nic', nic, *saving) as guest:
        ask_for_address(card, guest)
        guest.run(f'tcpspeed serve {TCP_PORT} >/dev/null & tcpspeed echo {UDP_PORT} >/dev/null &')
        fetch(card, guest, web.port, wanted)
        through_tcp(card, guest, tcp)
        through_udp(card, guest, udp)
        if legacy:
            use_legacy_driver(guest)
            fetch(card, guest, web.port, wanted)
        check_quiet(card, guest)
        if saving:
            guest.save()
    if saving:
        with ShellGuest(disk, '--nic', nic, '--load', str(state)) as guest:
            fetch(card, guest, web.port, wanted)
            through_tcp(card, guest, tcp)
            through_udp(card, guest, udp)
            check_quiet(card, guest)
    print(f'{card}: online through NAT' + (', also with a legacy driver' if legacy else '') +
          (', also after it was saved and loaded' if saving else ''))


def receive_file(listener, size):
    """What a guest sends, of so many bytes."""
    with listener.accept()[0] as line, line.makefile('rb') as stream:
        return stream.read(size)


def isa_card(folder, web, wanted):
    """The NE2000, with Linux of 32 bits: a file there and back, before and after it was saved."""
    state = folder / 'NE2000.state'
    options = ('--cdrom', str(media.get('network-isa')), '--nic', 'NE2000,nat,loopback')
    with socket.create_server(('127.0.0.1', 0)) as listener:
        listener.settimeout(120)
        with ShellGuest(None, *options, '--save', str(state), '--until', 'saved') as guest:
            if 'lease: eth0 10.0.2.15' not in guest.run('lease', 60):
                fail('NE2000', 'no address by DHCP', guest)
            fetch('NE2000', guest, web.port, wanted)
            check_quiet('NE2000', guest, ISA_ADDRESS)
            guest.save()
        with ShellGuest(None, *options, '--load', str(state)) as guest:
            guest.run(f'wget -q -O /tmp/data http://10.0.2.2:{web.port}/data', 120)
            guest.begin(f'nc 10.0.2.2 {listener.getsockname()[1]} </tmp/data')
            if hashlib.md5(receive_file(listener, FILE_SIZE)).hexdigest() != wanted:
                fail('NE2000', 'what the guest sent is another file', guest)
            guest.wait(re.escape(PROMPT), 60)
            check_quiet('NE2000', guest, ISA_ADDRESS)
    print('NE2000: online through NAT, also after it was saved and loaded')


def between_guests(cards, disk, other_disk):
    """Two guests on a switch."""
    with Switch() as switch:
        ports = [switch.port(f'port{i}', mac) for i, mac in enumerate(MACS)]
        nics = [f'{card},fd={port},mac={mac}' for card, port, mac in zip(cards, ports, MACS)]
        with ShellGuest(disk, '--nic', nics[0], pass_fds=ports[:1]) as one, \
                ShellGuest(other_disk, '--nic', nics[1], pass_fds=ports[1:]) as two:
            switch.request('dhcp\nserver=192.168.7.254\nmask=255.255.255.0\nlower=192.168.7.1\nupper=192.168.7.9')
            for i, guest in enumerate((one, two)):
                said = guest.run('ip link set eth0 up; lease', 60)
                if f'lease: eth0 192.168.7.{i + 1}/' not in said:
                    fail(' and '.join(cards), f'no address from the DHCP server: {said}', guest)
            one.run(f'tcpspeed serve {TCP_PORT} >/dev/null &')
            for word in ('send', 'receive'):
                said = two.run(f'tcpspeed {word} 192.168.7.1 {TCP_PORT} 8', 120)
                if not re.search(rf'tcpspeed: {word} [0-9.]+ MB/s', said):
                    fail(' and '.join(cards), word, two)
            check_quiet(cards[0], one)
            check_quiet(cards[1], two)
    print(f'{" and ".join(cards)}: joined by a switch')


def boot_over_network(card, folder, *options):
    """iPXE fetches a kernel and its initramfs from NAT's TFTP server."""
    tree = folder / f'tftp-{card}-{len(options)}'
    tree.mkdir()
    media_linux.build_tree(tree, 'amd64')
    (tree / 'boot.ipxe').write_text('#!ipxe\nkernel linux console=ttyS0,115200 panic=-1\ninitrd initrd.gz\nboot\n',
                                    encoding='ascii')
    with ShellGuest(None, '--nic', f'{card},nat,tftp={tree},boot=boot.ipxe', '--boot', 'network', *options, boot_seconds=240):
        print(' '.join((f'{card}: booted over the network', *options[1:])))


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as temporary:
        FOLDER = Path(temporary)
        DISK, OTHER = FOLDER / 'one.img', FOLDER / 'other.img'
        media.copy('network-amd64', DISK)
        media.copy('network-amd64', OTHER)
        DATA = random.randbytes(FILE_SIZE)
        (FOLDER / 'www').mkdir()
        (FOLDER / 'www' / 'data').write_bytes(DATA)
        with WebServer(FOLDER / 'www') as server:
            for name in CARDS:
                behind_nat(name, FOLDER, DISK, server, hashlib.md5(DATA).hexdigest(), legacy=name == 'virtio')
            if LONG:
                behind_nat('virtio', FOLDER, DISK, server, hashlib.md5(DATA).hexdigest())
            isa_card(FOLDER, server, hashlib.md5(DATA).hexdigest())
        between_guests(('82540EM', 'virtio'), DISK, OTHER)
        if LONG:
            between_guests(('82543GC', '82545EM'), DISK, OTHER)
        boot_over_network('82540EM', FOLDER)
        if LONG:
            for name in ('82543GC', '82545EM', 'Am79C970A', 'Am79C973', 'virtio'):
                boot_over_network(name, FOLDER)
            boot_over_network('virtio', FOLDER, '--config', LEGACY)
