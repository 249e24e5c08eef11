#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
# needs: gir1.2-glib-2.0 python3-gi
#
# vitrine-manage as scripts use it: every command, what it prints, its exit codes, what it says when
# it was written wrongly. The service and the machines are real.
"""The command line."""

import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, run  # noqa: E402

PROGRAM = BUILD / 'app/manage/vitrine-manage'
UUID = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
DONE, FAILED, SYNTAX = 0, 1, 2


def call(*words, expect=DONE, program=PROGRAM, cwd=None):
    """Runs it; returns what it prints and what it says, checks the exit code."""
    result = subprocess.run([str(program), *(str(word) for word in words)], capture_output=True,
                            text=True, stdin=subprocess.DEVNULL, timeout=60, check=False, cwd=cwd)
    assert result.returncode == expect, \
        f'{words}: exit code {result.returncode}\n{result.stdout}{result.stderr}'
    if expect != DONE:
        assert re.match(r'(vitrine-manage|VBoxManage): error: \S', result.stderr), result.stderr
    return result.stdout, result.stderr


def said(text, *words, expect=FAILED):
    """It fails with this in its message."""
    _, errors = call(*words, expect=expect)
    assert text.lower() in errors.lower(), f'{words}: {errors}'


def info(name):
    """The machine-readable lines, as a dictionary; each line must be one key and one value."""
    out, _ = call('showvminfo', name, '--machinereadable')
    pairs = {}
    for line in out.splitlines():
        match = re.fullmatch(r'("?[^"=]+"?)=("(?:[^"\\]|\\.)*"|-?\d+)', line)
        assert match, f'not a line of machine-readable output: {line!r}'
        key = match.group(1).strip('"')
        assert key not in pairs, f'{key} twice'
        pairs[key] = re.sub(r'\\(.)', r'\1', match.group(2)[1:-1]) \
            if match.group(2)[0] == '"' else int(match.group(2))
    return pairs


def make(name, *words):
    """A registered machine."""
    out, _ = call('createvm', '--name', name, '--register', *words)
    return re.search(f'^UUID: ({UUID})$', out, re.M).group(1)


def speaks_for_itself(world):
    out, _ = call('--version')
    assert re.fullmatch(r'\d+\.\d+\.\d+r\d+\n', out), out
    assert not world.services(), 'a version needs no service'
    link = world.root / 'VBoxManage'
    link.symlink_to(PROGRAM)
    out, _ = call('--version', program=link)
    assert re.match(r'7\.0\.\d+_\w', out), out
    _, errors = call('showvminfo', 'none', program=link, expect=FAILED)
    assert errors.startswith('VBoxManage: error: Could not find a registered machine named'), errors
    assert 'VBOX_E_OBJECT_NOT_FOUND' in errors
    overview, _ = call('--help')
    commands = set(re.findall(r'^  vitrine-manage (\w+) ', overview, re.M)) - {'help'}
    assert {'list', 'createvm', 'controlvm', 'unregistervm', 'debugvm'} <= commands
    for command in commands:
        for words in (('help', command), (command, '--help')):
            out, _ = call(*words)
            assert f'vitrine-manage {command}' in out and out.count('\n') > 3, out
    code = subprocess.run([str(PROGRAM)], capture_output=True, check=False).returncode
    assert code == SYNTAX
    with open('/dev/full', 'w', encoding='ascii') as full:
        code = subprocess.run([str(PROGRAM), 'help'], stdout=full, stderr=subprocess.DEVNULL,
                              check=False).returncode
    assert code == FAILED, 'output was lost and nobody was told'


