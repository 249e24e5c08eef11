#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 gcc-multilib grub-pc-bin grub-common e2fsprogs gzip pulseaudio pulseaudio-utils
# timeout: 1800
# alone
#
# Every sound card with Linux's own driver: a tone that the guest plays arrives in a file on the host with its
# frequency and without a gap, and so does one of the PC's speaker by the kernel's pcspkr. A machine of the service's starts without a sound server, is heard when there is
# one, is silenced and made deaf while it runs, and hears a tone of the host's.
# With --long also, for every card: tones through PulseAudio, one of ten minutes; a tone of the host's is heard by
# the guest; the server goes and comes back while the guest plays and records.
"""Linux plays and records with every sound card."""

import array
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


def check_tone(what, samples, seconds, wanted=HZ):
    """The tone's frequency, length and evenness."""
    hz, lasted, odd = sound_server.tone_of(samples)
    print(f'{what}: {hz:.3f} Hz for {lasted:.2f} s, {odd} odd periods')
    if abs(hz - wanted) > wanted * 0.0005 or lasted < seconds - 0.3 or odd:
        sys.exit(f'{what}: that is not {wanted} Hz for {seconds} s without a gap')


def sounds(samples):
    """What is between pauses."""
    loud = [i for i, value in enumerate(samples) if abs(value) > QUIET]
    ends = [i for i, (here, there) in enumerate(zip(loud, loud[1:])) if there - here > PAUSE]
    begins = [0, *(i + 1 for i in ends)]
    return [samples[loud[begin]:loud[end] + 1] for begin, end in zip(begins, [*ends, len(loud) - 1])]


def to_file(card, folder, disk):
    """Played at another rate than the host's, into a file."""
    path = folder / f'{card}.wav'
    with ShellGuest(disk, '--sound', f'{card},wav:{path}') as shell:
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


def microphone(server, seconds):
    """A tone at the host's microphone, which is awake when this returns."""
    player = server.play(array.array('h', (round(8192 * math.sin(2 * math.pi * MIC_HZ * i / 48000))
                                         for i in range(48000 * seconds))))
    time.sleep(2.5)
    return player


def heard_by(what, said, silent=False):
    """Compares what a guest says that it heard with the microphone's tone, or with silence."""
    match = re.search(r'heard ([0-9.]+) Hz, level ([0-9.]+)', said)
    print(f'{what}: {match.group(0) if match else said}')
    if not match or (float(match.group(2)) > 0.001 if silent else
                     abs(float(match.group(1)) - MIC_HZ) > 2 or not 0.1 < float(match.group(2)) < 0.6):
        sys.exit(f'{what}: the guest does not hear {"silence" if silent else f"{MIC_HZ} Hz"}')


def through_server(card, server, disk, seconds):
    """Out through the server's monitor, in from its microphone, and over a restart of it."""
    with ShellGuest(disk, '--sound', f'{card},pulse', env=server.env) as shell:
        listener = sound_server.Listener(server.record())
        shell.run(f'tone play {HZ} {seconds} {RATES[card]}', seconds + 60)
        time.sleep(1)
        check_tone(f'{card} through PulseAudio', listener.stop(), seconds)
        player = microphone(server, 20)
        heard_by(card, shell.run('tone hear 3 44100', 60))
        player.kill()
        player.wait()
        shell.begin(f'tone play {HZ} 8 {RATES[card]}')
        time.sleep(2)
        server.stop()
        time.sleep(1)
        server.start()
        time.sleep(2.5)
        listener = sound_server.Listener(server.record())
        time.sleep(2)
        check_tone(f'{card} after the server was away', listener.stop(), 1.5)
        shell.wait('tone: played', 60)
        # The microphone's device is another one from now on, and the server a new one.
        server.stop()
        shell.begin('tone hear 8 44100')
        time.sleep(1)
        server.start()
        player = microphone(server, 20)
        shell.wait(rf'heard {MIC_HZ}\.', 60)
        player.kill()
        player.wait()


