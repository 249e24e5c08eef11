#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Registries name everything that registers, once, in order: the .def files of devices, engines and
# the like against the descriptors in the sources, meson's source lists against the files, and
# po/POTFILES against the sources with texts in them (`test_registries.py --fix` rewrites that one), and
# the lists of packages against what tests say they need.
"""Registries and what they list agree."""

import posixpath
import re
import sys

from tree import Tree, main

# .def file: (where its descriptors are defined, how a definition looks, how a line names one).
REGISTRIES = {
    'devices/drivers/disk/image/formats.def': (
        'devices/drivers/disk/image/', r'^const ImageFormat image_format_(\w+)\s*=', r'^IMAGE_FORMAT\((\w+)'),
    'audio/backends/backends.def': (
        'audio/backends/', r'^const AudioBackendInfo\s+(\w+)\s*=', r'^BACKEND\((\w+)'),
    'devices/builtin.def': (
        ('audio/', 'devices/', 'usb/'), r'^const Pdm(?:Device|Driver)\w*\s+(\w+)\s*=', r'^\w+\((\w+)'),
    'app/manage/commands.def': (
        'app/manage/', r'^const ManageCommand manage_command_(\w+)\s*=', r'^COMMAND\((\w+)'),
    'vmm/em/engines.def': ('vmm/', r'^const EmEngine\s+(\w+)\s*=', r'^\w+\((\w+)'),
}
TEXTS = re.compile(r'(?<![\w"])(?:_|N_|C_|NC_|Q_|ngettext|g_dngettext|dgettext)\s*\(\s*"')
TRANSLATABLE = re.compile(r'translatable="yes"')
POTFILES = 'po/POTFILES'
PACKAGES = ('app/packages', 'tests/packages')
NEEDS = re.compile(r'^# needs: (.*)$', re.M)
HEAD = 2000  # characters of a test that may say what it needs
# Translated through meson's i18n.merge_file; they name their texts in their own way.
POTFILES_ALWAYS = re.compile(r'data/.*\.(?:desktop|metainfo\.xml|xml)\.in$')


def _lines(text):
    return [line for line in text.split('\n') if line and not line.startswith(('#', '/', ' ', '*'))]


def _def_faults(tree):
    for registry, (folder, definition, entry) in REGISTRIES.items():
        if not tree.exists(registry):
            continue
        lines = _lines(tree.text(registry))
        if lines != sorted(lines):
            yield f'{registry}: its lines are not sorted'
        listed = [m.group(1) for m in map(re.compile(entry).match, lines) if m]
        defined = {}
        for name in tree.files('.c'):
            if name.startswith(folder):
                for symbol in re.findall(definition, tree.text(name), re.M):
                    defined[symbol] = name
        for symbol in sorted(set(listed) - set(defined)):
            yield f'{registry}: {symbol} is defined nowhere'
        for symbol in sorted(set(defined) - set(listed)):
            yield f'{defined[symbol]}: {symbol} is not in {registry}'
        for symbol in sorted({symbol for symbol in listed if listed.count(symbol) > 1}):
            yield f'{registry}: {symbol} is listed twice'


def _meson_faults(tree):
    """A source that no meson.build names is dead."""
    builds = {posixpath.dirname(name): tree.text(name) for name in tree.files('meson.build')}
    named_from_elsewhere = {posixpath.normpath(posixpath.join(folder, path))
                            for folder, text in builds.items()
                            for path in re.findall(r"'(\.\./[^']+\.c)'", text)}
    for name in tree.files('.c'):
        if name in named_from_elsewhere:
            continue
        folder, base = posixpath.split(name)
        at = folder
        while at and at not in builds:
            at = posixpath.dirname(at)
        stem = posixpath.splitext(base)[0]
        path = name[len(at) + 1:] if at else name
        text = builds.get(at, '')
        words = [f"'{path}'", f"'{base}'", f"'{stem}'"]
        if "'test-' + " in text:  # a foreach over the names of tests
            words.append("'" + stem.removeprefix('test-') + "'")
        if not any(word in text for word in words):
            yield f'{name}: no meson.build names it'


def texts_of(tree):
    """The files with texts to translate, in order."""
    found = [name for name in tree.files('.c', '.h')
             if name.startswith('app/') and TEXTS.search(tree.text(name))]
    found += [name for name in tree.files('.def') if 'N_(' in tree.text(name)]
    found += [name for name in tree.files('.ui') if TRANSLATABLE.search(tree.text(name))]
    found += [name for name in tree.files('.in') if POTFILES_ALWAYS.match(name)]
    return sorted(found)


def _potfiles_faults(tree):
    wanted = texts_of(tree)
    listed = _lines(tree.text(POTFILES)) if tree.exists(POTFILES) else []
    for name in sorted(set(wanted) - set(listed)):
        yield f'{name}: has texts but is not in {POTFILES}'
    for name in sorted(set(listed) - set(wanted)):
        yield f'{POTFILES}: {name} has no texts or is gone'
    if listed != sorted(listed):
        yield f'{POTFILES}: not sorted'


def _package_faults(tree):
    """A test whose package nobody installs would be skipped for ever."""
    installed = {word for name in PACKAGES if tree.exists(name) for line in _lines(tree.text(name))
                 for word in line.partition('#')[0].split()}
    for name in tree.files('.py', '.sh'):
        if name.startswith('tests/') and (head := NEEDS.search(tree.text(name)[:HEAD])):
            for package in sorted(set(head.group(1).split()) - installed):
                yield f'{name}: needs {package}, which no list of packages has'


def check(tree):
    """All faults."""
    return [*_def_faults(tree), *_meson_faults(tree), *_potfiles_faults(tree), *_package_faults(tree)]


def fix(tree):
    """Rewrites po/POTFILES."""
    text = '# Sources with texts to translate; tests/style/test_registries.py --fix writes this.\n'
    text += ''.join(name + '\n' for name in texts_of(tree))
    (tree.root / POTFILES).write_text(text, encoding='utf-8')


if __name__ == '__main__':
    if sys.argv[1:] == ['--fix']:
        fix(Tree())
    main(check, 'registries')
