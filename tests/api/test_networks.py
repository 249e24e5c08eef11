#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: gir1.2-glib-2.0 python3-gi seabios ipxe-qemu iproute2
# timeout: 240
#
# The networks of all machines from the command line: NAT networks, DHCP servers and their leases, UDP
# tunnels; in a network namespace of its own host-only devices and bridges. The machines boot from the
# network, so that iPXE asks for an address in each of them.
"""NAT networks, DHCP servers, host-only devices and tunnels."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import run, until  # noqa: E402
from test_manage import PROGRAM, SYNTAX, call, make, said  # noqa: E402

SPACE = '{http://www.virtualbox.org/}'
RANGE = ('--server-ip', '10.7.0.2', '--netmask', '255.255.255.0', '--lower-ip', '10.7.0.50', '--upper-ip', '10.7.0.60')


def registry(world):
    """The parts of VirtualBox.xml: (DHCP servers, NAT networks) by name."""
    root = ElementTree.parse(world.config / 'VirtualBox.xml').getroot()
    return [{node.get('networkName'): node for node in root.iter(SPACE + kind)} for kind in ('DHCPServer', 'NATNetwork')]


def boots(name, mac, *nic):
    """A machine that asks for an address at once."""
    make(name)
    call('modifyvm', name, '--nic1', *nic, '--nictype1', '82540EM', '--macaddress1', mac, '--boot1', 'net')


def lease(network, mac, seconds=60):
    """What findlease prints, as soon as there is one."""
    end = time.monotonic() + seconds
    words = ('dhcpserver', 'findlease', network, '--mac-address', mac)
    while True:
        try:
            out, _ = call(*words)
            return dict(re.findall(r'^([\w ]+): +(.*)$', out, re.M))
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def nat_networks(world):
    out, _ = call('list', 'natnets')
    assert out == 'NAT Networks:\n\n0 networks found\n', out
    call('natnetwork', 'add', '--netname', 'work', '--network', '192.168.15.0/24', '--enable', '--dhcp', 'on',
         '--port-forward-4', 'ssh:tcp:[]:1022:[192.168.15.5]:22')
    said('already', 'natnetwork', 'add', '--netname', 'work', '--network', '192.168.16.0/24')
    said('mask', 'natnetwork', 'add', '--netname', 'other', '--network', '192.168.16.0')
    said('--network', 'natnetwork', 'add', '--netname', 'other', expect=SYNTAX)
    said('--netname', 'natnetwork', 'start', expect=SYNTAX)
    said('no NAT network', 'natnetwork', 'start', '--netname', 'other')
    said('rule', 'natnetwork', 'modify', '--netname', 'work', '--port-forward-4', 'nonsense', expect=SYNTAX)
    said("guest's address", 'natnetwork', 'modify', '--netname', 'work', '--port-forward-4', 'x:tcp:[]:1:[]:2')
    said('name server', 'natnetwork', 'modify', '--netname', 'work', '--loopback-4', '127.0.0.1=3')
    out, _ = call('natnetwork', 'list', 'w*')
    assert out == ('NAT Networks:\n\nName:         work\nEnabled:      Yes\nNetwork:      192.168.15.0/24\n'
                   'Gateway:      192.168.15.1\nDHCP Server:  Yes\nIPv6:         No\n'
                   'IPv6 Prefix:  fd17:625c:f037:2::/64\nIPv6 Default: No\nPort-forwarding (ipv4)\n'
                   '        ssh:tcp:[]:1022:[192.168.15.5]:22\nloopback mappings (ipv4)\n        127.0.0.1=2\n'
                   'loopback mappings (ipv6)\n        ::1=2\n\n'
                   '1 network found\n'), out
    call('natnetwork', 'modify', '--netname', 'work', '--port-forward-4', 'delete', 'ssh', '--ipv6', 'on',
         '--port-forward-6', 'web:tcp:[::1]:8080:[fd17:625c:f037:2::5]:80')
    node = registry(world)[1]['work']
    assert node.get('loopback6') == '2'
    said('name server', 'natnetwork', 'modify', '-t', 'work', '--loopback-6', '3')
    call('natnetwork', 'modify', '-t', 'work', '-L', '5', '-P', 'other:tcp:[::1]:8081:[fd17:625c:f037:2::5]:80')
    changed = registry(world)[1]['work']
    assert changed.get('loopback6') == '5' and len(changed.findall(f'{SPACE}PortForwarding6/{SPACE}Forwarding')) == 2
    call('natnetwork', 'modify', '-t', 'work', '--loopback-6', '0', '--port-forward-6', 'delete', 'other')
    assert registry(world)[1]['work'].get('loopback6') is None
    assert node.get('needDhcp') == '1' and node.get('ipv6') == '1' and node.find(SPACE + 'PortForwarding4') is None
    rule = node.find(f'{SPACE}PortForwarding6/{SPACE}Forwarding')
    assert rule.get('hostip') == '::1' and rule.get('proto') == '1' and rule.get('guestport') == '80'
    mapping = node.find(f'{SPACE}Mappings/{SPACE}Loopback4')
    assert (mapping.get('address'), mapping.get('offset')) == ('127.0.0.1', '2')


def nat_network_runs(world):
    """Two machines on one network; it leads its ports while it runs."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    call('natnetwork', 'add', '--netname', 'work', '--network', '192.168.15.0/24', '--dhcp', 'on', '--port-forward-4',
          f'web:tcp:[127.0.0.1]:{port}:[192.168.15.4]:80')

    def listens():
        with socket.socket() as line:
            return line.connect_ex(('127.0.0.1', port)) == 0

    call('natnetwork', 'start', '--netname', 'work')
    assert listens()
    call('natnetwork', 'stop', '--netname', 'work')
    until(lambda: not listens(), 'the port is closed with the network')
    boots('one', '080027000011', 'natnetwork', '--natnetwork1', 'work')
    boots('two', '080027000012', 'natnetwork', '--natnetwork1', 'work')
    for name in ('one', 'two'):
        call('startvm', name, '--type', 'headless')
    first, second = (lease('--network=work', f'08002700001{i}') for i in (1, 2))
    assert {first['IP Address'], second['IP Address']} == {'192.168.15.4', '192.168.15.5'}, (first, second)
    assert first['MAC Address'] == '08:00:27:00:00:11' and first['State'] == 'acked', first
    assert first['TTL'].startswith('600 sec, currently ')
    assert listens()
    said('uses the NAT network', 'natnetwork', 'remove', '--netname', 'work')
    said('uses the NAT network', 'natnetwork', 'stop', '--netname', 'work')
    call('controlvm', 'one', 'poweroff')
    # The service may die: what was leased is kept.
    file = world.config / 'work-Dhcpd.leases'
    until(lambda: file.exists() and {'08:00:27:00:00:11', '08:00:27:00:00:12'} <=
          {node.get('mac') for node in ElementTree.parse(file).getroot()}, 'the leases are kept')
    call('controlvm', 'two', 'poweroff')
    until(lambda: not listens(), 'nobody uses it any more')
    assert lease('--network=work', '080027000011')['IP Address'] == first['IP Address']
    call('natnetwork', 'remove', '--netname', 'work')
    assert 'work' not in registry(world)[1]


