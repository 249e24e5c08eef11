# SPDX-License-Identifier: GPL-3.0-or-later
#
# The table as a picture: for each row a bar for each contestant, how many times TCG's speed, on a
# logarithmic scale. Scalable Vector Graphics 1.1.
"""A plot of the results."""

import math
from xml.sax.saxutils import escape

import report
from machines import TCG

COLOURS = {'native': '#9aa0a6', 'rem': '#1a73e8', 'hm': '#9334e6', 'tcg': '#e8710a', 'iem': '#188038',
           'bochs': '#a50e0e'}
LEFT, WIDTH, RIGHT, TOP, BAR, GAP = 250, 640, 70, 60, 11, 9
DECADE_STEPS = (1, 2, 5)


def _rectangle(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x, y, text, anchor='start', size=11):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'


def _speeds(results, names):
    """For each row {name: times TCG's speed}."""
    found = []
    for result in results:
        own = {name: report.ratio(result, TCG, name) for name in names}
        found.append((result, {name: value for name, value in own.items() if value is not None}))
    return [(result, own) for result, own in found if own]


class _Scale:
    """Times TCG's speed to places on the page."""

    def __init__(self, values):
        self.low = math.floor(math.log10(min(values)))
        self.high = math.ceil(math.log10(max(values)) + 1e-9)
        self.high = max(self.high, self.low + 1)

    def x(self, value):
        return LEFT + WIDTH * (math.log10(value) - self.low) / (self.high - self.low)

    def marks(self):
        return [step * 10.0 ** power for power in range(self.low, self.high) for step in DECADE_STEPS]


def _legend(names):
    parts, x = [], LEFT
    for name in names:
        parts += [_rectangle(x, 28, 12, 12, COLOURS.get(name, '#5f6368')), _text(x + 16, 38, name)]
        x += 90
    return parts


def svg(results, names):
    """The picture's text; there has to be a figure of TCG's in some row."""
    speeds = _speeds(results, names)
    scale = _Scale([value for _, own in speeds for value in own.values()])
    parts, y = [_text(LEFT, 18, "Times the speed of QEMU's TCG", size=14), *_legend(names)], TOP
    lines = []
    for result, own in speeds:
        parts.append(_text(LEFT - 8, y + len(own) * BAR / 2 + 4, f'{result.title}, {result.arch}', 'end'))
        for name in (name for name in names if name in own):
            end = scale.x(own[name])
            parts += [_rectangle(LEFT, y, max(end - LEFT, 1), BAR - 1, COLOURS.get(name, '#5f6368')),
                      _text(end + 4, y + BAR - 2, f'{own[name]:.2f}', size=9)]
            y += BAR
        y += GAP
    for mark in scale.marks():
        colour = '#202124' if mark == 1 else '#dadce0'
        lines += [_rectangle(scale.x(mark), TOP - 6, 1, y - TOP, colour),
                  _text(scale.x(mark), TOP - 10, f'{mark:g}', 'middle', 9)]
    body = '\n'.join([*lines, *parts])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{y + 10}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')
