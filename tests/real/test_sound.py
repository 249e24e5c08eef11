#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 gcc-multilib grub-pc-bin grub-common e2fsprogs gzip pulseaudio pulseaudio-utils
# timeout: 1800
# alone
#
# Every sound card with Linux's own driver: a tone that the guest plays arrives in a file on the host with its
# frequency and without a gap, and so does one of the PC's speaker by the kernel's pcspkr. A machine of the service's
# starts without a sound server, is heard when there is one, is silenced and made deaf while it runs, follows the
# host's default sink, is heard after its sink was unplugged and after the server was away, and hears a tone of the
# host's.
# Without --long the tone in a file is HDA's alone. With --long also, for every card: tones through PulseAudio, one of ten minutes; a tone of the host's is heard by
# the guest; the sink changes and goes, the server goes and comes back while the guest plays and records.
"""Linux plays and records with every sound card."""

import array
import contextlib
import math
import os
import re
import sys
import tempfile
import time
import wave
from pathlib import Path

import guest
import media
import sound_server
from shell_guest import ShellGuest

# The medium with the card's driver, and what that driver always says.
CARDS = {'ac97': ('sound-amd64', ()), 'hda': ('sound-amd64', ()), 'sb16': ('sound-i386', ('no OPL device',))}
HZ, MIC_HZ = 440, 1000
# The Sound Blaster knows nothing faster.
RATES = {'ac97': 48000, 'hda': 48000, 'sb16': 44100}
# As the kernel divides the timer's clock for it.
BEEP_COUNT, BEEP_HZ, BEEP_SECONDS = 1355, 880, 2
AWAY, BACK = 'The sound server cannot be reached', 'the sound server is there again'
QUIET, PAUSE = 64, sound_server.RATE // 4
LOUD = 10000
BOOT_SECONDS = 400
HEARD = re.compile(r'tone: heard ([0-9.]+) Hz, level ([0-9.]+)')


def fault_of(what, samples, seconds, wanted=HZ):
    """What a tone lacks, or None: its frequency, length or evenness."""
    hz, lasted, odd = sound_server.tone_of(samples)
    print(f'{what}: {hz:.3f} Hz for {lasted:.2f} s, {odd} odd periods')
    if sound_server.is_tone(hz, wanted) and lasted >= seconds - 0.3 and not odd:
        return None
    return f'{what}: that is not {wanted} Hz for {seconds} s without a gap'


def check_tone(what, samples, seconds, wanted=HZ):
    """Judges a tone."""
    if fault := fault_of(what, samples, seconds, wanted):
        sys.exit(fault)


def check_again(what, record, seconds, tries=3):
    """The same of one that goes through the host's scheduler: a gap that is of our making comes again."""
    for _ in range(tries):
        fault = fault_of(what, record(), seconds)
        if not fault:
            return
    sys.exit(f'{fault}, {tries} times')


def sounds(samples):
    """What is between pauses."""
    loud = [i for i, value in enumerate(samples) if abs(value) > QUIET]
    ends = [i for i, (here, there) in enumerate(zip(loud, loud[1:])) if there - here > PAUSE]
    begins = [0, *(i + 1 for i in ends)]
    return [samples[loud[begin]:loud[end] + 1] for begin, end in zip(begins, [*ends, len(loud) - 1])]


def to_file(card, folder, disk):
    """Played at another rate than the host's, into a file."""
    path = folder / f'{card}.wav'
    with ShellGuest(disk, '--sound', f'{card},wav:{path}', boot_seconds=BOOT_SECONDS) as shell:
        if 'tone: played' not in shell.run(f'tone play {HZ} 3 44100', 60):
            sys.exit(f'{card}: the guest cannot play\n{shell.text[-2000:]}')
        time.sleep(1.5)
        if has_speaker := 'pcspkr' in shell.run('ls /lib/modules'):
            shell.run(f'tone beep {BEEP_HZ} {BEEP_SECONDS}', 60)
            time.sleep(1.5)
        if found := [line for line in shell.complaints() if not any(usual in line for usual in CARDS[card][1])]:
            sys.exit(f'{card}: the kernel complains\n' + '\n'.join(found))
    with wave.open(str(path)) as file:
        tones = sounds(sound_server.left(file.readframes(file.getnframes())))
    if len(tones) != 1 + has_speaker:
        sys.exit(f'{card}: {len(tones)} sounds are in the file')
    check_tone(f'{card} into a file', tones[0], 3)
    if has_speaker:
        check_tone(f'the speaker beside {card}', tones[1], BEEP_SECONDS, 1193182 / BEEP_COUNT)