def says_what_was_written_wrongly(_world):
    make('wrong')
    for words in (('nonsense',), ('help', 'nonsense'), ('createvm',), ('createvm', '--name'),
                  ('createvm', '--name', 'x', 'y'), ('createvm', '--name=x', '--register=1'),
                  ('list',), ('list', 'cats'), ('list', 'vms', 'hdds'), ('showvminfo',),
                  ('modifyvm',), ('modifyvm', 'wrong'), ('modifyvm', 'wrong', '--memory'),
                  ('modifyvm', 'wrong', '--memory', 'much'), ('modifyvm', 'wrong', '--acpi', 'maybe'),
                  ('modifyvm', 'wrong', '--boot1', 'tape'), ('modifyvm', 'wrong', '--boot5', 'dvd'),
                  ('modifyvm', 'wrong', '--uart1', '0x3f8'), ('modifyvm', 'wrong', '--uart5', 'off'),
                  ('modifyvm', 'wrong', '--uart1', '0x3f8', '16'),
                  ('modifyvm', 'wrong', '--uartmode1', 'server'),
                  ('modifyvm', 'wrong', '--unknown', '1'), ('storagectl', 'wrong'),
                  ('storagectl', 'wrong', '--name', 'A', '--add', 'tape'),
                  ('storageattach', 'wrong'), ('createmedium', 'disk', '--filename', '/tmp/x'),
                  ('createmedium', '--size', '1'), ('createmedium', 'tape', '--size', '1'),
                  ('createmedium', '--filename', '/x', '--size', '1', '--variant', 'Thick'),
                  ('startvm',), ('startvm', 'wrong', '--type', 'tv'), ('controlvm',),
                  ('controlvm', 'wrong'), ('controlvm', 'wrong', 'fly'), ('setproperty', 'x', 'y'),
                  ('setproperty', 'machinefolder'), ('setproperty', 'loghistorycount', 'three'),
                  ('getextradata', 'global'), ('setextradata', 'global'),
                  ('setextradata', 'global', 'a', 'b', 'c'), ('debugvm', 'wrong', 'stare', 'x'),
                  ('registervm',), ('unregistervm',), ('closemedium',), ('showmediuminfo',)):
        call(*words, expect=SYNTAX)
    _, errors = call('modifyvm', 'wrong', '--boot1', 'tape', expect=SYNTAX)
    assert 'floppy' in errors and 'Usage - ' in errors, errors
    for name in ('modifyvm', 'startvm', 'unregistervm', 'showvminfo'):
        words = ('--memory', '64') if name == 'modifyvm' else ()
        said('could not find', name, 'nobody', *words)
    result = subprocess.run([bytes(PROGRAM), b'showvminfo', b'\xff'], capture_output=True, check=False)
    assert result.returncode == SYNTAX and b'UTF-8' in result.stderr


def machines_come_and_go(world):
    base = world.root / 'other'
    out, _ = call('createvm', '--name', 'one', '--ostype', 'Debian_64', '--basefolder', base,
                  '--groups', '/Work', '--uuid', '11111111-2222-3333-4444-555555555555')
    assert out.startswith("Virtual machine 'one' is created.\n"), out
    file = re.search(r"^Settings file: '(.*)'$", out, re.M).group(1)
    assert file.startswith(str(base)) and Path(file).exists()
    assert call('list', 'vms')[0] == ''
    call('registervm', Path(file).name, cwd=Path(file).parent)
    assert call('list', 'vms')[0] == '"one" {11111111-2222-3333-4444-555555555555}\n'
    found = info('one')
    assert found['ostype'] == 'Debian (64-bit)' and found['groups'] == '/Work'
    assert found['CfgFile'] == file and found['UUID'] == '11111111-2222-3333-4444-555555555555'
    assert info('{11111111-2222-3333-4444-555555555555}') == found
    out, _ = call('createvm', '--name', 'Ä "b" \\', '--register', expect=FAILED)
    second = make('a "Zwölf"', '--default', '--ostype', 'Debian (64-bit)')
    assert info(second)['name'] == 'a "Zwölf"'
    assert info(second)['storagecontrollername0'] == 'IDE'
    assert info(second)['IDE-1-0'] == 'emptydrive'
    assert call('list', '--sorted', 'vms')[0].splitlines()[0].startswith('"a "Zw')
    said('already', 'createvm', '--name', 'one', '--basefolder', base)
    said('invalid', 'createvm', '--name', 'other', '--ostype', 'Plan10')
    out, _ = call('list', '-l', 'vms')
    assert 'Name:' in out and 'Memory size:' in out and 'powered off (since ' in out
    call('unregistervm', 'one')
    assert Path(file).exists()
    call('unregistervm', second, '--delete')
    assert not list((world.home / 'VirtualBox VMs').glob('*')), 'files were left'


