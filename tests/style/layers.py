# SPDX-License-Identifier: GPL-3.0-or-later
#
# Who may include whom: the table of the design, section 4, as data. A file belongs to the room with
# the longest prefix that fits it. A room may include itself and what its row names: a folder
# (ends in '/'), a header, or a library. Anything else is a fault.
"""The layer rules."""

CORE = ('vmm/base/',)
ENGINE = ('vmm/em/engine.h', 'vmm/base/', 'vmm/x86/', 'vmm/tm/', 'vmm/cpum/', 'vmm/pgm/', 'vmm/iom/',
          'vmm/trpm/', 'vmm/gim/', 'vmm/ssm/', 'vmm/dbgf/dbgf-hook.h', 'Zydis')
EVERY_VMM_BUT_PDM = tuple(f'vmm/{room}/' for room in (
    'base', 'cfgm', 'ssm', 'tm', 'pgm', 'iom', 'cpum', 'trpm', 'gim', 'x86', 'iem', 'rem', 'raw', 'hm'))
DEVICE = ('vmm/pdm/pdm.h', 'vmm/base/')
API = ('app/api/', 'GIO')
GTK_ROOM = (*API, 'app/widgets/', 'GTK', 'cairo')

ROOMS = {
    'vmm/': ('vmm/base/',),
    'vmm/base/': (),
    'vmm/x86/': (*CORE, 'Zydis'),
    'vmm/cfgm/': CORE,
    'vmm/ssm/': (*CORE, 'zstd'),
    # Timers are saved, and the TSC is a virtual CPU's: cpum and ssm see nothing of tm in return.
    'vmm/tm/': (*CORE, 'vmm/ssm/', 'vmm/cpum/'),
    'vmm/cpum/': (*CORE, 'vmm/ssm/', 'vmm/x86/'),
    'vmm/iom/': (*CORE, 'vmm/ssm/'),
    'vmm/pgm/': (*CORE, 'vmm/ssm/', 'vmm/cpum/', 'vmm/iom/'),
    'vmm/trpm/': (*CORE, 'vmm/ssm/', 'vmm/tm/', 'vmm/cpum/', 'vmm/pgm/', 'vmm/iom/'),
    'vmm/gim/': (*CORE, 'vmm/ssm/', 'vmm/tm/', 'vmm/cpum/', 'vmm/pgm/', 'vmm/trpm/'),
    'vmm/pdm/': (*CORE, 'vmm/cfgm/', 'vmm/ssm/', 'vmm/tm/', 'vmm/pgm/', 'vmm/iom/', 'vmm/trpm/', 'GModule'),
    'vmm/iem/': ENGINE,
    'vmm/rem/': (*ENGINE, 'vmm/iem/'),
    'vmm/raw/': (*ENGINE, 'vmm/iem/'),
    'vmm/hm/': ENGINE,
    'vmm/em/': (*EVERY_VMM_BUT_PDM, 'vmm/dbgf/dbgf-hook.h'),
    'vmm/dbgf/': (*EVERY_VMM_BUT_PDM, 'vmm/em/', 'vmm/pdm/', 'vmm/vm/', 'vmm/vmm.h', 'Zydis'),
    'vmm/vm/': (*EVERY_VMM_BUT_PDM, 'vmm/em/', 'vmm/pdm/', 'vmm/dbgf/', 'vmm/vmm.h'),
    'devices/': DEVICE,
    'devices/devices.c': (*DEVICE, 'vmm/pdm/pdm-vm.h', 'devices/devices.h', 'devices/builtin.def'),
    'devices/devices.h': ('vmm/pdm/pdm-vm.h',),
    'devices/drivers/': DEVICE,
    'devices/drivers/disk/': (*DEVICE, 'devices/drivers/disk/image/'),
    'devices/drivers/disk/image/': (*CORE, 'zlib', 'zstd', 'OpenSSL'),
    'devices/drivers/network/': (*DEVICE, 'devices/drivers/network/frame/'),
    'devices/drivers/network/frame/': (*CORE, 'vmm/pdm/pdm-interfaces.h'),
    'devices/network/': (*DEVICE, 'devices/pci/', 'devices/virtio/', 'devices/drivers/network/frame/'),
    'devices/storage/': (*DEVICE, 'devices/pci/', 'devices/virtio/'),
    'devices/virtio/': (*DEVICE, 'devices/pci/'),
    'devices/sound/': (*DEVICE, 'audio/audio.h'),
    'devices/usb-controllers/': (*DEVICE, 'devices/pci/', 'usb/vusb.h'),
    'usb/': (*DEVICE, 'vmm/ssm/ssm.h'),
    'usb/core/': (*DEVICE, 'usb/vusb.h', 'usb/vusb-device.h'),
    # Mass storage talks SCSI with the unit and the requests of devices/storage.
    'usb/devices/': (*DEVICE, 'usb/vusb-device.h', 'devices/storage/scsi.h', 'devices/storage/drive-io.h'),
    'usb/host/': (*CORE, 'usb/vusb-device.h', 'libusb'),
    'usb/remote/': (*CORE, 'usb/vusb-device.h', 'usbredir'),
    'audio/': DEVICE,
    'audio/core/': (*DEVICE, 'audio/audio.h', 'audio/audio-backend.h', 'audio/backends/backends.def', 'speexdsp'),
    'audio/backends/': (*CORE, 'audio/audio-backend.h', 'PulseAudio', 'sndfile'),
    'app/api/': ('GIO',),
    'app/worker/': (*API, 'devices/drivers/disk/image/', 'devices/drivers/network/frame/', 'vmm/base/', 'seccomp', 'slirp', 'libosinfo'),
    'app/service/': (*API, 'usb/host/usb-host-list.h'),
    'app/service/settings/': (*API, 'app/service/', 'libxml2'),
    'app/console/': (*API, 'vmm/vmm.h', 'vmm/pdm/pdm.h', 'vmm/pdm/pdm-vm.h', 'vmm/base/', 'devices/devices.h', 'devices/machine.h', 'usb/vusb.h',
                     'usb/host/usb-host.h', 'usb/remote/usb-remote.h', 'audio/audio.h', 'seccomp', 'cairo'),
    'app/main.c': (*API, 'app/console/console-run.h', 'app/manager/', 'app/vmwindow/', 'app/widgets/', 'GTK'),
    'app/headless/': (*API, 'app/console/console-run.h'),
    'app/sdl/': (*API, 'app/console/console-run.h', 'SDL'),
    'app/manager/': (*GTK_ROOM, 'app/vmwindow/', 'app/settings/', 'app/preferences/', 'app/snapshots/',
                     'app/media/', 'app/networks/', 'app/wizards/'),
    'app/vmwindow/': (*GTK_ROOM, 'app/settings/', 'app/snapshots/', 'app/media/'),
    'app/settings/': GTK_ROOM,
    'app/preferences/': GTK_ROOM,
    'app/snapshots/': GTK_ROOM,
    'app/media/': (*GTK_ROOM, 'libosinfo'),
    'app/networks/': GTK_ROOM,
    'app/wizards/': (*GTK_ROOM, 'libosinfo'),
    'app/widgets/': (*API, 'GTK', 'cairo'),
    'app/manage/': API,
    'app/web/': (*API, 'libsoup'),
    'app/shell/': API,
}