def wait_logged(machine, text, times=1):
    """Until the machine's log has said so that many times."""
    log, end = next(machine.folder.rglob('VBox.log')), time.monotonic() + 30
    while log.read_text(encoding='utf-8').count(text) < times:
        if time.monotonic() > end:
            sys.exit(f'{times} times {text!r} is not in the log')
        time.sleep(0.2)


def loudest(server, seconds):
    """What is heard now."""
    listener = sound_server.Listener(server.record())
    time.sleep(seconds)
    return max(listener.stop(), default=0)


def left_alone(machine, server):
    """The server goes while the machine plays: it says so, goes on, and is heard when the server is back."""
    machine.control('audioout', 'on')
    machine.serial.write(f'tone play {HZ} 12 48000\n')
    machine.wait_serial('tone: rate', 30)
    time.sleep(1)
    server.stop()
    wait_logged(machine, AWAY, 2)
    server.start()
    wait_logged(machine, BACK, 2)
    heard = loudest(server, 2)
    print(f'after the server was away: {heard}')
    if heard < 10000:
        sys.exit('the machine is not heard by a server that came back')
    machine.wait_serial('tone: played', 60)


def silenced(server, disk):
    """A machine of the service's, that starts without a server. Its sound is switched off and on while it plays;
    the settings keep that. It listens only when it may."""
    server.stop()
    os.environ['PULSE_SERVER'] = server.env['PULSE_SERVER'] # the service hands it on
    settings = ('--audio-enabled', 'on', '--audio-driver', 'pulse', '--audio-controller', 'hda', '--audio-out', 'on')
    with guest.Machine('sound', disk=disk, ostype='Linux26_64', settings=settings) as machine:
        machine.start()
        machine.wait_serial('vitrine# ', 120)
        wait_logged(machine, AWAY)
        server.start()
        wait_logged(machine, BACK)
        machine.serial.write(f'tone play {HZ} 12 48000\n')
        machine.wait_serial('tone: rate', 30)
        time.sleep(1)
        levels = []
        for words in ((), ('audioout', 'off'), ('audioout', 'on')):
            if words:
                machine.control(*words)
                time.sleep(1)
            levels.append(loudest(server, 1.5))
        print(f'through the service, heard, silenced, heard: {levels}')
        if not (levels[0] > 10000 and levels[1] == 0 and levels[2] > 10000):
            sys.exit('the machine is not heard, or not silenced')
        machine.control('audioout', 'off')
        end = time.monotonic() + 20
        while machine.info().get('audio_out') != 'off':
            if time.monotonic() > end:
                sys.exit('the settings do not keep that the guest is silenced')
            time.sleep(0.2)
        machine.wait_serial('tone: played', 60)
        player = microphone(server, 60)
        for allowed in (False, True):
            machine.control('audioin', 'on' if allowed else 'off')
            machine.serial.write('tone hear 2 44100\n')
            said = machine.wait_serial(r'heard [^\n]*level [0-9.]+\s', 60)
            heard_by(f'audioin {allowed}', said.group(0) if hasattr(said, 'group') else said, silent=not allowed)
        player.kill()
        player.wait()
        left_alone(machine, server)


if __name__ == '__main__':
    LONG = bool(os.environ.get('VITRINE_LONG'))
    with tempfile.TemporaryDirectory() as temporary:
        for name, (medium, _) in CARDS.items():
            DISK = Path(temporary) / f'{medium}.img'
            media.copy(medium, DISK)
            to_file(name, Path(temporary), DISK)
            if LONG:
                with sound_server.SoundServer(temporary) as daemon:
                    through_server(name, daemon, DISK, 600 if name == 'ac97' else 20)
        with sound_server.SoundServer(temporary) as daemon:
            media.copy('sound-amd64', DISK)
            silenced(daemon, DISK)
