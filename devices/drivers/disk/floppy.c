/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "floppy": a floppy drive whose raw image can be exchanged while the guest runs. */
#include "devices/drivers/disk/media-drive.h"

static bool
floppy_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    return media_drive_construct(driver, config, PDM_MEDIA_FLOPPY, error);
}

static const PdmOption floppy_options[] = {
    {.key = "Path", .title = "Image file", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Format", .title = "Image format", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "ReadOnly", .title = "Write-protected", .type = PDM_OPTION_BOOL, .max = 1},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo floppy_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "floppy",
    .title = "Floppy disk image",
    .interface = PDM_IF_MEDIA,
    .instance_size = sizeof(MediaDrive),
    .options = floppy_options,
    .construct = floppy_construct,
    .destruct = media_drive_destruct,
    .paused = media_drive_paused,
    .resumed = media_drive_resumed,
    .power_off = media_drive_power_off,
};
