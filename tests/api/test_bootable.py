#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: gir1.2-glib-2.0 python3-gi seabios
#
# Controllers whose drives firmware leaves alone (storagectl --bootable off): each bus that SeaBIOS knows has a disk
# that says its name on the serial line, beside an IDE disk that says another one. The short run takes one pair.
"""storagectl --bootable, with SeaBIOS."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import run, until  # noqa: E402
from test_manage import call  # noqa: E402

LONG = bool(os.environ.get('VITRINE_LONG'))
# Name, bus, chip, port.
BUSES = [('sata', 'sata', 'IntelAhci', 3), ('scsi', 'scsi', 'LSILogic', 2), ('sas', 'sas', 'LSILogicSAS', 0),
         ('nvme', 'pcie', 'NVMe', 0), ('virtio-scsi', 'virtio', 'VirtioSCSI', 0), ('virtio-blk', 'virtio', 'VirtioBlk', 0)]
# SeaBIOS logs this when it gives drives their numbers, right before it boots the first.
MAPPED = 'translation='
MOMENT = 3


def disk(world, letter):
    """An image whose boot sector writes a letter to COM1 and stops."""
    path = world.root / f'{letter}.img'
    code = bytes([0xba, 0xf8, 0x03, 0xb0, ord(letter), 0xee, 0xfa, 0xf4, 0xeb, 0xfd])
    path.write_bytes(code.ljust(510, b'\0') + b'\x55\xaa' + bytes((1 << 20) - 512))
    return path


def make(world, name, bus, chip, port):
    """A machine with a disk I at its IDE controller and a disk O at the other one."""
    serial = world.root / 'serial'
    call('createvm', '--name', name, '--register', '--default', '--ostype', 'Other')
    call('storagectl', name, '--name', 'IDE', '--remove')
    call('storagectl', name, '--name', 'IDE', '--add', 'ide')
    call('storagectl', name, '--name', 'Other', '--add', bus, '--controller', chip)
    call('modifyvm', name, '--uart1', '0x3F8', '4', '--uartmode1', 'file', serial, '--nic1', 'none')
    for controller, place, letter in (('IDE', (1, 1), 'I'), ('Other', (port, 0), 'O')):
        call('storageattach', name, '--storagectl', controller, '--port', place[0], '--device', place[1],
             '--type', 'hdd', '--medium', disk(world, letter))


def booted(world, client, name, ide, other):
    """The letter of the disk that was booted, or '' when firmware found none."""
    call('storagectl', name, '--name', 'IDE', '--bootable', 'on' if ide else 'off')
    call('storagectl', name, '--name', 'Other', '--bootable', 'on' if other else 'off')
    serial = world.root / 'serial'
    serial.unlink(missing_ok=True)
    call('startvm', name, '--type', 'headless')
    until(lambda: client.find_machine(name), 'the client knows it')
    log = Path(client.find_machine(name).get_log_folder()) / 'VBox.log'
    until(lambda: serial.read_text() or MAPPED in log.read_text(encoding='utf-8', errors='replace'), 'drives', 60)
    end = time.monotonic() + MOMENT
    until(lambda: serial.read_text() or time.monotonic() > end, 'an end')
    call('controlvm', name, 'poweroff')
    return serial.read_text()


def left_alone(world):
    client = world.client()
    for name, bus, chip, port in BUSES if LONG else BUSES[:1]:
        make(world, name, bus, chip, port)
        assert booted(world, client, name, ide=False, other=True) == 'O', name
        if LONG:
            assert booted(world, client, name, ide=True, other=False) == 'I', name
            assert booted(world, client, name, ide=True, other=True) in ('I', 'O'), name
            assert booted(world, client, name, ide=False, other=False) == '', name
        call('unregistervm', name, '--delete')
        print('ok', name, flush=True)


if __name__ == '__main__':
    run(left_alone)
