#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Guest media for tests: each is built from Debian packages when a test first asks for it, then kept
# in a cache. Nothing here needs KVM, loop devices or mounts; only the Debian disk needs root.
#
# As a program: `media.py NAME` prints the path of the medium (building it if need be), `--list`
# names them, `--verify NAME` boots it under QEMU and waits for the text that proves it works,
# `--clean` empties the cache. As a module: `media.get('grub-disk')`.
"""Build, cache and verify the guest media that tests boot."""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent))

import media_bench
import media_debian
import media_iso
import media_linux
import media_network
import media_sound
import media_storage
import media_usb
import qemu

LIB = Path(__file__).resolve().parent


class MediaError(Exception):
    """A medium cannot be made here; the message says what is missing."""


@dataclass(frozen=True)
class Medium:
    """One medium: how it is made and how one sees that it booted.

    `build(out, work)` writes the file `out`; `work` is an empty folder that is removed afterwards.
    `packages` are the Debian packages it is made from: their versions are part of the cache key.
    `proof` is text that appears on the serial line (`proof_on='serial'`) or on the screen.
    """

    title: str
    suffix: str
    build: Callable[[Path, Path], None]
    packages: tuple
    sources: tuple
    proof: str
    proof_on: str = 'serial'
    memory: int = 256
    seconds: int = 120
    needs_root: bool = False
    keys: tuple = field(default=())


def _netboot(arch):
    return Medium(
        f"Debian 12 netboot installer, {arch}", '.iso',
        lambda out, work: media_iso.build_netboot(out, work, arch),
        (f'debian-installer-12-netboot-{arch}', 'isolinux', 'syslinux-common', 'xorriso'),
        ('media_iso.py',), 'Choose language|Select a language', 'screen', 1024, 240, keys=('ret',))


def _linux(arch):
    return Medium(
        f"a small Linux, {arch}: kernel and busybox of the Debian installer, our own init", '.iso',
        lambda out, work: media_linux.build(out, work, arch),
        (f'debian-installer-12-netboot-{arch}', 'grub-pc-bin', 'grub-common', 'xorriso'),
        ('media_iso.py', 'media_linux.py', 'cpio.py'), 'vitrine: ready')


def _memtest(arch):
    return Medium(
        f"the memtest86+ package's own ISO ({arch}; El Torito floppy emulation)", '.iso',
        lambda out, work: shutil.copy(f'/usr/lib/memtest86+/memtest86+{arch}.iso', out),
        ('memtest86+',), (), 'Memtest86', 'screen', 64)


def _bench(arch):
    return Medium(
        f"the benchmarks' small Linux, {arch}: it runs what it is told on the serial line", '.iso',
        lambda out, work: media_bench.build(out, work, arch),
        (f'debian-installer-12-netboot-{arch}', 'grub-pc-bin', 'grub-common', 'xorriso', 'gcc',
         'gcc-multilib', 'gzip', 'tcc'),
        ('media_iso.py', 'media_linux.py', 'media_bench.py', 'cpio.py',
         *sorted(f'../bench/programs/{path.name}' for path in media_bench.PROGRAMS.iterdir())),
        'bench: ready')


MEDIA = {
    'bench-amd64': _bench('amd64'),
    'bench-i386': _bench('i386'),
    'debian-amd64': Medium(
        "Debian 12 amd64 made with debootstrap: systemd, root password 'vitrine', tty1 and ttyS0",
        '.img', media_debian.build,
        ('debootstrap', 'grub-pc-bin', 'grub-common', 'e2fsprogs'),
        ('media_debian.py', 'media_iso.py'), 'vitrine-guest login:', 'serial', 512, 300, True),
    'grub-disk': Medium(
        "a GRUB disk: menu of five entries, on the screen and on the serial line", '.img',
        media_iso.build_grub_disk, ('grub-pc-bin', 'grub-common', 'e2fsprogs'),
        ('media_iso.py',), 'First entry'),
    'linux-amd64': _linux('amd64'),
    'linux-i386': _linux('i386'),
    'memtest-ia32': _memtest('ia32'),
    'memtest-serial': Medium(
        "memtest86+ from GRUB with its console on the serial line too", '.iso',
        media_iso.build_memtest_serial,
        ('memtest86+', 'grub-pc-bin', 'grub-common', 'xorriso'), ('media_iso.py',),
        'Memtest86', 'serial', 64),
    'memtest-x64': _memtest('x64'),
    'netboot-amd64': _netboot('amd64'),
    'netboot-i386': _netboot('i386'),
    'network-amd64': Medium(
        "a disk with a small Linux that has drivers for every network card", '.img',
        media_network.build,
        ('debian-installer-12-netboot-amd64', 'grub-pc-bin', 'grub-common', 'e2fsprogs', 'gzip'),
        ('media_network.py', 'tcpspeed.c', 'media_kernel.py', 'media_linux.py', 'media_iso.py', 'cpio.py'),
        'vitrine: ready'),
    'network-isa': Medium(
        "a small Linux of 32 bits that has drivers for ISA network cards", '.iso',
        media_network.build_isa,
        ('debian-installer-12-netboot-i386', 'grub-pc-bin', 'grub-common', 'xorriso'),
        ('media_network.py', 'media_linux.py', 'media_iso.py', 'cpio.py'), 'vitrine: ready'),
    'sound-amd64': Medium(
        "a disk with a small Linux that has drivers for every sound card", '.img',
        media_sound.build,
        ('debian-installer-12-netboot-amd64', 'grub-pc-bin', 'grub-common', 'e2fsprogs', 'gzip'),
        ('media_sound.py', '../real/tone.c', '../real/tone-card.h', '../real/tone-alsa.c', '../real/tone-levels-oss.c',
         'media_kernel.py', 'media_linux.py', 'media_iso.py', 'cpio.py'), 'vitrine: ready'),
    'sound-i386': Medium(
        "the same for i386, with drivers for cards of the ISA bus", '.img',
        media_sound.build_isa,
        ('debian-installer-12-netboot-i386', 'grub-pc-bin', 'grub-common', 'e2fsprogs', 'gcc-multilib', 'gzip'),
        ('media_sound.py', '../real/tone.c', '../real/tone-card.h', '../real/tone-alsa.c', '../real/tone-levels-sb16.c',
         'media_kernel.py', 'media_linux.py', 'media_iso.py', 'cpio.py'),
        'vitrine: ready'),
    'storage-amd64': Medium(
        "a disk with a small Linux that has drivers for every storage controller", '.img',
        media_storage.build,
        ('debian-installer-12-netboot-amd64', 'grub-pc-bin', 'grub-common', 'e2fsprogs', 'gcc', 'gzip'),
        ('media_storage.py', 'media_kernel.py', 'media_linux.py', 'media_iso.py', 'cpio.py',
         'disk-work.c', 'disc-tray.c'), 'vitrine: ready'),
    'usb-amd64': Medium(
        "a disk with a small Linux that has drivers for USB controllers and devices", '.img',
        media_usb.build,
        ('debian-installer-12-netboot-amd64', 'grub-pc-bin', 'grub-common', 'e2fsprogs', 'gcc', 'gzip'),
        ('media_usb.py', '../real/usb-work.c', 'media_kernel.py', 'media_linux.py', 'media_iso.py', 'cpio.py'), 'vitrine: ready'),
}