def dhcp_groups(world):
    """Conditions are kept in the file, in the numbers that its format has."""
    modify = ('dhcpserver', 'modify', '--network', 'lab')
    said('A group has to be named', *modify, '--incl-mac', '080027000013', expect=SYNTAX)
    said('network card', *modify, '--group', 'loaders', '--incl-mac', 'nonsense')
    said('no setting', *modify, '--group', 'loaders', '--fixed-address', '10.7.0.51')
    call(*modify, '--group', 'other ones', '--incl-vendor', 'none such', '--set-opt=15', 'wrong.example',
         '--group', 'loaders', '--incl-user-wild', 'i?XE', '--incl-vendor-wild=PXEClient:*', '--excl-mac', '08:00:27:00:00:13',
         '--set-opt=15', 'loaders.example', '--force-opt', 15, '--max-lease-time', 700)
    out, _ = call('list', 'dhcpservers')
    for line in ('Group:              other ones', 'Group:              loaders', 'Conditions:       include user-wild i?XE',
                 'Conditions:       exclude mac 080027000013', 'maxLeaseTime:     700 sec'):
        assert line in out, f'{line}\n{out}'
    first, group = registry(world)[0]['lab'].findall(SPACE + 'Group')
    assert (first.get('name'), group.get('name'), group.get('secMaxLeaseTime')) == ('other ones', 'loaders', '700')
    found = [(node.get('inclusive'), node.get('type'), node.get('value')) for node in group.findall(SPACE + 'Condition')]
    assert found == [('true', '5', 'i?XE'), ('true', '3', 'PXEClient:*'), ('false', '0', '08:00:27:00:00:13')], found
    call(*modify, '--group', 'other ones', '--zap-conditions', '--group', 'loaders', '--del-vendor-wild', 'PXEClient:*',
         '--incl-user', 'more')
    first, group = registry(world)[0]['lab'].findall(SPACE + 'Group')
    assert first.find(SPACE + 'Condition') is None and first.find(SPACE + 'Option').get('value') == 'wrong.example'
    found = [node.get('type') for node in group.findall(SPACE + 'Condition')]
    assert found == ['5', '0', '4'], found


