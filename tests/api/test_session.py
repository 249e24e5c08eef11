#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
# needs: gir1.2-glib-2.0 python3-gi seabios
"""A running machine as clients see it: start, console, kills of either side, start errors, the log."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import GLib, BUILD, Kind, State, Vitrine, refused, run, until  # noqa: E402

E = Vitrine.Error


def start(world, client, name='Runs'):
    machine = world.machine(client, name)
    machine.launch_sync('headless', None, None)
    return machine


def runs_and_powers_off(world):
    client, other = world.client(), world.client()
    states = []
    machine = world.machine(client, 'Runs')
    until(lambda: other.find_machine('Runs'), 'machine-added')
    watched = other.find_machine('Runs')
    watched.connect('notify::state', lambda m, _: states.append(m.get_state()))
    began = time.monotonic()
    machine.launch_sync('headless', None, None)
    print(f'launched in {(time.monotonic() - began) * 1000:.0f} ms')
    assert machine.get_state() == State.RUNNING and machine.get_session_type() == 'headless'
    assert machine.get_session_pid() == world.processes('vitrine-headless')[0]
    console = machine.open_console_sync(None)
    assert console.get_state() == State.RUNNING
    console.do_sync(Vitrine.ConsoleAction.PAUSE, None)
    until(lambda: console.get_state() == State.PAUSED, 'paused')
    console.do_sync(Vitrine.ConsoleAction.RESUME, None)
    refused(E.BUSY, machine.launch_sync, 'headless', None, None)
    refused(E.STATE, machine.refresh_sync, None)
    refused(E.STATE, machine.unregister_sync, True, None)
    until(lambda: State.PAUSED in states, 'the other client hears of it')
    console.do_sync(Vitrine.ConsoleAction.POWER_OFF, None)
    until(lambda: states and states[-1] == State.POWERED_OFF, 'powered off')
    assert {State.STARTING, State.RUNNING, State.PAUSED} <= set(states), states
    assert watched.get_session_pid() == 0 and not watched.get_console_available()
    until(lambda: not world.processes('vitrine-headless'), 'the process ends')
    assert (Path(machine.get_log_folder()) / 'VBox.log').stat().st_size > 0


def logs_are_rotated(world):
    client = world.client()
    machine = world.machine(client, 'Logs')
    for _ in range(5):
        machine.launch_sync('headless', None, None)
        machine.open_console_sync(None).do_sync(Vitrine.ConsoleAction.POWER_OFF, None)
        until(lambda: machine.get_state() == State.POWERED_OFF and not world.processes('vitrine-headless'),
              'off')
    names = sorted(p.name for p in Path(machine.get_log_folder()).iterdir())
    assert names == ['VBox.log', 'VBox.log.1', 'VBox.log.2', 'VBox.log.3'], names


def killed_process_is_aborted(world):
    client, other = world.client(), world.client()
    machine = start(world, client)
    until(lambda: other.find_machine('Runs'), 'machine-added')
    console = machine.open_console_sync(None)
    closed = []
    console.connect('closed', lambda _: closed.append(True))
    began = time.monotonic()
    os.kill(machine.get_session_pid(), signal.SIGKILL)
    until(lambda: other.find_machine('Runs').get_state() == State.ABORTED, 'aborted', 2)
    print(f'aborted after {(time.monotonic() - began) * 1000:.0f} ms')
    until(lambda: closed, 'the console closes')
    assert 'aborted="true"' in Path(machine.get_settings_file()).read_text()
    machine.launch_sync('headless', None, None)
    assert machine.get_state() == State.RUNNING
    assert 'aborted' not in Path(machine.get_settings_file()).read_text()
    machine.emergency_stop_sync(None)
    assert machine.get_state() == State.ABORTED


def survives_the_service(world):
    client = world.client()
    machine = start(world, client)
    pid = machine.get_session_pid()
    console = machine.open_console_sync(None)
    for _ in range(2):
        world.kill_service()
        until(lambda: not client.get_connected(), 'loss')
        until(lambda: client.get_connected() and machine.get_session_pid() == pid
              and machine.get_console_available(), 'the machine comes back')
        assert machine.get_state() == State.RUNNING
        refused(E.BUSY, machine.launch_sync, 'headless', None, None)
    assert not console.get_closed(), 'the console went with the service'
    console.do_sync(Vitrine.ConsoleAction.PAUSE, None)
    until(lambda: machine.get_state() == State.PAUSED, 'the new service hears of states')
    console.do_sync(Vitrine.ConsoleAction.POWER_OFF, None)
    until(lambda: machine.get_state() == State.POWERED_OFF, 'off')


def again_at_once(world):
    client = world.client()
    machine = world.machine(client, 'Again')
    for _ in range(3):  # as scripts do: nobody waits for the process itself
        machine.launch_sync('headless', None, None)
        machine.open_console_sync(None).do_sync(Vitrine.ConsoleAction.POWER_OFF, None)
        until(lambda: machine.get_state() == State.POWERED_OFF, 'off')
    machine.unregister_sync(True, None)
    assert not Path(machine.get_settings_file()).parent.exists()


def both_killed(world):
    client = world.client()
    machine = start(world, client)
    service, pid = world.services()[0], machine.get_session_pid()
    os.kill(service, signal.SIGSTOP)  # so that it cannot write down what it sees
    os.kill(pid, signal.SIGKILL)
    os.kill(service, signal.SIGKILL)
    until(lambda: client.get_connected() and machine.get_state() == State.ABORTED, 'aborted')
    machine.launch_sync('headless', None, None)
    machine.emergency_stop_sync(None)


def start_errors_are_told(world):
    client = world.client()
    machine = world.machine(client, 'No disk')
    path = world.root / 'disk.vdi'
    progress = client.create_medium_sync(str(path), Kind.HARD_DISK, 'VDI', 'dynamic', 1 << 20, None, None)
    settings = machine.load_settings_sync(None)
    settings.put_attachment(Vitrine.Attachment.new('IDE', 0, 0, Kind.HARD_DISK, progress.wait_sync(None)))
    machine.save_settings_sync(settings, None)
    path.unlink()
    for _ in range(6):  # again at once: the last one is still on its way out
        try:
            machine.launch_sync('headless', None, None)
            raise AssertionError('started without its disk')
        except GLib.Error as error:
            assert 'disk.vdi' in str(error), error
    until(lambda: machine.get_state() == State.POWERED_OFF, 'off again')
    refused(E.INVALID, machine.launch_sync, 'sideways', None, None)


def running_settings_are_locked(world):
    client = world.client()
    machine = start(world, client)
    settings = machine.load_settings_sync(None)
    settings.props.description = 'while it runs'
    machine.save_settings_sync(settings, None)
    settings = machine.load_settings_sync(None)
    settings.props.memory = 256
    refused(E.STATE, machine.save_settings_sync, settings, None)
    assert 'while it runs' in Path(machine.get_settings_file()).read_text()
    machine.emergency_stop_sync(None)


def ends_by_a_signal(world):
    client = world.client()
    machine = world.machine(client, 'Signal')
    program = str(BUILD / 'app/headless/vitrine-headless')
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen([program, '--startvm', 'Signal'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        until(lambda: machine.get_state() == State.RUNNING, 'it runs')
        process.send_signal(number)
        until(lambda: machine.get_state() == State.POWERED_OFF, 'off')
        assert process.communicate(timeout=20) == ('', '') and process.returncode == 0, process.returncode


def ports_are_as_set(world):
    client = world.client()
    machine = world.machine(client, 'Ports')
    settings = machine.load_settings_sync(None)
    for slot, kind in enumerate(('16450', '16550A', '16750')):
        uart = Vitrine.Uart.new(slot)
        uart.enabled, uart.type = True, getattr(Vitrine.UartType, kind)
        settings.set_uart(slot, uart)
    machine.save_settings_sync(settings, None)
    machine.launch_sync('headless', None, None)
    log = (Path(machine.get_log_folder()) / 'VBox.log').read_text()
    assert re.findall(r'UartType\W+(16\w+)', log) == ['16450', '16550A', '16750'], log
    machine.emergency_stop_sync(None)


def service_stays_for_machines(world):
    client = world.client()
    machine = start(world, client)
    machine_id = machine.get_id()
    del machine, client
    time.sleep(7)
    assert world.services(), 'the service left a running machine alone'
    assert world.client().find_machine(machine_id).get_state() == State.RUNNING


run(runs_and_powers_off, logs_are_rotated, killed_process_is_aborted, survives_the_service, again_at_once, both_killed,
    start_errors_are_told, running_settings_are_locked, ends_by_a_signal, ports_are_as_set, service_stays_for_machines)
