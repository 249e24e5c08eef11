#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The body of tests/run: builds twice (with warnings as errors; with sanitizers), gathers the tests
# and runs them. Ends with a line "N passed, N failed, N skipped"; the exit code is 0 if none failed.
"""Build Vitrine and run its tests."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import media
import testlist
from testlist import BUILDS, ROOT, SUITES, Test, build_dir
from testpool import Pool

SETUP = {
    'plain': ['-Dwerror=true'],
    'sanitized': ['-Dwerror=true', '-Db_sanitize=address,undefined', '-Db_lundef=false',
                  '-Doptimization=1'],
}


class BuildError(Exception):
    """A build failed; what it said is on the screen."""


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(prog='tests/run', description=__doc__)
    parser.add_argument('--list', action='store_true', help='name the tests and end')
    parser.add_argument('--suite', action='append', choices=list(SUITES), metavar='NAME', default=[],
                        help='only this suite (may be given again): ' + ', '.join(SUITES))
    parser.add_argument('--engine', metavar='NAME', help='only this engine, where a test has a choice')
    parser.add_argument('--long', action='store_true', help='the whole matrix, hours instead of minutes')
    parser.add_argument('--jobs', type=int, metavar='N', default=min(2, os.cpu_count() or 1),
                        help='tests that run at a time (default: %(default)s)')
    parser.add_argument('names', nargs='*', metavar='TEST', help='only tests whose name has this in it')
    options = parser.parse_args()
    options.cache = media.cache_dir()
    return options


def wanted(test, options):
    """Whether the command line asks for a test."""
    if options.suite and test.suite not in options.suite:
        return False
    if options.names and not any(name in test.label for name in options.names):
        return False
    return options.long or not test.is_long


def quietly(command, build):
    """Runs a step of a build; what it says goes to a log, and onto the screen when it fails."""
    log = build_dir('plain') / 'test-logs' / f'build-{build}.log'
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, 'wb') as output:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, check=False).returncode
    if code:
        print(log.read_text(encoding='utf-8', errors='replace')[-6000:], flush=True)
        raise BuildError(f'{command[0]} failed with exit code {code}')


def configure(build):
    """Sets a build folder up where it is not; its own rules keep it up to date from then on."""
    folder = build_dir(build)
    if not (folder / 'build.ninja').exists():
        quietly(['meson', 'setup', *SETUP[build], str(folder), str(ROOT)], build)


def compile_build(build, tests):
    """Compiles all of the plain build, and of the other just what its tests run."""
    targets = {target for test in tests for target in test.targets}
    if build == 'plain' or targets:
        quietly(['ninja', '-C', str(build_dir(build)), *(() if build == 'plain' else sorted(targets))],
                build)


def builds_of(options):
    """The builds that the chosen suites run in."""
    suites = options.suite or list(SUITES)
    return [build for build in BUILDS if any(build in SUITES[suite] for suite in suites)]


def prepare(build, scripts, options, pool):
    """Builds and returns the tests; a build that fails counts as one failed test."""
    start = time.monotonic()
    step = Test('build', build, 'plain', [], 0)
    try:
        configure(build)
        tests = [test for test in testlist.meson_tests(build) if wanted(test, options)] + scripts
        compile_build(build, tests)
    except (BuildError, subprocess.CalledProcessError, ValueError) as error:
        pool.report(step, 'failed', time.monotonic() - start, str(error))
        return []
    pool.report(step, 'passed', time.monotonic() - start)
    return testlist.in_order(tests)


def list_tests(options):
    """Names all tests that the options choose; meson's are known once a build is set up."""
    tests = testlist.scripts()
    for build in BUILDS:
        if (build_dir(build) / 'build.ninja').exists():
            tests += testlist.meson_tests(build)
        else:
            print(f"({BUILDS[build]} is not set up: its tests are not listed)", file=sys.stderr)
    for test in testlist.in_order(tests):
        if wanted(test, options):
            print(test.label + (' (long)' if test.is_long else ''))
    return 0


def main():
    """Runs everything that was asked for."""
    options = parse()
    if options.list:
        return list_tests(options)
    pool = Pool(options)
    scripts = [test for test in testlist.scripts() if wanted(test, options)]
    for build in builds_of(options):
        here = [test for test in scripts if test.build == build]
        pool.run(prepare(build, here, options, pool))
    return pool.summary()


if __name__ == '__main__':
    sys.exit(main())