def dhcp_servers(world):
    said('--network or --interface', 'dhcpserver', 'add', *RANGE, '--enable', expect=SYNTAX)
    said('network mask', 'dhcpserver', 'add', '--network', 'lab', *RANGE[:2], '--netmask', '255.0.255.0', *RANGE[4:], '--enable')
    said('own network', 'dhcpserver', 'add', '--network', 'lab', *RANGE[:6], '--upper-ip', '10.8.0.1', '--enable')
    boots('three', '080027000013', 'intnet', '--intnet1', 'lab')
    call('dhcpserver', 'add', '--network', 'lab', *RANGE, '--enable', '--global', '--set-opt=3', '10.7.0.1',
         '--set-opt-hex', 43, 'a0b1', '--default-lease-time', 1200, '--vm', 'three', '--nic', 1, '--fixed-address', '10.7.0.99',
         '--mac-address', '08:00:27:00:00:14', '--set-opt', 15, 'here.example', '--force-opt', 15)
    said('already exists', 'dhcpserver', 'add', '--network', 'lab', *RANGE, '--enable')
    said('DHCP option', 'dhcpserver', 'modify', '--network', 'lab', '--set-opt=51', '7')
    said('option 3', 'dhcpserver', 'modify', '--network', 'lab', '--set-opt=3', 'nowhere')
    said('does not exist', 'dhcpserver', 'modify', '--network', 'none', '--enable')
    said('no DHCP server', 'dhcpserver', 'start', '--network', 'none')
    said('No machine uses', 'dhcpserver', 'start', '--network', 'lab')
    out, _ = call('list', 'dhcpservers')
    for line in ('NetworkName:    lab', 'Dhcpd IP:       10.7.0.2', 'LowerIPAddress: 10.7.0.50', 'UpperIPAddress: 10.7.0.60',
                 'NetworkMask:    255.255.255.0', 'Enabled:        Yes', '    defaultLeaseTime: 1200 sec', '3/legacy: 10.7.0.1',
                 '43/hex: a0b1', 'Fixed address:    10.7.0.99', 'Forced options:   15'):
        assert line in out, f'{line}\n{out}'
    node = registry(world)[0]['lab']
    options = node.find(SPACE + 'Options')
    assert options.get('secDefaultLeaseTime') == '1200' and len(options) == 2
    by_mac, by_machine = sorted(node.findall(SPACE + 'Config'), key=lambda config: config.get('slot') or '')
    assert by_mac.get('MACAddress') == '080027000014' and by_mac.get('forcedOptions') == '15'
    assert by_machine.get('fixedAddress') == '10.7.0.99' and by_machine.get('slot') == '0'
    dhcp_groups(world)
    # A machine whose address is kept for it, and one that takes the first.
    boots('four', '080027000014', 'intnet', '--intnet1', 'lab')
    for name in ('three', 'four'):
        call('startvm', name, '--type', 'headless')
    assert lease('--network=lab', '080027000013')['IP Address'] == '10.7.0.99'
    fourth = lease('--network=lab', '080027000014')
    # iPXE is in the group of loaders, and has its own longest time.
    assert fourth['IP Address'] == '10.7.0.50' and fourth['TTL'].startswith('700 sec'), fourth
    third = lease('--network=lab', '080027000013')
    assert third['TTL'].startswith('1200 sec'), third
    out, _ = call('list', 'intnets')
    assert out == 'Name:        lab\n\n', out
    for verb in ('restart', 'stop', 'start'):
        call('dhcpserver', verb, '--network', 'lab')
    # The worker dies: another one takes its place and knows the leases.
    os.kill(world.processes('vitrine-worker')[0], 9)
    time.sleep(1)
    call('controlvm', 'four', 'reset')
    time.sleep(1)
    assert lease('--network=lab', '080027000014')['IP Address'] == '10.7.0.50'
    for name in ('three', 'four'):
        call('controlvm', name, 'poweroff')
    call('dhcpserver', 'modify', '--network', 'lab', '--group', 'other ones', '--remove-config')
    assert len(registry(world)[0]['lab'].findall(SPACE + 'Group')) == 1
    call('dhcpserver', 'modify', '--network', 'lab', '--disable', '--mac-address', '080027000014', '--remove-config',
         '--global', '--del-opt', 43)
    out, _ = call('list', 'dhcpservers')
    assert 'Enabled:        No' in out and '43/' not in out and '000014' not in out and '10.7.0.99' in out, out
    call('dhcpserver', 'remove', '--network', 'lab')
    assert 'lab' not in registry(world)[0]