@contextlib.contextmanager
def microphone(server):
    """A tone at the host's microphone, for as long as it takes."""
    period = sound_server.RATE // MIC_HZ
    wave_of_it = [round(8192 * math.sin(2 * math.pi * i / period)) for i in range(period)]
    player = server.play(array.array('h', wave_of_it * MIC_HZ * 90))
    try:
        listener = sound_server.Listener(server.record('mic.monitor'))
        listener.wait(lambda level: level > 4000, 'the microphone')
        listener.stop()
        yield
    finally:
        player.kill()
        player.wait()


def hears_tone(hz, level):
    """Whether that is the microphone's."""
    return sound_server.is_tone(float(hz), MIC_HZ) and 0.1 < float(level) < 0.6


def check_heard(what, said, silent=False):
    """Compares what a guest says that it heard last with the microphone's tone, or all of it with silence."""
    heard = HEARD.findall(said)
    print(f'{what}: {heard}')
    if not heard or not (all(float(level) <= 0.001 for _, level in heard) if silent else hears_tone(*heard[-1])):
        sys.exit(f'{what}: the guest does not hear {"silence" if silent else f"{MIC_HZ} Hz"}')


def wait_heard(shell, seconds=90):
    """Until the guest, which listens, hears the microphone's tone."""
    end = time.monotonic() + seconds
    while not hears_tone(*(found := shell.wait(HEARD.pattern, seconds)).groups()):
        if time.monotonic() > end:
            sys.exit(f'the guest heard {found.group(0)!r} at last')


def record_tone(shell, server, seconds, rate):
    """What the host hears of one."""
    listener = sound_server.Listener(server.record())
    shell.run(f'tone play {HZ} {seconds} {rate}', seconds + 120)
    listener.wait(lambda level: level < QUIET, 'the end of a tone')
    return listener.stop()


