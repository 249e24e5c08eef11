#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: gir1.2-glib-2.0 python3-gi
"""The service: its life, two clients, races, kill -9, a hundred machines, read-only registries."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, GLib, State, Vitrine, mode_of, refused, run, until  # noqa: E402

E = Vitrine.Error


def starts_private_and_ends(world):
    client = world.client()
    assert client.get_connected()
    folder = world.run / 'vitrine'
    assert mode_of(folder) == 0o700
    socket = next(p for p in folder.iterdir() if p.name.endswith('-service'))
    assert mode_of(socket) == 0o600
    assert len(world.services()) == 1
    del client
    end = time.monotonic() + 12
    while world.services():
        assert time.monotonic() < end, 'the service does not end'
        time.sleep(0.1)
    assert not socket.exists(), 'it left its socket'


def one_service_for_many(world):
    script = ('import sys; sys.path.insert(0, %r); from client import Vitrine; '
              'c = Vitrine.Client.new_sync(%r, None); print(c.get_connected(), flush=True); '
              'sys.stdin.read()' % (str(Path(__file__).parent), str(world.config)))
    clients = [subprocess.Popen([sys.executable, '-c', script], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True,
                                env={**os.environ, 'VITRINE_BUILD': str(BUILD)})
               for _ in range(8)]
    answers = [client.stdout.readline().strip() for client in clients]
    time.sleep(0.3)  # the superfluous ones are on their way out
    services = world.services()
    for client in clients:
        client.stdin.close()
        client.wait()
    assert answers == ['True'] * 8, answers
    assert len(services) == 1, services


def clients_see_each_other(world):
    one, two = world.client(), world.client()
    added, changed, extra = [], [], []
    two.connect('machine-added', lambda _, machine: added.append(machine.get_name()))
    two.connect('extra-data-changed', lambda _, *values: extra.append(values))
    mine = world.machine(one, 'Seen')
    until(lambda: added == ['Seen'], 'machine-added')
    theirs = two.find_machine('Seen')
    assert theirs.get_id() == mine.get_id()
    theirs.connect('notify::description', lambda m, _: changed.append(m.get_description()))
    settings = mine.load_settings_sync(None)
    settings.props.description = 'new words'
    mine.save_settings_sync(settings, None)
    until(lambda: changed == ['new words'], 'notify::description')
    one.set_extra_data_sync('GUI/Key', '65508', None)
    mine.set_extra_data_sync('GUI/Place', '1,2', None)
    until(lambda: len(extra) == 2, 'extra-data-changed')
    assert extra == [('', 'GUI/Key', '65508'), (mine.get_id(), 'GUI/Place', '1,2')], extra
    assert two.get_extra_data('GUI/Key') == '65508'
    # Both edit: the later one is told, and loses nothing of the earlier.
    first, second = mine.load_settings_sync(None), theirs.load_settings_sync(None)
    first.props.memory = 48
    mine.save_settings_sync(first, None)
    second.props.memory = 96
    refused(E.BUSY, theirs.save_settings_sync, second, None)
    assert mine.load_settings_sync(None).props.memory == 48
    mine.unregister_sync(True, None)
    until(lambda: two.find_machine('Seen') is None, 'machine-removed')


def survives_kill(world):
    client = world.client()
    machine = world.machine(client, 'Stays')
    until(client.get_connected, 'connected')
    for _ in range(3):
        world.kill_service()
        until(lambda: not client.get_connected(), 'the loss is seen')
        until(client.get_connected, 'reconnected')
        assert client.find_machine('Stays') is machine, 'another object'
    # Without a main loop: the next call brings a new service.
    world.kill_service()
    assert machine.load_settings_sync(None).props.name == 'Stays'


def kill_in_the_middle_loses_nothing(world):
    client = world.client()
    machine = world.machine(client, 'Written')
    path = Path(machine.get_settings_file())
    for number in range(12):
        settings = machine.load_settings_sync(None)
        settings.props.description = f'number {number} ' + 'x' * 20000
        machine.save_settings_async(settings, None, None)
        GLib.MainContext.default().iteration(False)
        time.sleep(0.0007 * number)
        for pid in world.services():
            os.kill(pid, signal.SIGKILL)
        until(lambda: not client.get_connected(), 'loss', 5)
        text = path.read_text()
        assert text.rstrip().endswith('</VirtualBox>'), 'half a file'
        assert machine.load_settings_sync(None).props.name == 'Written'


def a_hundred_machines(world):
    client = world.client()
    for number in range(100):
        client.create_machine_sync(f'M{number}', None, None)
    world.kill_service()
    start = time.monotonic()
    other = world.client()
    seconds = time.monotonic() - start
    assert other.get_machines().get_n_items() == 100
    names = [other.get_machines().get_item(i).get_name() for i in range(100)]
    assert names == [f'M{n}' for n in range(100)], 'not in the order of the registry'
    print(f'100 machines: started and listed in {seconds * 1000:.0f} ms')
    assert seconds < 3, seconds


def inaccessible_is_listed(world):
    client = world.client()
    machine = world.machine(client, 'Broken')
    path = Path(machine.get_settings_file())
    good = path.read_text()
    path.write_text(good[:200])
    machine.refresh_sync(None)
    assert not machine.get_accessible()
    assert 'Broken.vbox' in machine.get_access_error() and machine.get_name() == 'Broken'
    refused(E.STATE, machine.load_settings_sync, None)
    refused(E.STATE, machine.launch_sync, 'headless', None, None)
    assert path.read_text() == good[:200], 'a broken file was written to'
    path.write_text(good)
    machine.refresh_sync(None)
    assert machine.get_accessible() and machine.get_access_error() == ''


def broken_registry_is_kept(world):
    world.config.mkdir(parents=True)
    path = world.config / 'VirtualBox.xml'
    path.write_text('<VirtualBox version="1.12-linux"><Global>')
    client = world.client()
    assert 'VirtualBox.xml' in client.get_read_only_reason()
    message = refused(E.READ_ONLY, client.create_machine_sync, 'No', None, None)
    assert 'put a copy in its place' in message and client.get_damage() == message, message
    assert path.read_text() == '<VirtualBox version="1.12-linux"><Global>'
    assert not (world.home / 'VirtualBox VMs').exists(), 'something was made all the same'


def original_service_makes_read_only(world):
    client = world.client()
    original = world.root / 'VBoxSVC'
    original.write_bytes(Path('/bin/sleep').read_bytes())
    original.chmod(0o755)
    process = subprocess.Popen([original, '30'])
    try:
        time.sleep(0.1)
        assert 'VirtualBox' in refused(E.READ_ONLY, client.set_extra_data_sync, 'a', 'b', None)
    finally:
        process.kill()
        process.wait()
    client.set_extra_data_sync('a', 'b', None)
    elsewhere = dict(os.environ, HOME=str(world.root), XDG_CONFIG_HOME=str(world.root / 'other'))
    process = subprocess.Popen([original, '30'], env=elsewhere)
    try:
        time.sleep(0.1)
        client.set_extra_data_sync('a', 'c', None)
    finally:
        process.kill()
        process.wait()


def system_properties(world):
    client, other = world.client(), world.client()
    assert client.props.machine_folder == str(world.home / 'VirtualBox VMs')
    seen = []
    other.connect('notify::machine-folder', lambda c, _: seen.append(c.props.machine_folder))
    client.set_system_property_sync('machine-folder', GLib.Variant('s', str(world.root / 'vms')), None)
    until(lambda: seen == [str(world.root / 'vms')], 'notify::machine-folder')
    machine = world.machine(client, 'There')
    assert machine.get_settings_file() == str(world.root / 'vms/There/There.vbox')
    refused(E.INVALID, client.set_system_property_sync, 'machine-folder', GLib.Variant('s', 'x'), None)
    refused(E.NOT_FOUND, client.set_system_property_sync, 'nothing', GLib.Variant('s', 'x'), None)


def folders(world):
    assert Vitrine.config_folder() == str(world.home / '.config/VirtualBox')
    (world.home / '.VirtualBox').mkdir()
    # GLib remembers the home folder: ask in a new process.
    script = ('import sys; sys.path.insert(0, %r); from client import Vitrine; '
              'print(Vitrine.config_folder())' % str(Path(__file__).parent))

    def ask(**environment):
        return subprocess.run([sys.executable, '-c', script], text=True, capture_output=True, check=True,
                              env={**os.environ, 'VITRINE_BUILD': str(BUILD), **environment}
                              ).stdout.strip()
    assert ask() == str(world.home / '.VirtualBox')
    assert ask(VBOX_USER_HOME='/some/where') == '/some/where'


def creating_is_checked(world):
    client = world.client()
    world.machine(client, 'Twice')
    refused(E.EXISTS, client.create_machine_sync, 'Twice', None, None)
    for name in ('', 'a/b', '..', ' x', 'tab\there', 'n' * 300):
        refused(E.INVALID, client.create_machine_sync, name, None, None)
    refused(E.NOT_FOUND, client.create_machine_sync, 'X',
            GLib.Variant('a{sv}', {'os-type': GLib.Variant('s', 'Plan9')}), None)
    made = client.create_machine_sync('Apart', GLib.Variant('a{sv}', {'register': GLib.Variant('b', False)}),
                                      None)
    assert client.find_machine('Apart') is None and Path(made[1]).exists()
    assert client.register_machine_sync(made[1], None) == made[0]
    assert client.find_machine('Apart').get_state() == State.POWERED_OFF
    refused(E.EXISTS, client.register_machine_sync, made[1], None)
    refused(E.NOT_FOUND, client.register_machine_sync, '/no/such.vbox', None)


def saving_is_checked(world):
    client = world.client()
    machine = world.machine(client, 'Checked')
    path = Path(machine.get_settings_file())
    before = path.read_bytes()

    def attempt(**values):
        settings = machine.load_settings_sync(None)
        for name, value in values.items():
            setattr(settings.props, name, value)
        machine.save_settings_sync(settings, None)
    refused(E.INVALID, lambda: attempt(cpus=2, ioapic=False))
    refused(E.NOT_SUPPORTED, lambda: attempt(cpus=9, ioapic=True))
    refused(E.NOT_SUPPORTED, lambda: attempt(firmware=Vitrine.Firmware.EFI))
    refused(E.NOT_SUPPORTED, lambda: attempt(exec_engine='raw'))
    refused(E.INVALID, lambda: attempt(exec_engine='fast'))
    refused(E.INVALID, lambda: attempt(memory=1))
    refused(E.INVALID, lambda: attempt(name=''))
    assert path.read_bytes() == before, 'a refused change was written'
    # What was there before this version existed is kept and does not stand in the way.
    path.write_text(path.read_text().replace('<CPU>', '<CPU count="16">'))
    machine.refresh_sync(None)
    attempt(description='edited')
    assert 'count="16"' in path.read_text()
    assert 'up to 8 processors' in refused(E.NOT_SUPPORTED, machine.launch_sync, 'headless', None, None)


def renaming_moves_the_folder(world):
    client = world.client()
    machine = world.machine(client, 'Old')
    old = Path(machine.get_settings_file())
    disk = client.create_medium_sync(str(old.parent / 'Old.vdi'), Vitrine.MediumKind.HARD_DISK, 'VDI', 'dynamic',
                                     1 << 20, None, None).wait_sync(None)
    settings = machine.load_settings_sync(None)
    settings.put_attachment(Vitrine.Attachment.new('IDE', 0, 0, Vitrine.MediumKind.HARD_DISK, disk))
    machine.save_settings_sync(settings, None)

    def rename(name):
        settings = machine.load_settings_sync(None)
        settings.props.name = name
        machine.save_settings_sync(settings, None)
    rename('New')
    new = old.parent.parent / 'New/New.vbox'
    assert machine.get_settings_file() == str(new) and new.exists() and not old.parent.exists()
    assert client.find_medium(disk).get_location() == str(new.parent / 'Old.vdi')
    assert 'location="Old.vdi"' in new.read_text()
    world.machine(client, 'Taken')
    refused(E.EXISTS, rename, 'Taken')
    (old.parent.parent / 'In the way').mkdir()
    refused(E.EXISTS, rename, 'In the way')
    world.kill_service()
    machine.refresh_sync(None)
    assert machine.get_accessible() and machine.get_name() == 'New', machine.get_access_error()


run(starts_private_and_ends, one_service_for_many, clients_see_each_other, survives_kill,
    kill_in_the_middle_loses_nothing, a_hundred_machines, inaccessible_is_listed,
    broken_registry_is_kept, original_service_makes_read_only, system_properties, folders,
    creating_is_checked, saving_is_checked, renaming_moves_the_folder)
