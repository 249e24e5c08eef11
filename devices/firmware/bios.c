/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The firmware's ROM at the top of 4 GiB with its last 128 KiB below 1 MiB, where the CPU finds it
 * after reset. The image comes from its package (SeaBIOS); the video BIOS is in the ROM of the
 * graphics card. Flash with variables for OVMF is a device of its own. */
#include "vmm/pdm/pdm.h"

#define BIOS_PATH "/usr/share/seabios/bios-256k.bin"
#define BIOS_GRAIN 0x10000
#define BIOS_MAX (16u << 20)
#define BIOS_LOW_MAX 0x20000
/* Over the host bridge's view of the bus (3), below its shadow RAM (5). */
#define BIOS_LOW_PRIORITY 4

typedef struct {
    PgmRegion *rom, *low;
} Bios;

static bool
bios_map(PdmDevice *device, const char *path, GError **error)
{
    Bios *bios = device->data;
    g_autofree char *data = NULL;
    gsize size, low;

    if (!g_file_get_contents(path, &data, &size, error)) {
        g_prefix_error(error, "The machine's firmware cannot be read: ");
        return false;
    }
    if (size == 0 || size > BIOS_MAX || size % BIOS_GRAIN != 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "\"%s\" is no PC firmware: its size is not a multiple of 64 KiB up to 16 MiB.",
                    path);
        return false;
    }
    bios->rom = pdm_rom_new(device, "bios", data, size, error);
    if (!bios->rom)
        return false;
    pdm_region_map(device, bios->rom, (UINT64_C(1) << 32) - size);
    low = MIN(size, BIOS_LOW_MAX);
    bios->low = pdm_alias_new(device, "bios-low", bios->rom, size - low, low, BIOS_LOW_PRIORITY);
    pdm_region_map(device, bios->low, 0x100000 - low);
    return true;
}

static bool
bios_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    return bios_map(device, cfgm_string(config, "Path", BIOS_PATH), error);
}

/* clang-format off */
static const PdmOption bios_options[] = {
    { "Path", "Firmware image", PDM_OPTION_STRING, 0, 0, 0, BIOS_PATH, NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo bios_device = {
    .abi = PDM_ABI_VERSION,
    .name = "bios",
    .title = "Firmware",
    .kind = PDM_KIND_FIRMWARE,
    .instance_size = sizeof(Bios),
    .max_instances = 1,
    .options = bios_options,
    .construct = bios_construct,
    .state = &PDM_STATE_NONE,
};