def settings_change_all_or_nothing(world):
    make('set')
    call('modifyvm', 'set', '--memory', '64', '--vram=16', '--ostype=Debian_64', '--cpus', '1',
         '--ioapic', 'on', '--acpi=off', '--pae', 'off', '--hpet', 'on', '--usb-xhci', 'on', '--x2apic', 'on',
         '--boot1', 'disk', '--boot2', 'net', '--boot3', 'none', '--boot4', 'floppy', '--firmware',
         'bios', '--rtc-use-utc', 'on', '--description', 'a "quoted"\\ text', '--exec-engine', 'iem',
         '--snapshotfolder', 'Sn', '--groups', '/A,/B', '--bios-boot-menu', 'disabled',
         '-uart1', '0x3F8', '4', '--uartmode1', 'tcpserver', '4555', '--uart-type1', '16450',
         '--uart2', '0x2F8', '3', '--uart-mode-2', 'file', 'log', '--lpt1', '0x378', '7',
         '--lptmode1', '/dev/null', '--paravirtprovider', 'minimal', cwd=world.root)
    found = info('set')
    expected = {'memory': 64, 'vram': 16, 'ostype': 'Debian (64-bit)', 'cpus': 1, 'ioapic': 'on',
                'acpi': 'off', 'pae': 'off', 'hpet': 'on', 'xhci': 'on', 'x2apic': 'on', 'boot1': 'disk',
                'boot2': 'net', 'boot3': 'none', 'boot4': 'floppy', 'firmware': 'BIOS',
                'rtcuseutc': 'on', 'description': 'a "quoted"\\ text', 'exec-engine': 'iem',
                'groups': '/A,/B', 'bootmenu': 'disabled', 'uart1': '0x03f8,4',
                'uartmode1': 'tcpserver,4555', 'uarttype1': '16450', 'uart2': '0x02f8,3',
                'uartmode2': f'file,{world.root}/log', 'uart3': 'off', 'lpt1': '0x0378,7',
                'lptmode1': '/dev/null', 'paravirtprovider': 'minimal', 'VMState': 'poweroff'}
    for key, value in expected.items():
        assert found[key] == value, f'{key}: {found[key]!r}'
    assert found['SnapFldr'].endswith('/set/Sn')
    for words in (('--memory', '1'), ('--cpus', '9'), ('--firmware', 'efi'), ('--chipset', 'ich9'),
                  ('--exec-engine', 'raw'), ('--name', 'a/b'), ('--uart2', '0x3F8', '4')):
        call('modifyvm', 'set', '--vram', '32', *words, expect=FAILED)
        assert info('set') == found, f'{words} was refused, but something changed'
    call('modifyvm', 'set', '--uart1', 'off', '--uartmode2', 'disconnected', '--name', 'renamed')
    found = info('renamed')
    assert found['uart1'] == 'off' and found['uartmode2'] == 'disconnected'
    out, _ = call('showvminfo', 'renamed')
    for line in ('Name: +renamed', 'Memory size: +64MB', 'ACPI: +disabled', 'Storage Controllers: <none>'):
        assert re.search(f'^{line}$', out, re.M), f'{line}\n{out}'


