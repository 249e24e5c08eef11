# SPDX-License-Identifier: GPL-3.0-or-later
#
# Boot media out of GRUB and ISOLINUX: CD images with xorriso, disks whose GRUB is put in place by
# writing its two images to the sectors where they belong (GNU GRUB manual, "BIOS installation"),
# so neither loop devices nor grub-install are needed.
"""ISO images and GRUB disks."""

import shutil
import struct
import subprocess
from pathlib import Path

GRUB = Path('/usr/lib/grub/i386-pc')
NETBOOT = Path('/usr/lib/debian-installer/images/12')
SECTOR = 512
PARTITION = 2048  # first sector of the only partition
GRUB_MODULES = ('acpi', 'boot', 'configfile', 'cpuid', 'echo', 'ext2', 'halt', 'iso9660', 'linux', 'linux16',
                'ls', 'minicmd', 'normal', 'part_msdos', 'reboot', 'search', 'search_fs_uuid',
                'serial', 'sleep', 'terminal', 'test', 'biosdisk')

GRUB_SERIAL = '''
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
'''


def run(*command, **options):
    """Runs a command quietly; its output is in the exception when it fails."""
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, **options)


def make_iso(out, tree, boot_image, volume):
    """An ISO 9660 image of a folder that boots `boot_image` (a path in it) without emulation."""
    run('xorriso', '-as', 'mkisofs', '-quiet', '-R', '-J', '-V', volume, '-b', boot_image,
        '-c', 'boot.cat', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table',
        '-o', out, tree)


def make_grub_iso(out, tree, config, volume):
    """An ISO whose GRUB shows the menu `config`; `tree` holds the files it names."""
    grub = tree / 'boot' / 'grub'
    grub.mkdir(parents=True)
    (grub / 'grub.cfg').write_text(config, encoding='utf-8')
    run('grub-mkimage', '-d', GRUB, '-O', 'i386-pc-eltorito', '-p', '/boot/grub',
        '-o', grub / 'eltorito.img', *GRUB_MODULES)
    make_iso(out, tree, 'boot/grub/eltorito.img', volume)


def build_memtest_serial(out, work):
    """memtest86+ with its console on the screen and the serial line."""
    tree = work / 'tree'
    tree.mkdir()
    shutil.copy('/boot/memtest86+x64.bin', tree / 'memtest.bin')
    make_grub_iso(out, tree, 'set timeout=0\nmenuentry "memtest86+" {\n'
                  '    linux16 /memtest.bin console=ttyS0,115200\n}\n', 'MEMTEST')


def build_netboot(out, work, arch):
    """The Debian installer's netboot image as a CD, with its own ISOLINUX menu."""
    tree = work / 'tree'
    shutil.copytree(NETBOOT / arch / 'text', tree,
                    ignore=shutil.ignore_patterns('grub', '*.efi', 'pxelinux*', 'ldlinux.c32'))
    screens = tree / 'debian-installer' / arch / 'boot-screens'
    isolinux = tree / 'isolinux'
    isolinux.mkdir()
    shutil.copy('/usr/lib/ISOLINUX/isolinux.bin', isolinux)
    # The modules must be of the same build as isolinux.bin.
    for module in ('ldlinux.c32', 'libcom32.c32', 'libutil.c32', 'vesamenu.c32'):
        folder = isolinux if module == 'ldlinux.c32' else screens
        shutil.copy(f'/usr/lib/syslinux/modules/bios/{module}', folder)
    shutil.copy(screens / 'syslinux.cfg', isolinux / 'isolinux.cfg')
    _absolute_paths(tree)
    make_iso(out, tree, 'isolinux/isolinux.bin', f'Debian 12 {arch} n'.upper().replace(' ', '_'))


def _absolute_paths(tree):
    """ISOLINUX takes its configuration's folder as current: make the menu's paths absolute."""
    for config in tree.rglob('*.cfg'):
        text = config.read_text(encoding='utf-8')
        for word in (' debian-installer/', '=debian-installer/'):
            text = text.replace(word, word[0] + '/debian-installer/')
        config.write_text(text, encoding='utf-8')


def _partition_table(sectors):
    """A master boot record's table with one active Linux partition up to the disk's end."""
    entry = struct.pack('<B3sB3sII', 0x80, b'\xfe\xff\xff', 0x83, b'\xfe\xff\xff', PARTITION,
                        sectors - PARTITION)
    return entry + bytes(48) + b'\x55\xaa'


def make_grub_disk(out, tree, size_mib, uuid, work):
    """A raw disk: GRUB, and one ext4 partition that holds `tree` (with /boot/grub/grub.cfg)."""
    core = work / 'core.img'
    early = work / 'early.cfg'
    early.write_text(f'search.fs_uuid {uuid} root\nset prefix=($root)/boot/grub\n', 'ascii')
    run('grub-mkimage', '-d', GRUB, '-O', 'i386-pc', '-p', '/boot/grub', '-c', early,
        '-o', core, *GRUB_MODULES)
    size = size_mib << 20
    with open(out, 'wb') as disk:
        disk.truncate(size)
    run('mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'vitrine', '-U', uuid, '-d', tree,
        '-E', f'offset={PARTITION * SECTOR},root_owner=0:0', out,
        f'{(size - PARTITION * SECTOR) >> 10}k')
    _install_grub(out, core, size // SECTOR)


def _install_grub(out, core, sectors):
    boot = (GRUB / 'boot.img').read_bytes()
    image = core.read_bytes()
    if len(image) > (PARTITION - 1) * SECTOR:
        raise ValueError('GRUB does not fit in front of the partition')
    with open(out, 'r+b') as disk:
        # boot.img loads the sector it names at 0x5c, which is 1; diskboot.img, the first sector of
        # the core image, loads the rest from sector 2 and has its length from grub-mkimage.
        disk.write(boot[:440] + b'VTRN\0\0' + _partition_table(sectors))
        disk.write(image)


def build_grub_disk(out, work):
    """A disk with a menu to be walked by keyboard; each choice says so and waits."""
    tree = work / 'tree'
    grub = tree / 'boot' / 'grub'
    grub.mkdir(parents=True)
    entries = ''.join(f'''
menuentry "{name} entry" {{
    echo "chosen: {name.lower()}"
    sleep --interruptible 600
}}
''' for name in ('First', 'Second', 'Third'))
    (grub / 'grub.cfg').write_text(GRUB_SERIAL + 'set timeout=-1\n' + entries + '''
menuentry "Restart" {
    reboot
}
menuentry "Power off" {
    halt
}
''', encoding='utf-8')
    make_grub_disk(out, tree, 16, '6a1f0d52-0c3e-4b6e-9f60-000000000001', work)
