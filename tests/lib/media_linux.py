# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux that boots in a second or two: kernel, busybox and C library of the Debian installer's
# netboot package, and an init of ours. It mounts nothing but the kernel's own file systems.
"""The small Linux guest."""

import gzip
import hashlib
import stat

import cpio
from media_iso import GRUB_SERIAL, NETBOOT, make_grub_iso

# What busybox of each architecture's initrd needs to run.
LIBRARIES = ('libc.so.6', 'libm.so.6', 'libresolv.so.2', 'ld-linux-x86-64.so.2', 'ld-linux.so.2')
APPLETS = ('cat', 'cut', 'dd', 'dmesg', 'echo', 'free', 'grep', 'head', 'ls', 'md5sum', 'mkdir', 'mount',
           'poweroff', 'ps', 'reboot', 'sed', 'sh', 'sha256sum', 'sha512sum', 'sleep', 'stty', 'sync', 'tail',
           'uname', 'wc')
ZEROS_MIB = 4

INIT = '''#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
say() {
    echo "vitrine: $*"
    [ ! -c /dev/tty0 ] || echo "vitrine: $*" >/dev/tty0
}
say "kernel $(uname -r) $(uname -m)"
mode=idle
for word in $(cat /proc/cmdline); do
    case $word in vitrine.mode=*) mode=${word#vitrine.mode=} ;; esac
done
say ready
case $mode in
sums)
    for sum in md5sum:@MD5@ sha256sum:@SHA256@ sha512sum:@SHA512@; do
        got=$(dd if=/dev/zero bs=1048576 count=@ZEROS@ 2>/dev/null | ${sum%%:*} | cut -d' ' -f1)
        if [ "$got" = "${sum#*:}" ]; then say "${sum%%:*} right"; else say "${sum%%:*} WRONG $got"; fi
    done
    say "sums done" ;;
poweroff)
    say "powering off"
    poweroff -f ;;
reboot)
    say rebooting
    reboot -f ;;
esac
# A shell on the console, and one on the first virtual terminal where they differ.
export PS1='vitrine# '
while :; do sh -i <>/dev/tty1 >&0 2>&1; done &
while :; do sh -i <>/dev/console >&0 2>&1; done
'''

MODES = (('Small Linux', ''), ('Checksums', 'vitrine.mode=sums'),
         ('Power off when ready', 'vitrine.mode=poweroff'),
         ('Reboot when ready', 'vitrine.mode=reboot'),
         ('Early messages on the serial line', 'earlyprintk=serial,ttyS0,115200 keep_bootcon'))


def _init_text():
    zeros = bytes(ZEROS_MIB << 20)
    text = INIT.replace('@ZEROS@', str(ZEROS_MIB))
    for name in ('md5', 'sha256', 'sha512'):
        text = text.replace(f'@{name.upper()}@', hashlib.new(name, zeros).hexdigest())
    return text.encode()


def _wanted(entry, libraries):
    base = entry.name.rsplit('/', 1)[-1]
    return (entry.name in ('bin/busybox', 'bin', 'lib', 'lib64') or base in libraries
            or (stat.S_ISDIR(entry.mode) and entry.name.startswith('lib/') and 'linux-gnu' in base))


def system(arch, init, libraries=LIBRARIES):
    """What an initramfs consists of: busybox, `libraries` from the installer, our `init` (bytes)."""
    source = NETBOOT / arch / 'text' / 'debian-installer' / arch / 'initrd.gz'
    entries = [entry for entry in cpio.read(gzip.decompress(source.read_bytes()))
               if _wanted(entry, libraries)]
    folder, link, program = stat.S_IFDIR | 0o755, stat.S_IFLNK | 0o777, stat.S_IFREG | 0o755
    entries += [cpio.Entry(name, folder) for name in ('dev', 'proc', 'sys', 'tmp')]
    entries += [cpio.Entry(f'bin/{name}', link, b'busybox') for name in APPLETS]
    entries.append(cpio.Entry('dev/console', stat.S_IFCHR | 0o600, rdev=(5, 1)))
    entries.append(cpio.Entry('init', program, init))
    return entries


def write_kernel(tree, arch, entries):
    """Puts the installer's kernel and an initramfs of those entries into a folder."""
    (tree / 'initrd.gz').write_bytes(gzip.compress(cpio.write(entries), mtime=0))
    kernel = NETBOOT / arch / 'text' / 'debian-installer' / arch / 'linux'
    (tree / 'linux').write_bytes(kernel.read_bytes())


def build_tree(tree, arch):
    """The same system as files: `linux` and `initrd.gz` in a folder."""
    write_kernel(tree, arch, system(arch, _init_text()))


def build(out, work, arch):
    """The ISO: GRUB with an entry for each mode; the first one starts after a second."""
    tree = work / 'tree'
    tree.mkdir()
    build_tree(tree, arch)
    entries = ''.join(f'''
menuentry "{title}" {{
    linux /linux console=tty0 console=ttyS0,115200 panic=-1 {words}
    initrd /initrd.gz
}}
''' for title, words in MODES)
    make_grub_iso(out, tree, GRUB_SERIAL + 'set timeout=1\n' + entries, f'SMALL_{arch}'.upper())