# Which library a header in angle brackets belongs to. GLib's base types are open to all rooms.
LIBRARIES = {
    'GIO': ('gio/', 'glib-object.h', 'gobject/', 'glib-unix.h'),
    'GLib': ('glib.h', 'glib/'),
    'GModule': ('gmodule.h',),
    'GTK': ('gtk/', 'gdk/', 'gdk-pixbuf/', 'pango/', 'atk/', 'X11/'),
    'cairo': ('cairo',),
    'OpenSSL': ('openssl/',),
    'PulseAudio': ('pulse/',),
    'SDL': ('SDL2/', 'SDL.h'),
    'Zydis': ('Zydis/', 'Zycore/'),
    'libosinfo': ('osinfo/',),
    'libsoup': ('libsoup/', 'json-glib/'),
    'libusb': ('libusb',),
    'libxml2': ('libxml/',),
    'seccomp': ('seccomp.h', 'linux/seccomp.h'),
    'sndfile': ('sndfile.h',),
    'speexdsp': ('speex/',),
    'slirp': ('slirp/', 'libslirp.h'),
    'usbredir': ('usbredir',),
    'zlib': ('zlib.h',),
    'zstd': ('zstd.h',),
}
OPEN_LIBRARIES = ('GLib', 'gettext')

# Translated texts belong to what a person sees.
LIBRARIES['gettext'] = ('glib/gi18n.h', 'libintl.h')

# Headers that a room's build makes and that are included by name alone.
GENERATED = {'vitrine-dbus.h': ('app/api/', 'app/service/'), 'vitrine-enum-types.h': 'app/api/', 'vitrine-resources.h': 'app/'}

# The core and the devices are pure: none of these may appear there, whatever a row says.
CORE_ROOMS = ('vmm/', 'devices/', 'usb/', 'audio/')
FORBIDDEN_IN_CORE = ('GIO', 'GTK', 'libxml2', 'gettext')

# What only some hosts have. In these rooms, files that need it carry the host in their name, such as
# file-linux.c; rooms that handle processes and descriptors (api, service, console, worker) are free.
HOST_HEADERS = ('arpa/', 'dirent.h', 'fcntl.h', 'linux/', 'netinet/', 'poll.h', 'pthread.h', 'pwd.h',
                'sched.h', 'spawn.h', 'sys/', 'termios.h', 'ucontext.h', 'unistd.h', 'windows.h')
HOST_FILES = ('-linux', '-posix', '-windows', '-darwin')
HOST_FREE_ROOMS = (*CORE_ROOMS, *(room for room, row in ROOMS.items() if 'GTK' in row))
