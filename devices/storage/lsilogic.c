/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The LSI Logic 53c1030: PCI function, targets, life cycle, saved state. */
#include "devices/storage/lsilogic-private.h"

enum { PORTS_BAR = 0, MEMORY_BAR = 1 };

#define PORTS 256u
#define MEMORY_SIZE 0x4000u

static bool
attach_target(LsiAdapter *lsi, unsigned index, GError **error)
{
    LsiTarget *target = &lsi->targets[index];
    const PdmMediaConnector *media;

    if (!drive_attach(lsi->device, index, &target->port, &target->unit, "the SCSI adapter", &media,
                      error))
        return false;
    if (media == NULL)
        return true;
    scsi_unit_attach(&target->unit, lsi->device, media);
    target->present = true;
    return true;
}

static bool
construct_pci(LsiAdapter *lsi, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = LSI_PCI_VENDOR,
        .device = LSI_PCI_DEVICE,
        .subsystem_vendor = LSI_PCI_VENDOR,
        .subsystem = LSI_PCI_SUBSYSTEM,
        .class_code = 0x01,
        .interrupt_pin = 1,
        .slot = 20,
        .function = 0,
    };
    PdmDevice *device = lsi->device;
    IomPorts *ports;
    PgmRegion *region;

    lsi->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    if (lsi->pci == NULL)
        return false;
    ports = pdm_ports_new(device, "lsilogic", PORTS, &lsi_port_ops, lsi);
    region = pdm_mmio_new(device, "lsilogic", MEMORY_SIZE, &lsi_mmio_ops, lsi);
    return pdm_pci_bar_ports(device, lsi->pci, PORTS_BAR, ports, PORTS, error) &&
           pdm_pci_bar_region(device, lsi->pci, MEMORY_BAR, region, MEMORY_SIZE, false, false,
                              error);
}

static const PdmMediaConnector *
find_drive(PdmDevice *device, unsigned lun)
{
    LsiAdapter *lsi = device->data;

    return lun < LSI_TARGETS ? lsi->targets[lun].unit.media : NULL;
}

static void
lsi_reset(PdmDevice *device)
{
    LsiAdapter *lsi = device->data;

    lsi->mask = 0x09;
    lsi->sequence = lsi->diagnostic = 0;
    lsi_reset_unit(lsi);
}

static bool
lsi_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    LsiAdapter *lsi = device->data;

    lsi->device = device;
    drive_jobs_init(&lsi->jobs, device, sizeof(LsiRequest));
    lsi->restart = pdm_queue_new(device, lsi_restart, lsi);
    if (!construct_pci(lsi, error))
        return false;
    for (unsigned i = 0; i < LSI_TARGETS; i++) {
        if (!attach_target(lsi, i, error))
            return false;
    }
    drive_commands_offer(&lsi->commands, device, find_drive);
    lsi_reset(device);
    return true;
}

static void
lsi_destruct(PdmDevice *device)
{
    LsiAdapter *lsi = device->data;
    const PdmMediaConnector *drives[LSI_TARGETS];

    for (unsigned i = 0; i < LSI_TARGETS; i++)
        drives[i] = lsi->targets[i].unit.media;
    drive_jobs_free(&lsi->jobs, drives, LSI_TARGETS);
}

static void
lsi_info(PdmDevice *device, GString *out)
{
    const LsiAdapter *lsi = device->data;

    g_string_append_printf(out,
                           "state %u, interrupts %08x, mask %08x, %u requests wait, %u frames are "
                           "free, %u replies wait, %u at work\n",
                           lsi->state, lsi->interrupts, lsi->mask, lsi->requests.count,
                           lsi->free_frames.count, lsi->replies.count,
                           drive_jobs_active(&lsi->jobs));
}

/* clang-format off */
static const SsmField fifo_fields[] = {
    SSM_UINT_ARRAY(LsiFifo, entries),
    SSM_UINT_BELOW(LsiFifo, head, LSI_FIFO),
    SSM_UINT_BELOW(LsiFifo, count, LSI_FIFO + 1),
    SSM_END,
};

static const SsmField target_fields[] = {
    SSM_STRUCT(LsiTarget, unit, scsi_unit_fields),
    SSM_UINT(LsiTarget, parameters),
    SSM_UINT(LsiTarget, configuration),
    SSM_END,
};

static const SsmField lsi_fields[] = {
    SSM_UINT_BELOW(LsiAdapter, state, LSI_STATE_FAULT + 1),
    SSM_UINT_BELOW(LsiAdapter, fault, 0x10000),
    SSM_UINT(LsiAdapter, interrupts),
    SSM_UINT(LsiAdapter, mask),
    SSM_UINT_BELOW(LsiAdapter, sequence, 5),
    SSM_UINT(LsiAdapter, diagnostic),
    SSM_UINT(LsiAdapter, who_init),
    SSM_UINT(LsiAdapter, reply_frame_size),
    SSM_UINT(LsiAdapter, frames_high),
    SSM_UINT(LsiAdapter, sense_high),
    SSM_UINT(LsiAdapter, event_state),
    SSM_UINT_BELOW(LsiAdapter, in_doorbell, 2),
    SSM_UINT_ARRAY(LsiAdapter, handshake),
    SSM_UINT_BELOW(LsiAdapter, expected, LSI_HANDSHAKE_WORDS + 1),
    SSM_UINT_BELOW(LsiAdapter, received, LSI_HANDSHAKE_WORDS + 1),
    SSM_BYTES(LsiAdapter, answer),
    SSM_UINT_BELOW(LsiAdapter, answer_size, LSI_REPLY_SIZE + 1),
    SSM_UINT_BELOW(LsiAdapter, answer_read, LSI_REPLY_SIZE + 1),
    SSM_STRUCT(LsiAdapter, requests, fifo_fields),
    SSM_STRUCT(LsiAdapter, free_frames, fifo_fields),
    SSM_STRUCT(LsiAdapter, replies, fifo_fields),
    SSM_UINT_ARRAY(LsiAdapter, running),
    SSM_STRUCT_ARRAY(LsiAdapter, targets, target_fields),
    SSM_END,
};
/* clang-format on */

static bool
lsi_post_load(void *object, uint32_t version, GError **error)
{
    LsiAdapter *lsi = object;

    if (lsi->answer_size % 2 != 0 || lsi->answer_read % 2 != 0) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                            "The saved state of the SCSI adapter contradicts itself.");
        return false;
    }
    pdm_queue_push(lsi->device->api, lsi->restart, NULL);
    return true;
}

const SsmState lsi_state = {
    .version = 1,
    .min_version = 1,
    .fields = lsi_fields,
    .post_load = lsi_post_load,
};

const PdmDeviceInfo lsilogic_device = {
    .abi = PDM_ABI_VERSION,
    .name = "lsilogic",
    .title = "SCSI adapter (LSI Logic 53c1030)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(LsiAdapter),
    .max_instances = 1,
    .construct = lsi_construct,
    .reset = lsi_reset,
    .destruct = lsi_destruct,
    .state = &lsi_state,
    .info = lsi_info,
};
