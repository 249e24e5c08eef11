#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc umockdev usbredirect
# timeout: 400
#
# A remote USB device: usbredirect has the mocked device, the machine listens for it (a UNIX socket, and TCP after
# it went and came again) or connects to it. A guest's program moves all four kinds of transfer. Peers that talk
# nonsense, and one that goes in mid-transfer, harm nobody.
"""All four kinds of transfer with a remote USB device."""

import random
import re
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path

import guest
import media
from shell_guest import ShellGuest
from usb_peers import Redirect, free_port, relay

PLUGGED, GONE = 'usb 1-1: Product: Mock Device', 'usb 1-1: USB disconnect'


def machine(disk, controller, *addresses):
    """A guest with remote devices."""
    words = [word for address in addresses for word in ('--usb-remote', address)]
    return ShellGuest(disk, '--usb', controller, *words)


def move(shell, what):
    """All four kinds."""
    shell.wait(PLUGGED, 30)
    said = shell.run('usb-work move', 120)
    if 'usb-work: done' not in said:
        sys.exit(f'{what}: {said[-2000:]}')
    print(f"{what}: moved, {re.search('isochronous in .*', said).group(0).strip()}")


def talk_nonsense(connect):
    """Peers that one after the other say what no peer may."""
    hello = struct.pack('<III64sI', 0, 68, 0, b'peer', 0xff)
    randomly = random.Random(4)
    words = [b'', b'GET / HTTP/1.0\r\n\r\n', bytes(1000), b'\xff' * 1000, hello + b'\xff' * 500,
             hello + struct.pack('<IIQ', 101, 0x7fffffff, 1) + bytes(100000),
             hello + struct.pack('<IIQ', 5, 288, 0) + randomly.randbytes(288) + struct.pack('<IIQ', 1, 10, 0) + randomly.randbytes(10),
             hello * 3, hello + randomly.randbytes(5000)]
    for word in words:
        with connect() as peer:
            try:
                peer.sendall(word)
                time.sleep(0.05)
            except OSError:
                pass


def check_local(disk, folder):
    """We listen at a UNIX socket; nonsense before the device."""
    path, port = folder / 'usb.socket', free_port()
    with machine(disk, 'xhci', f'listen:{path}') as shell:
        def connect():
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(str(path))
            return peer

        talk_nonsense(connect)
        relay(path, port)
        with Redirect(f'127.0.0.1:{port}'):
            move(shell, 'xhci, UNIX socket')
            shell.begin('usb-work wait')
            shell.wait('usb-work: waiting')
        shell.wait(r'usb-work: gone with status -\d+\n')
        # Another one may come.
        relay(path, port)
        with Redirect(f'127.0.0.1:{port}'):
            shell.wait(PLUGGED, 30)
            shell.run('until grep -q 1 /sys/bus/usb/devices/1-1/bConfigurationValue; do sleep 0.1; done')
        shell.wait(GONE)
        if found := shell.complaints():
            sys.exit('the kernel complains\n' + '\n'.join(found))


def check_tcp(disk):
    """We connect to one peer by TCP; a second one's device is too fast for the only controller."""
    port, other = free_port(), free_port()
    with Redirect(f'127.0.0.1:{port}', serve=True), socket.create_server(('127.0.0.1', other)) as server:
        for _ in range(100):
            with open('/proc/net/tcp', encoding='ascii') as table:
                if f'0100007F:{port:04X} 00000000:0000 0A' in table.read():
                    break
            time.sleep(0.1)
        with machine(disk, 'ohci', f'127.0.0.1:{port}', f'127.0.0.1:{other}') as shell:
            fast, _ = server.accept()
            caps = 1 << 1 | 1 << 5
            fast.sendall(struct.pack('<III64sI', 0, 68, 0, b'peer', caps) +
                         struct.pack('<IIQ4BHHH', 1, 10, 0, 2, 0, 0, 0, 0x1234, 0x9999, 0x100))
            shell.wait('no free USB port that is fast enough for “USB device 1234:9999”', 30)
            shell.seen = 0  # the other one may have come before
            move(shell, 'ohci, TCP')
            fast.close()


def check_service(disk):
    """controlvm gives a running machine of the service's a peer's device and takes it back."""
    port = free_port()
    with Redirect(f'127.0.0.1:{port}', serve=True):
        with guest.Machine('usb', disk=disk, ostype='Linux26_64', settings=('--usb-xhci', 'on')) as shell:
            shell.start()
            shell.wait_serial('vitrine# ', 120)
            try:
                shell.control('usbattach', f'usbredir:127.0.0.1:{free_port()}')
                sys.exit('a peer that is not there is attached')
            except guest.GuestError as refused:
                if 'cannot be reached' not in str(refused):
                    sys.exit(f'a peer that is not there: {refused}')
            shell.control('usbattach', f'usbredir:127.0.0.1:{port}')
            shell.serial.write('usb-work move\n')
            shell.wait_serial('usb-work: done', 60)
            shell.control('usbdetach', f'usbredir:127.0.0.1:{port}')
            shell.wait_serial('USB disconnect', 30)
    print('service: attached, moved, detached')


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as temporary:
        DISK = Path(temporary) / 'usb.img'
        media.copy('usb-amd64', DISK)
        check_local(DISK, Path(temporary))
        check_tcp(DISK)
        check_service(DISK)
        print('moved, gone, come again, nonsense refused')
