#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: gir1.2-glib-2.0 python3-gi seabios
#
# The output of vitrine-manage, line by line: names, order and columns are those that VBoxManage 7.0
# prints and scripts read.
"""What the command line prints, to the letter."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import run  # noqa: E402
from test_manage import FAILED, SYNTAX, PROGRAM, call, info  # noqa: E402

MACHINE = '11111111-2222-3333-4444-555555555555'

LONG = f'''\
Name:                        box
Groups:                      /
Guest OS:                    Debian (64-bit)
UUID:                        {MACHINE}
Config file:                 @/box/box.vbox
Snapshot folder:             @/box/Snapshots
Log folder:                  @/box/Logs
Hardware UUID:               {MACHINE}
Memory size:                 64MB
Page Fusion:                 disabled
VRAM size:                   16MB
CPU exec cap:                100%
HPET:                        disabled
CPUProfile:                  host
Chipset:                     piix3
Firmware:                    BIOS
Number of CPUs:              1
PAE:                         enabled
Long Mode:                   enabled
Triple Fault Reset:          disabled
APIC:                        enabled
X2APIC:                      disabled
Nested VT-x/AMD-V:           disabled
Boot menu mode:              message and menu
Boot Device 1:               DVD
Boot Device 2:               HardDisk
Boot Device 3:               Network
Boot Device 4:               Not Assigned
ACPI:                        enabled
IOAPIC:                      enabled
Time offset:                 -3600000ms
RTC:                         local time
Hardware Virtualization:     enabled
Nested Paging:               enabled
Large Pages:                 disabled
VT-x VPID:                   enabled
Paravirt. Provider:          Default
Effective Paravirt. Prov.:   None
Exec engine:                 auto
State:                       powered off (since TIME)
Graphics Controller:         VBoxVGA
Monitor count:               1
3D Acceleration:             disabled
2D Video Acceleration:       disabled
Teleporter Enabled:          disabled
Autostart Enabled:           disabled
Default Frontend:            headless
Storage Controllers:
#0: 'IDE', Type: PIIX4, Instance: 0, Ports: 2 (max 2), Bootable
  Port 0, Unit 0: UUID: DISK
    Location: "@/box/disk.vdi"
  Port 1, Unit 0: Empty
#1: 'Drives "A"', Type: I82078, Instance: 0, Ports: 1 (max 1), Not bootable
NIC 1:                       disabled
NIC 2:                       disabled
NIC 3:                       disabled
NIC 4:                       disabled
NIC 5:                       disabled
NIC 6:                       disabled
NIC 7:                       disabled
NIC 8:                       disabled
Pointing Device:             PS/2 Mouse
Keyboard Device:             PS/2 Keyboard
UART 1:                      I/O base: 0x03f8, IRQ: 4, attached to pipe (server) '@/pipe', 16550A
UART 2:                      I/O base: 0x02f8, IRQ: 3, attached to raw file '@/log', 16450
UART 3:                      I/O base: 0x03e8, IRQ: 4, attached to tcp (client) 'localhost:1', 16750
UART 4:                      I/O base: 0x02e8, IRQ: 3, disconnected, 16550A
LPT 1:                       I/O base: 0x0378, IRQ: 7, attached to device '/dev/null'
LPT 2:                       disabled
Audio:                       disabled
Clipboard Mode:              disabled
Drag and drop Mode:          disabled
VRDE:                        disabled
OHCI USB:                    disabled
EHCI USB:                    disabled
xHCI USB:                    disabled

USB Device Filters:

<none>

Description:
Two "lines"
of text
'''

SCRIPT = f'''\
name="box"
groups="/"
ostype="Debian (64-bit)"
UUID="{MACHINE}"
CfgFile="@/box/box.vbox"
SnapFldr="@/box/Snapshots"
LogFldr="@/box/Logs"
hardwareuuid="{MACHINE}"
memory=64
pagefusion="off"
vram=16
cpuexecutioncap=100
hpet="off"
cpu-profile="host"
chipset="piix3"
firmware="BIOS"
cpus=1
pae="on"
longmode="on"
triplefaultreset="off"
apic="on"
x2apic="off"
nested-hw-virt="off"
bootmenu="messageandmenu"
boot1="dvd"
boot2="disk"
boot3="net"
boot4="none"
acpi="on"
ioapic="on"
biossystemtimeoffset=-3600000
rtcuseutc="off"
hwvirtex="on"
nestedpaging="on"
largepages="off"
vtxvpid="on"
paravirtprovider="default"
effparavirtprovider="none"
exec-engine="auto"
VMState="poweroff"
VMStateChangeTime="TIME"
graphicscontroller="vboxvga"
monitorcount=1
accelerate3d="off"
accelerate2dvideo="off"
teleporterenabled="off"
autostart-enabled="off"
defaultfrontend="headless"
storagecontrollername0="IDE"
storagecontrollertype0="PIIX4"
storagecontrollerinstance0="0"
storagecontrollermaxportcount0="2"
storagecontrollerportcount0="2"
storagecontrollerbootable0="on"
storagecontrollername1="Drives \\"A\\""
storagecontrollertype1="I82078"
storagecontrollerinstance1="0"
storagecontrollermaxportcount1="1"
storagecontrollerportcount1="1"
storagecontrollerbootable1="off"
"IDE-0-0"="@/box/disk.vdi"
"IDE-ImageUUID-0-0"="DISK"
"IDE-nonrotational-0-0"="off"
"IDE-discard-0-0"="off"
"IDE-0-1"="none"
"IDE-1-0"="emptydrive"
"IDE-IsEjected-1-0"="off"
"IDE-1-1"="none"
"Drives \\"A\\"-0-0"="none"
"Drives \\"A\\"-0-1"="none"
nic1="none"
nic2="none"
nic3="none"
nic4="none"
nic5="none"
nic6="none"
nic7="none"
nic8="none"
hidpointing="ps2mouse"
hidkeyboard="ps2kbd"
uart1="0x03f8,4"
uartmode1="server,@/pipe"
uarttype1="16550A"
uart2="0x02f8,3"
uartmode2="file,@/log"
uarttype2="16450"
uart3="0x03e8,4"
uartmode3="tcpclient,localhost:1"
uarttype3="16750"
uart4="0x02e8,3"
uartmode4="disconnected"
uarttype4="16550A"
lpt1="0x0378,7"
lptmode1="/dev/null"
lpt2="off"
audio="none"
clipboard="disabled"
draganddrop="disabled"
vrde="off"
usb="off"
ehci="off"
xhci="off"
description="Two \\"lines\\"
of text"
'''


def same(found, expected, base, disk=''):
    """Compares texts whose folders, times and disk are this run's."""
    found = re.sub(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}', 'TIME', found.replace(str(base), '@'))
    found = found.replace(disk, 'DISK') if disk else found
    for number, (left, right) in enumerate(zip(found.splitlines(), expected.splitlines()), 1):
        assert left == right, f'line {number}: {left!r} instead of {right!r}'
    assert found == expected, f'{found}\ninstead of\n{expected}'


