# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux disk for tests of USB: Debian's kernel with its drivers of controllers and devices.
"""The small Linux guest with USB drivers."""

import subprocess
from pathlib import Path

import media_kernel

MODULES = ('crc32c_generic', 'crct10dif_generic', 'sd_mod', 'sr_mod', 'ata_piix', 'ext4', 'isofs', 'evdev', 'xhci_pci',
           'ehci_pci', 'ohci_pci', 'hid_generic', 'usbhid', 'usb_storage')
SOURCE = Path(__file__).resolve().parent.parent / 'real' / 'usb-work.c'
UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000004'

# `usb`: what is plugged in where, and what the kernel has to say at the level of warnings and above.
USB = '''#!/bin/sh
for device in /sys/bus/usb/devices/*; do
    [ ! -e $device/idVendor ] || echo "usb: ${device##*/} $(cat $device/idVendor):$(cat $device/idProduct) $(cat $device/speed) $(cat $device/product)"
done
dmesg -r | grep '^<[0-4]>' | sed 's/^/usb: complaint: /'
echo "usb: done"
'''

# `events NAME BYTES`: as many bytes of the events of the input device that is called so, 24 for each, in base64.
# The kernel's messages stay off the line meanwhile, or they would be in the middle of it.
EVENTS = '''#!/bin/sh
dmesg -n 1
for input in /sys/class/input/event*; do
    [ "$(cat $input/device/name)" != "$1" ] || node=/dev/input/${input##*/}
done
echo "events: listening to $node"
dd if=$node bs=24 count=$2 2>/dev/null | base64
echo "events: done"
'''

# `storage`: waits for the USB drive of 16 MiB, copies its first half to its second, and tells what it has read.
STORAGE = '''#!/bin/sh
until [ "$node" ]; do
    for disk in /sys/block/sd*; do
        [ "$(cat $disk/size)" != 32768 ] || node=/dev/${disk##*/}
    done
    [ "$node" ] || sleep 1
done
echo "storage: on $node"
dd if=$node of=$node bs=128k count=64 seek=64 conv=notrunc,fsync 2>/dev/null || echo "storage: failed"
echo 3 > /proc/sys/vm/drop_caches
dd if=$node bs=100k count=80 2>/dev/null | md5sum | sed 's/^/storage: read /'
echo "storage: done"
'''


def build(out, work):
    """The disk."""
    program = work / 'usb-work'
    subprocess.run(['gcc', '-O2', '-Wall', '-Werror', '-static', '-s', '-o', program, SOURCE], check=True)
    media_kernel.build(out, work, UUID, MODULES, ('rmmod', 'umount', 'rm', 'base64', 'readlink', 'cmp'),
                       {'usb': USB.encode(), 'events': EVENTS.encode(), 'storage': STORAGE.encode(),
                        'usb-work': program.read_bytes()})
