# SPDX-License-Identifier: GPL-3.0-or-later
#
# What is at the other end of a guest's cable in tests: a web server and TCP tests on the host, a
# switch of the network worker between several guests.
"""Peers for guests with network cards."""

import functools
import http.server
import os
import socket
import subprocess
import threading
from pathlib import Path


def free_port(kind=socket.SOCK_STREAM):
    """A port of 127.0.0.1 that nobody has at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def tcpspeed():
    """The program that guests have, too."""
    return Path(os.environ['VITRINE_BUILD']) / 'tests' / 'lib' / 'tcpspeed'


class _Noting(http.server.SimpleHTTPRequestHandler):
    def __init__(self, asked, *arguments, **options):
        self.asked = asked
        super().__init__(*arguments, **options)

    def send_head(self):
        self.asked.append(self.path)
        return super().send_head()

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass


class WebServer:
    """A context: a folder's files at http://127.0.0.1:port/, or at another address of the host's own; `asked`
    has the paths that were asked for."""

    def __init__(self, folder, server=http.server.ThreadingHTTPServer, address='127.0.0.1'):
        self.asked = []
        handler = functools.partial(_Noting, self.asked, directory=str(folder))
        self.server = server((address, 0), handler)
        self.port = self.server.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind, value, trace):
        self.server.shutdown()
        self.server.server_close()


class Switch:
    """A context: a network worker, without a gateway unless the setup says so; each port is a card's wire."""

    def __init__(self, setup='network'):
        self.setup = setup

    def __enter__(self):
        worker = Path(os.environ['VITRINE_BUILD']) / 'app' / 'worker' / 'vitrine-worker'
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ports = []
        # The worker's control socket is descriptor 3.
        self.process = subprocess.Popen(['/bin/sh', '-c', f'exec "$0" network 3<&{theirs.fileno()}', worker],
                                        stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(),))
        theirs.close()
        self.request(self.setup)
        return self

    def request(self, text, *descriptors):
        """One request and its answer."""
        socket.send_fds(self.control, [text.encode()], descriptors)
        answer = self.control.recv(1024).decode()
        while answer.startswith('lease\n'):  # what the worker says by itself
            answer = self.control.recv(1024).decode()
        if answer != 'ok':
            raise RuntimeError(f'the network worker: {answer}')

    def port(self, name, mac):
        """One more port for a card with that address: the descriptor for `fd=N`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.request(f'port\nid={name}\nmac={mac}\npolicy=deny', theirs.fileno())
        theirs.close()
        self.ports.append(ours)
        return ours.fileno()

    def __exit__(self, kind, value, trace):
        for each in (self.control, *self.ports):
            each.close()
        self.process.wait(10)