def controllers_and_drives(world):
    make('box')
    image = world.root / 'cd.iso'
    image.write_bytes(bytes(16 * 2048) + b'\x01CD001\x01' + bytes(2041) + b'\xffCD001\x01' + bytes(2041))
    call('storagectl', 'box', '--name', 'IDE', '--add', 'ide')
    assert info('box')['storagecontrollertype0'] == 'PIIX4'
    call('storagectl', 'box', '--name', 'Floppy', '--add', 'floppy', '--bootable', 'off')
    call('storagectl', 'box', '--name', 'IDE', '--controller', 'PIIX3', '--hostiocache', 'off')
    found = info('box')
    assert found['storagecontrollertype0'] == 'PIIX3' and found['storagecontrollerportcount0'] == '2'
    assert found['storagecontrollername1'] == 'Floppy' and found['storagecontrollerbootable1'] == 'off'
    said('already exists', 'storagectl', 'box', '--name', 'IDE', '--add', 'ide')
    said('this version', 'storagectl', 'box', '--name', 'S', '--add', 'scsi', '--controller', 'BusLogic')
    said('does not fit', 'storagectl', 'box', '--name', 'IDE', '--controller', 'I82078')
    for name, bus, word, kind, ports in (('SATA', 'sata', 'IntelAhci', 'IntelAhci', '30'), ('NVMe', 'pcie', 'NVMe', 'NVMe', '1'),
                                         ('Blocks', 'virtio', 'VirtioBlk', 'VirtioSCSI', '1')):
        call('storagectl', 'box', '--name', name, '--add', bus, '--controller', word)
        found = info('box')
        number = next(key[-1] for key, value in found.items() if key.startswith('storagecontrollername') and value == name)
        assert found[f'storagecontrollertype{number}'] == kind, found
        assert found[f'storagecontrollerportcount{number}'] == ports, found
    assert 'virtio-blk' in call('getextradata', 'box', 'Vitrine/Storage/Blocks/Model')[0]
    call('storagectl', 'box', '--name', 'Blocks', '--controller', 'VirtioSCSI')
    assert 'virtio-blk' not in call('getextradata', 'box', 'Vitrine/Storage/Blocks/Model')[0]
    for name in ('SATA', 'NVMe', 'Blocks'):
        call('storagectl', 'box', '--name', name, '--remove')
    said('could not find', 'storagectl', 'box', '--name', 'None', '--remove')

    out, errors = call('createmedium', 'disk', '--filename', 'disk', '--size', '5', cwd=world.root)
    disk = re.fullmatch(f'Medium created. UUID: ({UUID})\n', out).group(1)
    assert errors == '0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%\n', errors
    attach = ('storageattach', 'box', '--storagectl', 'IDE')
    call(*attach, '--port', 0, '--device', 0, '--type', 'hdd', '--medium', world.root / 'disk.vdi',
         '--nonrotational', 'on')
    call(*attach, '--port', 1, '--device', 0, '--type=dvddrive', '--medium', 'cd.iso', '--tempeject',
         'on', cwd=world.root)
    call(*attach, '--port', 1, '--device', 1, '--type', 'dvddrive', '--medium', 'emptydrive')
    call('storageattach', 'box', '--storagectl', 'Floppy', '--device', 0, '--type', 'fdd', '--medium',
         'emptydrive')
    found = info('box')
    assert found['IDE-0-0'] == str(world.root / 'disk.vdi') and found['IDE-ImageUUID-0-0'] == disk
    assert found['IDE-nonrotational-0-0'] == 'on' and found['IDE-0-1'] == 'none'
    assert found['IDE-1-0'] == str(image) and found['IDE-tempeject-1-0'] == 'on'
    assert found['IDE-1-1'] == 'emptydrive' and found['Floppy-0-0'] == 'emptydrive'
    said('port not', *attach, '--device', 0, '--medium', 'none', expect=SYNTAX)
    said('what drive', *attach, '--port', 0, '--device', 1, '--medium', '/none', expect=SYNTAX)
    said('does not pass', *attach, '--port', 1, '--device', 1, '--passthrough', 'on')
    said('no port 2', *attach, '--port', 2, '--device', 0, '--type', 'hdd', '--medium', disk)
    said('needs a medium', *attach, '--port', 0, '--device', 1, '--type', 'hdd', '--medium', 'emptydrive')
    call(*attach, '--port', 0, '--device', 1, '--type', 'hdd', '--medium', world.root / 'no', expect=FAILED)
    said('twice', *attach, '--port', 0, '--device', 1, '--type', 'hdd', '--medium', disk)
    call(*attach, '--port', 1, '--device', 0, '--medium', 'emptydrive')
    call(*attach, '--port', 1, '--device', 1, '--medium', 'none')
    said('no storage device', *attach, '--port', 1, '--device', 1, '--medium', 'none')
    call('storagectl', 'box', '--name', 'IDE', '--rename', 'Disks')
    found = info('box')
    assert found['Disks-1-0'] == 'emptydrive' and found['Disks-1-1'] == 'none'
    out, _ = call('showvminfo', 'box')
    assert f'  Port 0, Unit 0: UUID: {disk}\n    Location: "{world.root}/disk.vdi"\n' in out, out
    call('storagectl', 'box', '--name', 'Disks', '--remove')
    assert info('box')['storagecontrollername0'] == 'Floppy'


