#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: gir1.2-glib-2.0 python3-gi seabios umockdev
# timeout: 240
#
# USB devices of the host through service and command line: what is plugged in and who has it, filters of
# machines and of the host, attach and detach while a machine runs, a device that is pulled out, one that may not be
# used, a process that dies. The device is umockdev's; libusb, the service and the machine are real.
"""USB devices of the host, machines and filters."""

import os
import re
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import Vitrine, run, until  # noqa: E402
from test_manage import SYNTAX, call, info, make, said  # noqa: E402
import usb_capture  # noqa: E402
import usb_host  # noqa: E402
from usb_peers import free_port  # noqa: E402

NAME = 'Online'


def device():
    """What list usbhost says of the only device; an empty dictionary when there is none."""
    out, _ = call('list', 'usbhost')
    assert out.startswith('Host USB Devices:\n\n'), out
    return dict(re.findall(r'^([A-Z][^:\n]*):\s+(.*)$', out.split('\n\n', 1)[1], re.M))


def state():
    return device().get('Current State')


def start(*words):
    make(NAME)
    call('modifyvm', NAME, *(words or ('--usb-xhci', 'on')))
    call('startvm', NAME, '--type', 'headless')


def lists(_world):
    found = device()
    assert found['VendorId'] == '0x1234 (1234)' and found['ProductId'] == '0x5678 (5678)', found
    assert found['Revision'] == '1.0 (0100)' and found['Port'] == '1', found
    assert found['USB version/speed'] == '2/Full' and found['Product'] == 'Mock Device', found
    assert re.fullmatch(r'sysfs:/sys/devices/pci.*/usb1/1-1//device:/dev/bus/usb/001/002', found['Address']), found
    assert found['Current State'] == 'Available' and 'Reason' not in found, found
    usb_host.driver('usb-storage')
    assert state() == 'Busy'
    usb_host.driver('usbfs')
    busy = device()
    assert busy['Current State'] == 'Unavailable' and 'Another program' in busy['Reason'], busy
    usb_host.driver(None)
    assert state() == 'Available' and device()['UUID'] == found['UUID']


def hot_plug(world):
    client, seen = world.client(), []
    client.connect('usb-devices-changed', lambda _: seen.append(1))
    first = client.load_usb_devices_sync(None)
    assert len(first) == 1 and first[0].state == Vitrine.UsbState.AVAILABLE, first
    usb_host.unplug()
    until(lambda: seen, 'the device is told to be gone')
    assert client.load_usb_devices_sync(None) == []
    assert '<none>' in call('list', 'usbhost')[0]
    seen.clear()
    usb_host.plug()
    until(lambda: seen, 'the device is told to be there')
    again = client.load_usb_devices_sync(None)
    assert len(again) == 1 and again[0].id == first[0].id


def attach_and_detach(_world):
    identity = device()['UUID']
    start()
    said('no usb device', 'controlvm', NAME, 'usbattach', '1-9')
    said('too few parameters', 'controlvm', NAME, 'usbattach', expect=SYNTAX)
    said('does not have this usb device', 'controlvm', NAME, 'usbdetach', identity)
    call('controlvm', NAME, 'usbattach', identity)
    found = device()
    assert found['Current State'] == 'Captured' and NAME in found['Reason'], found
    of_machine = info(NAME)
    assert of_machine['USBAttachedUUID1'] == identity and of_machine['USBAttachedVendorId1'] == '0x1234'
    assert f'UUID:                        {identity}' in call('showvminfo', NAME)[0]
    said('has this device', 'controlvm', NAME, 'usbattach', '1-1')
    call('controlvm', NAME, 'usbdetach', '/dev/bus/usb/001/002')
    assert state() == 'Available' and 'USBAttachedUUID1' not in info(NAME)
    call('controlvm', NAME, 'usbattach', found['Address'])
    # While it stands still.
    call('controlvm', NAME, 'pause')
    call('controlvm', NAME, 'usbdetach', identity)
    call('controlvm', NAME, 'usbattach', identity)
    call('controlvm', NAME, 'resume')
    call('controlvm', NAME, 'poweroff')
    until(lambda: state() == 'Available', 'the host has it again')


def without_controller(_world):
    start('--usb-xhci', 'off')
    said('no usb controller', 'controlvm', NAME, 'usbattach', '1-1')
    assert state() == 'Available'