def machine_in_full(world):
    base = world.root / 'vms'
    base.mkdir()
    out, errors = call('createvm', '--name=box', '--ostype=Debian_64', '--register', '--basefolder', base, '--uuid',
                       MACHINE)
    same(out, f"Virtual machine 'box' is created and registered.\nUUID: {MACHINE}\nSettings file: '@/box/box.vbox'\n",
         base)
    assert errors == ''
    out, errors = call('createmedium', 'disk', '--filename', base / 'box/disk.vdi', '--size=8')
    disk = re.fullmatch(r'Medium created. UUID: ([0-9a-f-]{36})\n', out).group(1)
    assert errors == '0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%\n', errors
    for words in (
            ('modifyvm', 'box', '--memory=64', '--vram', 16, '--ioapic=on', '--boot1', 'dvd', '--boot2=disk', '--boot3',
             'net', '--rtc-use-utc=off', '--biossystemtimeoffset', -3600000, '--default-frontend=headless',
             '--description', 'Two "lines"\nof text', '--uart1', '0x3F8', 4, '--uart-mode1', 'server', base / 'pipe',
             '--uart2', '0x2F8', 3, '--uartmode2', 'file', base / 'log', '--uarttype2', '16450', '--uart3', '0x3E8', 4,
             '--uartmode3', 'tcpclient', 'localhost:1', '--uart-type3=16750', '--uart4', '0x2E8', 3, '--lpt1', '0x378',
             7, '--lptmode1', '/dev/null'),
            ('storagectl', 'box', '--name', 'IDE', '--add', 'ide', '--controller', 'PIIX4', '--bootable', 'on'),
            ('storagectl', 'box', '--name', 'Drives "A"', '--add=floppy', '--bootable=off'),
            ('storageattach', 'box', '--storagectl', 'IDE', '--port', 0, '--device', 0, '--type', 'hdd', '--medium',
             base / 'box/disk.vdi'),
            ('storageattach', 'box', '--storagectl=IDE', '--port=1', '--device=0', '--type=dvddrive',
             '--medium=emptydrive')):
        assert call(*words) == ('', ''), words
    same(call('showvminfo', 'box')[0], LONG, base, disk)
    same(call('showvminfo', 'box', '--details')[0], LONG, base, disk)
    same(call('list', '--long', 'vms')[0], LONG + '\n', base, disk)
    same(call('showvminfo', 'box', '--machinereadable')[0], SCRIPT, base, disk)
    same(call('list', 'vms')[0], f'"box" {{{MACHINE}}}\n', base)

    brief = ('UUID:           DISK\nParent UUID:    base\nState:          created\nType:           normal (base)\n'
             'Location:       @/box/disk.vdi\nStorage format: VDI\n')
    users = f'In use by VMs:  box (UUID: {MACHINE})\n'
    size = -(-(base / 'box/disk.vdi').stat().st_blocks * 512 // 2**20)
    full = (f'{brief}Format variant: dynamic default\nCapacity:       8 MBytes\nSize on disk:   {size} MBytes\n'
            f'Encryption:     disabled\n{users}')
    same(call('list', 'hdds')[0], f'{brief}Capacity:       8 MBytes\nEncryption:     disabled\n\n', base, disk)
    same(call('list', '-l', 'hdds')[0], f'{full}\n', base, disk)
    same(call('showmediuminfo', 'disk', disk)[0], full, base, disk)
    same(call('showhdinfo', base / 'box/disk.vdi')[0], full, base, disk)

    call('modifyvm', 'box', '--snapshotfolder', 'Elsewhere')
    assert info_line('box', 'SnapFldr').endswith('/box/Elsewhere"')
    call('modifyvm', 'box', '--snapshotfolder', 'default', '--defaultfrontend', 'default')
    assert info_line('box', 'SnapFldr').endswith('/box/Snapshots"')
    assert info_line('box', 'defaultfrontend') == 'defaultfrontend=""'
    out, errors = call('unregistervm', 'box', '--delete')
    assert out == '' and errors.endswith('100%\n'), (out, errors)
    assert not (base / 'box').exists(), list((base / 'box').iterdir())


def info_line(name, key):
    out, _ = call('showvminfo', name, '--machinereadable')
    return next(line for line in out.splitlines() if line.startswith(f'{key}='))


def running_machine(world):
    call('createvm', '--name', 'box', '--register')
    call('modifyvm', 'box', '--memory', 32, '--lpt1', 'off', '--uart1', 'off')
    out, errors = call('startvm', 'box', '--type=headless')
    assert out == 'Waiting for VM "box" to power on...\nVM "box" has been successfully started.\n' and not errors
    out, _ = call('showvminfo', 'box')
    assert re.search(r'^State: {23}running \(since \d{4}-', out, re.M), out
    assert re.search(r'^Session name: {16}headless$', out, re.M), out
    lines = call('showvminfo', 'box', '--machinereadable')[0].splitlines()
    assert 'VMState="running"' in lines and 'SessionName="headless"' in lines
    assert call('list', 'runningvms')[0] == call('list', 'vms')[0]
    for action in ('pause', 'resume', 'reset'):
        assert call('controlvm', 'box', action) == ('', ''), action
    out, errors = call('controlvm', 'box', 'poweroff')
    assert out == '' and errors == '0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%\n'
    log, _ = call('showvminfo', 'box', '--log', 0)
    assert log == (Path(info('box')['LogFldr']) / 'VBox.log').read_text() and 'State: running' in log
    call('showvminfo', 'box', '--log=7', expect=FAILED)


def limits_are_true(_world):
    out, _ = call('list', 'systemproperties')
    limits = {key: int(value) for key, value in re.findall(r'^(M\w+ .*?): +(\d+)', out, re.M)}
    call('createvm', '--name', 'box', '--register')
    call('modifyvm', 'box', '--ioapic', 'on')
    for option, name in (('memory', 'guest RAM size'), ('vram', 'video RAM size'), ('cpus', 'guest CPU count')):
        least, most = limits[f'Minimum {name}'], limits[f'Maximum {name}']
        for value in (least, most):
            call('modifyvm', 'box', f'--{option}', value)
        for value in {least - 1, most + 1} - {-1}:
            call('modifyvm', 'box', f'--{option}', value, expect=FAILED)
    for bus, words in {'IDE': 'ide', 'SATA': 'sata', 'SCSI': 'scsi', 'Floppy': 'floppy'}.items():
        most = limits[f'Maximum PIIX3 {bus} Controllers']
        for number in range(most + 1):
            call('storagectl', 'box', '--name', f'{bus} {number}', '--add', words,
                 expect=0 if number < most else FAILED)
    assert limits['Maximum PIIX3 IDE Controllers'] == 1 and limits['Maximum PIIX3 Floppy Controllers'] == 1


def devices_are_listed(_world):
    brief, _ = call('list', 'devices')
    full, _ = call('list', '--long', 'devices')
    serial = 'Name:        serial\nTitle:       Serial port\nKind:        serial\nInstances:   4\nModule:      no\n'
    assert f'{serial}\n' in brief and 'Option:' not in brief
    assert f'{serial}Option:      IoBase: 0 to 65528, default 1016 (I/O port)\n' in full, full
    assert 'Option:      UartType: 16450, 16550A, 16750, default 16550A (Kind of UART)\n' in full
    assert full.count('Name: ') == brief.count('Name: ') > 15


def what_is_wrong_is_said_as_scripts_expect(world):
    link = world.root / 'VBoxManage'
    link.symlink_to(PROGRAM)
    call('createvm', '--name', 'box', '--register')

    def says(code, text, *words):
        out, errors = call(*words, expect=code, program=link)
        assert errors.startswith(text) and 'vitrine-manage' not in errors, errors
        assert out == '' or code == FAILED, out
        return errors
    not_found = ("VBoxManage: error: Could not find a registered machine named 'x'\n"
                 'VBoxManage: error: Details: code VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)')
    for words in (('showvminfo', 'x'), ('startvm', 'x'), ('controlvm', 'x', 'pause'), ('modifyvm', 'x', '--acpi=on'),
                  ('unregistervm', 'x', '--delete'), ('getextradata', 'x', 'y'), ('setextradata', 'x', 'y', 'z'),
                  ('storagectl', 'x', '--name', 'y', '--remove'), ('storageattach', 'x', '--storagectl', 'y')):
        says(FAILED, not_found, *words)
    says(FAILED, "VBoxManage: error: Machine 'box' is not currently running.\n"
                 'VBoxManage: error: Details: code VBOX_E_INVALID_VM_STATE (0x80bb0002)', 'controlvm', 'box', 'reset')
    errors = says(SYNTAX, 'VBoxManage: error: Unknown option: --nonsense\n\nUsage - Change the settings of a machine:\n'
                          '\n  VBoxManage modifyvm NAME|UUID ', 'modifyvm', 'box', '--nonsense', 'on')
    assert '--memory MB' in errors
    says(SYNTAX, 'VBoxManage: error: Parameter --name is required\n', 'createvm', '--register')
    says(SYNTAX, "VBoxManage: error: Invalid command 'nonsense'", 'nonsense')
    says(SYNTAX, 'VBoxManage: error: Storage controller name not specified\n', 'storageattach', 'box')
    says(SYNTAX, "VBoxManage: error: Invalid parameter 'dance'\n", 'controlvm', 'box', 'dance')
    says(SYNTAX, 'VBoxManage: error: VM name or UUID required\n', 'startvm')
    says(SYNTAX, "VBoxManage: error: Invalid frontend type: 'tv'\n", 'startvm', 'box', '--type=tv')


if __name__ == '__main__':
    run(machine_in_full, running_machine, limits_are_true, devices_are_listed, what_is_wrong_is_said_as_scripts_expect)
