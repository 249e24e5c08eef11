#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 grub-pc-bin grub-common e2fsprogs gzip gcc ipxe-qemu dropbear-bin openssh-client
# timeout: 1200
# long
#
# What people do with a machine that is online: Debian's installer, booted over the network, configures its card by
# DHCP and fetches its answers from a web server of the host; a guest's SSH server is used through a forwarded port,
# by the host's own client, for a command and for some megabytes each way.
"""The installer goes online, and SSH reaches a guest."""

import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import media
import run_guest
from network_peers import WebServer, free_port
from shell_guest import ShellGuest

INSTALLER = Path('/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64')
INSTALLER_SECONDS = 400
SIZE = 4 << 20
# What the installer answers itself, and the first command that it runs once it has read this.
PRESEED = '''d-i debian-installer/locale string en_US.UTF-8
d-i keyboard-configuration/xkb-keymap select us
d-i preseed/early_command string wget -q -O /tmp/data http://10.0.2.2:{port}/data; \\
  wget -q -O /dev/null http://10.0.2.2:{port}/sum-$(sha256sum /tmp/data | cut -d " " -f 1); \\
  wget -q -O /dev/null http://10.0.2.2:{port}/at-$(ip -4 -o addr show scope global | grep -o "inet [0-9.]*" | cut -d " " -f 2)
'''
BOOT = '''#!ipxe
kernel http://10.0.2.2:{port}/linux auto=true priority=critical url=http://10.0.2.2:{port}/preseed.cfg console=ttyS0,115200 ---
initrd http://10.0.2.2:{port}/initrd.gz
boot
'''


def wait_for(server, path, seconds):
    """Until the guest has asked for that path."""
    end = time.monotonic() + seconds
    while path not in server.asked:
        if time.monotonic() > end:
            raise TimeoutError(f'nobody asked for {path} within {seconds} s, but for {server.asked}')
        time.sleep(0.2)


def installer(folder):
    """iPXE by TFTP, kernel and initramfs by HTTP, then the installer by itself."""
    www, tftp = folder / 'www', folder / 'tftp'
    www.mkdir()
    tftp.mkdir()
    data = random.randbytes(SIZE)
    (www / 'data').write_bytes(data)
    for name in ('linux', 'initrd.gz'):
        shutil.copy(INSTALLER / name, www)
    with WebServer(www) as server:
        (www / 'preseed.cfg').write_text(PRESEED.format(port=server.port), encoding='ascii')
        (tftp / 'boot.ipxe').write_text(BOOT.format(port=server.port), encoding='ascii')
        command = run_guest.command('--nic', f'82540EM,nat,loopback,tftp={tftp},boot=boot.ipxe', '--boot', 'network', ram=1024,
                                    serial=folder / 'serial')
        with subprocess.Popen(command) as guest:
            try:
                wait_for(server, '/preseed.cfg', INSTALLER_SECONDS)
                wait_for(server, f'/sum-{hashlib.sha256(data).hexdigest()}', 120)
                wait_for(server, '/at-10.0.2.15', 60)
            except TimeoutError as error:
                sys.exit(f'{error}\n{(folder / "serial").read_text(errors="replace")[-3000:]}')
            finally:
                guest.kill()
    print('Debian\'s installer has its address by DHCP and its answers by HTTP')


def libraries(program):
    """The files that a program of the host's is linked with, as they are named in a guest."""
    said = subprocess.run(('ldd', program), check=True, capture_output=True, text=True).stdout
    words = [word for line in said.splitlines() for word in line.split() if word.startswith('/')]
    return [Path(word) for word in words]


def put_server(guest, folder, port, key):
    """An SSH server into the guest, with its keys."""
    host_key = folder / 'www' / 'hostkey'
    subprocess.run(('dropbearkey', '-t', 'ed25519', '-f', host_key), check=True, capture_output=True)
    shutil.copy(f'{key}.pub', folder / 'www' / 'authorized_keys')
    commands = ['mkdir -p /root/.ssh /etc', 'echo root:x:0:0:root:/root:/bin/sh >/etc/passwd', 'echo /bin/sh >/etc/shells']
    wanted = [('hostkey', '/etc/hostkey'), ('authorized_keys', '/root/.ssh/authorized_keys'), ('dropbear', '/bin/dropbear')]
    shutil.copy('/usr/sbin/dropbear', folder / 'www' / 'dropbear')
    for library in libraries('/usr/sbin/dropbear'):
        shutil.copy(library, folder / 'www' / library.name)
        commands.append(f'mkdir -p {library.parent}')
        wanted.append((library.name, str(library)))
    commands += [f'[ -e {to} ] || wget -q -O {to} http://10.0.2.2:{port}/{name}' for name, to in wanted]
    commands += ['busybox chmod 700 /bin/dropbear /root /root/.ssh /lib64/ld-linux-x86-64.so.2', 'busybox chmod 600 /root/.ssh/authorized_keys']
    for command in commands:
        guest.run(command, 120)
    said = guest.run('dropbear -E -s -r /etc/hostkey -p 22; echo "dropbear: $?"', 60)
    if 'dropbear: 0' not in said:
        raise RuntimeError(f'the server in the guest does not start: {said}')


def remote_login(folder):
    """The host's ssh through a forwarded port."""
    (folder / 'www').mkdir()
    key, port = folder / 'key', free_port()
    subprocess.run(('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key), check=True)
    data = random.randbytes(SIZE)
    ssh = ('ssh', '-F', '/dev/null', '-i', key, '-p', str(port), '-o', 'StrictHostKeyChecking=no', '-o', 'BatchMode=yes',
           '-o', f'UserKnownHostsFile={folder}/known', '-o', 'ConnectTimeout=60', '-q', 'root@127.0.0.1')
    disk = media.copy('network-amd64', folder / 'disk.img')
    with WebServer(folder / 'www') as server, \
            ShellGuest(disk, '--nic', f'82540EM,nat,loopback,forward=tcp:{port}:22') as guest:
        guest.run('lease', 60)
        put_server(guest, folder, server.port, key)
        said = subprocess.run((*ssh, 'cat /proc/version'), check=True, capture_output=True, text=True, timeout=120).stdout
        assert 'Linux version' in said and 'Debian' in said, said
        said = subprocess.run((*ssh, 'cat >/data; sha256sum </data'), input=data, check=True, capture_output=True,
                              timeout=300).stdout.decode()
        assert said.split()[0] == hashlib.sha256(data).hexdigest(), said
        back = subprocess.run((*ssh, 'cat /data'), check=True, capture_output=True, timeout=300).stdout
        assert back == data, f'{len(back)} bytes came back, not the {len(data)} that went'
    print(f'SSH through a forwarded port: a command, and {SIZE >> 20} MiB each way')


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as temporary:
        for number, check in enumerate((remote_login, installer)):
            own = Path(temporary) / str(number)
            own.mkdir(mode=0o700)
            check(own)
