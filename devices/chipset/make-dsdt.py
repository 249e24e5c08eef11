#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Compiles an ACPI source to a constant C array: C preprocessor (iasl has no macros with arguments),
# iasl, then the bytes. Usage: make-dsdt.py IASL INPUT.dsl OUTPUT.c SYMBOL -- CC...
import pathlib
import subprocess
import sys
import tempfile


def compile_table(iasl, source, preprocessor):
    with tempfile.TemporaryDirectory() as folder:
        plain = pathlib.Path(folder, "table.asl")
        subprocess.run([*preprocessor, "-E", "-P", "-undef", "-x", "c", source, "-o", plain],
                       check=True)
        done = subprocess.run([iasl, "-we", "-p", pathlib.Path(folder, "table"), plain],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout)
        return pathlib.Path(folder, "table.aml").read_bytes()


def main():
    iasl, source, target, symbol = sys.argv[1:5]
    table = compile_table(iasl, source, sys.argv[6:])
    rows = [", ".join(f"0x{byte:02x}" for byte in table[at:at + 16])
            for at in range(0, len(table), 16)]
    pathlib.Path(target).write_text(
        f"/* Made from {pathlib.Path(source).name}. */\n"
        "#include \"devices/chipset/acpi-tables.h\"\n\n"
        f"const uint8_t {symbol}[] = {{\n    " + ",\n    ".join(rows) + "\n};\n"
        f"const size_t {symbol}_size = sizeof({symbol});\n")


main()
