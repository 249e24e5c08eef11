/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The video BIOS in the card's PCI ROM. It has to be there and not among fw_cfg's files: only the
 * BIOS of a PCI device is told which one it is, and so finds the frame buffer for its VBE modes. */
#include "devices/graphics/vga.h"

#define ROM_MAX (256u * 1024)

/* A BAR's size is a power of two. */
static gsize
rounded(gsize size)
{
    gsize rom = 2048;

    while (rom < size)
        rom *= 2;
    return rom;
}

bool
vga_rom_construct(PdmDevice *device, Vga *vga, const char *path, GError **error)
{
    g_autofree char *data = NULL, *padded = NULL;
    PgmRegion *region;
    gsize size;

    if (!*path)
        return true;
    if (!g_file_get_contents(path, &data, &size, error)) {
        g_prefix_error(error, "The machine's video BIOS cannot be read: ");
        return false;
    }
    if (size == 0 || size > ROM_MAX) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" is no video BIOS.", path);
        return false;
    }
    padded = g_malloc0(rounded(size));
    memcpy(padded, data, size);
    region = pdm_rom_new(device, "vga bios", padded, rounded(size), error);
    return region && pdm_pci_rom(device, vga->pci, region, rounded(size), error);
}