def cache_dir():
    """The folder that keeps built media: VITRINE_TEST_CACHE, else below XDG_CACHE_HOME."""
    explicit = os.environ.get('VITRINE_TEST_CACHE')
    if explicit:
        return Path(explicit)
    base = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return Path(base) / 'vitrine-tests'


def package_version(package):
    """The installed version of a Debian package, or None."""
    result = subprocess.run(['dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}', package],
                            capture_output=True, text=True, check=False)
    status, _, version = result.stdout.partition(' ')
    return version if status == 'installed' else None


def _key(medium):
    digest = hashlib.sha256()
    missing = []
    for package in medium.packages:
        version = package_version(package)
        if version is None:
            missing.append(package)
        digest.update(f'{package} {version}\n'.encode())
    if missing:
        raise MediaError('needs the Debian packages ' + ' '.join(missing))
    for source in medium.sources:
        digest.update((LIB / source).read_bytes())
    return digest.hexdigest()[:12]


def get(name):
    """The path of a medium, built if it is not in the cache. Treat the file as read-only.

    Raises MediaError when it cannot be made on this host."""
    medium = MEDIA[name]
    path = cache_dir() / f'{name}-{_key(medium)}{medium.suffix}'
    if path.exists():
        return path
    if medium.needs_root and os.geteuid() != 0:
        raise MediaError(f'{name} can only be made by root (debootstrap)')
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / f'{name}.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _build(name, medium, path)
    return path


def _build(name, medium, path):
    work = path.parent / f'{name}.work'
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    part = path.with_suffix('.part')
    try:
        medium.build(part, work)
        part.rename(path)
    except subprocess.CalledProcessError as error:
        output = error.output or b''
        text = output if isinstance(output, str) else output.decode(errors='replace')
        raise MediaError(f'{name}: {error}\n{text[-2000:]}') from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        part.unlink(missing_ok=True)
    for old in path.parent.glob(f'{name}-????????????{medium.suffix}'):
        if old != path:
            old.unlink()


def copy(name, path):
    """A private, writable copy of a medium at `path` (sparse where the file system allows)."""
    subprocess.run(['cp', '--sparse=auto', '--reflink=auto', get(name), path], check=True)
    return Path(path)


def verify(name):
    """Boots the medium under QEMU; returns None, or why it failed."""
    medium = MEDIA[name]
    return qemu.boot_until(
        get(name), medium.proof, medium.proof_on, memory=medium.memory, seconds=medium.seconds,
        keys=medium.keys)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--list', action='store_true', help='name the media')
    parser.add_argument('--verify', action='store_true', help='boot them under QEMU')
    parser.add_argument('--clean', action='store_true', help='empty the cache')
    parser.add_argument('names', nargs='*', metavar='NAME', help="a medium, or 'all'")
    args = parser.parse_args()
    if args.list:
        for name, medium in sorted(MEDIA.items()):
            print(f'{name:15} {medium.title}')
    if args.clean:
        shutil.rmtree(cache_dir(), ignore_errors=True)
    failed = False
    for name in sorted(MEDIA) if args.names == ['all'] else args.names:
        if name not in MEDIA:
            parser.error(f'no medium is called {name}; see --list')
        try:
            print(get(name), flush=True)
            reason = verify(name) if args.verify else None
        except MediaError as error:
            reason = str(error)
        if reason:
            failed = True
            print(f'{name}: {reason}', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
