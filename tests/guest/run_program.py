#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds one guest program, runs it on our engines, under QEMU's TCG and under Bochs, and compares
# the logs line by line. Where a reference differs from us, PROGRAM.differences has to say why, with the
# manual's section; an entry without a difference is a fault too.
#
#   run_program.py RUN-BARE PROGRAM [--cpus N] [--keep FOLDER]
"""Run a guest program on every engine and compare."""

import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DISK_BYTES = 16 * 63 * 512  # one cylinder: a geometry that Bochs takes
SECONDS = 60      # for the first line
QUIET_SECONDS = 4 # between lines
SKIPPED = 77
EMULATED_TRIES = 4 # where the host's KVM emulates, with faults of its own: what it gets to execute differs each time
CFLAGS = ['-O1', '-std=gnu11', '-ffreestanding', '-fno-pic', '-fno-pie', '-fno-stack-protector',
          '-fno-asynchronous-unwind-tables', '-fcf-protection=none', '-mgeneral-regs-only',
          '-Wall', '-Wextra', '-Werror', f'-I{ROOT}']
BITS = {
    32: (['-m32', '-march=i686'], ['-m', 'elf_i386']),
    64: (['-m64', '-mno-red-zone', '-march=x86-64'], ['-m', 'elf_x86_64']),
}
# What CPUs the references pretend to be and our profile, unless the program's differences say otherwise.
# Needs: CPU features without which the program has nothing to show.
# CPUs: one, or as many as the test asks for (Bochs, which runs them in turn, is left out then).
MODELS = {'qemu': 'max,vendor=AuthenticAMD', 'bochs': 'ryzen', 'ours': 'x86-64-v2', 'cpus': '1', 'needs': ''}


def call(*words, **options):
    """Runs a tool that has to succeed."""
    subprocess.run([str(word) for word in words], check=True, **options)


def build(source, folder, cpus):
    """Makes the flat program and the disk that boots it; returns both."""
    text = source.read_text(encoding='utf-8')
    bits = 64 if 'guest64.h' in text or 'smp64.h' in text else 32
    cflags, ldflags = BITS[bits]
    objects = []
    several = ('lib/smp64.c',) if 'smp64.h' in text else ()
    for part in (f'lib/start{bits}.S', 'lib/log.c', f'lib/guest{bits}.c', *several, source.name):
        out = folder / (Path(part).name + '.o')
        call('gcc', *cflags, *CFLAGS, f'-DSMP_CPUS={cpus}u', '-c', HERE / part, '-o', out)
        objects.append(out)
    elf, program, disk = folder / 'program.elf', folder / 'program.bin', folder / 'disk.img'
    call('ld', *ldflags, '--no-warn-rwx-segments', '-z', 'noexecstack', '-T',
         HERE / 'lib/program.ld', '-o', elf, *objects)
    call('objcopy', '-O', 'binary', elf, program)
    call('gcc', '-m32', '-c', HERE / 'lib/boot.S', '-o', folder / 'boot.o')
    call('ld', '-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', '-o',
         folder / 'boot.bin', folder / 'boot.o')
    disk.write_bytes(((folder / 'boot.bin').read_bytes() + program.read_bytes()).ljust(DISK_BYTES, b'\0'))
    return program, disk


def run_ours(run_bare, engine, program, models):
    """The log on one of our engines, and what it says beside it; a triple fault is a line of the log."""
    try:
        done = subprocess.run([run_bare, engine, program, models['ours'], models['cpus']],
                              capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b'') + b'endless: the program does not end\n', ''
    if done.returncode == 4:
        return done.stdout + b"\nendless: the program does not end\n", ''
    if done.returncode not in (0, 3):
        raise RuntimeError(f'run-bare ends with {done.returncode}: {done.stderr.decode()}')
    return done.stdout, done.stderr.decode()


def state_of(said):
    """The digest of the state at the end, '' where the engine does not count."""
    state = re.search(r'^state: (\w+)$', said, re.M)
    return state[1] if state else ''


def watch(words, log, quiet=QUIET_SECONDS, **options):
    """Runs a reference until it ends by itself or says nothing more; some programs leave it lost."""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, **options) as process:
        size, quiet_since = -1, time.monotonic()
        while process.poll() is None:
            time.sleep(0.05)
            now = log.stat().st_size if log.exists() else 0
            if now != size:
                size, quiet_since = now, time.monotonic()
            if time.monotonic() - quiet_since > (quiet if size > 0 else SECONDS):
                process.kill()
                break
    return log.read_bytes() if log.exists() else b''


def run_qemu(disk, folder, models):
    """The log under QEMU."""
    log = folder / 'qemu.log'
    return watch(['qemu-system-x86_64', '-M', 'pc', '-accel', 'tcg', '-cpu', models['qemu'], '-m', '32',
                  '-smp', models['cpus'],
                  '-nodefaults', '-display', 'none', '-no-reboot', '-snapshot',
                  '-drive', f'file={disk},format=raw,if=ide', '-debugcon', f'file:{log}',
                  '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'], log,
                 QUIET_SECONDS * int(models['cpus']))


BOCHSRC = """megs: 32
cpu: model={model}, count={cpus}, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: disk
ata0-master: type=disk, path={disk}, mode=volatile, cylinders=1, heads=16, spt=63
display_library: rfb, options="timeout=0"
port_e9_hack: enabled=1
log: {folder}/bochs.messages
panic: action=fatal
clock: sync=none
sound: driver=dummy
speaker: enabled=0
"""


