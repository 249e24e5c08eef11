# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs tests, a few at a time, each in a home folder of its own so that none sees the person's
# machines or another test's, and prints one line for each as it ends.
"""Running tests."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import media
from testlist import ROOT, build_dir

SKIPPED = 77
TAIL_LINES = 40
# Tests of a run that may be given a second chance by themselves; what is never given one.
AGAIN = 3
# Of these, two take the place of one: they wait most of their time, for windows and services.
WAITING = ('api', 'ui')
DEFECT = re.compile(r'AddressSanitizer|LeakSanitizer|runtime error:|Segmentation fault|SIGSEGV|SIGABRT|-CRITICAL \*\*')
ASAN_OPTIONS = 'abort_on_error=0:allow_user_segv_handler=1:detect_stack_use_after_return=0'


def environment_of(test, home, options):
    """The environment of one test. Tests find:

    VITRINE_SOURCE, VITRINE_BUILD  the tree and the build folder
    VITRINE_EVIDENCE               an existing folder for pictures and logs that are to be kept
    VITRINE_ENGINE                 the engine to test, where --engine was given
    VITRINE_LONG                   1 with --long"""
    env = dict(os.environ)
    for name in ('VBOX_USER_HOME', 'DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS',
                 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'LANGUAGE'):
        env.pop(name, None)
    evidence = build_dir('plain') / 'test-evidence' / test.suite / Path(test.name).stem
    evidence.mkdir(parents=True, exist_ok=True)
    runtime = Path(home) / 'run'
    runtime.mkdir(mode=0o700)
    env.update(HOME=str(home), XDG_RUNTIME_DIR=str(runtime), XDG_CACHE_HOME=f'{home}/cache',
               LC_ALL='C.UTF-8', VITRINE_SOURCE=str(ROOT), VITRINE_BUILD=str(build_dir(test.build)),
               VITRINE_EVIDENCE=str(evidence), VITRINE_TEST_CACHE=str(options.cache),
               PYTHONPATH=str(ROOT / 'tests' / 'lib'), PYTHONDONTWRITEBYTECODE='1',
               GSETTINGS_BACKEND='memory', ASAN_OPTIONS=ASAN_OPTIONS,
               UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1',
               LSAN_OPTIONS=f'suppressions={ROOT}/tests/lib/lsan.supp:print_suppressions=0')
    env.update(test.environment)
    if options.engine:
        env['VITRINE_ENGINE'] = options.engine
    if options.long:
        env['VITRINE_LONG'] = '1'
    return env


def _kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _execute(test, log, env):
    """Runs the command; returns (exit code, or None when its time ran out)."""
    with open(log, 'wb') as output, subprocess.Popen(
            test.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            cwd=test.folder, env=env, start_new_session=True) as process:
        try:
            return process.wait(timeout=test.seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # Nothing that a test started may outlive it, whatever way it ended.
            _kill_group(process)


class Places:
    """So many tests run at a time, or twice as many that wait; one, where one was asked for."""

    def __init__(self, jobs):
        self.least = 1 if jobs > 1 else 2
        self.free = 2 * jobs
        self.changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, test):
        """What a test has while it runs."""
        count = self.least if test.suite in WAITING else 2
        with self.changed:
            self.changed.wait_for(lambda: self.free >= count)
            self.free -= count
        try:
            yield
        finally:
            with self.changed:
                self.free += count
                self.changed.notify_all()


class Pool:
    """Runs tests and counts results."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.counts = {'passed': 0, 'failed': 0, 'skipped': 0}
        self.failed = []
        self.unsteady = []
        self.logs = build_dir('plain') / 'test-logs'
        self.logs.mkdir(parents=True, exist_ok=True)

    def run(self, tests):
        """Runs those that may share the machine together, then the others one by one.

        Other tests take a test's processor away at moments that no guest's clock allows for: of those
        that fail beside another, up to AGAIN are run once more by themselves, and named at the end."""
        together = [test for test in tests if not test.is_alone]
        places = Places(self.options.jobs)

        def run_one(test):
            with places.taken(test):
                return self._run_one(test)

        with ThreadPoolExecutor(2 * self.options.jobs) as executor:
            outcomes = list(executor.map(run_one, together))
        again = [test for test, outcome in zip(together, outcomes) if outcome == 'unsteady']
        for test in again + [test for test in tests if test.is_alone]:
            self._run_one(test, may_repeat=False)

    def _may_repeat(self, test, log):
        """Whether a failure may be the machine's; counts it as such."""
        with self.lock:
            if self.options.jobs < 2 or len(self.unsteady) == AGAIN or DEFECT.search(log):
                return False
            self.unsteady.append(test.label)
            return True

    def _run_one(self, test, may_repeat=True):
        """Runs and reports a test; 'passed', 'failed', 'skipped' or 'unsteady': it is to be run again."""
        missing = [name for name in test.needs if media.package_version(name) is None]
        if missing:
            return self.report(test, 'skipped', 0, 'needs the packages ' + ' '.join(missing))
        log = self.logs / (test.label.replace('/', '-').replace(' ', '') + '.log')
        with tempfile.TemporaryDirectory(prefix='vitrine-test-', ignore_cleanup_errors=True) as home:
            start = time.monotonic()
            try:
                code = _execute(test, log, environment_of(test, home, self.options))
            except OSError as error:
                log.write_text(f'{error}\n', encoding='utf-8')
                code = 127
            seconds = time.monotonic() - start
        text = log.read_text(encoding='utf-8', errors='replace').rstrip()
        lines = text.split('\n')
        if code == 0:
            return self.report(test, 'passed', seconds)
        if code == SKIPPED:
            return self.report(test, 'skipped', seconds, lines[-1] or 'no reason given')
        why = f'no end after {test.seconds:.0f} s' if code is None else f'exit code {code}'
        repeats = may_repeat and code != 127 and self._may_repeat(test, text)
        return self.report(test, 'unsteady' if repeats else 'failed', seconds, why, lines[-TAIL_LINES:])

    def report(self, test, result, seconds, why='', lines=()):
        """Prints a result, counts it and returns it."""
        with self.lock:
            if result != 'unsteady':
                self.counts[result] += 1
            if result == 'failed':
                self.failed.append(test.label)
            word = {'passed': 'ok  ', 'failed': 'FAIL', 'skipped': 'skip', 'unsteady': 'once'}[result]
            print(f'{word} {test.label:60} {seconds:7.1f} s' + (f'  {result}: {why}' if why else ''))
            for line in lines:
                print(f'     | {line}')
            print(end='', flush=True)
        return result

    def summary(self):
        """The closing lines; the last one is for machines to read."""
        for label in self.unsteady:
            print(f'unsteady: {label} (failed beside another test; then run by itself)')
        for label in self.failed:
            print(f'failed: {label}')
        print(', '.join(f'{count} {result}' for result, count in self.counts.items()), flush=True)
        return 1 if self.counts['failed'] or not self.counts['passed'] else 0