def record_part(server, seconds, device='out.monitor'):
    """What the host hears while something is being played."""
    listener = sound_server.Listener(server.record(device))
    listener.wait(lambda level: level > LOUD, 'a tone')
    heard = len(listener.data)
    while len(listener.data) - heard < seconds * sound_server.RATE * sound_server.FRAME_BYTES:
        time.sleep(0.05)
    return listener.stop()[heard // sound_server.FRAME_BYTES:]


def through_server(card, server, disk, seconds):
    """Out through the server's monitor, in from its microphone, and over a restart of it."""
    with ShellGuest(disk, '--sound', f'{card},pulse', env=server.env, boot_seconds=BOOT_SECONDS) as shell:
        check_again(f'{card} through PulseAudio', lambda: record_tone(shell, server, seconds, RATES[card]), seconds,
                    tries=3 if seconds < 60 else 1)
        with microphone(server):
            check_heard(card, shell.run('tone hear 3 44100', 60))
        shell.begin(f'tone play {HZ} 300 {RATES[card]} &')
        record_part(server, 0.5)
        moves(card, server)
        server.stop()
        time.sleep(1)
        server.start()
        check_again(f'{card} after the server was away', lambda: record_part(server, 2), 2)
        shell.begin('kill $!; echo $((40 + 2))')
        shell.wait('42', 60)
        # The microphone's device is another one from now on, and the server a new one.
        server.stop()
        shell.begin('tone hear 300 44100 &')
        shell.wait('tone: heard', 60)
        server.start()
        with microphone(server):
            wait_heard(shell)


def moves(what, server):
    """What plays goes to another sink when that becomes the default one, and comes back when it is unplugged."""
    remove = server.add_sink('other')
    server.control('set-default-sink', 'other')
    check_again(f'{what} through another sink', lambda: record_part(server, 1, 'other.monitor'), 1)
    listener = sound_server.Listener(server.record())
    listener.wait(lambda level: level == 0, 'silence of the sink that was left')
    remove()
    server.control('set-default-sink', 'out')
    listener.wait(lambda level: level > LOUD, 'a tone from the sink that is left')
    listener.stop()
    check_again(f'{what} back at the first sink', lambda: record_part(server, 1), 1)


def wait_logged(machine, text, times=1):
    """Until the machine's log has said so that many times."""
    log, end = next(machine.folder.rglob('VBox.log')), time.monotonic() + 30
    while log.read_text(encoding='utf-8').count(text) < times:
        if time.monotonic() > end:
            sys.exit(f'{times} times {text!r} is not in the log')
        time.sleep(0.2)


def wait_level(server, loud, what):
    """Until the machine is heard, or is not."""
    listener = sound_server.Listener(server.record())
    listener.wait((lambda level: level > LOUD) if loud else (lambda level: level == 0), what)
    listener.stop()
    print(f'through the service: {what}')


def left_alone(machine, server):
    """The server goes while the machine plays: it says so, goes on, and is heard when the server is back."""
    machine.control('audioout', 'on')
    machine.serial.write(f'tone play {HZ} 300 48000 &\n')
    machine.wait_serial('tone: rate', 30)
    wait_level(server, True, 'heard again')
    server.stop()
    wait_logged(machine, AWAY, 2)
    server.start()
    wait_logged(machine, BACK, 2)
    wait_level(server, True, 'heard by a server that came back')


def silenced(server, disk):
    """A machine of the service's, that starts without a server. Its sound is switched off and on while it plays;
    the settings keep that. It listens only when it may."""
    server.stop()
    os.environ['PULSE_SERVER'] = server.env['PULSE_SERVER'] # the service hands it on
    settings = ('--audio-enabled', 'on', '--audio-driver', 'pulse', '--audio-controller', 'hda', '--audio-out', 'on')
    with guest.Machine('sound', disk=disk, ostype='Linux26_64', settings=settings) as machine:
        machine.start()
        machine.wait_serial('vitrine# ', BOOT_SECONDS)
        wait_logged(machine, AWAY)
        server.start()
        wait_logged(machine, BACK)
        machine.serial.write(f'tone play {HZ} 300 48000 &\n')
        machine.wait_serial('tone: rate', 30)
        wait_level(server, True, 'heard')
        machine.control('audioout', 'off')
        wait_level(server, False, 'silenced')
        machine.control('audioout', 'on')
        wait_level(server, True, 'heard once more')
        moves('through the service', server)
        machine.control('audioout', 'off')
        end = time.monotonic() + 30
        while machine.info().get('audio_out') != 'off':
            if time.monotonic() > end:
                sys.exit('the settings do not keep that the guest is silenced')
            time.sleep(0.2)
        machine.serial.write('kill $!; echo $((40 + 2))\n')
        machine.wait_serial('42', 60)
        with microphone(server):
            for allowed in (False, True):
                machine.control('audioin', 'on' if allowed else 'off')
                machine.serial.write('tone hear 2 44100\n')
                machine.wait_serial('tone: rate', 60)
                check_heard(f'audioin {allowed}', machine.wait_serial('tone: listened', 60), silent=not allowed)
        left_alone(machine, server)


if __name__ == '__main__':
    LONG = bool(os.environ.get('VITRINE_LONG'))
    with tempfile.TemporaryDirectory() as temporary:
        for name, (medium, _) in CARDS.items():
            DISK = Path(temporary) / f'{medium}.img'
            media.copy(medium, DISK)
            if LONG or name == 'hda':
                to_file(name, Path(temporary), DISK)
            if LONG:
                with sound_server.SoundServer(temporary) as daemon:
                    through_server(name, daemon, DISK, 600 if name == 'ac97' else 20)
        with sound_server.SoundServer(temporary) as daemon:
            media.copy('sound-amd64', DISK)
            silenced(daemon, DISK)