def run_bochs(disk, folder, models):
    """The log under Bochs, which mixes it with its own messages on standard output."""
    (folder / 'bochsrc').write_text(BOCHSRC.format(
        model=models['bochs'], cpus=models['cpus'], disk=disk, folder=folder))
    (folder / 'commands').write_text('c\n')
    log = folder / 'bochs.log'
    with log.open('wb') as out:
        return watch(['bochs', '-q', '-rc', folder / 'commands', '-f', folder / 'bochsrc'], log,
                     stdout=out, stderr=subprocess.DEVNULL, cwd=folder)


def lines_of(raw):
    """{key: text}. An indented line belongs to the one before it; repeated keys are numbered."""
    found, parent = {}, ''
    text = raw.decode('ascii', 'replace')
    text = text.split('Next at t=0', 1)[-1]  # Bochs's banner
    for line in text.splitlines():
        match = re.match(r'( *)([^:]{1,80}): (.*)$', line)
        if not match or line.startswith(('[', '(0)', 'CPU')): # Bochs's own messages
            continue
        indent, key, text = match.groups()
        if indent:
            key = f'{parent}/{key}'
        base, count = key, 1
        while key in found:
            count += 1
            key = f'{base}#{count}'
        if not indent:
            parent = key
        found[key] = text.strip()
    return found


@dataclass
class Difference:
    """One entry: the reference, the keys it covers, the reason."""

    reference: str
    pattern: str
    reason: str
    used: bool = False


def read_differences(path):
    """The entries and the references' CPU models."""
    entries, models = [], dict(MODELS)
    if not path.exists():
        return entries, models
    reference, reason = '', ''
    for line in path.read_text(encoding='utf-8').splitlines():
        if line.startswith('#') or not line.strip():
            continue
        if line.startswith('model '):
            _, name, model = line.split()
            models[name] = model
        elif line.startswith('needs '):
            models['needs'] = line.removeprefix('needs ')
        elif not line.startswith(' '):
            reference, reason = (part.strip() for part in line.split(':', 1))
        else:
            entries.append(Difference(reference, line.strip(), reason))
    return entries, models


def covering(entries, reference, key):
    """The entries that speak of this line."""
    return [e for e in entries if e.reference == reference and fnmatch.fnmatchcase(key, e.pattern)]


def compare(ours, theirs, reference, entries):
    """The faults of one comparison, as text."""
    faults = []
    for key in list(ours) + [key for key in theirs if key not in ours]:
        if ours.get(key) == theirs.get(key):
            continue
        known = covering(entries, reference, key)
        for entry in known:
            entry.used = True
        if not known:
            faults.append(f'{key}\n    we say      {ours.get(key)}\n    {reference:8} says {theirs.get(key)}')
    return faults


def judge(engine, ours, references, entries):
    """The faults of one engine's log."""
    faults = [] if ours else [f'{engine}: the log is empty']
    for reference, theirs in references.items():
        faults += [f'{engine}: {fault}' for fault in compare(ours, theirs, reference, entries)]
    print(f'{engine}: {len(ours)} lines')
    return faults


def check(run_bare, source, folder, engines, cpus):
    """All faults of a program; None where the host lacks what it needs."""
    program, disk = build(source, folder, cpus)
    entries, models = read_differences(source.with_suffix('.differences'))
    models['cpus'] = cpus
    known = source.with_name(f'{source.stem}-{cpus}.log')
    if known.exists():
        references = {'manual': lines_of(known.read_bytes())}
    else:
        references = {'qemu': lines_of(run_qemu(disk, folder, models))}
    if cpus == '1':
        references['bochs'] = lines_of(run_bochs(disk, folder, models))
    faults, states, judged = [], {}, False
    for engine in engines:
        for attempt in range(EMULATED_TRIES):
            raw, said = run_ours(run_bare, engine, program, models)
            (folder / f'{engine}.log').write_bytes(raw)
            lacks = set(re.findall(r'^hidden: (\w+)$', said, re.M)) & set(models['needs'].split())
            if lacks:
                print(f'skipped: {engine}: this host\'s KVM has no {", ".join(sorted(lacks))}')
                found = None
                break
            found = judge(engine, lines_of(raw), references, entries)
            if not found or 'host: emulates' not in said:
                break
            print(f'{engine}: attempt {attempt + 1}: this host\'s KVM emulates, wrongly:', *found, sep='\n  ')
        if state_of(said):
            states[engine] = state_of(said)
        faults += found or []
        judged |= found is not None
    if len(set(states.values())) > 1:
        faults.append(f'the states at the end differ: {states}')
    faults += [f'{e.reference}: nothing differs at "{e.pattern}" ({e.reason})'
               for e in entries if not e.used and judged]
    return faults if judged else None


def engines_of(run_bare, cpus):
    """The engine that was asked for, else all of this build; several CPUs do not take turns."""
    asked = os.environ.get('VITRINE_ENGINE')
    if asked:
        return [asked]
    listed = subprocess.run([run_bare, '--engines'], capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split() if cpus == '1' or '+' not in name]


def main():
    """Exit status 0, 1 or 77."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run_bare', type=Path)
    parser.add_argument('program')
    parser.add_argument('--cpus', default='1', help='virtual CPUs')
    parser.add_argument('--keep', type=Path, help='leave logs and images in this folder')
    options = parser.parse_args()
    missing = [name for name in ('bochs', 'qemu-system-x86_64', 'gcc') if not shutil.which(name)]
    if missing:
        print(f'skipped: {", ".join(missing)} not installed')
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        faults = check(options.run_bare.resolve(), HERE / f'{options.program}.c', folder.resolve(),
                       engines_of(options.run_bare.resolve(), options.cpus), options.cpus)
    if faults is None:
        return SKIPPED
    for fault in faults:
        print(fault)
    print(f'{options.program}: {len(faults)} faults')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
