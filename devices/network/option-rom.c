/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Boot ROMs: see the header. PCI Firmware Specification 3.0, chapter 5: the image begins with 55 AA
 * and its length, and points to a structure "PCIR" with the ids; its bytes add up to 0. */
#include "devices/network/option-rom.h"

#include <string.h>

#define ROM_MAX (1u << 20)
#define BLOCK 512u
#define STRUCTURE_AT 0x18
#define STRUCTURE_SIZE 0x18
#define CHECKSUM_AT 6 /* a byte of the entry code's area that the image leaves to its maker */

/* A BAR's size is a power of two. */
static gsize
rounded(gsize size)
{
    gsize rom = 2048;

    while (rom < size)
        rom *= 2;
    return rom;
}

static bool
set_ids(uint8_t *rom, gsize size, const uint8_t *config)
{
    const gsize at = rom[STRUCTURE_AT] | (gsize)rom[STRUCTURE_AT + 1] << 8;
    const gsize image = rom[2] * (gsize)BLOCK;
    uint8_t before = 0, after = 0;

    if (rom[0] != 0x55 || rom[1] != 0xaa || image == 0 || image > size ||
        at + STRUCTURE_SIZE > image || memcmp(rom + at, "PCIR", 4) != 0)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        before = (uint8_t)(before + rom[at + 4 + i]);
        rom[at + 4 + i] = config[i];
        after = (uint8_t)(after + config[i]);
    }
    rom[CHECKSUM_AT] = (uint8_t)(rom[CHECKSUM_AT] + before - after);
    return true;
}

bool
option_rom_add(PdmDevice *device, PdmPci *pci, const char *path, GError **error)
{
    g_autofree char *data = NULL;
    g_autofree uint8_t *padded = NULL;
    g_autoptr(GError) cause = NULL;
    PgmRegion *region;
    gsize size;

    if (!g_file_get_contents(path, &data, &size, &cause)) {
        pdm_log(device, "The network card cannot boot: %s", cause->message);
        return true;
    }
    if (size < BLOCK || size > ROM_MAX) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is no boot ROM.", path);
        return false;
    }
    padded = g_malloc0(rounded(size));
    memcpy(padded, data, size);
    if (!set_ids(padded, size, pdm_pci_config(device, pci))) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is no boot ROM.", path);
        return false;
    }
    region = pdm_rom_new(device, "network boot rom", padded, rounded(size), error);
    return region != NULL && pdm_pci_rom(device, pci, region, rounded(size), error);
}
