# SPDX-License-Identifier: GPL-3.0-or-later
#
# What there is to test: meson's tests of a build, and the scripts tests/<suite>/test_*. A script
# says in its head what it wants: "# timeout: SECONDS", "# needs: PACKAGES", "# builds: FILES" (of the
# build with sanitizers, where not all is built), "# long" (only with --long), "# alone" (nothing else
# runs meanwhile).
"""The list of tests."""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The suites in the order in which they run, with the builds they run in.
SUITES = {
    'style': ('plain',),
    'unit': ('plain', 'sanitized'),
    'device': ('plain', 'sanitized'),
    'insn': ('plain', 'sanitized'),
    'guest': ('plain',),
    'state': ('plain',),
    'api': ('plain',),
    'ui': ('plain',),
    'fuzz': ('sanitized',),
    'bench': ('plain',),
    'real': ('plain',),
}
BUILDS = {'plain': 'build', 'sanitized': 'build-sanitized'}
SCRIPT_SECONDS = 120
# Other people's builds may share the machine, and sanitizers are slow.
PATIENCE = {'plain': 3, 'sanitized': 8}


@dataclass
class Test:
    """One test: a command that ends with 0 (passed), 77 (skipped) or anything else (failed)."""

    suite: str
    name: str
    build: str
    command: list
    seconds: float
    environment: dict = field(default_factory=dict)
    folder: str = str(ROOT)
    needs: tuple = ()
    is_long: bool = False
    is_alone: bool = False
    targets: tuple = ()

    @property
    def label(self):
        """How reports name it."""
        mark = '' if self.build == 'plain' else f' [{self.build}]'
        return f'{self.suite}/{self.name}{mark}'


def build_dir(build):
    """The folder of a build."""
    return ROOT / BUILDS[build]


def _script(path, suite):
    head = path.read_text(encoding='utf-8', errors='replace').split('\n', 30)[:30]
    options = {}
    for line in head:
        match = re.match(r'#\s*(timeout|needs|builds|long|alone)\b:?\s*(.*)$', line)
        if match:
            options[match.group(1)] = match.group(2).strip()
    return Test(suite, path.name, SUITES[suite][0], [str(path)],
                float(options.get('timeout', SCRIPT_SECONDS)),
                needs=tuple(options.get('needs', '').split()),
                targets=tuple(options.get('builds', '').split()),
                is_long='long' in options, is_alone='alone' in options)


def scripts():
    """The executable test_* files of all suites' folders."""
    found = []
    for suite in SUITES:
        for path in sorted((ROOT / 'tests' / suite).rglob('test_*')):
            if path.suffix in ('.py', '.sh', '') and path.is_file() and os.access(path, os.X_OK):
                found.append(_script(path, suite))
    return found


def _introspect(build, what):
    result = subprocess.run(['meson', 'introspect', f'--{what}', str(build_dir(build))],
                            capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def _needed(build, entry, targets):
    """The files of a build that a test runs or depends on, relative to the build."""
    folder = f'{build_dir(build)}/'
    files = [*entry['cmd'], *(name for target in entry['depends'] for name in targets[target])]
    return tuple(name.removeprefix(folder) for name in files if name.startswith(folder))


def meson_tests(build):
    """The tests that a configured build registers, as far as their suite runs in that build."""
    targets = {target['id']: target['filename'] for target in _introspect(build, 'targets')}
    found = []
    for entry in _introspect(build, 'tests'):
        labels = [label.rsplit(':', 1)[-1] for label in entry['suite']]
        suite = next((label for label in labels if label in SUITES), None)
        if suite is None:
            raise ValueError(f"test {entry['name']!r} has none of the suites {', '.join(SUITES)}")
        if build in SUITES[suite]:
            found.append(Test(
                suite, entry['name'], build, entry['cmd'], entry['timeout'] * PATIENCE[build],
                environment=entry['env'], folder=entry['workdir'] or str(build_dir(build)),
                is_long='long' in labels or (build == 'sanitized' and 'slow' in labels), is_alone=not entry['is_parallel'],
                targets=_needed(build, entry, targets)))
    return found


def in_order(tests):
    """The tests as they run: suite by suite, plain build first."""
    suites, builds = list(SUITES), list(BUILDS)
    return sorted(tests, key=lambda t: (builds.index(t.build), suites.index(t.suite), t.name))
