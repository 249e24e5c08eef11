# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Linux disk for tests of sound cards: Debian's kernel with its own drivers for each of them, and a
# program of ours that plays and measures tones.
"""The small Linux guest with sound drivers."""

import subprocess
from pathlib import Path

import media_kernel

# The driver of AC'97 measures the card's clock, which no busy host has right.
MODULES = ('snd_pcm_oss', 'snd_intel8x0 ac97_clock=48000', 'snd_hda_codec_generic', 'snd_hda_codec_idt', 'snd_hda_intel', 'ahci', 'ata_piix')
UUID = '6a1f0d52-0c3e-4b6e-9f60-000000000004'
SOURCE = Path(__file__).resolve().parent.parent / 'real' / 'tone.c'


def build(out, work):
    """The disk."""
    tone = work / 'tone'
    subprocess.run(['gcc', '-O2', '-Wall', '-Werror', '-static', '-s', '-o', tone, SOURCE, '-lm'], check=True)
    media_kernel.build(out, work, UUID, MODULES, ('insmod', 'umount', 'rm'), {'tone': tone.read_bytes()})
