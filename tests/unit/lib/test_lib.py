#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: python3-gi seabios
#
# What tests share, tested: the runner's verdicts, headers of scripts, cpio, reading screens.
"""tests/lib does what it says."""

import argparse
import contextlib
import io
import os
import re
import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import cpio
import screen
import serial_line
import testlist
import testpool

SLEEPS = 60


def make_pool(folder):
    """A pool whose logs and evidence go to `folder`."""
    options = argparse.Namespace(jobs=2, engine=None, long=False, cache=folder)
    return testpool.Pool(options)


class Runner(unittest.TestCase):
    """Pool: what counts as passed, failed and skipped."""

    def run_tests(self, tests):
        """Runs them; (counts, exit code, output)."""
        output = io.StringIO()
        with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(output), \
                mock.patch.object(testpool, 'build_dir', lambda build: Path(name)):
            pool = make_pool(Path(name))
            pool.run(tests)
            code = pool.summary()
        return pool.counts, code, output.getvalue()

    def sample(self, command, **more):
        """A test that is a shell command."""
        return testlist.Test('unit', more.pop('name', 'sample'), 'plain', ['sh', '-c', command],
                             more.pop('seconds', 20), **more)

    def test_verdicts(self):
        """Exit codes 0, 77 and others; a package that isn't there; a program that isn't there."""
        counts, code, output = self.run_tests([
            self.sample('true', name='a'), self.sample('echo no bus; exit 77', name='b'),
            self.sample('echo broken; exit 3', name='c'),
            self.sample('true', name='d', needs=('no-such-package',)),
            testlist.Test('unit', 'e', 'plain', ['/no/such/program'], 5)])
        self.assertEqual(counts, {'passed': 1, 'failed': 2, 'skipped': 2})
        self.assertEqual(code, 1)
        self.assertEqual(output.rstrip().split('\n')[-1], '1 passed, 2 failed, 2 skipped')
        self.assertIn('no bus', output)
        self.assertIn('| broken', output)
        self.assertIn('no-such-package', output)

    def test_time_limit(self):
        """A test that hangs fails, and what it started is gone."""
        with tempfile.NamedTemporaryFile() as mark:
            counts, _, output = self.run_tests([self.sample(
                f'sleep {SLEEPS} & echo $! >{mark.name}; wait', seconds=1)])
            child = int(Path(mark.name).read_text())
        self.assertEqual(counts['failed'], 1)
        self.assertIn('no end after 1 s', output)
        status = Path(f'/proc/{child}/stat')
        self.assertTrue(not status.exists() or status.read_text().split()[2] == 'Z')

    def test_unsteady(self):
        """What fails beside others is run once more by itself, some tests a run, and is named."""
        with tempfile.TemporaryDirectory() as name:
            once = f'test -e {name}/$0 && exit 0; touch {name}/$0; echo slow; exit 1'
            tests = [testlist.Test('unit', f'sample-{i}', 'plain', ['sh', '-c', once, str(i)], 20)
                     for i in range(testpool.AGAIN + 1)]
            tests.append(testlist.Test('unit', 'lone', 'plain', ['sh', '-c', once, 'lone'], 20, is_alone=True))
            counts, code, output = self.run_tests(tests)
        self.assertEqual((counts['passed'], counts['failed'], code), (testpool.AGAIN, 2, 1))
        self.assertEqual(output.count('\nunsteady: unit/sample'), testpool.AGAIN)
        self.assertIn('| slow', output)

    def test_defects(self):
        """What a sanitizer says, and a second failure, are no matter of the machine."""
        counts, _, output = self.run_tests([self.sample(
            'echo "x.c:3:1: runtime error: overflow"; exit 1')])
        self.assertEqual(counts['failed'], 1)
        self.assertNotIn('unsteady', output)
        counts, code, output = self.run_tests([self.sample('exit 1'), self.sample('true', name='other')])
        self.assertEqual((counts, code), ({'passed': 1, 'failed': 1, 'skipped': 0}, 1))
        self.assertIn('\nfailed: unit/sample', output)

    def test_nothing_passed(self):
        """A run in which nothing passed is no success."""
        self.assertEqual(self.run_tests([self.sample('exit 77')])[1], 1)
        self.assertEqual(self.run_tests([self.sample('true')])[1], 0)

    def test_home(self):
        """Each test has a home of its own and sees no display."""
        with mock.patch.dict(os.environ, DISPLAY=':9', VBOX_USER_HOME='/root/.VirtualBox'):
            counts, _, _ = self.run_tests([
                self.sample('test -d "$HOME" && test "$HOME" != /root && test -z "$DISPLAY" '
                            '&& test -z "$VBOX_USER_HOME" && test -d "$VITRINE_EVIDENCE"')])
        self.assertEqual(counts['passed'], 1)

    def test_script_head(self):
        """What a script's head says is heard."""
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / 'test_x.py'
            path.write_text('#!/usr/bin/python3\n# timeout: 7\n# needs: a b\n# long\n# alone\n')
            test = testlist._script(path, 'fuzz')
        self.assertEqual((test.seconds, test.needs, test.is_long, test.is_alone, test.build),
                         (7, ('a', 'b'), True, True, 'sanitized'))


