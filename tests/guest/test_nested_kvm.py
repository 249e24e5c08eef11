#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: debootstrap grub-pc-bin grub-common e2fsprogs qemu-system-x86 debian-installer-12-netboot-amd64
# timeout: 1800
# long
#
# HM on real KVM, on any host: QEMU's TCG plays a CPU with AMD-V, Debian's kernel on it has KVM, and there HM's unit tests
# and the guest programs run. What a program logs has to be what it logs on the interpreter, or on TCG alone: its CPU it is.
"""HM on KVM with AMD-V, inside QEMU."""

import gzip
import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / 'tests/lib'), str(ROOT / 'tests/guest')]

# pylint: disable=wrong-import-position
import cpio
import media
import run_program
from media_linux import NETBOOT

PARTITION = 1 << 20  # of the Debian disk
MODULES = ('virt/lib/irqbypass', 'drivers/crypto/ccp/ccp', 'arch/x86/kvm/kvm', 'arch/x86/kvm/kvm-amd')
SECONDS = 1200
CPUS = '1'
# Programs for several CPUs, and how many of them; litmus takes longer than run-bare's minute there. They have a boot of
# their own: TCG with several CPUs loses flags where an XCHG faults on its second page.
SEVERAL = ('crosscode', 'smp')
SEVERAL_CPUS = '2'
MODELS = {**run_program.MODELS, 'ours': 'x86-64-v2', 'cpus': CPUS}
INIT = '''#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /$module.ko; done
export LD_LIBRARY_PATH=/lib
if [ $(/bin/busybox grep -c ^processor /proc/cpuinfo) = 1 ]; then
    echo "== state"; /test-hm-state
    echo "== run"; /test-hm-run
    for program in {programs}; do
        echo "== $program"
        /run-bare hm /$program.bin {profile}
    done
else
    echo "== storm"; /test-em-storm -p /em/storm/hm
    for program in {several}; do
        echo "== ${{program}}_several"
        /run-bare hm /${{program}}_several.bin {profile} {cpus}
    done
fi
echo "== end"
/bin/busybox poweroff -f
'''
# Where neither fits, and why.
EXCEPTIONS = (
    ('tasks', r' ts=\d', "TCG switches tasks without KVM's knowledge, which keeps CR0 for itself"),
)
# Counted in loops by the program, but in a clock's time by KVM: may be there or not.
TIMED = {'apic': 'periodic'}
# Not run, and why.
LEFT_OUT = {'debug': "QEMU 7.2 aborts at a breakpoint on I/O in a nested guest, where KVM does not look at it either"}


def from_disk(disk, name, out):
    """Copies a file of the Debian disk."""
    subprocess.run(['debugfs', '-R', f'dump {name} {out}', f'{disk}?offset={PARTITION}'], check=True,
                   capture_output=True)
    return out.read_bytes()


def kernel_version(disk):
    """Of the one kernel on the disk."""
    out = subprocess.run(['debugfs', '-R', 'ls -p /usr/lib/modules', f'{disk}?offset={PARTITION}'], check=True,
                         capture_output=True, text=True).stdout
    return re.search(r'/(\d[^/]*-amd64)/', out)[1]


class Archive:
    """An initramfs in the making."""

    def __init__(self):
        source = NETBOOT / 'amd64/text/debian-installer/amd64/initrd.gz'
        self.entries = {e.name: e for e in cpio.read(gzip.decompress(source.read_bytes()))
                        if e.name in ('bin', 'bin/busybox', 'lib', 'lib64')}
        for name in ('dev', 'proc'):
            self.entries[name] = cpio.Entry(name, stat.S_IFDIR | 0o755)
        self.entries['dev/console'] = cpio.Entry('dev/console', stat.S_IFCHR | 0o600, rdev=(5, 1))

    def add(self, name, data):
        """A file that can be executed."""
        self.entries.setdefault(name, cpio.Entry(name, stat.S_IFREG | 0o755, data))

    def add_program(self, name, path):
        """A program of the host's with its libraries."""
        self.add(name, path.read_bytes())
        for library in re.findall(r'(/\S+)', subprocess.run(['ldd', path], check=True, capture_output=True,
                                                            text=True).stdout):
            folder = 'lib64' if 'ld-linux' in library else 'lib'
            self.add(f'{folder}/{Path(library).name}', Path(library).read_bytes())

    def pack(self):
        """The compressed bytes."""
        return gzip.compress(cpio.write(list(self.entries.values())), 1)


