# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux disk with Debian's own kernel and as many of its modules as a test needs, busybox, and
# programs of the test's. The kernel's package is fetched with apt, not installed.
"""Small Linux guests with drivers of Debian's kernel."""

import io
import re
import stat
import subprocess
import tarfile

import cpio
import media_linux
from media_iso import GRUB_SERIAL, make_grub_disk, run

SIZE_MIB = 64

INIT = '''#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
say() { echo "vitrine: $*"; }
load() {
    module=$1
    shift
    insmod /lib/modules/$module.ko "$@" || say "module $module failed"
}
@MODULES@
say "kernel $(uname -r) $(uname -m)"
say ready
export PS1='vitrine# '
while :; do sh -i <>/dev/console >&0 2>&1; done
'''


def _kernel_package(work):
    """The newest kernel's package, as a tar archive in memory."""
    depends = subprocess.run(['apt-cache', 'depends', 'linux-image-amd64'], check=True,
                             capture_output=True, text=True).stdout
    name = next(line.split()[-1] for line in depends.splitlines() if 'Depends:' in line)
    run('apt-get', '-q', 'download', name, cwd=work)
    package = next(work.glob('linux-image-*.deb'))
    data = subprocess.run(['dpkg-deb', '--fsys-tarfile', package], check=True, capture_output=True).stdout
    return tarfile.open(fileobj=io.BytesIO(data))


def _modules(package, wanted):
    """Names and contents of the modules, in the order in which they have to be loaded."""
    files = {name.rsplit('/', 1)[-1][:-3].replace('-', '_'): name for name in package.getnames()
             if name.endswith('.ko')}
    found = {}

    def add(name):
        name = name.replace('-', '_')
        if name in found or name not in files:
            return
        data = package.extractfile(files[name]).read()
        depends = re.search(rb'\0depends=([^\0]*)\0', data).group(1).decode()
        for other in filter(None, depends.split(',')):
            add(other)
        found[name] = data

    for module in wanted:
        add(module.split(' ')[0])
    return found


def _loads(modules, wanted):
    """A line of the guest's shell for each module, with the parameters that were asked for."""
    parameters = dict(words.split(' ', 1) for words in wanted if ' ' in words)
    return [f'load {name} {parameters.get(name, "")}' for name in modules]


def _entries(package, wanted, applets, programs):
    modules = _modules(package, wanted)
    program, folder = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755
    init = INIT.replace('@MODULES@', '\n'.join(_loads(modules, wanted))).encode()
    entries = media_linux.system('amd64', init)
    entries += [cpio.Entry('mnt', folder), cpio.Entry('lib/modules', folder)]
    entries += [cpio.Entry(f'bin/{name}', stat.S_IFLNK | 0o777, b'busybox')
                for name in ('insmod', *applets)]
    entries += [cpio.Entry(f'bin/{name}', program, data) for name, data in programs.items()]
    entries += [cpio.Entry(f'lib/modules/{name}.ko', program, data) for name, data in modules.items()]
    return entries


def build(out, work, uuid, modules, applets=(), programs=None):
    """The disk: GRUB, kernel and initramfs on one ext4 partition. `uuid` is the disk's own, `modules` (name,
    or name and parameters) are loaded with what they need, `applets` are busybox's, `programs` maps names to contents."""
    tree = work / 'tree'
    (tree / 'boot' / 'grub').mkdir(parents=True)
    with _kernel_package(work) as package:
        kernel = next(name for name in package.getnames() if '/boot/vmlinuz-' in name)
        (tree / 'linux').write_bytes(package.extractfile(kernel).read())
        (tree / 'initrd').write_bytes(cpio.write(_entries(package, modules, applets, programs or {})))
    run('gzip', '-9n', '-S', '.gz', tree / 'initrd')
    (tree / 'boot' / 'grub' / 'grub.cfg').write_text(GRUB_SERIAL + '''
set timeout=0
menuentry "Small Linux" {
    linux /linux console=ttyS0,115200 panic=-1
    initrd /initrd.gz
}
''', encoding='utf-8')
    make_grub_disk(out, tree, SIZE_MIB, uuid, work)
