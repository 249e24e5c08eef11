# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a person without a pointer, without sight or without English would stumble over in a window, found through AT-SPI:
# two widgets with one mnemonic, a control without a name, a text that has a translation and is not shown in it.
"""Faults of a window that is on the screen."""

import gettext
import re
from collections import defaultdict
from pathlib import Path

import gui

# Roles that take the focus or a click: each has to say what it is.
CONTROLS = {'push button', 'toggle button', 'check box', 'radio button', 'combo box', 'text', 'password text', 'spin button',
            'slider', 'tree table', 'table', 'list box', 'page tab'}
NO_KEY = re.compile(r'(?:.*;)?<Alt>(.)$')


class Language:
    """The texts of the look's language."""

    def __init__(self, code='de_DE.UTF-8'):
        name = code.split('.', maxsplit=1)[0]
        path = Path(gui.program('po')) / name.split('_', maxsplit=1)[0] / 'LC_MESSAGES/vitrine.mo'
        self.texts = {}
        if path.exists():
            with open(path, 'rb') as file:
                catalogue = gettext.GNUTranslations(file)._catalog  # pylint: disable=protected-access
            self.texts = {plain(key.split('\x04')[-1]): plain(text) for key, text in catalogue.items()
                          if isinstance(key, str) and key}

    def say(self, text):
        """A text of the program without its underline, in this language."""
        return self.texts.get(text, text)

    def is_foreign(self, text):
        """Whether a shown text is English though there is a translation that differs."""
        return self.texts.get(text, text) != text and text not in self.texts.values()


def plain(text):
    """Without the underline of a mnemonic."""
    return text.replace('_', '', 1)


def widgets(window):
    """All that is showing."""
    return window.findChildren(lambda node: node.showing)


def mnemonic(node):
    """The letter that with Alt goes to a widget, or None."""
    try:
        keys = [node.queryAction().getKeyBinding(i) for i in range(node.queryAction().nActions)]
    except NotImplementedError:
        return None
    found = [NO_KEY.match(key) for key in keys]
    return next((match.group(1).lower() for match in found if match), None)


def name_of(node):
    """Name, or that of its label."""
    return node.name or (node.labeler.name if node.labeler else '')


def audit(window, language=None):
    """What is wrong, a line for each."""
    keys, wrong = defaultdict(list), []
    for node in widgets(window):
        name = name_of(node)
        letter = mnemonic(node)
        if letter and node.sensitive and node.roleName not in ('menu item', 'check menu item', 'radio menu item', 'menu'):
            keys[letter].append(f'{node.roleName} “{name}”')
        if node.roleName in CONTROLS and node.focusable and not name:
            wrong.append(f'a {node.roleName} at {node.position} has no name ({node.description})')
        if language and language.is_foreign(node.name or ''):
            wrong.append(f'“{node.name}” is not translated')
    wrong += [f'Alt+{letter}: {", ".join(names)}' for letter, names in sorted(keys.items()) if len(set(names)) > 1]
    return [f'{window.name}: {line}' for line in dict.fromkeys(wrong)]
