#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: appstream desktop-file-utils shared-mime-info gettext python3-gi
#
# data/ and po/ by the tools of their standards: desktop file, AppStream, MIME types on samples,
# icons that render, translations that fit their texts.
"""Desktop integration and translations are valid."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import gi
gi.require_version('GdkPixbuf', '2.0')
from gi.repository import GdkPixbuf  # noqa: E402

SOURCE = Path(os.environ['VITRINE_SOURCE'])
BUILD = Path(os.environ['VITRINE_BUILD'])
DATA = SOURCE / 'data'
APP = 'org.vitrine.Vitrine'
LEAST_TRANSLATED = 0.9

VBOX = '<?xml version="1.0"?>\n<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux"/>\n'
VDI = b'\0' * 64 + b'\x7f\x10\xda\xbe' + b'\0' * 444


def output_of(*command, **environment):
    """Runs a command that must succeed; its output."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            env=dict(os.environ, **environment), check=False)
    if result.returncode:
        raise AssertionError(f'{command}: {result.stdout}{result.stderr}')
    return result.stdout


class Desktop(unittest.TestCase):
    """The desktop file, AppStream data, MIME types."""

    def test_desktop_file(self):
        """desktop-file-validate finds nothing, not even a hint."""
        self.assertEqual(output_of('desktop-file-validate', BUILD / 'data' / f'{APP}.desktop'), '')

    def test_metainfo(self):
        """appstreamcli finds no error and no warning."""
        output_of('appstreamcli', 'validate', '--no-net', BUILD / 'data' / f'{APP}.metainfo.xml')

    def test_mime_types(self):
        """A settings file and a disk image are known by content, whatever their name."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            packages = folder / 'mime' / 'packages'
            packages.mkdir(parents=True)
            (packages / f'{APP}.xml').write_bytes((DATA / f'{APP}.mime.xml').read_bytes())
            output_of('update-mime-database', folder / 'mime')
            (folder / 'a').write_text(VBOX, encoding='utf-8')
            (folder / 'b').write_bytes(VDI)
            types = output_of('gio', 'info', '-a', 'standard::content-type', folder / 'a',
                              XDG_DATA_HOME=name)
            self.assertIn('application/x-virtualbox-vbox', types)
            types = output_of('gio', 'info', '-a', 'standard::content-type', folder / 'b',
                              XDG_DATA_HOME=name)
            self.assertIn('application/x-vdi-disk', types)


class Icons(unittest.TestCase):
    """Our drawings."""

    def test_icons_render(self):
        """Each icon is listed, has a title and draws something in its corner-to-corner square."""
        listed = re.findall(r'<file>(.*?)</file>',
                            (DATA / 'icons' / 'vitrine-icons.gresource.xml').read_text())
        found = [str(path.relative_to(DATA / 'icons')) for path in (DATA / 'icons').rglob('*.svg')]
        self.assertEqual(sorted(found), sorted(listed))
        for name in listed:
            with self.subTest(name):
                path = DATA / 'icons' / name
                self.assertRegex(path.read_text(encoding='utf-8'), r'<title>\w')
                picture = GdkPixbuf.Pixbuf.new_from_file_at_size(str(path), 32, 32)
                self.assertEqual(picture.get_width(), picture.get_height())
                self.assertGreater(len(set(picture.get_pixels())), 2)


class Translations(unittest.TestCase):
    """Every language in po/LINGUAS."""

    def test_languages(self):
        """Formats fit, nothing is fuzzy, nearly everything is translated."""
        for language in (SOURCE / 'po' / 'LINGUAS').read_text().split():
            with self.subTest(language):
                path = SOURCE / 'po' / f'{language}.po'
                self.assertNotIn('#, fuzzy', path.read_text(encoding='utf-8'))
                output_of('msgfmt', '--check', '-o', '/dev/null', path)
                self.assertGreaterEqual(self.share_translated(path), LEAST_TRANSLATED)

    def share_translated(self, path):
        """How much of the sources' present texts a language has."""
        with tempfile.TemporaryDirectory() as name:
            pot, merged = Path(name) / 'v.pot', Path(name) / 'merged.po'
            sources = [line for line in (SOURCE / 'po' / 'POTFILES').read_text().split('\n')
                       if line and not line.startswith('#')]
            output_of('xgettext', '--from-code=UTF-8', '-k_', '-kN_', '-kC_:1c,2', '-kNC_:1c,2',
                      '-o', pot, '-D', SOURCE, *sources)
            output_of('msgmerge', '-q', '--no-fuzzy-matching', '-o', merged, path, pot)
            text = subprocess.run(['msgfmt', '--statistics', '-o', '/dev/null', merged],
                                  capture_output=True, text=True, check=True,
                                  env=dict(os.environ, LC_ALL='C')).stderr
        counts = {word: int(number) for number, word in re.findall(r'(\d+) (translated|untranslated)', text)}
        return counts.get('translated', 0) / max(sum(counts.values()), 1)


if __name__ == '__main__':
    unittest.main()