def media_are_known_and_forgotten(world):
    call('createmedium', '--filename', world.root / 'a.vdi', '--size', 4, '--variant', 'Fixed')
    call('createhd', '--filename', world.root / 'b.img', '--sizebyte', 1048576, '--format', 'RAW')
    assert (world.root / 'b.img').stat().st_size == 1048576
    call('createmedium', '--filename', world.root / 'a.vdi', '--size', 4, expect=FAILED)
    call('createmedium', '--filename', '/proc/at/all.vdi', '--size', 4, expect=FAILED)
    call('createmedium', '--filename', world.root / 'c', '--size', 4, '--format', 'VHDX', expect=FAILED)
    call('createmedium', 'dvd', '--filename', world.root / 'c', '--size', 4, expect=FAILED)
    call('createmedium', 'floppy', '--filename', world.root / 'f.img', '--sizebyte', 1474560)
    assert (world.root / 'f.img').stat().st_size == 1474560
    assert f'Location:       {world.root}/f.img\n' in call('list', 'floppies')[0]
    call('closemedium', 'floppy', world.root / 'f.img', '--delete')
    out, _ = call('list', 'hdds', '--sorted')
    assert re.findall(r'^Location: +(.*)$', out, re.M) == [str(world.root / n) for n in ('a.vdi', 'b.img')]
    assert out.count('Parent UUID:    base\n') == 2 and 'Storage format: RAW' in out
    out, _ = call('showmediuminfo', 'disk', world.root / 'a.vdi')
    for line in ('State: +created', r'Type: +normal \(base\)', 'Format variant: fixed default',
                 'Capacity: +4 MBytes', r'Size on disk: +\d+ MBytes'):
        assert re.search(f'^{line}$', out, re.M), f'{line}\n{out}'
    make('user')
    call('storagectl', 'user', '--name', 'IDE', '--add', 'ide')
    call('storageattach', 'user', '--storagectl', 'IDE', '--port', 0, '--device', 0, '--type', 'hdd',
         '--medium', world.root / 'a.vdi')
    assert re.search(rf'^In use by VMs: +user \(UUID: {UUID}\)$',
                     call('showhdinfo', world.root / 'a.vdi')[0], re.M)
    call('closemedium', 'disk', world.root / 'a.vdi', expect=FAILED)
    call('closemedium', 'disk', world.root / 'b.img', '--delete')
    assert not (world.root / 'b.img').exists()
    loose = world.root / 'loose.img'
    loose.write_bytes(bytes(1474560))
    assert str(loose) in call('showmediuminfo', 'floppy', loose)[0]
    assert call('list', 'floppies')[0] == '', 'a look made it known'
    said('', 'showmediuminfo', 'disk', world.root / 'none.vdi')
    assert call('list', 'dvds')[0] == ''


