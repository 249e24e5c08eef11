#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
# needs: gir1.2-glib-2.0 python3-gi seabios
#
# The host has an optical drive and a disk (tests/lib/drive-mock.c). A machine boots the disc in the drive; afterwards
# the drive is taken from it and given back while it runs. Then the drive is unplugged: the machine's is empty, and it
# starts all the same.
"""Optical drives of the host: listed, checked, booted from, missing."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / 'lib'))
from client import run, until  # noqa: E402
from drive_host import SECTOR, Host  # noqa: E402
from test_manage import call, said  # noqa: E402


def bootable_disc(letter):
    """A disc (El Torito, no emulation) whose code writes a letter to COM1 and stops."""
    code = bytes([0xba, 0xf8, 0x03, 0xb0, ord(letter), 0xee, 0xfa, 0xf4, 0xeb, 0xfd])
    entry = bytes([0x88, 0, 0, 0, 0, 0]) + struct.pack('<HI', 4, 20)
    validation = bytearray(32)
    validation[0], validation[30:] = 1, b'\x55\xaa'
    words = struct.unpack('<16H', validation)
    struct.pack_into('<H', validation, 28, -sum(words) & 0xffff)
    sectors = {
        16: b'\x01CD001\x01',
        17: b'\0CD001\x01EL TORITO SPECIFICATION'.ljust(0x47, b'\0') + struct.pack('<I', 19),
        18: b'\xffCD001\x01',
        19: bytes(validation) + entry,
        20: code,
    }
    return b''.join(sectors.get(i, b'').ljust(SECTOR, b'\0') for i in range(24))


def make(world):
    call('createvm', '--name', 'm', '--register', '--default', '--ostype', 'Other')
    call('storagectl', 'm', '--name', 'IDE', '--remove')
    call('storagectl', 'm', '--name', 'SATA', '--add', 'sata', '--portcount', 2)
    call('storagectl', 'm', '--name', 'IDE', '--add', 'ide')
    call('modifyvm', 'm', '--uart1', '0x3F8', '4', '--uartmode1', 'file', world.root / 'serial', '--nic1', 'none')


def attach(*words, controller='SATA', port=1):
    return ('storageattach', 'm', '--storagectl', controller, '--port', port, '--device', 0, *words)


def text_of(path):
    return path.read_text(encoding='utf-8', errors='replace') if path.exists() else ''


def start(world, client, said_by, wanted):
    """Starts it and waits until the guest or the log has said something; the log."""
    files = {'guest': world.root / 'serial', 'log': Path(client.find_machine('m').get_log_folder()) / 'VBox.log'}
    for path in files.values():
        path.unlink(missing_ok=True)
    call('startvm', 'm', '--type', 'headless')
    until(lambda: wanted in text_of(files[said_by]), wanted, 90)
    return text_of(files['log'])


def refusals(world):
    out, _ = call('list', 'hostdvds')
    assert '/dev/sr0' in out and 'sda' not in out and 'UUID:' in out, out
    assert 'MOCK RECORDER (sr0)' in call('list', '--long', 'hostdvds')[0]
    assert call('list', 'hostfloppies')[0] == ''
    disc = ('--type', 'dvddrive', '--medium')
    said('a disk or another device', *attach(*disc, 'host:/dev/sda'))
    said('is a file', *attach(*disc, f'host:{world.root}/host/log'))
    said('is a folder', *attach(*disc, 'host:/'))
    said('is not there', *attach(*disc, 'host:/dev/sr7'))
    call('storagectl', 'm', '--name', 'Floppy', '--add', 'floppy')
    said('another kind', *attach('--type', 'fdd', '--medium', 'host:/dev/sr0', controller='Floppy', port=0))
    said('does not pass', *attach(*disc, 'host:/dev/sr0', '--passthrough', 'on', controller='IDE'))


def host_drive(world):
    with Host(world.root / 'host', bootable_disc('D')) as host:
        client = world.client()
        make(world)
        until(lambda: client.find_machine('m'), 'the client knows it')
        refusals(world)
        call(*attach('--type', 'dvddrive', '--medium', 'host:/dev/sr0', '--passthrough', 'on'))
        assert '/dev/sr0' in call('showvminfo', 'm')[0]
        start(world, client, 'guest', 'D')
        call(*attach('--medium', 'emptydrive', '--forceunmount'))
        assert 'sr0' not in call('showvminfo', 'm')[0]
        said('a disk or another device', *attach('--medium', 'host:/dev/sda'))
        call(*attach('--medium', 'host:/dev/sr0'))
        assert '/dev/sr0' in call('showvminfo', 'm')[0]
        call('controlvm', 'm', 'poweroff')
        assert not host.asked('eject')
        (host.root / 'dev/sr0').unlink()
        log = start(world, client, 'log', 'is empty.')
        assert 'The drive at port 1, device 0 of “SATA” is empty.' in log and '/dev/sr0' in log, log[-2000:]
        call('controlvm', 'm', 'poweroff')
        assert '/dev/sr0' in call('showvminfo', 'm')[0], 'the settings have changed'


if __name__ == '__main__':
    run(host_drive)
