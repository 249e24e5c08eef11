/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "optical": a CD or DVD drive whose disc can be exchanged while the guest runs. */
#include "devices/drivers/disk/media-drive.h"

static bool
optical_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    return media_drive_construct(driver, config, PDM_MEDIA_OPTICAL, error);
}

static const PdmOption optical_options[] = {
    {.key = "Path", .title = "Image file", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Format", .title = "Image format", .type = PDM_OPTION_STRING, .text = ""},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo optical_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "optical",
    .title = "Optical disc image",
    .interface = PDM_IF_MEDIA,
    .instance_size = sizeof(MediaDrive),
    .options = optical_options,
    .construct = optical_construct,
    .destruct = media_drive_destruct,
    .paused = media_drive_paused,
    .resumed = media_drive_resumed,
    .power_off = media_drive_power_off,
};
