/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The IDE function of the PIIX4 (Intel 290562, chapter 6.2), or by its id of a PIIX3 or ICH6: two
 * channels at their legacy ports, bus-master DMA at BAR 4. The timing registers keep what is
 * written and change nothing; the channels are decoded whatever their enable bits say, because not
 * all firmware sets them. */
#include <string.h>

#include "devices/storage/ide-private.h"

enum {
    CONFIG_TIMING = 0x40, /* IDETIM of both channels, SIDETIM, UDMACTL, UDMATIM: up to 0x4b */
    CONFIG_TIMING_END = 0x4c,
    TIMING_DECODE = 0x80, /* high byte of IDETIM */
    BUS_MASTER_BAR = 4,
    BUS_MASTER_PORTS = 16,
};

#define MODEL_USUAL "PIIX4"

static const IomPortOps command_ops = {
    .read = ide_command_read,
    .write = ide_command_write,
    .read_string = ide_command_read_string,
    .write_string = ide_command_write_string,
    .sizes = 7,
};

static const IomPortOps control_ops = {
    .read = ide_control_read,
    .write = ide_control_write,
    .sizes = 1,
};

static const IomPortOps master_ops = {
    .read = ide_bmdma_read,
    .write = ide_bmdma_write,
    .sizes = 7,
};

/* --- construction --- */

static bool
attach_drive(IdeChannel *channel, unsigned index, GError **error)
{
    IdeDrive *drive = &channel->drives[index];
    unsigned lun = channel->index * IDE_DRIVES + index;
    const PdmMediaConnector *media;

    drive->port = (PdmMediaPort){
        .user = &drive->unit,
        .type = PDM_MEDIA_DISK,
        .medium_changed = scsi_medium_changed,
        .eject_request = scsi_eject_request,
    };
    if (!pdm_attach(channel->device, lun, PDM_IF_MEDIA, &drive->port, (const void **)&media, false,
                    error))
        return false;
    if (media == NULL)
        return true;
    if (media->type == PDM_MEDIA_FLOPPY) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A floppy drive can't be attached to the IDE controller (LUN %u).", lun);
        return false;
    }
    ata_drive_attach(&drive->ata, channel->device, media);
    drive->unit.atapi = true;
    scsi_unit_attach(&drive->unit, channel->device, media);
    return true;
}

static bool
construct_channel(IdeController *ide, unsigned index, GError **error)
{
    static const char *const command_names[] = {"ide-primary", "ide-secondary"};
    static const char *const control_names[] = {"ide-primary-control", "ide-secondary-control"};
    static const uint16_t command_ports[] = {0x1f0, 0x170};
    static const uint16_t control_ports[] = {0x3f6, 0x376};
    IdeChannel *channel = &ide->channels[index];
    PdmDevice *device = ide->device;
    IomPorts *ports;

    for (unsigned i = 0; i < IDE_DRIVES; i++)
        if (!attach_drive(channel, i, error))
            return false;
    ports = pdm_ports_new(device, command_names[index], 8, &command_ops, channel);
    pdm_ports_map(device, ports, command_ports[index]);
    ports = pdm_ports_new(device, control_names[index], 1, &control_ops, channel);
    pdm_ports_map(device, ports, control_ports[index]);
    return true;
}

/* The chips differ in their ids; a host's driver asks them for what it finds there. */
typedef struct {
    const char *name;
    uint16_t device;
} IdeModel;

static const IdeModel models[] = {
    {"PIIX3", 0x7010},
    {"PIIX4", 0x7111},
    {"ICH6", 0x269e},
};

static bool
find_model(const CfgmNode *config, uint16_t *device, GError **error)
{
    const char *name = cfgm_string(config, "Model", MODEL_USUAL);

    for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
        if (strcmp(models[i].name, name) == 0) {
            *device = models[i].device;
            return true;
        }
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "There is no IDE controller of the model %s.", name);
    return false;
}

