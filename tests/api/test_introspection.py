#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: gir1.2-glib-2.0 python3-gi seabios
#
# The Main API as a Python program sees it: every kind of value goes through introspection and back,
# calls have both forms, lists are GListModels, errors have a domain. These are the examples of how the
# API is used from another language, too.
"""The Main API through introspection."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import BUILD, GLib, Kind, State, Vitrine, refused, run, until  # noqa: E402

E = Vitrine.Error


def wait_for(start, finish, *arguments):
    """The asynchronous form of a call: runs the main loop until it has finished."""
    results = []
    start(*arguments, None, lambda _source, result: results.append(result))
    until(lambda: results, 'the call finishes', 30)
    return finish(results[0])


def both_forms_of_calls(world):
    results = []
    Vitrine.Client.new_async(str(world.config), None, lambda _, result: results.append(result))
    until(lambda: results, 'a client')
    client = Vitrine.Client.new_finish(results[0])
    machine = world.machine(client, 'Both')
    settings = wait_for(machine.load_settings_async, machine.load_settings_finish)
    settings.props.memory = 48
    assert wait_for(machine.save_settings_async, machine.save_settings_finish, settings)
    assert machine.load_settings_sync(None).props.memory == 48
    settings = machine.load_settings_sync(None)
    try:
        settings.props.memory = 1
        wait_for(machine.save_settings_async, machine.save_settings_finish, settings)
        raise AssertionError('saved')
    except GLib.Error as error:
        assert error.matches(GLib.quark_from_string('vitrine-error-quark'), E.INVALID), error


def properties_and_signals(world):
    client = world.client()
    names = {spec.name for spec in client.list_properties()}
    assert {'connected', 'config-folder', 'machine-folder', 'read-only-reason', 'damage'} <= names, names
    told = []
    client.connect('machine-added', lambda _, machine: told.append(machine))
    machine = world.machine(client, 'Told')
    until(lambda: told, 'the signal')
    assert told == [machine] and machine.props.name == machine.get_name() == 'Told'
    assert machine.props.state == State.POWERED_OFF and machine.get_groups() == ['/']
    machines = client.get_machines()
    assert [machines.get_item(number) for number in range(machines.get_n_items())] == [machine]
    for spec in machine.list_properties():
        machine.get_property(spec.name)


def objects_outlive_their_client(world):
    machine = world.machine(world.client(), 'Alone')  # the client is gone again
    assert machine.get_name() == 'Alone'
    for call in (lambda: machine.load_settings_sync(None), lambda: machine.launch_sync('headless', None, None),
                 lambda: wait_for(machine.load_settings_async, machine.load_settings_finish)):
        assert 'client' in refused(E.DISCONNECTED, call)


def settings_are_values(world):
    client = world.client()
    machine = world.machine(client, 'Values')
    settings = machine.load_settings_sync(None)
    copy = settings.copy()
    for spec in settings.list_properties():
        assert settings.get_property(spec.name) == copy.get_property(spec.name), spec.name
    copy.props.cpus, copy.props.name = 99, ''
    problems = copy.check()
    assert {problem.field for problem in problems} >= {'cpus', 'name'}, [p.field for p in problems]
    assert all(problem.message.endswith('.') for problem in problems)
    assert settings.props.name == 'Values', 'the copy was not one'
    controller = Vitrine.Controller.new('Drives', Vitrine.ControllerType.I82078)
    assert (controller.name, controller.port_count, controller.bootable) == ('Drives', 1, True)
    settings.put_controller(controller)
    attachment = Vitrine.Attachment.new('Drives', 0, 1, Kind.FLOPPY, '')
    settings.put_attachment(attachment)
    assert settings.find_attachment('drives', 0, 1).kind == Kind.FLOPPY
    assert attachment.copy().controller == 'Drives'
    uart = Vitrine.Uart.new(1)
    assert (uart.io_base, uart.irq) == (0x2f8, 3)
    settings.set_groups(['/A', '/B'])
    machine.save_settings_sync(settings, None)
    assert machine.load_settings_sync(None).get_groups() == ['/A', '/B']
    table = machine.load_extra_data_sync(None)
    machine.set_extra_data_sync('Key', 'Value', None)
    assert 'Key' not in table and machine.load_extra_data_sync(None)['Key'] == 'Value'


def environments(world):
    client = world.client()
    machine = world.machine(client, 'Env')
    os.environ['VITRINE_TEST_OWN'] = 'own'
    for environment, own, given in ((None, True, False), ([*(f'{k}={v}' for k, v in os.environ.items()
                                                              if k != 'VITRINE_TEST_OWN'),
                                                            'VITRINE_TEST_GIVEN=1'], False, True)):
        machine.launch_sync('headless', environment, None)
        text = Path(f'/proc/{machine.get_session_pid()}/environ').read_bytes()
        assert (b'VITRINE_TEST_GIVEN=1\0' in text + b'\0') == given, environment
        assert (b'VITRINE_TEST_OWN=own' in text) == own, environment
        machine.emergency_stop_sync(None)
        until(lambda: not world.processes('vitrine-headless'), 'the process ends')


def images_with_progress(world):
    client = world.client()
    percents = []
    progress = client.create_medium_sync(str(world.root / 'a.vdi'), Kind.HARD_DISK, 'VDI', 'fixed', 4 << 20, None, None)
    progress.connect('notify::percent', lambda p, _: percents.append(p.get_percent()))
    identity = wait_for(progress.wait_async, progress.wait_finish)
    assert client.find_medium(identity).dup_name() == 'a.vdi'
    assert not percents or percents[-1] <= 100


def devices_describe_themselves(world):
    modules = BUILD / 'tests/device/example-module'
    os.environ['VITRINE_MODULES'] = str(modules)
    client = world.client()
    devices = {device.name: device for device in client.load_devices_sync(None)}
    again = wait_for(client.load_devices_async, client.load_devices_finish)
    assert [device.name for device in again] == list(devices)
    serial = devices['serial']
    assert (serial.kind, serial.max_instances, serial.module) == ('serial', 4, False)
    kind = serial.find_option('UartType')
    assert kind.type == Vitrine.OptionType.CHOICE and kind.text == '16550A'
    assert kind.choices == ['16450', '16550A', '16750']
    irq = serial.find_option('Irq')
    assert (irq.type, irq.minimum, irq.maximum, irq.value) == (Vitrine.OptionType.UINT, 0, 15, 4)
    assert serial.find_option('Nothing') is None
    assert devices['rtc'].find_option('UseUtc').type == Vitrine.OptionType.BOOL
    cards = {device.get_audio_controller()[1]: device.title for device in again if device.get_audio_controller()[0]}
    assert cards == {Vitrine.AudioController.AC97: 'ICH AC97', Vitrine.AudioController.HDA: 'Intel HD Audio',
                     Vitrine.AudioController.SB16: 'Sound Blaster 16'}, cards
    if list(modules.glob('*.so')):
        example = devices['example']
        assert example.module and example.options, 'the module is not listed'
    del os.environ['VITRINE_MODULES']


if __name__ == '__main__':
    run(both_forms_of_calls, properties_and_signals, objects_outlive_their_client, settings_are_values, environments, images_with_progress,
        devices_describe_themselves)
