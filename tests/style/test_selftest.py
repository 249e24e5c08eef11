#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: clang-format
#
# The style checks themselves: each is given small trees with one fault, which it must name, and
# sound ones, in which it must find nothing.
"""The style checks can fail."""

import sys
import tempfile
from pathlib import Path

import test_files
import test_format
import test_layers
import test_registries
import test_statics
from tree import ROOT, Tree

HEAD = '/* SPDX-License-Identifier: GPL-3.0-or-later\n *\n * A sample. */\n'
README = 'word ' * 30 + 'end\n'

# (check, {path: text}, words that one of the faults must contain; None: there must be none)
SAMPLES = (
    (test_layers, {'vmm/pgm/a.c': '#include "vmm/pdm/p.h"\n', 'vmm/pdm/p.h': ''},
     'vmm/pgm/ may not include vmm/pdm/p.h'),
    (test_layers, {'vmm/pgm/a.c': '#include "vmm/cpum/p.h"\n', 'vmm/cpum/p.h': ''}, None),
    (test_layers, {'vmm/iem/a.c': '#include "vmm/dbgf/dbgf.h"\n', 'vmm/dbgf/dbgf.h': ''},
     'may not include vmm/dbgf/dbgf.h'),
    (test_layers, {'vmm/iem/a.c': '#include "vmm/dbgf/dbgf-hook.h"\n', 'vmm/dbgf/dbgf-hook.h': ''}, None),
    (test_layers, {'devices/serial/a.c': '#include "devices/input/b.h"\n', 'devices/input/b.h': ''},
     'may not include devices/input/b.h'),
    (test_layers, {'devices/serial/a.c': '#include "devices/serial/b-private.h"\n',
                   'devices/serial/b-private.h': ''}, None),
    (test_layers, {'vmm/em/a.c': '#include "vmm/pgm/b-private.h"\n', 'vmm/pgm/b-private.h': ''},
     'private to its folder'),
    (test_layers, {'vmm/pgm/a.c': '#include <gio/gio.h>\n'}, 'GIO has no place in the core'),
    (test_layers, {'vmm/pgm/a.c': '#include <glib.h>\n#include <string.h>\n'}, None),
    (test_layers, {'app/service/a.c': '#include <libxml/tree.h>\n'}, 'may not use libxml2'),
    (test_layers, {'app/service/settings/a.c': '#include <libxml/tree.h>\n'}, None),
    (test_layers, {'app/manager/a.c': '#include "vmm/vmm.h"\n', 'vmm/vmm.h': ''},
     'may not include vmm/vmm.h'),
    (test_layers, {'app/manage/a.c': '#include <gtk/gtk.h>\n'}, 'may not use GTK'),
    (test_layers, {'app/manage/a.c': '#include "b.h"\n', 'app/manage/b.h': ''}, 'not a path from the root'),
    (test_layers, {'vmm/pgm/a.c': '#include <unistd.h>\n'}, 'not on every host'),
    (test_layers, {'vmm/base/a-linux.c': '#include <sys/mman.h>\n'}, None),
    (test_layers, {'app/oddroom/a.c': '\n'}, 'has no row'),

    (test_files, {'vmm/pgm/a.c': HEAD + 'x\n' * 798, 'vmm/pgm/README.md': README, 'vmm/README.md': README},
     '801 lines'),
    (test_files, {'vmm/pgm/a.c': HEAD, 'vmm/pgm/README.md': README}, None),
    (test_files, {'vmm/pgm/a.c': HEAD}, 'vmm/pgm/: has no README.md'),
    (test_files, {'vmm/pgm/a.c': HEAD, 'vmm/pgm/README.md': 'Stub.\n'}, 'says nothing'),
    (test_files, {'vmm/pgm/a.c': HEAD, 'vmm/pgm/README.md': README * 90}, 'longer than a page'),
    (test_files, {'vmm/pgm/a.c': 'int a;\n', 'vmm/pgm/README.md': README}, 'SPDX'),
    (test_files, {'notes.txt': 'x\n'}, 'does not belong at the top'),
    (test_files, {'data/logo.bin': 'a\0b'}, 'is binary'),
    (test_files, {'README.md': README + 'end'}, 'does not end'),
    (test_files, {'README.md': README + 'end \n'}, 'white space'),
    (test_files, {'data/README.md': README, 'data/a.py': '#!/usr/bin/python3\n# ' + HEAD}, 'executable'),

    (test_statics, {'vmm/pgm/a.c': 'static int count;\n'}, 'static int count'),
    (test_statics, {'vmm/pgm/a.c': 'int count = 1;\n'}, 'int count'),
    (test_statics, {'vmm/pgm/a.c': 'static const char *names[] = {"a"};\n'}, 'names'),
    (test_statics, {'vmm/pgm/a.c': 'static const char *const names[] = {"a"};\n'}, None),
    (test_statics, {'vmm/pgm/a.c': 'static struct { int x; } state;\n'}, 'state'),
    (test_statics, {'vmm/pgm/a.c': 'static void (*hook)(int);\n'}, 'hook'),
    (test_statics, {'vmm/pgm/a.c': 'int\nf(void)\n{\n    static int calls;\n    return calls++;\n}\n'},
     'static int calls'),
    (test_statics, {'vmm/pgm/a.c': 'typedef struct {\n    int x;\n} State;\nenum { A = 1 };\n'
                    'static const struct { int a; } table[] = {{1}};\nvoid f(int (*g)(void));\n'
                    'static inline int\nf(int x)\n{\n    int y = x;\n    return y;\n}\n'
                    '/* static int gone; */\n'}, None),
    (test_statics, {'app/api/a.c': 'static int count;\n'}, None),

    (test_format, {'vmm/pgm/a.c': 'int f(void) {return 1;}\n'}, 'vmm/pgm/a.c: clang-format'),
    (test_format, {'vmm/pgm/a.c': 'int\nf(void)\n{\n    return 1;\n}\n'}, None),

    (test_registries, {'devices/builtin.def': 'DEVICE(b)\nDEVICE(a)\n', 'po/POTFILES': ''}, 'not sorted'),
    (test_registries, {'devices/builtin.def': 'DEVICE(gone)\n', 'po/POTFILES': ''}, 'gone is defined nowhere'),
    (test_registries, {'devices/builtin.def': '', 'devices/x/d.c': 'const PdmDeviceInfo pit_device = {0};\n',
                       'devices/x/meson.build': "files('d.c')\n", 'po/POTFILES': ''},
     'pit_device is not in devices/builtin.def'),
    (test_registries, {'devices/builtin.def': 'DEVICE(pit_device)\n',
                       'devices/x/d.c': 'const PdmDeviceInfo pit_device = {0};\n',
                       'devices/x/meson.build': "files('d.c')\n", 'po/POTFILES': ''}, None),
    (test_registries, {'vmm/x/dead.c': '\n', 'vmm/x/meson.build': "files('other.c')\n", 'po/POTFILES': ''},
     'no meson.build names it'),
    (test_registries, {'app/manager/a.c': 'f(_("Start"));\n', 'app/manager/meson.build': "files('a.c')\n",
                       'po/POTFILES': ''}, 'not in po/POTFILES'),
    (test_registries, {'po/POTFILES': 'app/gone.c\n'}, 'has no texts or is gone'),
    (test_registries, {'app/manager/a.c': 'f(_("Start"));\n', 'app/manager/meson.build': "files('a.c')\n",
                       'po/POTFILES': 'app/manager/a.c\n'}, None),
    (test_registries, {'tests/api/test_a.py': '# needs: gzip zstd\n', 'tests/packages': 'gzip # packs\n', 'po/POTFILES': ''},
     'needs zstd, which no list'),
    (test_registries, {'tests/api/test_a.py': '# needs: gzip zstd\n', 'tests/packages': 'gzip\n', 'app/packages': 'zstd\n',
                       'po/POTFILES': ''}, None),
)


def faults_of(check, files):
    """What a check says about a tree of just these files."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / '.clang-format').write_bytes((ROOT / '.clang-format').read_bytes())
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding='utf-8')
        return check.check(Tree(root))


def main():
    """Runs all samples; the exit code tells."""
    failed = 0
    for check, files, words in SAMPLES:
        faults = faults_of(check, files)
        is_right = not faults if words is None else any(words in fault for fault in faults)
        if not is_right:
            failed += 1
            print(f'{check.__name__} on {sorted(files)}: wanted {words!r}, got {faults}')
    print(f'{len(SAMPLES)} samples, {failed} wrong')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
