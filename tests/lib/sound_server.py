# SPDX-License-Identifier: GPL-3.0-or-later
#
# A PulseAudio daemon of the test's own, with two sinks into nothing: "out" is what programs play to,
# and what is played to "mic" is what programs record.
"""A sound server for tests, and tones."""

import array
import bisect
import math
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

RATE = 48000
FRAME_BYTES = 4
# How far a tone may be from its frequency, as a part of it: a third of what a musician hears. Two clocks are
# brought together by less than that.
ACCURACY = 0.002


class SoundServer:
    """A context; `env` makes programs use it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.socket = self.folder / 'pulse.socket'
        self.env = {**os.environ, 'PULSE_SERVER': f'unix:{self.socket}', 'HOME': str(folder),
                    'XDG_RUNTIME_DIR': str(folder), 'PULSE_COOKIE': str(self.folder / 'cookie')}
        self.process = None

    def start(self):
        """Starts the daemon, or starts it again."""
        # Of those that are left when one goes, the first is the best.
        loads = ('module-null-sink sink_name=out rate=48000 sink_properties=device.class=sound',
                 'module-null-sink sink_name=mic rate=48000',
                 f'module-native-protocol-unix socket={self.socket} auth-anonymous=1')
        words = ['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disallow-exit',
                 '--log-level=error']
        for load in loads:
            words += ['-L', load]
        env = {key: value for key, value in self.env.items() if key != 'PULSE_SERVER'}
        self.process = subprocess.Popen(words, env=env)
        end = time.monotonic() + 20
        while subprocess.run(['pactl', 'set-default-sink', 'out'], env=self.env, capture_output=True,
                             check=False).returncode:
            if time.monotonic() > end:
                raise TimeoutError('the sound server does not answer')
            time.sleep(0.1)
        subprocess.run(['pactl', 'set-default-source', 'mic.monitor'], env=self.env, check=True)

    def stop(self):
        """Ends the daemon at once."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        self.socket.unlink(missing_ok=True)

    def __enter__(self):
        assert shutil.which('pulseaudio'), 'package pulseaudio'
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def control(self, *words):
        """What pactl answers."""
        return subprocess.run(['pactl', *words], env=self.env, check=True, capture_output=True, text=True).stdout

    def add_sink(self, name):
        """One more sink into nothing; returns what removes it."""
        number = self.control('load-module', 'module-null-sink', f'sink_name={name}', f'rate={RATE}').strip()
        return lambda: self.control('unload-module', number)

    def record(self, device='out.monitor'):
        """A process whose standard output is what the device gives: 16 bits, stereo, 48 kHz."""
        return subprocess.Popen(['parec', '-d', device, '--raw', f'--rate={RATE}', '--format=s16le', '--channels=2',
                                 '--latency-msec=5'], env=self.env, stdout=subprocess.PIPE)

    def play(self, samples, device='mic'):
        """Plays mono samples (an array of 16-bit numbers), in the background. With the usual latency, a null sink
        would have nothing for those who record for up to two seconds."""
        with tempfile.TemporaryFile() as file:
            file.write(samples.tobytes())
            file.seek(0)
            return subprocess.Popen(['pacat', '-d', device, '--raw', f'--rate={RATE}', '--format=s16le', '--channels=1',
                                     '--latency-msec=100'], env=self.env, stdin=file)


class Listener:
    """Reads what a recording process says, in the background. It is there when that has begun: a null sink that
    nobody wanted anything of sleeps for up to two seconds, whoever comes meanwhile."""

    def __init__(self, process):
        self.process, self.data = process, bytearray()
        self.arrivals = []  # (bytes before, when the last of those that came now were there)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        end = time.monotonic() + 20
        while not self.data:
            if time.monotonic() > end:
                raise TimeoutError('nothing is recorded')
            time.sleep(0.05)

    def _read(self):
        while chunk := self.process.stdout.read1(4096):
            self.arrivals.append((len(self.data), time.monotonic()))
            self.data += chunk

    def wait(self, is_right, what, seconds=60, last=0.3):
        """Until what was heard in the last moments, at its loudest, is right."""
        size = round(last * RATE) * FRAME_BYTES
        begin, end = len(self.data), time.monotonic() + seconds
        while True:
            stop = len(self.data) // FRAME_BYTES * FRAME_BYTES
            if stop - begin >= size and is_right(loudest(left(bytes(self.data[stop - size:stop])))):
                return
            if time.monotonic() > end:
                raise TimeoutError(f'not heard within {seconds} s: {what}')
            time.sleep(0.05)

    def when(self, frame):
        """When a frame was recorded, by time.monotonic()."""
        at = bisect.bisect_right(self.arrivals, (frame * FRAME_BYTES, math.inf)) - 1
        end = self.arrivals[at + 1][0] if at + 1 < len(self.arrivals) else len(self.data)
        return self.arrivals[at][1] - (end // FRAME_BYTES - frame) / RATE

    def stop(self):
        """What was heard."""
        self.process.kill()
        self.process.wait()
        self.thread.join()
        return left(bytes(self.data))


def left(data):
    """The left channel of interleaved 16-bit frames."""
    samples = array.array('h')
    samples.frombytes(data[:len(data) // 4 * 4])
    return samples[::2]


def loudest(samples):
    """How far from zero they go."""
    return max((abs(value) for value in samples), default=0)


def is_tone(hz, wanted):
    """Whether that is its frequency."""
    return abs(hz - wanted) <= wanted * ACCURACY


def periods_of(samples):
    """The periods of a sine: (first frame, frames), both with their fractions."""
    rises, before = [], 0
    loud = max(samples, default=0) // 8
    armed = False
    for i, value in enumerate(samples):
        if value < -loud:
            armed = True
        elif armed and value >= 0:
            rises.append(i - value / (value - before))
            armed = False
        before = value
    rises = rises[:-1]  # the tone's end rings
    return [(earlier, later - earlier) for earlier, later in zip(rises, rises[1:])]


def odd_of(periods):
    """Those that are not as long as the others: gaps and clicks."""
    usual = sorted(length for _, length in periods)[len(periods) // 2]
    return [(at, length) for at, length in periods if abs(length - usual) > 0.1 * usual]


def tone_of(samples, rate=RATE):
    """Frequency of a sine, seconds from its first rise to its last, and how many of its periods are odd."""
    periods = periods_of(samples)
    if len(periods) < 2:
        return 0.0, 0.0, 0
    frames = sum(length for _, length in periods)
    return rate * len(periods) / frames, frames / rate, len(odd_of(periods))
