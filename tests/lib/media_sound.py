# SPDX-License-Identifier: GPL-3.0-or-later
#
# Linux disks for tests of sound cards: Debian's kernel with its own drivers for each of them (and for the
# network card and pointing device of a desktop machine), and a program of ours that plays and measures tones. Cards of the ISA bus have drivers for i386 only, in the
# graphical Debian installer.
"""The small Linux guests with sound drivers."""

import gzip
import stat
import subprocess
from pathlib import Path

import cpio
import media_kernel
import media_linux
from media_iso import GRUB_SERIAL, NETBOOT, make_grub_disk

# The driver of AC'97 measures the card's clock, which no busy host has right.
MODULES = ('snd_pcm_oss', 'snd_intel8x0 ac97_clock=48000', 'snd_hda_codec_generic', 'snd_hda_codec_idt', 'snd_hda_intel', 'ahci', 'ata_piix',
           'pcspkr', 'e1000', 'ohci_pci', 'usbhid', 'hid_generic')
# In the order in which they need each other.
ISA_MODULES = ('soundcore', 'snd', 'snd-timer', 'snd-pcm', 'snd-seq-device', 'snd-rawmidi', 'snd-hwdep',
               'snd-mpu401-uart', 'snd-opl3-lib', 'snd-sb-common', 'snd-sb16-dsp', 'snd-sb16-csp', 'snd-sb16')
ISA_PARAMETERS = {'snd-sb16': 'isapnp=0 port=0x220 irq=5 dma8=1 dma16=5'}
UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000004'
ISA_UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000014'
SIZE_MIB = 48
REAL = Path(__file__).resolve().parent.parent / 'real'


def _tone(work, levels, *options):
    """Our program, with one of the ways to a card's levels."""
    tone = work / 'tone'
    sources = [REAL / 'tone.c', REAL / 'tone-alsa.c', REAL / f'tone-levels-{levels}.c']
    subprocess.run(['gcc', *options, '-O2', '-Wall', '-Werror', '-static', '-s', '-o', tone, *sources, '-lm'], check=True)
    return tone.read_bytes()


def build(out, work):
    """The disk."""
    media_kernel.build(out, work, UUID, MODULES, ('insmod', 'umount', 'rm', 'ip'), {'tone': _tone(work, 'oss')})


def _isa_entries(tone):
    program = stat.S_IFREG | 0o755
    installer = NETBOOT / 'i386' / 'gtk' / 'debian-installer' / 'i386' / 'initrd.gz'
    files = {entry.name.rsplit('/', 1)[-1]: entry.data for entry in cpio.read(gzip.decompress(installer.read_bytes()))
             if entry.name.endswith('.ko')}
    loads = [f'load {name} {ISA_PARAMETERS.get(name, "")}' for name in ISA_MODULES]
    init = media_kernel.INIT.replace('@MODULES@', '\n'.join(loads)).encode()
    entries = media_linux.system('i386', init)
    entries += [cpio.Entry('lib/modules', stat.S_IFDIR | 0o755), cpio.Entry('bin/tone', program, tone),
                cpio.Entry('bin/insmod', stat.S_IFLNK | 0o777, b'busybox')]
    entries += [cpio.Entry(f'lib/modules/{name}.ko', program, files[f'{name}.ko']) for name in ISA_MODULES]
    return entries


def build_isa(out, work):
    """The disk with drivers of ISA cards."""
    tree = work / 'tree'
    (tree / 'boot' / 'grub').mkdir(parents=True)
    media_linux.write_kernel(tree, 'i386', _isa_entries(_tone(work, 'sb16', '-m32')))
    (tree / 'boot' / 'grub' / 'grub.cfg').write_text(GRUB_SERIAL + '''
set timeout=0
menuentry "Small Linux" {
    linux /linux console=ttyS0,115200 panic=-1
    initrd /initrd.gz
}
''', encoding='utf-8')
    make_grub_disk(out, tree, SIZE_MIB, ISA_UUID, work)