def make(folder, build, programs):
    """Kernel and initramfs."""
    disk = media.get('debian-amd64')
    version = kernel_version(disk)
    archive = Archive()
    for module in MODULES:
        archive.add(f'{Path(module).name}.ko',
                    from_disk(disk, f'/usr/lib/modules/{version}/kernel/{module}.ko', folder / 'module'))
    archive.add_program('run-bare', build / 'tests/guest/run-bare')
    for name in ('state', 'run'):
        archive.add_program(f'test-hm-{name}', build / f'tests/unit/hm/test-hm-{name}')
    # The C library has to be the programs', not the installer's.
    for name, (program, _) in programs.items():
        archive.add(f'{name}.bin', program.read_bytes())
    archive.add_program('test-em-storm', build / 'tests/unit/em/test-em-storm')
    archive.add('init', INIT.format(modules=' '.join(Path(m).name for m in MODULES),
                                    programs=' '.join(p for p in programs if '_' not in p),
                                    several=' '.join(SEVERAL), cpus=SEVERAL_CPUS,
                                    profile=MODELS['ours']).encode())
    kernel, initrd = folder / 'kernel', folder / 'initrd'
    from_disk(disk, f'/boot/vmlinuz-{version}', kernel)
    initrd.write_bytes(archive.pack())
    return kernel, initrd


def boot(folder, kernel, initrd, cpus):
    """What the nested machine says, by section."""
    log = folder / 'serial'
    subprocess.run(['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max,+svm,vendor=AuthenticAMD', '-m', '1024',
                    '-smp', cpus,
                    '-nodefaults', '-display', 'none', '-no-reboot', '-kernel', kernel, '-initrd', initrd,
                    '-append', 'console=ttyS0 quiet panic=-1', '-serial', f'file:{log}'],
                   check=False, timeout=SECONDS)
    parts = re.split(r'^== (\w+)\r?\n', log.read_text(encoding='ascii', errors='replace').replace('\r', ''), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def compare(name, hm_log, iem_log, tcg_log):
    """The faults of one program."""
    logs = [run_program.lines_of(log) for log in (hm_log, iem_log, tcg_log)]
    for program, pattern, _ in EXCEPTIONS:
        if program == name:
            logs = [{key: re.sub(pattern, '', text) for key, text in log.items()} for log in logs]
    ours, iem, tcg = logs
    if not ours:
        return [f'{name}: the log is empty']
    return [f'{name}: {key}: hm says {ours.get(key)}, iem {iem.get(key)}, TCG {tcg.get(key)}'
            for key in iem if ours.get(key) not in (iem.get(key), tcg.get(key))
            and not (name in TIMED and key.startswith(TIMED[name]))]


def main():
    """Returns what went wrong, or None."""
    build = Path(os.environ['VITRINE_BUILD'])
    faults = []
    for left_out in LEFT_OUT.items():
        print('left out: %s: %s' % left_out)
    with tempfile.TemporaryDirectory() as name:
        folder, programs = Path(name), {}
        for source in sorted((ROOT / 'tests/guest').glob('*.c')):
            _, models = run_program.read_differences(source.with_suffix('.differences'))
            if source.stem not in ('run-bare', 'litmus', *SEVERAL, *LEFT_OUT) and models['ours'] == MODELS['ours']:
                (folder / source.stem).mkdir()
                programs[source.stem] = run_program.build(source, folder / source.stem, CPUS)
        for stem in SEVERAL:
            (folder / f'{stem}_several').mkdir()
            programs[f'{stem}_several'] = run_program.build(ROOT / f'tests/guest/{stem}.c', folder / f'{stem}_several',
                                                            SEVERAL_CPUS)
        files = make(folder, build, programs)
        said = boot(folder, *files, CPUS) | boot(folder, *files, SEVERAL_CPUS)
        for part, end in (('state', 'hm'), ('run', 'hm'), ('storm', 'em')):
            print(said.get(part, ''))
            if 'not ok' in said[part] or f'# End of {end} tests' not in said[part]:
                faults.append(f'{part}: {said[part]}')
        if '# hardware' not in said['run']:
            faults.append('the self-test did not see the hardware')
        for program, (binary, disk) in programs.items():
            models = {**MODELS, 'cpus': SEVERAL_CPUS} if '_' in program else MODELS
            known = ROOT / f'tests/guest/{program.split("_", maxsplit=1)[0]}-{models["cpus"]}.log'
            iem, _ = run_program.run_ours(build / 'tests/guest/run-bare', 'iem', binary, models)
            tcg = known.read_bytes() if known.exists() else run_program.run_qemu(disk, folder / program, models)
            faults += compare(program, said.get(program, '').encode(), iem, tcg)
            print(program, len(run_program.lines_of(said.get(program, '').encode())), 'lines')
    return '\n'.join(faults) or None


if __name__ == '__main__':
    sys.exit(main())
