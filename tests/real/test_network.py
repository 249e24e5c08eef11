#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 grub-pc-bin grub-common e2fsprogs gzip gcc ipxe-qemu
# timeout: 1800
#
# Every network card with Linux's own driver: behind NAT it gets an address by DHCP, fetches a file by
# HTTP from the host unharmed and is reached through forwarded ports, and all of that again after it was
# saved and loaded; two guests get addresses from the network's DHCP server and move data through its
# switch; a guest boots over the network from NAT's TFTP server. The virtio card is used through its modern and
# its legacy interface, by Linux and by iPXE. What drivers say of offloads is true: of the frames in the card's record
# some are longer than any on a wire. A machine has eight cards, whose cables are pulled and plugged in while it runs.
"""Linux uses every network card."""

import hashlib
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import media
import media_linux
from network_peers import Switch, WebServer, free_port, tcpspeed
from shell_guest import PROMPT, ShellGuest

LONG = bool(os.environ.get('VITRINE_LONG'))
CARDS = ('82540EM', '82543GC', '82545EM', 'Am79C970A', 'Am79C973', 'virtio') if LONG else ('82540EM', 'Am79C973', 'virtio')
SAVED = CARDS if LONG else ('virtio',)
FILE_SIZE = 3 << 20
BOOT_SECONDS = 400
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


def through_tcp(card, guest, port, words=('send', 'receive')):
    """Both ways through a forwarded port; tcpspeed looks at each byte."""
    for word in words:
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


def longest_sent(trace):
    """Of a card's record (pcapng): the longest frame that it sent."""
    data, at, longest = trace.read_bytes(), 0, 0
    while at < len(data):
        kind, size = struct.unpack_from('<II', data, at)
        if kind == 6:
            kept, length = struct.unpack_from('<II', data, at + 20)
            options, end = at + 28 + (kept + 3) // 4 * 4, at + size - 4
            while options < end:
                code, count = struct.unpack_from('<HH', data, options)
                if code == 2 and struct.unpack_from('<I', data, options + 4)[0] & 3 == 2:
                    longest = max(longest, length)
                options = options + 4 + (count + 3) // 4 * 4 if code else end
        at += size
    return longest


def check_virtio(guest):
    """What is offered is taken: bits 0 and 1 are sums, 7, 8, 11 and 12 segmentation both ways, 15 merged buffers, 16 the
    cable, 17 commands, 22 several queues, 32 the standard."""
    features = guest.run('cat /sys/bus/virtio/devices/virtio0/features').split()[-1]
    if missing := [bit for bit in (0, 1, 7, 8, 11, 12, 15, 16, 17, 22, 32) if features[bit] != '1']:
        fail('virtio', f'features {missing} are missing in {features}', guest)
    queues = guest.run('ls /sys/class/net/eth0/queues').split()
    if not {'rx-0', 'rx-1', 'tx-0', 'tx-1'} <= set(queues):
        fail('virtio', f'two CPUs have the queues {queues}', guest)


def check_offloads(card, disk, folder, joined):
    """Long frames are sent whole by a driver that leaves segments to the card, and, where it may (`joined`), received:
    in a stream the guest counts bytes and frames of more than one segment."""
    trace, tcp = folder / f'{card}.pcapng', free_port()
    with ShellGuest(disk, '--cpus', '2', '--nic', f'{card},nat,loopback,trace={trace},forward=tcp:{tcp}:{TCP_PORT}',
                    boot_seconds=BOOT_SECONDS) as guest:
        ask_for_address(card, guest)
        if card == 'virtio':
            check_virtio(guest)
        guest.run(f'tcpspeed serve {TCP_PORT} >/dev/null &')
        guest.run(f'while ! cat /proc/net/tcp* | grep -q ":{TCP_PORT:04X} "; do sleep 1; done')
        through_tcp(card, guest, tcp, ('send',))
        counted = guest.run('cat /sys/class/net/eth0/statistics/rx_bytes /sys/class/net/eth0/statistics/rx_packets')
        count, packets = map(int, re.findall(r'^\d+', counted, re.M))
        through_tcp(card, guest, tcp, ('receive',))
        check_quiet(card, guest)
    longest = longest_sent(trace)
    print(f'{card}: frames have {count // packets} bytes received on average, at most {longest} sent')
    if (count / packets > 1514) != joined or longest <= 1514:
        sys.exit(f'{card}: this is not what its driver has asked for')


def eight_cards(disk):
    """All at once, then each without its cable and with it again."""
    cards = ('82540EM', 'virtio', 'Am79C973', '82545EM', '82543GC', 'virtio', 'Am79C970A', '82540EM')
    nics = [word for card in cards for word in ('--nic', f'{card},nat,loopback')]

    def up():
        states = guest.run('for i in /sys/class/net/eth*; do echo $(cat $i/address) $(cat $i/carrier); done')
        found = {int(mac[-2:], 16) - 0x10: carrier == '1' for mac, carrier in re.findall(r'08:00:27:56:49:(\S+) ([01])', states)}
        return [found.get(i) for i in range(len(cards))]

    with ShellGuest(disk, *nics, boot_seconds=BOOT_SECONDS) as guest:
        names = [f'eth{i}' for i in range(len(cards))]
        leases = set()
        for name in names:
            leases |= set(re.findall(r'lease: \S+ (10\.0\.\d+)\.15/', guest.run(f'lease {name}', 90)))
        if leases != {f'10.0.{i + 2}' for i in range(len(cards))}:
            fail('eight cards', f'only these have an address: {leases}', guest)
        for change in range(2 * len(cards)):
            guest.process.send_signal(signal.SIGUSR1)
            wanted = [i > change if change < len(cards) else i <= change - len(cards) for i in range(len(cards))]
            for _ in range(20):
                if (states := up()) == wanted:
                    break
                guest.run('sleep 1')
            else:
                fail('eight cards', f'cables {wanted}, carriers {states}', guest)
        check_quiet('eight cards', guest)
    print('eight cards: each has an address and knows of its cable')


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
            check_offloads('82540EM', DISK, FOLDER, False)
            check_offloads('virtio', DISK, FOLDER, True)
            eight_cards(DISK)
