# SPDX-License-Identifier: GPL-3.0-or-later
#
# A guest's serial line as tests see it: a socket that is read into memory and into a log.
"""Serial lines on sockets."""

import re
import socket
import threading
import time

POLL_SECONDS = 0.5
# Terminal control: CSI sequences, character sets, single escapes; and carriage returns.
CONTROL = re.compile(r'\x1b(?:\[[0-9;?]*[A-Za-z]|[()].|.)|\r')


class Serial:
    """A guest's serial line on a socket: everything it says is kept, and it can be written to."""

    def __init__(self, path, log):
        self.path, self.log = path, log
        self.data = bytearray()
        self.seen = 0
        self.changed = threading.Condition()
        self.socket = None

    def connect(self, is_to_come=lambda: True, seconds=60):
        """Connects to the socket that the machine makes, and reads it from then on; gives up when it is not to come."""
        end = time.monotonic() + seconds
        self.close()
        while self.socket is None:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self.path))
                self.socket = line
            except OSError as error:
                line.close()
                if not is_to_come():
                    return
                if time.monotonic() > end:
                    raise TimeoutError(f'the serial socket {self.path}: {error}') from error
                time.sleep(0.01)
        self.attach(self.socket)

    def attach(self, line):
        """Reads a socket that is connected already."""
        self.socket = line
        threading.Thread(target=self._read, args=(line,), daemon=True).start()

    def _read(self, line):
        with open(self.log, 'ab', buffering=0) as log:
            while True:
                try:
                    chunk = line.recv(4096)
                except OSError:
                    return
                if not chunk:
                    return
                log.write(chunk)
                with self.changed:
                    self.data += chunk
                    self.changed.notify_all()

    def text(self):
        """What the guest has said, without terminal control sequences."""
        with self.changed:
            raw = bytes(self.data)
        return CONTROL.sub('', raw.decode(errors='replace'))

    def wait(self, pattern, seconds):
        """Waits for a regular expression after what earlier waits matched; the text up to its end.

        Raises TimeoutError with what was seen."""
        end = time.monotonic() + seconds
        while True:
            text = self.text()
            match = re.search(pattern, text[self.seen:])
            if match:
                start, self.seen = self.seen, self.seen + match.end()
                return text[start:self.seen]
            if time.monotonic() > end:
                raise TimeoutError(f'no {pattern!r} on the serial line within {seconds} s; last '
                                   f'seen:\n{text[-1500:]}')
            with self.changed:
                self.changed.wait(POLL_SECONDS)

    def write(self, text):
        """Types into the line."""
        self.socket.sendall(text.encode())

    def close(self):
        """Hangs up."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
