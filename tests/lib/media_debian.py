# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Debian 12 amd64 on a disk: debootstrap, the kernel, systemd, ext4 and GRUB. Root's password is
# 'vitrine', the console is on tty1 and ttyS0. Made by root, without mounts or loop devices.
"""The Debian guest."""

import os
import re
import subprocess
from pathlib import Path

from media_iso import make_grub_disk, run

UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000002'
SIZE_MIB = 1536
HOSTNAME = 'vitrine-guest'
PACKAGES = ('systemd-sysv', 'udev', 'kmod', 'initramfs-tools', 'e2fsprogs', 'login', 'procps')
# The initramfs holds what this disk can be attached to, not every driver there is.
MODULES = ('ata_piix', 'ata_generic', 'ahci', 'sd_mod', 'ext4', 'virtio_blk', 'virtio_pci')

GRUB_CONFIG = '''
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
menuentry "Debian GNU/Linux" {{
    linux {kernel} root=UUID={uuid} ro console=tty0 console=ttyS0,115200
    initrd {initrd}
}}
'''


def mirror():
    """The archive that this host's apt uses for its own system."""
    paths = [Path('/etc/apt/sources.list'), *sorted(Path('/etc/apt/sources.list.d').glob('*'))]
    for path in paths:
        text = path.read_text(encoding='utf-8') if path.is_file() else ''
        found = re.search(r'^(?:URIs:|deb(?: \[[^]]*\])?)\s+(https?://\S*debian/?)(?=\s)', text, re.M)
        if found:
            return found.group(1)
    return 'http://deb.debian.org/debian'


def _bootstrap(root):
    run('debootstrap', '--variant=minbase', '--arch=amd64', '--include=' + ','.join(PACKAGES),
        'bookworm', root, mirror())


def _write(root, path, text):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding='utf-8')


def _configure(root):
    _write(root, 'etc/hostname', HOSTNAME + '\n')
    _write(root, 'etc/hosts', f'127.0.0.1 localhost {HOSTNAME}\n')
    _write(root, 'etc/fstab', f'UUID={UUID} / ext4 errors=remount-ro 0 1\n')
    _write(root, 'etc/machine-id', '')
    _write(root, 'etc/kernel-img.conf', 'do_symlinks = no\n')
    _write(root, 'etc/initramfs-tools/conf.d/vitrine', 'MODULES=list\nCOMPRESS=gzip\nFSTYPE=ext4\n')
    _write(root, 'etc/initramfs-tools/modules', '\n'.join(MODULES) + '\n')
    # The login on the serial line waits for its device for ever, not for 90 s: hosts may be busy.
    _write(root, 'etc/systemd/system/dev-ttyS0.device.d/patient.conf',
           '[Unit]\nJobRunningTimeoutSec=infinity\n')
    run('chroot', root, 'chpasswd', input=b'root:vitrine\n')


def _install_kernel(root):
    environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive', LC_ALL='C')
    run('chroot', root, 'apt-get', 'install', '-y', '--no-install-recommends', 'linux-image-amd64',
        env=environment)
    run('chroot', root, 'apt-get', 'clean')
    for lists in (root / 'var/lib/apt/lists').glob('*_*'):
        lists.unlink()


def _grub_config(root):
    kernel = next((root / 'boot').glob('vmlinuz-*')).name
    initrd = next((root / 'boot').glob('initrd.img-*')).name
    _write(root, 'boot/grub/grub.cfg',
           GRUB_CONFIG.format(kernel='/boot/' + kernel, initrd='/boot/' + initrd, uuid=UUID))


def build(out, work):
    """The raw disk image."""
    root = work / 'root'
    _bootstrap(root)
    _configure(root)
    _install_kernel(root)
    _grub_config(root)
    make_grub_disk(out, root, SIZE_MIB, UUID, work)


def fsck(image):
    """Checks the file system of a raw disk image without writing: (is clean, what e2fsck said)."""
    result = subprocess.run(['e2fsck', '-f', '-n', f'{image}?offset={2048 * 512}'],
                            capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stdout + result.stderr
