# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux disk for tests of storage controllers: Debian's kernel with its own drivers for each of them,
# and an init that works on the second disk when it is told to. The kernel's package is fetched with apt,
# not installed.
"""The small Linux guest with storage drivers."""

import io
import re
import stat
import subprocess
import tarfile

import cpio
import media_linux
from media_iso import GRUB_SERIAL, make_grub_disk, run

# What the guest loads; modules that these need come before them.
MODULES = ('crc32c_generic', 'crct10dif_generic', 'crc64_rocksoft_generic', 'sd_mod', 'sr_mod', 'ahci', 'ata_piix',
           'nvme', 'virtio_pci', 'virtio_blk', 'virtio_scsi', 'mptspi', 'ext4', 'isofs')
UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000003'
SIZE_MIB = 64

INIT = '''#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
say() { echo "vitrine: $*"; }
for module in @MODULES@; do insmod /lib/modules/$module.ko || say "module $module failed"; done
say "kernel $(uname -r) $(uname -m)"
say ready
export PS1='vitrine# '
while :; do sh -i <>/dev/console >&0 2>&1; done
'''

# The workload: `storage SECTORS JOBS MIB OPTIONS` on the ext4 file system on the whole of the disk that has
# so many sectors (kernels number disks as they come), mounted with those options.
STORAGE = '''#!/bin/sh
jobs=$2 mib=$3
say() { echo "storage: $*"; }
for block in /sys/block/*; do
    [ "$(cat $block/size)" != $1 ] || disk=/dev/${block##*/}
done
mount -t tmpfs none /tmp
mount -t ext4 -o $4 $disk /mnt || exit 1
dd if=/dev/urandom of=/tmp/data bs=65536 count=$((mib * 16)) 2>/dev/null
want=$(sha256sum </tmp/data)
i=0
while [ $i -lt $jobs ]; do
    dd if=/tmp/data of=/mnt/file$i bs=$((4096 << (i % 5))) conv=fsync 2>/dev/null &
    i=$((i + 1))
done
wait
sync
echo 3 >/proc/sys/vm/drop_caches
i=0 right=0
while [ $i -lt $jobs ]; do
    (got=$(sha256sum </mnt/file$i); [ "$got" = "$want" ] && echo yes >/tmp/right$i) &
    i=$((i + 1))
done
wait
say "$(cat /tmp/right* | wc -l) of $jobs files right"
rm /mnt/file0
sync
umount /mnt
umount /tmp
# What the kernel has to say at the level of warnings and above.
dmesg -r | grep '^<[0-4]>' | sed 's/^/storage: complaint: /'
say done
'''


def _kernel_package(work):
    """The newest kernel's package, as a tar archive in memory."""
    depends = subprocess.run(['apt-cache', 'depends', 'linux-image-amd64'], check=True,
                             capture_output=True, text=True).stdout
    name = next(line.split()[-1] for line in depends.splitlines() if 'Depends:' in line)
    run('apt-get', '-q', 'download', name, cwd=work)
    package = next(work.glob('linux-image-*.deb'))
    data = subprocess.run(['dpkg-deb', '--fsys-tarfile', package], check=True, capture_output=True).stdout
    return tarfile.open(fileobj=io.BytesIO(data))


def _modules(package):
    """Names and contents of the modules, in the order in which they have to be loaded."""
    files = {name.rsplit('/', 1)[-1][:-3].replace('-', '_'): name for name in package.getnames()
             if name.endswith('.ko')}
    found = {}

    def add(name):
        name = name.replace('-', '_')
        if name in found or name not in files:
            return
        data = package.extractfile(files[name]).read()
        depends = re.search(rb'\0depends=([^\0]*)\0', data).group(1).decode()
        for other in filter(None, depends.split(',')):
            add(other)
        found[name] = data

    for module in MODULES:
        add(module)
    return found


def _entries(package):
    modules = _modules(package)
    program, folder = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755
    init = INIT.replace('@MODULES@', ' '.join(modules)).encode()
    entries = media_linux.system('amd64', init)
    entries += [cpio.Entry('mnt', folder), cpio.Entry('lib/modules', folder)]
    entries += [cpio.Entry(f'bin/{name}', stat.S_IFLNK | 0o777, b'busybox')
                for name in ('insmod', 'umount', 'rm', 'blockdev', 'readlink')]
    entries.append(cpio.Entry('bin/storage', program, STORAGE.encode()))
    entries += [cpio.Entry(f'lib/modules/{name}.ko', program, data) for name, data in modules.items()]
    return entries


def build(out, work):
    """The disk: GRUB, kernel and initramfs on one ext4 partition."""
    tree = work / 'tree'
    (tree / 'boot' / 'grub').mkdir(parents=True)
    with _kernel_package(work) as package:
        kernel = next(name for name in package.getnames() if '/boot/vmlinuz-' in name)
        (tree / 'linux').write_bytes(package.extractfile(kernel).read())
        (tree / 'initrd').write_bytes(cpio.write(_entries(package)))
    run('gzip', '-9n', '-S', '.gz', tree / 'initrd')
    (tree / 'boot' / 'grub' / 'grub.cfg').write_text(GRUB_SERIAL + '''
set timeout=0
menuentry "Small Linux" {
    linux /linux console=ttyS0,115200 panic=-1
    initrd /initrd.gz
}
''', encoding='utf-8')
    make_grub_disk(out, tree, SIZE_MIB, UUID, work)
