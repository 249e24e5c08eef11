# SPDX-License-Identifier: GPL-3.0-or-later
#
# What stands at the other end of a remote USB device: usbredirect with the mocked device, a relay between sockets
# of two kinds, and peers that say anything.
"""Peers of remote USB devices."""

import os
import socket
import subprocess
import threading
from pathlib import Path

DEVICE = '1234:5678'


class Redirect:
    """A context: usbredirect hands the mocked device out; `address` is where it connects, or with serve=True
    where it waits."""

    def __init__(self, address, serve=False):
        tools = Path(os.environ['VITRINE_BUILD']) / 'tests' / 'lib'
        words = ['umockdev-wrapper', tools / 'usb-mock-run', '/usr/bin/usbredirect', '--device', DEVICE,
                 '--as' if serve else '--to', address]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def free_port():
    """A TCP port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def _pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(path, port):
    """Takes one connection at a TCP port to the socket at a path; returns when the port is open."""
    server = socket.create_server(('127.0.0.1', port))

    def run():
        near, _ = server.accept()
        server.close()
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(path))
        threading.Thread(target=_pump, args=(near, far), daemon=True).start()
        _pump(far, near)
        near.close()
        far.close()

    threading.Thread(target=run, daemon=True).start()
