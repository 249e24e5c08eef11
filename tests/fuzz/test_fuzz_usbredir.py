#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang libusbredirparser-dev
# builds: tests/fuzz/fuzz-usbredir-seed
# timeout: 900
#
# libFuzzer on what a usbredir peer sends while a guest uses its device (fuzz-usbredir.c), from a peer that behaves.
"""Hostile peers of remote USB devices harm nobody."""

import fuzzing

SOURCES = ('tests/fuzz/fuzz-usbredir.c', *(f'usb/remote/usb-remote-{name}.c' for name in
           ('answer', 'device', 'guard', 'session', 'socket-linux', 'stream')))

if __name__ == '__main__':
    fuzzing.run('usbredir', SOURCES, ('glib-2.0', 'libusbredirparser-0.5'), ('tests/fuzz/fuzz-usbredir-seed',))
