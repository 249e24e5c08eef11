# SPDX-License-Identifier: GPL-3.0-or-later
#
# A desktop without a screen for tests of windows: Xvfb, a session bus of its own for AT-SPI, openbox
# for focus. Programs are found and driven through AT-SPI (dogtail), keys and pointer go through
# xdotool, pictures through ImageMagick. Usable as a context manager:
#
#     with gui.Desktop() as desktop:
#         desktop.launch([gui.program('app/vitrine')])
#         window = desktop.application('vitrine')
#         desktop.find(window, 'New machine', 'push button').doActionNamed('click')
#         desktop.screenshot('wizard')
"""Xvfb, AT-SPI and openbox for tests of windows."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LAUNCHER = '/usr/libexec/at-spi-bus-launcher'
POLL_SECONDS = 0.1
CLICK_AGAIN_SECONDS = 3
PATIENCE = 45  # seconds, on a host where two tests run on two slow cores
# What GLib prints of a fault in a program; a window that shows what it should and complains is not well.
COMPLAINT = re.compile(r'-(?:CRITICAL|WARNING|ERROR) \*\*')
ALLOWED = (
    'gdk_window_get_window_type',  # AT-SPI chooses in a combo box that is closed: its menu has no window
    'no trigger event for menu popup',  # AT-SPI opens a menu: there is no event
)


class GuiError(Exception):
    """Something did not show up; the message says what."""


def program(name):
    """The path of a program in the build folder, such as 'app/vitrine'."""
    return str(Path(os.environ['VITRINE_BUILD']) / name)


def wait_for(what, condition, seconds=PATIENCE):
    """Polls `condition` until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except Exception as error:  # pylint: disable=broad-except
            if type(error).__name__ not in ('Error', 'GError'):
                raise
            value = None  # of AT-SPI: the program is busy, or the widget has gone meanwhile
        if value:
            return value
        if time.monotonic() > end:
            raise GuiError(f'no {what} within {seconds} s')
        time.sleep(POLL_SECONDS)


def is_selected(node):
    """Whether a row or a tab is the selected one."""
    import pyatspi
    return node.getState().contains(pyatspi.STATE_SELECTED)


def window_of(node):
    """The window that a widget is in."""
    while node.parent is not None and node.parent.roleName != 'application':
        node = node.parent
    return node


