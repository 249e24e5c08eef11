# SPDX-License-Identifier: GPL-3.0-or-later
#
# Linux's input events (Documentation/input/event-codes.rst), as the command `events` of the guest with USB drivers
# prints them (media_usb.py).
"""Input events of a Linux guest."""

import base64
import re
import struct

EV_KEY, EV_ABS, ABS_X, ABS_Y, BTN_LEFT, KEY_A = 1, 3, 0, 1, 0x110, 30


def decode(text):
    """Type, code and value of the events that the guest printed last."""
    data = re.search(r'.*events: listening to \S+\s+(.*?)events: done', text, re.S).group(1)
    return [event[2:] for event in struct.iter_unpack('<qqHHi', base64.b64decode(data))]