def tunnels(_world):
    """The other end of a UDP tunnel gets the frames."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(('127.0.0.1', 0))
        own = probe.getsockname()[1]
        probe.close()
        line.bind(('127.0.0.1', 0))
        line.settimeout(60)
        boots('five', '080027000015', 'generic', '--nicgenericdrv1', 'UDPTunnel', '--nicproperty1', 'dest=127.0.0.1',
              '--nicproperty1', f'sport={own}', '--nicproperty1', f'dport={line.getsockname()[1]}')
        call('startvm', 'five', '--type', 'headless')
        frame, sender = line.recvfrom(65536)
        assert sender[1] == own and frame[6:12] == bytes.fromhex('080027000015'), (sender, frame[:14])
        call('controlvm', 'five', 'poweroff')
    said('aliases', 'modifyvm', 'five', '--nataliasmode1', 'log,sameports')
    call('modifyvm', 'five', '--nataliasmode1', 'default')


def told_servers(trace):
    """The name servers in the first DHCP offer of a record of frames; None: there is none yet."""
    data = trace.read_bytes() if trace.exists() else b''
    at = data.find(b'\x63\x82\x53\x63\x35\x01\x02')
    options, at = data[at + 4:at + 312] if at >= 0 else b'', 0
    while at + 1 < len(options) and options[at] not in (6, 255):
        at += 1 if options[at] == 0 else 2 + options[at + 1]
    if at + 1 >= len(options) or options[at] != 6:
        return None
    return [socket.inet_ntoa(options[i:i + 4]) for i in range(at + 2, at + 2 + options[at + 1], 4)]


def name_servers(world):
    """Machines behind NAT are told of the host's name servers, with a proxy of the gateway."""
    lines = [line.split() for line in Path('/etc/resolv.conf').read_text(encoding='utf-8').splitlines()]
    servers = [words[1] for words in lines if len(words) > 1 and words[0] == 'nameserver'][:3]
    servers = [server for server in servers if ':' not in server]
    plain = servers and not any(server.startswith(('127.', '10.0.2.')) for server in servers)
    boots('eight', '080027000018', 'nat')
    for proxy, expected in (('off', servers if plain else ['10.0.2.3']), ('on', ['10.0.2.3'])):
        trace = world.root / f'proxy-{proxy}.pcapng'
        call('modifyvm', 'eight', '--natdnsproxy1', proxy, '--nictrace1', 'on', '--nictracefile1', trace)
        call('startvm', 'eight', '--type', 'headless')
        until(lambda file=trace: told_servers(file), 'an offer', 60)
        call('controlvm', 'eight', 'poweroff')
        assert told_servers(trace) == expected, f'proxy {proxy}: {told_servers(trace)}, not {expected}'


