/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The LSI Logic 53c1030 and SAS1068: PCI function, targets, life cycle, saved state. */
#include "devices/storage/lsilogic-private.h"

enum { PORTS_BAR = 0, MEMORY_BAR = 1, DIAGNOSTIC_BAR = 2 };

#define PORTS 256u
#define MEMORY_SIZE 0x4000u
#define DIAGNOSTIC_SIZE 0x10000u
#define SAS_PORTS 8u

/* clang-format off */
static const LsiModel parallel = {"lsilogic",     "LSI53C1030", "C0", 20, 0x0030, 0x0104, 0x01, 0, false};
static const LsiModel serial   = {"lsilogic-sas", "LSISAS1068", "B0", 22, 0x0054, 0x2704, 0x30, 1, true};
/* clang-format on */

static bool
attach_target(LsiAdapter *lsi, unsigned index, GError **error)
{
    LsiTarget *target = &lsi->targets[index];

    return drive_attach(lsi->device, index, &target->port, &target->unit, "the SCSI adapter",
                        &target->present, error);
}

static bool
construct_pci(LsiAdapter *lsi, GError **error)
{
    const PdmPciInfo info = {
        .vendor = LSI_PCI_VENDOR,
        .device = lsi->model->pci_device,
        .subsystem_vendor = LSI_PCI_VENDOR,
        .subsystem = LSI_PCI_SUBSYSTEM,
        .revision = lsi->model->pci_revision,
        .class_code = 0x01,
        .interrupt_pin = 1,
        .slot = lsi->model->slot,
        .function = 0,
    };
    PdmDevice *device = lsi->device;
    IomPorts *ports;
    PgmRegion *region;

    lsi->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    if (lsi->pci == NULL)
        return false;
    ports = pdm_ports_new(device, lsi->model->name, PORTS, &lsi_port_ops, lsi);
    region = pdm_mmio_new(device, lsi->model->name, MEMORY_SIZE, &lsi_mmio_ops, lsi);
    return pdm_pci_bar_ports(device, lsi->pci, PORTS_BAR, ports, PORTS, error) &&
           pdm_pci_bar_region(device, lsi->pci, MEMORY_BAR, region, MEMORY_SIZE, false, false,
                              error);
}

/* The chip's own memory, which firmware tools look at: it reads as zeros. */
static uint64_t
diagnostic_read(void *user, uint64_t offset, unsigned size)
{
    return 0;
}

static void
diagnostic_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
}

static const IomMmioOps diagnostic_ops = {
    .read = diagnostic_read,
    .write = diagnostic_write,
    .min_size = 4,
    .max_size = 4,
};

static bool
construct_diagnostic(LsiAdapter *lsi, GError **error)
{
    PgmRegion *region =
        pdm_mmio_new(lsi->device, "lsilogic-diagnostic", DIAGNOSTIC_SIZE, &diagnostic_ops, lsi);

    return pdm_pci_bar_region(lsi->device, lsi->pci, DIAGNOSTIC_BAR, region, DIAGNOSTIC_SIZE, false,
                              false, error);
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
construct_model(PdmDevice *device, const LsiModel *model, unsigned targets, GError **error)
{
    LsiAdapter *lsi = device->data;

    lsi->model = model;
    lsi->phys = model->sas ? targets : 0;
    lsi->device = device;
    drive_jobs_init(&lsi->jobs, device, sizeof(LsiRequest));
    lsi->restart = pdm_queue_new(device, lsi_restart, lsi);
    if (!construct_pci(lsi, error) || (model->sas && !construct_diagnostic(lsi, error)))
        return false;
    for (unsigned i = 0; i < targets; i++) {
        if (!attach_target(lsi, i, error))
            return false;
    }
    drive_commands_offer(&lsi->commands, device, find_drive);
    lsi_reset(device);
    return true;
}

static bool
lsi_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    return construct_model(device, &parallel, LSI_TARGETS, error);
}

static bool
lsi_sas_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    const uint64_t ports = cfgm_uint(config, "PortCount", SAS_PORTS);

    return construct_model(device, &serial, (unsigned)CLAMP(ports, 1, LSI_TARGETS), error);
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

const PdmDeviceInfo lsilogic_sas_device = {
    .abi = PDM_ABI_VERSION,
    .name = "lsilogic-sas",
    .title = "SAS adapter (LSI Logic SAS1068)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(LsiAdapter),
    .max_instances = 1,
    .construct = lsi_sas_construct,
    .reset = lsi_reset,
    .destruct = lsi_destruct,
    .state = &lsi_state,
    .info = lsi_info,
};