def interrupted(world):
    """Ctrl+C takes back what was made so far."""
    space = os.statvfs(world.root)
    size = min(8192, space.f_bavail * space.f_frsize // 2**20 // 2)
    process = subprocess.Popen([str(PROGRAM), 'createmedium', '--filename', str(world.root / 'big'),
                                '--size', str(size), '--variant', 'Fixed'], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr.read(5) == '0%...'
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == FAILED and 'error: ' in errors, errors
    assert not (world.root / 'big.vdi').exists()
    assert call('list', 'hdds')[0] == ''


def defaults_and_extra_data(world):
    call('setproperty', 'machinefolder', 'Machines', cwd=world.root)
    call('setproperty', 'loghistorycount', 5)
    call('setproperty', 'hwvirtexclusive', 'off')
    out, _ = call('list', 'systemproperties')
    for line in (f'Default machine folder: +{world.root}/Machines', 'Log history count: +5',
                 'Exclusive HW virtualization use: +off', 'Minimum guest RAM size: +4 Megabytes',
                 'Maximum PIIX3 IDE Controllers: +1', 'Maximum ICH9 IDE Controllers: +0',
                 'Maximum PIIX3 SATA Controllers: +1', 'Maximum PIIX3 SCSI Controllers: +1', 'Maximum SAS PIIX3 Controllers: +1', 'Maximum IDE Port count: +2', 'Default hard disk format: +VDI'):
        assert re.search(f'^{line}$', out, re.M), f'{line}\n{out}'
    make('here')
    assert info('here')['CfgFile'].startswith(f'{world.root}/Machines/')
    call('setproperty', 'machinefolder', 'default')
    assert f'{world.home}/VirtualBox VMs' in call('list', 'systemproperties')[0]
    for name in ('global', 'here'):
        assert call('getextradata', name, 'Test/Key')[0] == 'No value set!\n'
        call('setextradata', name, 'Test/Key', 'ein Wert')
        call('setextradata', name, 'Test/Other', '2')
        assert call('getextradata', name, 'Test/Key')[0] == 'Value: ein Wert\n'
        assert 'Key: Test/Key, Value: ein Wert\nKey: Test/Other, Value: 2\n' in \
            call('getextradata', name, 'enumerate')[0]
        call('setextradata', name, 'Test/Key')
        assert call('getextradata', name, 'Test/Key')[0] == 'No value set!\n'
    out, _ = call('list', 'ostypes')
    assert re.search('^ID: +Debian_64\nDescription: Debian .64-bit.\nFamily ID: +Linux\n'
                     'Family Desc: Linux\n64 bit: +true\n$', out, re.M), out


def wait_text(name, text):
    """The guest shows this text."""
    end = time.monotonic() + 30
    while text not in (out := call('debugvm', name, 'info', 'screen-text')[0]):
        assert time.monotonic() < end, f'no {text!r} on the screen:\n{out}'
        time.sleep(0.3)


def machines_run(world):
    for name in ('box', 'other'):
        make(name)
        call('modifyvm', name, '--memory', 32)
        call('storagectl', name, '--name', 'IDE', '--add', 'ide')
        call('storageattach', name, '--storagectl', 'IDE', '--port', 1, '--device', 0, '--type',
             'dvddrive', '--medium', 'emptydrive')
    said('not currently running', 'controlvm', 'box', 'pause')
    said('use gui, headless or separate', 'startvm', 'box', '--type', 'sdl')
    said('no display', 'startvm', 'box', '--type', 'separate')
    said('no display', 'startvm', 'box', '--type', 'gui')
    assert info('box')['VMState'] == 'poweroff'
    out, _ = call('startvm', 'box', 'other', '--type', 'headless', '--putenv', 'VITRINE_TEST=yes')
    assert out.count('Waiting for VM "') == 2 and 'VM "box" has been successfully started.' in out, out
    environments = [Path(f'/proc/{pid}/environ').read_bytes() for pid in world.processes('vitrine-headless')]
    assert len(environments) == 2 and all(b'\0VITRINE_TEST=yes\0' in text for text in environments)
    assert len(call('list', 'runningvms')[0].splitlines()) == 2
    assert info('box')['VMState'] == 'running'
    call('startvm', 'box', '--type', 'headless', expect=FAILED)
    call('modifyvm', 'box', '--memory', 64, expect=FAILED)
    call('unregistervm', 'box', expect=FAILED)
    wait_text('box', 'SeaBIOS')
    for item in ('devices', 'registers', 'statistics'):
        assert len(call('debugvm', 'box', 'info', item)[0]) > 50
        assert item in call('debugvm', 'box', 'info')[0].split()
    numbers = dict(line.split(': ', 1) for line in call('debugvm', 'box', 'statistics')[0].splitlines())
    engine = numbers['cpu0.engine']
    assert numbers['engine'] == engine and int(numbers[f'cpu0.{engine}-time-ns']) > 0, numbers
    assert int(numbers['cpu0.em-time-ns']) >= int(numbers[f'cpu0.{engine}-time-ns']) // 2, numbers
    assert f'engine="{engine.upper()}"' in call('showvminfo', 'box', '--machinereadable')[0]
    call('debugvm', 'box', 'info', 'nothing-of-this-name', expect=FAILED)

    picture = world.root / 'screen.png'
    call('controlvm', 'box', 'screenshotpng', 'screen.png', cwd=world.root)
    data = picture.read_bytes()
    assert data[:8] == b'\x89PNG\r\n\x1a\n' and struct.unpack('>II', data[16:24]) >= (640, 350)
    call('controlvm', 'box', 'screenshotpng', '/nowhere/screen.png', expect=FAILED)
    call('controlvm', 'box', 'screenshotpng', picture, '7', expect=FAILED)

    call('controlvm', 'box', 'pause')
    assert info('box')['VMState'] == 'paused'
    call('controlvm', 'box', 'resume')
    assert info('box')['VMState'] == 'running'
    call('controlvm', 'box', 'keyboardputscancode', '1c', '9c', 'e0 48 e0 c8')
    call('controlvm', 'box', 'keyboardputscancode', '1g', expect=SYNTAX)
    call('controlvm', 'box', 'keyboardputscancode', expect=SYNTAX)
    call('controlvm', 'box', 'keyboardputstring', 'Text 1', '#2')
    call('controlvm', 'box', 'keyboardputstring', '\u20ac', expect=FAILED)
    text = world.root / 'text'
    text.write_text('typed\n', encoding='ascii')
    call('controlvm', 'box', 'keyboardputfile', text)
    call('controlvm', 'box', 'keyboardputfile', world.root / 'none', expect=FAILED)
    for button in ('acpipowerbutton', 'acpisleepbutton'):
        said('does not listen', 'controlvm', 'box', button)  # firmware has not switched ACPI on
    call('controlvm', 'box', 'reset')
    call('controlvm', 'box', 'pause', 'now', expect=SYNTAX)

    image = world.root / 'cd.iso'
    image.write_bytes(bytes(16 * 2048) + b'\x01CD001\x01' + bytes(2041) + b'\xffCD001\x01' + bytes(2041))
    drive = ('storageattach', 'box', '--storagectl', 'IDE', '--port', 1, '--device', 0, '--medium')
    call(*drive, image)
    assert info('box')['IDE-1-0'] == str(image)
    call(*drive, 'emptydrive', '--forceunmount')
    assert info('box')['IDE-1-0'] == 'emptydrive'

    _, errors = call('controlvm', 'box', 'poweroff')
    assert errors.endswith('100%\n'), errors
    assert info('box')['VMState'] == 'poweroff'
    call('unregistervm', 'box', '--delete')
    call('startvm', 'other', '--type', 'emergencystop')
    assert info('other')['VMState'] == 'aborted'


if __name__ == '__main__':
    run(speaks_for_itself, says_what_was_written_wrongly, machines_come_and_go,
        settings_change_all_or_nothing, controllers_and_drives, media_are_known_and_forgotten,
        interrupted, defaults_and_extra_data, machines_run)