def host_devices(_world):
    """In a network namespace where this is the administrator."""
    call('hostonlyif', 'create')
    out, _ = call('list', 'hostonlyifs')
    assert re.search(r'^Name:            vboxnet0$', out, re.M) and '192.168.56.1' in out, out
    assert 'VBoxNetworkName: HostInterfaceNetworking-vboxnet0' in out
    call('hostonlyif', 'ipconfig', 'vboxnet0', '--ip', '192.168.77.1', '--netmask', '255.255.255.128')
    call('hostonlyif', 'ipconfig', 'vboxnet0', '--ipv6', 'fd00:77::1', '--netmasklengthv6', '64')
    call('hostonlyif', 'ipconfig', 'vboxnet0', '--ipv6', 'fd00:78::1')
    out, _ = call('list', 'hostonlyifs')
    assert 'fd00:78::1' in out and 'fd00:77::1' not in out, out
    call('hostonlyif', 'ipconfig', 'vboxnet0', '--ipv6', '')
    out, _ = call('list', 'hostonlyifs')
    assert 'fd00:' not in out and '192.168.77.1' in out, out
    call('hostonlyif', 'ipconfig', 'vboxnet0', '--ipv6', 'fd00:77::1', '--netmasklengthv6', '64')
    said('either', 'hostonlyif', 'ipconfig', 'vboxnet0', expect=SYNTAX)
    said('no host-only', 'hostonlyif', 'remove', 'vboxnet7')
    out, _ = call('list', 'hostonlyifs')
    assert '192.168.77.1' in out and '255.255.255.128' in out and 'fd00:77::1' in out, out
    call('dhcpserver', 'add', '--interface', 'vboxnet0', '--server-ip', '192.168.77.2', '--netmask', '255.255.255.128',
         '--lower-ip', '192.168.77.10', '--upper-ip', '192.168.77.20', '--enable')
    boots('six', '080027000016', 'hostonly', '--hostonlyadapter1', 'vboxnet0')
    subprocess.run(('ip', 'link', 'add', 'br0', 'type', 'bridge'), check=True)
    subprocess.run(('ip', 'link', 'set', 'br0', 'up'), check=True)
    boots('seven', '080027000017', 'bridged', '--bridgeadapter1', 'br0')
    out, _ = call('list', 'bridgedifs')
    assert 'br0' in out and 'vboxnet0' not in out, out
    for name in ('six', 'seven'):
        call('startvm', name, '--type', 'headless')
    assert lease('--interface=vboxnet0', '080027000016')['IP Address'] == '192.168.77.10'

    def in_bridge():
        said_of = subprocess.run(('bridge', 'fdb', 'show', 'br', 'br0'), check=True, capture_output=True, text=True).stdout
        return '08:00:27:00:00:17' in said_of

    until(in_bridge, "the bridge knows the machine's address", 60)
    for name in ('six', 'seven'):
        call('controlvm', name, 'poweroff')
    until(lambda: 'vitrine0' not in os.listdir('/sys/class/net'), "the machine's device is gone from the bridge")
    call('hostonlyif', 'remove', 'vboxnet0')
    out, _ = call('list', 'hostonlyifs')
    assert out == '', out


def without_rights(_world):
    """The reason is said."""
    words = ('setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', PROGRAM, 'hostonlyif', 'create')
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and 'administrator' in result.stderr, result


def inside():
    """The same program again, where it may make network devices."""
    words = ('unshare', '-rnm', sys.executable, __file__, '--inside')
    if shutil.which('unshare') is None or subprocess.run(('unshare', '-rnm', 'ip', 'tuntap', 'add', 'probe', 'mode', 'tap'),
                                                         capture_output=True, check=False).returncode != 0:
        print('skipped: host-only devices and bridges, as the host lets nobody make network devices')
        return
    subprocess.run(words, check=True)


if __name__ == '__main__':
    if '--inside' in sys.argv:
        # The kernel's list of devices is that of the namespace.
        subprocess.run(('mount', '-t', 'sysfs', 'sysfs', '/sys'), check=True)
        subprocess.run(('ip', 'link', 'set', 'lo', 'up'), check=True)
        run(host_devices)
    else:
        run(nat_networks, nat_network_runs, dhcp_servers, tunnels, name_servers, without_rights)
        inside()
