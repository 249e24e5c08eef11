# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a person who has only a keyboard meets in a window: which button Enter presses, and whether the Tab key goes
# through everything in the order in which it is read and comes back to where it began.
"""Faults of a window for the keyboard."""

import gui

MOST = 60  # stops of the Tab key in a window
HIDDEN_SECONDS = 0.5  # for which a focus that nothing tells of may stay that
ROW_PIXELS = 10  # what is less apart is beside each other


def focused(window):
    """What has the focus in a window, or None."""
    return next(iter(window.findChildren(lambda node: node.showing and node.focused and node.roleName != 'frame')), None)


def defaults(window):
    """Names of the buttons that Enter presses: one, or none."""
    import pyatspi
    return [node.name for node in window.findChildren(
        lambda node: node.roleName == 'push button' and node.showing and node.getState().contains(pyatspi.STATE_IS_DEFAULT))]


def place(node):
    """Where it is, for comparing: what it is called tells two apart that were at one place."""
    (x, y), (width, height) = node.position, node.size
    if node.roleName == 'page tab list':
        height = 0  # its pages are below the tabs, and part of it
    return (x, y + height // 2, x + width, node.roleName, node.name)


def step(desktop, window, last):
    """Presses the Tab key; where the focus is then. None: in a combo box, of which AT-SPI does not say that it has it."""
    desktop.key('Tab')

    def moved():
        node = focused(window)
        there = place(node) if node else None
        return (there,) if there != last else None
    try:
        return gui.wait_for(f'focus behind {last}', moved, gui.PATIENCE if last else HIDDEN_SECONDS)[0]
    except gui.GuiError:
        if last:
            raise
        return None  # one combo box after the other


def walk(desktop, window):
    """The places where the Tab key stops, from where the focus is until it is there again."""
    if not focused(window):
        desktop.key('Tab')  # out of a combo box
    stops = [place(gui.wait_for('focus', lambda: focused(window)))]
    last = stops[0]
    for _ in range(MOST):
        last = step(desktop, window, last)
        if last == stops[0]:
            return stops
        if last:
            stops.append(last)
    raise gui.GuiError(f'the Tab key does not come back to {stops[0]}: {stops}')


def is_before(first, second):
    """Whether it is read earlier: further up, left of it in its row, or in a column that ends left of it."""
    beside = abs(first[1] - second[1]) <= ROW_PIXELS
    return first[1] < second[1] - ROW_PIXELS or (beside and first[0] < second[0]) or first[2] <= second[0]


def audit_keyboard(desktop, window, default):
    """What is wrong, a line for each. default: the button that Enter has to press."""
    wrong = []
    node = focused(window)  # a combo box, of which AT-SPI does not say so, or a button: Enter presses that
    if defaults(window) != [default] and node and node.roleName != 'push button':
        wrong.append(f'Enter presses {defaults(window)}, not “{default}”')
    stops = walk(desktop, window)
    back = [(stops[i - 1], stop) for i, stop in enumerate(stops) if not is_before(stops[i - 1], stop)]
    if len(back) > 1:  # once: from the last to the first
        wrong.append(f'the Tab key goes back: {back}')
    return [f'{window.name}: {line}' for line in wrong]