class Archives(unittest.TestCase):
    """cpio."""

    def test_round_trip(self):
        """What is written is read, with modes, links and odd sizes."""
        entries = [cpio.Entry('dev', stat.S_IFDIR | 0o755),
                   cpio.Entry('dev/console', stat.S_IFCHR | 0o600, rdev=(5, 1)),
                   cpio.Entry('sh', stat.S_IFLNK | 0o777, b'busybox'),
                   cpio.Entry('odd', stat.S_IFREG | 0o644, b'12345')]
        self.assertEqual(list(cpio.read(cpio.write(entries))), entries)

    def test_damage(self):
        """A damaged header is an error."""
        with self.assertRaises(ValueError):
            list(cpio.read(b'070702' + bytes(200)))


class Screens(unittest.TestCase):
    """Reading text off pictures."""

    def draw(self, lines, path, forms):
        """A PPM picture of text; where a letter has two forms, the first or the last of them."""
        glyphs = {char: glyph for glyph, char in forms(screen.font().items())}
        width = max(len(line) for line in lines)
        rows = bytearray()
        for line in lines:
            for y in range(screen.CELL_HEIGHT):
                for char in line.ljust(width):
                    bits = glyphs[char][y]
                    for x in range(8):
                        rows += b'\xaa\xaa\xaa' if bits & 0x80 >> x else b'\0\0\xa8'
        path.write_bytes(b'P6\n%d %d\n255\n' % (width * 8, len(lines) * 16) + bytes(rows))

    def test_text_mode(self):
        """Text in the BIOS's font is read exactly."""
        lines = ['GNU GRUB  version 2.06', '*First entry', 'l1I|O0 {~} @#$%', 'MTVWXYZ mvwxyz']
        for forms in (list, reversed):
            with tempfile.TemporaryDirectory() as name:
                path = Path(name) / 'a.ppm'
                self.draw(lines, path, forms)
                self.assertEqual(screen.read_text(path).split('\n'), lines)


class Lines(unittest.TestCase):
    """Serial lines."""

    def test_control_sequences(self):
        """Terminal control is taken out, text stays."""
        line = serial_line.Serial('/nowhere', os.devnull)
        line.data += b'\x1b[2J\x1b[01;01Hone\r\n\x1b[?25ltwo\x1b(B end'
        self.assertEqual(line.text(), 'one\ntwo end')
        self.assertTrue(re.search('two', line.wait('t.o', 1)))
        with self.assertRaises(TimeoutError):
            line.wait('two', 0.1)


if __name__ == '__main__':
    unittest.main()