def two_machines(_world):
    start('--usb-ohci', 'on')
    make('Other')
    call('modifyvm', 'Other', '--usb-xhci', 'on', '--memory', '64')
    said('does not run', 'controlvm', 'Other', 'usbattach', '1-1')
    call('startvm', 'Other', '--type', 'headless')
    call('controlvm', NAME, 'usbattach', '1-1')
    said(f'the machine “{NAME}” has', 'controlvm', 'Other', 'usbattach', '1-1')
    said('does not have', 'controlvm', 'Other', 'usbdetach', '1-1')
    call('controlvm', NAME, 'usbdetach', '1-1')
    call('controlvm', 'Other', 'usbattach', '1-1')
    assert info('Other')['USBAttachedProduct1'] == 'Mock Device'


def filters(_world):
    make(NAME)
    call('usbfilter', 'add', '0', '--target', NAME, '--name', 'Second', '--vendorid', '1234', '--productid=5678')
    call('usbfilter', 'add', '0', '--target', NAME, '--name', 'First', '--active', 'no', '--remote', 'yes',
         '--serialnumber', '12 "3"', '--product', 'Any*', '--manufacturer', 'Maker', '--revision', '0100-0200')
    for words in (('add', '0', '--target', NAME), ('add', '--target', NAME, '--name', 'x'),
                  ('add', '0', '--name', 'x'), ('fly', '0', '--target', NAME), ('add', 'x', '--target', NAME),
                  ('add', '0', '--target', NAME, '--name', 'x', '--action', 'hold'),
                  ('add', '0', '--target', 'global', '--name', 'x'),
                  ('add', '0', '--target', 'global', '--name', 'x', '--action', 'eat')):
        call('usbfilter', *words, expect=SYNTAX)
    said('number', 'usbfilter', 'add', '0', '--target', NAME, '--name', 'x', '--vendorid', 'g123')
    said('only 2', 'usbfilter', 'add', '5', '--target', NAME, '--name', 'x')
    said('no usb filter 2', 'usbfilter', 'modify', '2', '--target', NAME, '--name', 'x')
    said('no usb filter 2', 'usbfilter', 'remove', '2', '--target', NAME)
    found = info(NAME)
    assert (found['USBFilterName1'], found['USBFilterActive1'], found['USBFilterRemote1']) == ('First', 'off', '1')
    assert found['USBFilterSerialNumber1'] == '12 "3"' and found['USBFilterVendorId2'] == '1234', found
    text = Path(found['CfgFile']).read_text(encoding='utf-8')
    assert '<DeviceFilter name="Second" active="true" vendorId="1234" productId="5678"/>' in text, text
    assert ('<DeviceFilter name="First" active="false" revision="0100-0200" manufacturer="Maker" product="Any*" '
            'serialNumber="12 &quot;3&quot;" remote="1"/>') in text, text
    call('usbfilter', 'modify', '0', '--target', NAME, '--active', 'yes', '--remote', 'no', '--product', '')
    found = info(NAME)
    assert (found['USBFilterActive1'], found['USBFilterRemote1'], found['USBFilterProduct1']) == ('on', '0', '')
    call('usbfilter', 'remove', '0', '--target', NAME)
    assert info(NAME)['USBFilterName1'] == 'Second' and 'USBFilterName2' not in info(NAME)
    out, _ = call('showvminfo', NAME)
    assert 'Index:                       0\nActive:                      yes\nName:                        Second\n' in out


def filter_attaches(_world):
    make(NAME)
    call('modifyvm', NAME, '--usb-xhci', 'on')
    call('usbfilter', 'add', '0', '--target', NAME, '--name', 'other', '--vendorid', '4321')
    call('startvm', NAME, '--type', 'headless')
    assert state() == 'Available'
    # One that is added while the machine runs counts at once; then it is plugged in anew.
    call('usbfilter', 'add', '1', '--target', NAME, '--name', 'this', '--product', 'Mock*')
    until(lambda: state() == 'Captured', 'a new filter')
    usb_host.unplug()
    until(lambda: not device(), 'pulled out')
    assert 'USBAttachedUUID1' not in info(NAME)
    usb_host.plug()
    until(lambda: state() == 'Captured', 'plugged in')
    call('controlvm', NAME, 'poweroff')
    until(lambda: state() == 'Available', 'the host has it again')
    call('startvm', NAME, '--type', 'headless')
    until(lambda: state() == 'Captured', 'the start of a machine')
    call('usbfilter', 'modify', '1', '--target', NAME, '--active', 'no')
    assert state() == 'Captured', 'what a machine has it keeps'


