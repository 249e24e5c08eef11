/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table loader's script: see the header. */
#include "devices/chipset/acpi-loader.h"

#include <string.h>

#define COMMAND_SIZE 128
#define NAME_SIZE 56

enum { COMMAND_ALLOCATE = 1, COMMAND_POINTER = 2, COMMAND_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_BIOS = 2 };

static void
loader_put32(uint8_t *at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

static void
loader_begin(uint8_t *command, uint32_t kind, const char *file)
{
    memset(command, 0, COMMAND_SIZE);
    loader_put32(command, kind);
    g_strlcpy((char *)command + 4, file, NAME_SIZE);
}

void
acpi_loader_allocate(GByteArray *script, const char *file, unsigned alignment, bool low)
{
    uint8_t command[COMMAND_SIZE];

    loader_begin(command, COMMAND_ALLOCATE, file);
    loader_put32(command + 60, alignment);
    command[64] = low ? ZONE_BIOS : ZONE_HIGH;
    g_byte_array_append(script, command, sizeof(command));
}

void
acpi_loader_pointer(GByteArray *script, const char *file, const char *target, unsigned offset,
                    unsigned size)
{
    uint8_t command[COMMAND_SIZE];

    loader_begin(command, COMMAND_POINTER, file);
    g_strlcpy((char *)command + 60, target, NAME_SIZE);
    loader_put32(command + 116, offset);
    command[120] = (uint8_t)size;
    g_byte_array_append(script, command, sizeof(command));
}

void
acpi_loader_checksum(GByteArray *script, const char *file, unsigned offset, unsigned start,
                     unsigned length)
{
    uint8_t command[COMMAND_SIZE];

    loader_begin(command, COMMAND_CHECKSUM, file);
    loader_put32(command + 60, offset);
    loader_put32(command + 64, start);
    loader_put32(command + 68, length);
    g_byte_array_append(script, command, sizeof(command));
}
