#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 gcc-multilib grub-pc-bin grub-common e2fsprogs gzip pulseaudio pulseaudio-utils
# timeout: 1800
# long
# alone
#
# Sound of every card through PulseAudio: the delay from a Linux guest's write to the monitor, which the guest's and
# the host's clocks tell, and how it changes while a tone of ten minutes plays; that tone's frequency and gaps. The
# cards play at the same time, each to a server of its own, beside programs that keep all cores busy. Where the host is
# a virtual machine whose processors were taken away for longer than any sound server's queue lasts, the periods that
# were odd for that are counted apart. Then what a machine with network, sound and a USB tablet costs while it does
# nothing.
#
#   test_sound.py [SECONDS [CARD ...]]     a shorter tone, some cards; "idle" for what is behind them
"""Sound: delay, gaps, drift, and an idle machine with everything."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bar
import guest
import host_watch
import media
import sound_server
import test_headless
from shell_guest import ShellGuest

# A medium with a driver, and the fastest rate that it plays at.
CARDS = {'ac97': ('sound-amd64', 48000), 'hda': ('sound-amd64', 48000), 'sb16': ('sound-i386', 44100)}
HZ, LOUD = 440, 2000
PULSES, TONE_SECONDS, FEW_SECONDS = 20, 600, 10
MOST_DELAY_MS, MOST_GROWTH_MS, MOST_DRIFT_PPM = 80, 20, 100
MOST_IDLE_PERCENT = 4.0
# A processor that is away for so long, and how much later what it caused may be heard, in seconds.
HOST_STOOD, HEARD_WITHIN = 0.030, 0.150
IDLE_SETTINGS = ('--audio-enabled', 'on', '--audio-driver', 'pulse', '--audio-controller', 'hda', '--audio-out', 'on',
                 '--nic1', 'nat', '--usb-ohci', 'on', '--mouse', 'usbtablet')
STAMP = r'tone: (\w+) at ([\d.]+) ms behind ([\d.]+) ms'


def stamps(shell, count):
    """What the guest says of its writes: (its clock, its own queue, ours when that was read), in ms."""
    found = []
    for _ in range(count):
        match = shell.wait(STAMP, 120)
        found.append((float(match.group(2)), float(match.group(3)), time.monotonic() * 1000))
    return found


def on_our_clock(found):
    """(when it was written, its own queue): the quickest message tells how the clocks differ."""
    offset = min(ours - guests for guests, _, ours in found)
    return [(guests + offset, queue) for guests, queue, _ in found]


def bursts(samples):
    """The first frame of each burst behind silence."""
    last, found = -sound_server.RATE, []
    for i, value in enumerate(samples):
        if abs(value) > LOUD:
            if i - last > sound_server.RATE // 4:
                found.append(i)
            last = i
    return found


def delays(shell, server, rate):
    """From write to monitor in ms, for each burst that was heard: (all of it, beyond the guest's queue)."""
    listener = sound_server.Listener(server.record())
    shell.begin(f'tone pulse {(PULSES + 1) * 1000} {rate}')
    written = on_our_clock(stamps(shell, PULSES))
    shell.wait('\n' + re.escape('vitrine# '), 120)
    time.sleep(0.5)
    heard = [listener.when(frame) * 1000 for frame in bursts(listener.stop())]
    found = []
    for at, queue in written:
        later = [when - at for when in heard if -50 < when - at < 900]
        if later:
            found.append((later[0], later[0] - queue))
    return found


def behind(listener, written, frames):
    """By how many ms the end of each second was heard later than it left the guest's queue."""
    return statistics.median(listener.when(frame) * 1000 - at - queue
                             for frame, (at, queue) in zip(frames, on_our_clock(written)))


def tone(shell, server, seconds, rate):
    """Of a tone: its periods, when a frame of it was heard, and by how many ms its last seconds came later than its
    first ones.

    Clocks of guest and host may go at different rates, which shows in ten minutes: each end has its own difference."""
    listener = sound_server.Listener(server.record())
    shell.begin(f'tone play {HZ} {seconds} {rate}')
    written = stamps(shell, seconds)
    shell.wait('tone: played', 120)
    time.sleep(1)
    samples = listener.stop()
    first = next(i for i, value in enumerate(samples) if abs(value) > LOUD)
    last = next(i for i in range(len(samples) - 1, 0, -1) if abs(samples[i]) > LOUD)
    some = min(FEW_SECONDS, seconds // 2)
    early = behind(listener, written[:some], [first + (i + 1) * sound_server.RATE for i in range(some)])
    late = behind(listener, written[-some:], [last - i * sound_server.RATE for i in reversed(range(some))])
    return sound_server.periods_of(samples), listener.when, late - early


def parted(periods, when, stood):
    """Of odd periods: (ours, those that were heard where the host stood still)."""
    found = ([], [])
    for at, length in sound_server.odd_of(periods):
        heard = when(int(at))
        found[any(begin <= heard <= end + HEARD_WITHIN for begin, end in stood)].append((at, length))
    return found


def card_figures(card, folder, seconds, watch):
    """Runs one card; returns its faults."""
    folder.mkdir()
    medium, rate = CARDS[card]
    disk = media.copy(medium, folder / 'disk.img')
    with sound_server.SoundServer(folder) as server, \
            ShellGuest(disk, '--sound', f'{card},pulse', env=server.env, boot_seconds=400) as shell:
        found = delays(shell, server, rate)
        periods, when, growth = tone(shell, server, seconds, rate)
    dry = shell.text.count('tone: ran dry')
    if len(found) < PULSES // 2:
        return [f'{card}: {len(found)} of {PULSES} bursts were heard']
    delay, ours = (statistics.median(column) for column in zip(*found))
    worst = max(ours for _, ours in found)
    odd, hosts = parted(periods, when, watch.stood())
    lasted = sum(length for _, length in periods) / sound_server.RATE
    hz = (len(periods) - len(hosts)) / (lasted - sum(length for _, length in hosts) / sound_server.RATE)
    ppm = (hz / HZ - 1) * 1e6
    print(f'{card}: delay {delay:.1f} ms, {ours:.1f} ms beyond the guest\'s own queue (worst {worst:.1f}); '
          f'tone {hz:.4f} Hz ({ppm:+.0f} ppm) for {lasted:.2f} s, {len(odd)} odd periods and {len(hosts)} where the '
          f'host stood still, delay grew by {growth:.1f} ms; the guest\'s own queue ran dry {dry} times', flush=True)
    for at, length in odd + hosts:
        print(f'{card}: at {at / sound_server.RATE:.3f} s a period of {1000 * length / sound_server.RATE:.2f} ms')
    faults = [(delay > MOST_DELAY_MS, f'delay {delay:.1f} ms'), (odd, f'{len(odd)} odd periods'),
              (growth > MOST_GROWTH_MS, f'delay grew by {growth:.1f} ms'), (abs(ppm) > MOST_DRIFT_PPM, f'{ppm:.0f} ppm'),
              (lasted < seconds - 0.3, f'only {lasted:.2f} s')]
    return [f'{card}: {what}' for is_fault, what in faults if is_fault]


@contextlib.contextmanager
def busy_host():
    """Other work of the host's, for each of its cores."""
    with contextlib.ExitStack() as stack:
        for _ in range(os.cpu_count()):
            process = stack.enter_context(subprocess.Popen(('sh', '-c', 'while :; do :; done')))
            stack.callback(process.kill)
        yield


def idle(folder):
    """Per cent of a core of a machine at its prompt, with its network up and drivers for all."""
    folder.mkdir()
    with sound_server.SoundServer(folder) as server:
        os.environ['PULSE_SERVER'] = server.env['PULSE_SERVER']  # the service hands it on
        with guest.Machine('idle', disk=media.copy('sound-amd64', folder / 'disk.img'), ostype='Linux26_64',
                           settings=IDLE_SETTINGS) as machine:
            machine.start()
            machine.wait_serial('vitrine# ', 400)
            machine.serial.write('ip link set eth0 up; ls /sys/bus/hid/devices /sys/class/net /dev/snd\n')
            machine.wait_serial('controlC0', 60)
            machine.wait_serial('vitrine# ', 60)
            time.sleep(10)
            process = test_headless.process_of('idle', machine.info()['UUID'])
            before = test_headless.cpu_seconds(process)
            time.sleep(60)
            percent = 100 * (test_headless.cpu_seconds(process) - before) / 60
    print(f'idle with network, sound and tablet: {percent:.2f} % of a core (at most {MOST_IDLE_PERCENT})')
    return [] if percent <= MOST_IDLE_PERCENT else [f'idle: {percent:.2f} %']


def main():
    """All cards at once, then the idle machine."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else TONE_SECONDS
    wanted = sys.argv[2:] or [*CARDS, 'idle']
    cards = [card for card in wanted if card in CARDS]
    for medium in {CARDS[card][0] for card in cards}:
        media.get(medium)
    faults = []
    with tempfile.TemporaryDirectory() as temporary:
        if cards:
            with busy_host(), host_watch.HostWatch(HOST_STOOD) as watch, ThreadPoolExecutor(3) as pool:
                for found in pool.map(lambda card: card_figures(card, Path(temporary) / card, seconds, watch), cards):
                    faults += found
                for begin, end in watch.stood():
                    print(f'the host\'s processor stood still for {1000 * (end - begin):.0f} ms')
        if 'idle' in wanted:
            faults += idle(Path(temporary) / 'idle')
    print('\n'.join(faults))
    return bar.verdict(not faults)


if __name__ == '__main__':
    sys.exit(main())
