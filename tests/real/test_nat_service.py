#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc
# timeout: 600
# long
#
# A Linux guest with two cards through the service: behind NAT it finds a name that only the host's own list of hosts
# has, once the host's resolver answers, and not before; in a NAT network with IPv6 a port of the host leads to it.
"""Names of the host's, and ports over IPv6, through the service."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import guest
import media
from network_peers import WebServer

BOOT_SECONDS = 300
SECONDS = 90
NAME = 'files.vitrine-test.example'
# Another one than that of the first card's network; and the address that Linux makes of it and the card's.
PREFIX6 = 'fd17:625c:f037:66::/64'
MACS = ('080027000031', '080027000032')
GUEST6 = 'fd17:625c:f037:66:a00:27ff:fe00:32'
PORT = 5000


def free_port6():
    """A port of ::1 that nobody has at the moment."""
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(('::1', 0))
        return probe.getsockname()[1]


def run(machine, command, pattern):
    """Types a command; what it says is waited for, behind the echo of what was typed."""
    machine.serial.write(command + '\n')
    return machine.wait_serial(pattern, SECONDS)


def names(machine, port):
    """Only the host knows the name; its servers do not."""
    run(machine, 'lease eth0', r'lease: eth0 10\.0\.2\.15/24 router 10\.0\.2\.2 dns 10\.0\.2\.3')
    run(machine, f'wget -q -O - http://{NAME}:{port}/data', 'of the host')


def unknown(machine, port):
    """Without the host's resolver there is no such name."""
    run(machine, 'lease eth0', r'lease: eth0 10\.0\.2\.15/24')
    said = run(machine, f'wget -q -O - http://{NAME}:{port}/data || echo fai""led', r'of the host|failed')
    if 'of the host' in said:
        sys.exit('the name is found without the host')


def port6(machine, port):
    """The host's own address over IPv6 leads into the NAT network."""
    run(machine, 'lease eth1', r'lease: eth1 192\.168\.15\.')
    run(machine, 'while ! ip -6 addr show dev eth1 | grep -q "fd17:625c:f037:66:.*global" || ip -6 addr show dev eth1 | grep -q tentative; '
        'do sleep 1; done; echo rea""dy', 'ready')
    run(machine, f'(echo said over IPv6 | nc -l -p {PORT}) & sleep 1; echo liste""ning', 'listening')
    with socket.socket(socket.AF_INET6) as line:
        line.settimeout(SECONDS)
        line.connect(('::1', port))
        got = line.recv(100)
    if got != b'said over IPv6\n':
        sys.exit(f'through the port came {got!r}')


def closes(port):
    """Whether the port is closed soon."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET6) as line:
            if line.connect_ex(('::1', port)) != 0:
                return True
        time.sleep(0.1)
    return False


def settings(resolver):
    """The cards."""
    return ('--nic1', 'nat', '--nictype1', '82540EM', '--macaddress1', MACS[0], '--natlocalhostreachable1', 'on',
            '--natdnsproxy1', 'on', '--natdnshostresolver1', resolver,
            '--nic2', 'natnetwork', '--natnetwork2', 'six', '--nictype2', 'virtio', '--macaddress2', MACS[1])


def main():
    """Two runs of the machine."""
    port = free_port6()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        raw, disk = folder / 'net.img', folder / 'net.vdi'
        media.copy('network-amd64', raw)
        guest.manage('convertfromraw', raw, disk, '--format', 'VDI')
        (folder / 'www').mkdir()
        (folder / 'www' / 'data').write_text('of the host\n')
        guest.manage('natnetwork', 'add', '--netname', 'six', '--network', '192.168.15.0/24', '--enable', '--dhcp', 'on',
                     '--ipv6', 'on', '--ipv6-prefix', PREFIX6, '--port-forward-6', f'web:tcp:[::1]:{port}:[{GUEST6}]:{PORT}')
        with WebServer(folder / 'www') as web, \
                guest.Machine('nat-service', disk=disk, settings=settings('on')) as machine:
            machine.start()
            machine.wait_serial('vitrine# ', BOOT_SECONDS)
            names(machine, web.port)
            port6(machine, port)
            machine.control('poweroff')
            if not closes(port):
                sys.exit('the port leads on')
        with WebServer(folder / 'www') as web, \
                guest.Machine('nat-proxy', disk=disk, settings=settings('off')) as machine:
            machine.start()
            machine.wait_serial('vitrine# ', BOOT_SECONDS)
            unknown(machine, web.port)
            machine.control('poweroff')
    print('names of the host, a port over IPv6')


if __name__ == '__main__':
    if '--inside' in sys.argv:
        main()
    else:
        media.get('network-amd64')
        if shutil.which('unshare') is None or subprocess.run(('unshare', '-rm', 'true'), capture_output=True,
                                                             check=False).returncode != 0:
            guest.skip('skipped: the host lets nobody have a list of hosts of their own')
        with tempfile.NamedTemporaryFile('w', suffix='-hosts', encoding='utf-8') as HOSTS:
            HOSTS.write(f'{Path("/etc/hosts").read_text(encoding="utf-8")}\n10.0.2.2 {NAME}\n')
            HOSTS.flush()
            RESULT = subprocess.run(('unshare', '-rm', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', HOSTS.name,
                                     sys.executable, __file__, '--inside'), check=False)
        sys.exit(RESULT.returncode)