static bool
construct_pci(IdeController *ide, uint16_t model, GError **error)
{
    const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = model,
        .revision = 1,
        .prog_if = 0x80, /* a bus master; both channels in compatibility mode */
        .subclass = 0x01,
        .class_code = 0x01,
        .slot = 1,
        .function = 1,
    };
    PdmDevice *device = ide->device;
    IomPorts *ports;

    ide->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    if (ide->pci == NULL)
        return false;
    memset(pdm_pci_write_mask(device, ide->pci) + CONFIG_TIMING, 0xff,
           CONFIG_TIMING_END - CONFIG_TIMING);
    ports = pdm_ports_new(device, "ide-bus-master", BUS_MASTER_PORTS, &master_ops, ide);
    return pdm_pci_bar_ports(device, ide->pci, BUS_MASTER_BAR, ports, BUS_MASTER_PORTS, error);
}

/* --- life cycle --- */

static const PdmMediaConnector *
find_drive(PdmDevice *device, unsigned lun)
{
    IdeController *ide = device->data;

    return lun < IDE_CHANNELS * IDE_DRIVES
               ? ide->channels[lun / IDE_DRIVES].drives[lun % IDE_DRIVES].ata.media
               : NULL;
}

static void
ide_reset(PdmDevice *device)
{
    IdeController *ide = device->data;
    uint8_t *config = pdm_pci_config(device, ide->pci);

    memset(config + CONFIG_TIMING, 0, CONFIG_TIMING_END - CONFIG_TIMING);
    config[CONFIG_TIMING + 1] = config[CONFIG_TIMING + 3] = TIMING_DECODE;
    for (unsigned i = 0; i < IDE_CHANNELS; i++)
        ide_channel_reset(&ide->channels[i]);
}

static bool
ide_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    IdeController *ide = device->data;
    uint16_t model;

    if (!find_model(config, &model, error))
        return false;
    ide->device = device;
    for (unsigned i = 0; i < IDE_CHANNELS; i++)
        ide_channel_init(&ide->channels[i], device, i);
    if (!construct_pci(ide, model, error))
        return false;
    for (unsigned i = 0; i < IDE_CHANNELS; i++)
        if (!construct_channel(ide, i, error))
            return false;
    drive_commands_offer(&ide->commands, device, find_drive);
    ide_reset(device);
    return true;
}

static void
ide_destruct(PdmDevice *device)
{
    IdeController *ide = device->data;

    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        IdeChannel *channel = &ide->channels[i];
        const PdmMediaConnector *drives[] = {channel->drives[0].ata.media,
                                             channel->drives[1].ata.media};

        drive_io_free(&channel->io, drives, IDE_DRIVES);
    }
}

static void
ide_info(PdmDevice *device, GString *out)
{
    IdeController *ide = device->data;

    for (unsigned i = 0; i < IDE_CHANNELS * IDE_DRIVES; i++) {
        IdeChannel *channel = &ide->channels[i / IDE_DRIVES];
        const IdeDrive *drive = &channel->drives[i % IDE_DRIVES];

        if (drive->ata.media == NULL)
            continue;
        g_string_append_printf(out, "LUN %u: %s, status %02x, error %02x%s\n", i,
                               drive->ata.packet ? "CD-ROM" : "disk", drive->ata.status,
                               drive->ata.error,
                               drive == ide_selected(channel) ? ", selected" : "");
    }
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        const IdeTransfer *transfer = &ide->channels[i].transfer;

        g_string_append_printf(out,
                               "channel %u: operation %u, phase %u, sector %" G_GUINT64_FORMAT
                               ", %u to go; bus master %02x %02x\n",
                               i, transfer->op, transfer->phase, transfer->lba, transfer->remaining,
                               ide->channels[i].master.command, ide->channels[i].master.status);
    }
}

static const char *const model_names[] = {"PIIX3", "PIIX4", "ICH6", NULL};

static const PdmOption ide_options[] = {
    {.key = "Model",
     .title = "Chip",
     .type = PDM_OPTION_CHOICE,
     .text = MODEL_USUAL,
     .choices = model_names},
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo piix4_ide_device = {
    .abi = PDM_ABI_VERSION,
    .name = "piix4-ide",
    .title = "IDE controller (PIIX4)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(IdeController),
    .max_instances = 1,
    .options = ide_options,
    .construct = ide_construct,
    .reset = ide_reset,
    .destruct = ide_destruct,
    .state = &ide_state,
    .info = ide_info,
};
