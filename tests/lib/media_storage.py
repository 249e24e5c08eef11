# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux disk for tests of storage controllers: Debian's kernel with its own drivers for each of them,
# and programs that work on the second disk and on the tray of an optical drive when they are told to.
"""The small Linux guest with storage drivers."""

from pathlib import Path

import media_kernel
from media_iso import run

# What the guest loads; modules that these need come before them.
MODULES = ('crc32c_generic', 'crct10dif_generic', 'crc64_rocksoft_generic', 'sd_mod', 'sr_mod', 'ahci', 'ata_piix',
           'nvme', 'virtio_pci', 'virtio_blk', 'virtio_scsi', 'mptspi', 'mptsas', 'ext4', 'isofs')
UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000003'
PROGRAMS = ('disk-work', 'disc-tray')

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


def build(out, work):
    """The disk."""
    programs = {'storage': STORAGE.encode()}
    for name in PROGRAMS:
        source = Path(__file__).resolve().parent / f'{name}.c'
        run('gcc', '-D_GNU_SOURCE', '-O2', '-static', '-s', '-pthread', source, '-o', work / name)
        programs[name] = (work / name).read_bytes()
    media_kernel.build(out, work, UUID, MODULES, ('umount', 'rm', 'blockdev', 'readlink'), programs)