def global_filters(world):
    assert call('list', 'usbfilters')[0] == 'Global USB Device Filters:\n\n<none>\n\n'
    call('usbfilter', 'add', '0', '--target', 'global', '--name', 'keep', '--action', 'ignore', '--vendorid', '1234')
    assert 'Action:           Ignore\nName:             keep\nVendorId:         1234\n' in call('list', 'usbfilters')[0]
    text = (world.config / 'VirtualBox.xml').read_text(encoding='utf-8')
    assert '<DeviceFilter name="keep" active="true" vendorId="1234" action="Ignore"/>' in text, text
    assert state() == 'Unavailable' and 'global USB filter' in device()['Reason'], device()
    start()
    said('global usb filter', 'controlvm', NAME, 'usbattach', '1-1')
    call('usbfilter', 'modify', '0', '--target', 'global', '--action', 'hold')
    until(lambda: state() == 'Held', 'it is held')
    call('controlvm', NAME, 'usbattach', '1-1')
    assert state() == 'Captured'
    call('controlvm', NAME, 'usbdetach', '1-1')
    assert state() == 'Held'
    call('usbfilter', 'remove', '0', '--target', 'global')
    until(lambda: state() == 'Available', 'it is the host\'s')


def saved_state(_world):
    start()
    call('controlvm', NAME, 'usbattach', '1-1')
    call('controlvm', NAME, 'savestate')
    assert info(NAME)['VMState'] == 'saved'
    until(lambda: state() == 'Available', 'the host has it again')
    call('startvm', NAME, '--type', 'headless')
    assert state() == 'Available', 'no filter says that it is to have it again'
    call('controlvm', NAME, 'usbattach', '1-1')
    assert state() == 'Captured'


def snapshots(_world):
    """They leave the device to the machine that goes on."""
    start()
    call('controlvm', NAME, 'usbattach', '1-1')
    call('snapshot', NAME, 'take', 'Stopped')
    until(lambda: state() == 'Captured', 'the machine goes on with it')
    call('snapshot', NAME, 'take', 'Live', '--live')
    assert state() == 'Captured'
    call('controlvm', NAME, 'usbdetach', '1-1')
    call('snapshot', NAME, 'take', 'Without')
    assert state() == 'Available', 'what it did not have it does not get'


def refused_record(world):
    start()
    said('cannot be made', 'controlvm', NAME, 'usbattach', '1-1', '--capturefile', world.home / 'none' / 'file')
    assert state() == 'Available'
    call('controlvm', NAME, 'usbattach', '1-1', '--capturefile', world.home / 'record.pcapng')
    said('unknown option', 'controlvm', NAME, 'usbdetach', '1-1', '--capturefile', 'x', expect=SYNTAX)
    call('controlvm', NAME, 'usbdetach', '1-1')
    # It is whole; what firmware asked by then is in it.
    usb_capture.read(world.home / 'record.pcapng')


def port_is_open(port):
    with socket.socket() as peer:
        return peer.connect_ex(('127.0.0.1', port)) == 0


def listening(_world):
    """Peers may come to a machine that waits for them: given by a command, or in its settings."""
    first, second = free_port(), free_port()
    address = f'usbredir:listen:127.0.0.1:{first}'
    make('Other')
    call('modifyvm', 'Other', '--usb-xhci', 'on', '--memory', '64')
    call('startvm', 'Other', '--type', 'headless')
    start('--usb-xhci', 'on', '--usb-remotes', f'usbredir:tcp://:{second} usbredir:/no/such/socket')
    assert info(NAME)['usbremotes'] == f'usbredir:tcp://:{second} usbredir:/no/such/socket'
    until(lambda: port_is_open(second), 'the machine waits where its settings say')
    call('controlvm', NAME, 'usbattach', address)
    assert port_is_open(first) and port_is_open(first), 'one peer after the other'
    said('waits at', 'controlvm', 'Other', 'usbattach', address)
    said('waits at', 'controlvm', NAME, 'usbattach', f'usbredir:listen:127.0.0.1:{second}')
    said('no address of this computer', 'controlvm', NAME, 'usbattach', 'usbredir:listen:nowhere:4000')
    said('no address of a remote', 'controlvm', NAME, 'usbattach', 'usbredir:listen:x')
    call('controlvm', NAME, 'usbdetach', address)
    until(lambda: not port_is_open(first), 'it waits no longer')
    call('controlvm', 'Other', 'usbattach', address)
    assert port_is_open(first)
    call('controlvm', NAME, 'poweroff')
    until(lambda: not port_is_open(second), 'the port is free when the machine is off')
    said('usbredir:host:port', 'modifyvm', NAME, '--usb-remotes', 'elsewhere:4000')
    call('modifyvm', NAME, '--usb-remotes', '')
    assert 'usbremotes' not in info(NAME)