class Desktop:
    """A virtual screen with a window manager and accessibility.

    `theme` such as 'Adwaita:dark', `scale` 1 or 2, `language` such as 'de_DE.UTF-8' (made if the
    host lacks it and this is root)."""

    def __init__(self, width=1280, height=800, theme=None, scale=1, language='C.UTF-8'):
        self.size = f'{width}x{height}x24'
        self.scale = scale
        self.children = []
        self.said = []  # files with what programs printed on their standard error
        self.runtime = tempfile.mkdtemp(prefix='vitrine-gui-')
        self.extra = {'LC_ALL': language, 'GDK_SCALE': str(scale), 'NO_AT_BRIDGE': '0',
                      'GTK_MODULES': 'gail:atk-bridge', 'GSETTINGS_BACKEND': 'memory',
                      'GDK_BACKEND': 'x11', 'XDG_RUNTIME_DIR': self.runtime}
        if theme:
            self.extra['GTK_THEME'] = theme
        if language not in ('C', 'C.UTF-8'):
            make_locale(language)
        self.evidence = Path(os.environ.get('VITRINE_EVIDENCE') or self.runtime)
        self.pictures = []

    def __enter__(self):
        try:
            self._start_display()
            self._start_bus()
            for command in ([LAUNCHER, '--launch-immediately'], ['openbox']):
                self.children.append(subprocess.Popen(command, env=self.environment(), start_new_session=True))
            wait_for('window manager', self._has_window_manager)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *failure):
        if failure[0] is not None and self.children:
            self.screenshot('failure')
        complaints = self.close()
        if failure[0] is None and complaints:
            raise GuiError('programs complained:\n' + '\n'.join(complaints[:5]))

    def _start_display(self):
        # Two servers that look for a free number at once may find the same one.
        with open(Path(tempfile.gettempdir()) / 'vitrine-xvfb.lock', 'w', encoding='ascii') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._start_server()

    def _start_server(self):
        read_end, write_end = os.pipe()
        self.children.append(subprocess.Popen(
            ['Xvfb', '-displayfd', str(write_end), '-screen', '0', self.size, '-nolisten', 'tcp', '-noreset'],
            pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        if not number:
            raise GuiError('Xvfb did not start')
        self.extra['DISPLAY'] = f':{number}'

    def _start_bus(self):
        bus = subprocess.Popen(['dbus-daemon', '--session', '--nofork', '--print-address=1'],
                               env=self.environment(), stdout=subprocess.PIPE, text=True)
        self.children.append(bus)
        self.extra['DBUS_SESSION_BUS_ADDRESS'] = bus.stdout.readline().strip()
        # dogtail and xdotool run in this process and under it: they live on the same desktop.
        os.environ.update(self.extra)

    def _has_window_manager(self):
        result = self._xdotool('get_num_desktops')
        return result.returncode == 0 and result.stdout.strip()

    def environment(self, **more):
        """What a program needs to run on this desktop."""
        return dict(os.environ, **self.extra, **more)

    def launch(self, command, **more):
        """Starts a program on this desktop; `more` are environment variables."""
        path = Path(self.runtime) / f'said-{len(self.said)}'
        with open(path, 'wb') as said:
            process = subprocess.Popen(command, env=self.environment(**more), start_new_session=True, stderr=said)
        self.said.append(path)
        self.children.append(process)
        return process

    def complaints(self):
        """What the programs that were launched have complained of, so far."""
        lines = [line for path in self.said for line in path.read_text(encoding='utf-8', errors='replace').splitlines()]
        return [line for line in lines if COMPLAINT.search(line) and not any(words in line for words in ALLOWED)]

    def application(self, name, seconds=PATIENCE):
        """The AT-SPI root of a program, by its file name."""
        # dogtail looks at the desktop when it is imported.
        hook = sys.excepthook
        from dogtail.config import config
        config.checkForA11y = False
        config.logDebugToFile = False
        config.logDebugToStdOut = False
        from dogtail import tree
        sys.excepthook = hook  # dogtail takes it and says nothing

        def look():
            return next((app for app in tree.root.applications() if app.name == name), None)
        return wait_for(f'application {name}', look, seconds)

    def find(self, node, name=None, role=None, seconds=PATIENCE):
        """The first showing descendant with that accessible name (a regular expression) and role."""
        def fits(child):
            return ((name is None or re.fullmatch(name, child.name or ''))
                    and (role is None or child.roleName == role) and child.showing)

        def look():
            try:
                return next(iter(node.findChildren(fits)), None)
            except Exception:  # pylint: disable=broad-except
                return None  # the tree changed while it was read: look again
        return wait_for(f'{role or "widget"} {name!r} in {node.name!r}', look, seconds)

    def window(self, title, program_name='vitrine'):
        """The showing window with that title (a regular expression) of any process of that program, or None."""
        from dogtail import tree
        try:
            return next((window for app in tree.root.applications() if app.name == program_name
                         for window in app.children if re.fullmatch(title, window.name or '') and window.showing), None)
        except Exception:  # pylint: disable=broad-except
            return None  # a process came or went, or was too busy to answer

    def screenshot(self, label):
        """A picture of the whole desktop among the evidence; its path."""
        self.evidence.mkdir(parents=True, exist_ok=True)
        path = self.evidence / f'{len(self.pictures):02}-{label}.png'
        subprocess.run(['import', '-window', 'root', str(path)], env=self.environment(), check=True)
        self.pictures.append(path)
        return path

    def key(self, *keys):
        """Presses keys such as 'ctrl+n', 'Return', one after the other, in the focused window."""
        self._xdotool('key', '--delay', '50', *keys)

    def type(self, text):
        """Types a text into the focused window."""
        self._xdotool('type', '--delay', '20', text)

    def click(self, x, y, button=1):
        """Clicks at a place on the screen."""
        self._xdotool('mousemove', str(x), str(y), 'click', str(button))

    def click_node(self, node, dx=None):
        """Clicks a widget in its middle, or `dx` from its left edge."""
        (x, y), (width, height) = node.position, node.size
        self.click((x + (width // 2 if dx is None else dx)) * self.scale, (y + height // 2) * self.scale)

    def select(self, node, name, role, dx=30):
        """Selects a row of a list or a tree below `node` by a click `dx` from its left edge; one that fell between rows
        which the program was filling again is repeated, not soon enough for a double click."""
        clicked = 0

        def selected():
            nonlocal clicked
            row = self.find(node, name, role)
            if clicked and is_selected(row):
                return True
            if time.monotonic() - clicked > CLICK_AGAIN_SECONDS:
                self.click_node(row, dx)
                clicked = time.monotonic()
            return False
        wait_for(f'selection of {name!r}', selected)

    def is_active(self, node):
        """Whether keys go to the window that the widget is in."""
        import pyatspi
        return window_of(node).getState().contains(pyatspi.STATE_ACTIVE)

    def focus(self, node):
        """Gives a widget the keyboard; its window becomes the active one."""
        def has():
            if self.is_active(node):
                if node.focused:
                    return True
                node.grabFocus()
            else:
                self._xdotool('search', '--onlyvisible', '--name', f'^{re.escape(window_of(node).name)}$', 'windowactivate')
            return False
        wait_for(f'focus of {node.name!r}', has)

    def pointer(self, x, y, button=None):
        """Moves the pointer; button: 'mousedown' or 'mouseup' of the first button there."""
        self._xdotool('mousemove', str(x), str(y), *([button, '1'] if button else []))

    def _xdotool(self, *words):
        return subprocess.run(['xdotool', *words], env=self.environment(), capture_output=True,
                              text=True, check=False)

    def close(self):
        """Ends everything that was started here; the programs' complaints."""
        for process in reversed(self.children):
            try:
                os.kill(process.pid, signal.SIGTERM)
                process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                process.kill()
                process.wait()
        self.children = []
        complaints = self.complaints()
        for path in self.said:
            sys.stderr.write(path.read_text(encoding='utf-8', errors='replace'))
        self.said = []
        shutil.rmtree(self.runtime, ignore_errors=True)
        return complaints


def make_locale(name):
    """Makes a locale that the host does not have; needs root and the package locales."""
    have = subprocess.run(['locale', '-a'], capture_output=True, text=True, check=True).stdout
    base, _, charset = name.partition('.')
    if f'{base}.{charset.lower().replace("-", "")}' not in have.lower().replace(base.lower(), base):
        subprocess.run(['localedef', '-i', base, '-f', charset or 'UTF-8', name], check=False)
