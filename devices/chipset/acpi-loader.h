/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The script etc/table-loader that tells firmware where to put files and which addresses and
 * checksums to fill in: 128 bytes a command, as specified in QEMU's bios-linker-loader and read by
 * SeaBIOS and OVMF. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Loads a file with an alignment; low: into the BIOS area below 1 MiB. */
void acpi_loader_allocate(GByteArray *script, const char *file, unsigned alignment, bool low);
/* Adds the address of `target` to the `size` bytes at offset of file. */
void acpi_loader_pointer(GByteArray *script, const char *file, const char *target, unsigned offset,
                         unsigned size);
/* Makes length bytes from start on sum to zero by the byte at offset. */
void acpi_loader_checksum(GByteArray *script, const char *file, unsigned offset, unsigned start,
                          unsigned length);