def told(world):
    """Clients hear which remote devices a machine has, whoever gave it them, and after the service died."""
    port = free_port()
    own, other = f'usbredir:tcp://:{port}', f'usbredir:listen:{world.home}/peer_1'
    start('--usb-xhci', 'on', '--usb-remotes', own)
    client = world.client()
    machine = client.find_machine(NAME)

    def has(*wanted):
        until(lambda: machine.get_remote_usb() == list(wanted), f'{wanted} are told')

    has(own)
    call('controlvm', NAME, 'usbdetach', own)
    has()
    said('does not have', 'controlvm', NAME, 'usbdetach', own)
    call('controlvm', NAME, 'usbattach', other)
    has(other)
    call('controlvm', NAME, 'usbattach', own)
    has(other, own)
    world.kill_service()
    client = world.client()
    machine = client.find_machine(NAME)
    until(lambda: sorted(machine.get_remote_usb()) == sorted((other, own)), 'a new service tells them')
    call('controlvm', NAME, 'usbdetach', other)
    has(own)
    call('controlvm', NAME, 'poweroff')
    has()


def process_dies(world):
    start()
    call('controlvm', NAME, 'usbattach', '1-1')
    assert state() == 'Captured'
    for pid in world.processes('vitrine-headless'):
        os.kill(pid, signal.SIGKILL)
    # Until then its drivers are on their way back, and it is busy.
    until(lambda: state() == 'Available', 'the host has it again')
    until(lambda: info(NAME)['VMState'] == 'aborted', 'the machine is told to be gone')


def comes_back(world):
    """A machine that starts again while the host takes the device back gets it after that."""
    start()
    call('controlvm', NAME, 'usbattach', '1-1')
    for pid in world.processes('vitrine-headless'):
        os.kill(pid, signal.SIGKILL)
    until(lambda: info(NAME)['VMState'] == 'aborted', 'the machine is gone')
    call('startvm', NAME, '--type', 'headless')
    call('controlvm', NAME, 'usbattach', '1-1')
    assert state() == 'Captured'
    call('controlvm', NAME, 'usbdetach', '1-1')
    assert state() == 'Available'


def service_dies(world):
    start()
    call('controlvm', NAME, 'usbattach', '1-1')
    world.kill_service()
    until(lambda: state() == 'Captured', 'the new service knows who has it')
    call('controlvm', NAME, 'usbdetach', '1-1')
    assert state() == 'Available'


def denied(_world):
    usb_host.deny()
    found = device()
    assert found['Current State'] == 'Unavailable', found
    assert 'udev' in found['Reason'] and 'ATTR{idVendor}=="1234"' in found['Reason'], found
    start()
    said('may not use this device', 'controlvm', NAME, 'usbattach', '1-1')


SCENARIOS = {
    # What the host's kernel was asked for in the end.
    lists: '', hot_plug: '', without_controller: '', filters: '', denied: '',
    attach_and_detach: 'attach 0;', two_machines: None, filter_attaches: None, global_filters: 'attach 0;',
    saved_state: None, snapshots: None, refused_record: 'attach 0;', listening: '', told: '', process_dies: 'attach 0;',
    comes_back: 'attach 0;', service_dies: 'attach 0;',
}


def on_mocked_host(scenario, ending):
    """Runs a scenario in a process of its own, on a host that has the device."""
    user = 65534 if scenario is denied and os.getuid() == 0 else None
    result, log = usb_host.run_here([sys.executable, __file__, scenario.__name__], user)
    assert result.returncode == 0, f'{scenario.__name__} ends with {result.returncode}: {result.stdout}{result.stderr}'
    if ending is not None:
        assert log.endswith(ending), f'{scenario.__name__}: {log}'
    print('ok', scenario.__name__, flush=True)


if __name__ == '__main__':
    if usb_host.here():
        run(next(function for function in SCENARIOS if function.__name__ == sys.argv[1]))
    else:
        for function, wanted in SCENARIOS.items():
            if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]:
                on_mocked_host(function, wanted)
