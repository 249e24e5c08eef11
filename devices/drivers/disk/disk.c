/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "disk": a hard disk on an image that stays in its drive. */
#include "devices/drivers/disk/media-drive.h"

static bool
disk_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    return media_drive_construct(driver, config, PDM_MEDIA_DISK, error);
}

static const PdmOption disk_options[] = {
    {.key = "Path", .title = "Image file", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Format", .title = "Image format", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "ReadOnly", .title = "Read only", .type = PDM_OPTION_BOOL, .max = 1},
    {.key = "Serial", .title = "Serial number", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Discard", .title = "Gives room back", .type = PDM_OPTION_BOOL, .max = 1},
    {.key = "HostCache", .title = "Host I/O cache", .type = PDM_OPTION_BOOL, .value = 1, .max = 1},
    {.key = "NonRotational", .title = "Solid-state drive", .type = PDM_OPTION_BOOL, .max = 1},
    {.type = PDM_OPTION_END},
};

const PdmDriverInfo disk_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "disk",
    .title = "Hard disk image",
    .interface = PDM_IF_MEDIA,
    .instance_size = sizeof(MediaDrive),
    .options = disk_options,
    .construct = disk_construct,
    .destruct = media_drive_destruct,
    .paused = media_drive_paused,
    .resumed = media_drive_resumed,
    .power_off = media_drive_power_off,
};
