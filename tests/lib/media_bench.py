# SPDX-License-Identifier: GPL-3.0-or-later
#
# The guest of tests/bench: the small Linux with the programs of tests/bench/programs, a compiler with
# something to compile, and an init that runs each line that comes in on the serial port. Programs of
# the other architecture (tcc, gzip for i386) come from its packages, unpacked and not installed.
"""The benchmarks' guest."""

import shutil
import stat
from pathlib import Path

import cpio
import media_linux
from media_debian import mirror
from media_iso import GRUB_SERIAL, make_grub_iso, run

PROGRAMS = Path(__file__).resolve().parents[1] / 'bench' / 'programs'
COMPILER = ('gcc', '-O2', '-static', '-s', '-pthread')
FLAGS = {'amd64': (), 'i386': ('-m32', '-march=i686', '-msse2', '-mfpmath=sse')}
LIBRARIES = media_linux.LIBRARIES + ('libpthread.so.0', 'libdl.so.2')
# Of Debian's packages: (package, path in it).
TOOLS = (('tcc', 'usr/bin/tcc'), ('gzip', 'bin/gzip'))
TEXT_BYTES = 256 << 10
FUNCTIONS = 400

INIT = b'''#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
dmesg -n 1
exec </dev/console >/dev/console 2>&1
stty -echo
echo 'bench: ready'
while read -r line; do
    echo 'bench: begin'
    $line
    echo "bench: status $?"
done
'''

FUNCTION = '''
struct record_@ { int key, left, right; char name[@ + 4]; };
static int table_@[@ % 32 + 8];
int work_@(struct record_@ *records, int count, unsigned seed)
{
    int i, sum = @;
    for (i = 0; i < count; i++) {
        struct record_@ *at = &records[i];
        switch ((at->key ^ seed) & 7) {
        case 0: sum += at->left * 3 - at->right; break;
        case 1: at->name[i % (@ + 4)] = (char)(sum >> 3); break;
        case 2: while (seed > 1000u) { seed /= 3; sum ^= seed; } break;
        case @ % 5 + 3: table_@[i % (@ % 32 + 8)] += at->key; break;
        default: sum = sum > at->key ? sum - at->key : sum + (at->key << 1);
        }
        if (at->left && at->right > @) sum += work_@(records, count / 2, seed + i);
    }
    return sum + table_@[seed % (@ % 32 + 8)];
}
'''


def compiler_input():
    """A C source of some thousand lines that needs no header."""
    return ''.join(FUNCTION.replace('@', str(number)) for number in range(1, FUNCTIONS + 1)).encode()


def _text():
    """Something to compress: words of a source, in an order that repeats late."""
    words = compiler_input()[:40000].split()
    text, at = bytearray(), 1
    while len(text) < TEXT_BYTES:
        at = (at * 1103515245 + 12345) % (1 << 31)
        text += words[at % len(words)] + (b'\n' if at % 9 == 0 else b' ')
    return bytes(text[:TEXT_BYTES])


def _compile(arch, folder):
    for source in sorted(PROGRAMS.glob('*.c')):
        run(*COMPILER, *FLAGS[arch], source, '-o', folder / source.stem, '-lm')
    for script in PROGRAMS.glob('*.sh'):
        shutil.copy(script, folder)


def _add_foreign_tools(arch, folder, work):
    """The tools from another architecture's packages, with a package state of their own."""
    state = work / 'apt'
    for name in ('state/lists/partial', 'cache/archives/partial'):
        (state / name).mkdir(parents=True)
    (state / 'status').touch()
    # Only the release itself: what is run does not change with the archive's other suites.
    (state / 'sources.list').write_text(f'deb {mirror()} bookworm main\n', encoding='utf-8')
    options = [word for option in (f'Dir::State={state}/state', f'Dir::State::status={state}/status',
                                   f'Dir::Cache={state}/cache', f'APT::Architecture={arch}',
                                   f'APT::Architectures::={arch}', 'APT::Sandbox::User=root',
                                   f'Dir::Etc::SourceList={state}/sources.list',
                                   'Dir::Etc::SourceParts=-')
               for word in ('-o', option)]
    run('apt-get', *options, 'update')
    for package, path in TOOLS:
        run('apt-get', *options, 'download', f'{package}:{arch}', cwd=state)
        run('dpkg-deb', '-x', next(state.glob(f'{package}_*.deb')), state / package)
        shutil.copy(state / package / path, folder)


def make_programs(arch, folder, work):
    """Everything that the rows run, as it stands in the guest's /bench."""
    _compile(arch, folder)
    if arch == 'amd64':
        for _, path in TOOLS:
            shutil.copy(Path('/') / path, folder)
    else:
        _add_foreign_tools(arch, folder, work)
    (folder / 'source.c').write_bytes(compiler_input())
    (folder / 'text').write_bytes(_text())


def build(out, work, arch):
    """The ISO; GRUB starts it at once."""
    programs, tree = work / 'bench', work / 'tree'
    programs.mkdir()
    tree.mkdir()
    make_programs(arch, programs, work)
    entries = media_linux.system(arch, INIT, LIBRARIES)
    entries.append(cpio.Entry('bench', stat.S_IFDIR | 0o755))
    entries += [cpio.Entry(f'bench/{path.name}', path.stat().st_mode, path.read_bytes())
                for path in sorted(programs.iterdir())]
    media_linux.write_kernel(tree, arch, entries)
    make_grub_iso(out, tree, GRUB_SERIAL + '''set timeout=0
menuentry "Benchmarks" {
    linux /linux console=tty0 console=ttyS0,115200 panic=-1 tsc=reliable
    initrd /initrd.gz
}
''', f'BENCH_{arch}'.upper())
