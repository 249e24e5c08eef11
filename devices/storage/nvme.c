/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The NVMe controller: PCI function, disks, life cycle. NVM Express 1.2. */
#include "devices/storage/nvme-private.h"

#define BAR 0
#define BAR_SIZE 0x4000u
#define MSIX_BAR 4
#define NAMESPACES_USUAL 8u

static bool
attach_disk(NvmeController *nvme, unsigned index, GError **error)
{
    nvme->ports[index] = (PdmMediaPort){.user = nvme, .type = PDM_MEDIA_DISK};
    if (!pdm_attach(nvme->device, index, PDM_IF_MEDIA, &nvme->ports[index],
                    (const void **)&nvme->media[index], false, error))
        return false;
    if (nvme->media[index] == NULL || nvme->media[index]->type == PDM_MEDIA_DISK)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "Only hard disks can be attached to the NVMe controller (port %u).", index);
    return false;
}

static void
config_written(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    NvmeController *nvme = user;

    pci_msix_config_written(&nvme->msix, offset, size);
}

static bool
construct_pci(NvmeController *nvme, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x80ee,
        .device = 0x4e56,
        .subsystem_vendor = 0x80ee,
        .subsystem = 0x4e56,
        .prog_if = 0x02,
        .subclass = 0x08,
        .class_code = 0x01,
        .interrupt_pin = 1,
        .slot = 14,
        .function = 0,
    };
    static const PdmPciHooks hooks = {.write = config_written};
    PdmDevice *device = nvme->device;
    PgmRegion *region;

    nvme->pci = pdm_pci_new(device, &info, &hooks, nvme, error);
    if (nvme->pci == NULL ||
        !pci_msix_init(&nvme->msix, device, nvme->pci, MSIX_BAR, NVME_QUEUES, error))
        return false;
    region = pdm_mmio_new(device, "nvme", BAR_SIZE, &nvme_mmio_ops, nvme);
    return pdm_pci_bar_region(device, nvme->pci, BAR, region, BAR_SIZE, false, true, error);
}

static void
nvme_reset(PdmDevice *device)
{
    NvmeController *nvme = device->data;

    nvme->cc = nvme->aqa = 0;
    nvme->asq = nvme->acq = 0;
    nvme_disable(nvme);
    nvme->error_count = nvme->error_queue = 0;
    pci_msix_reset(&nvme->msix);
}

static void
clear_request(DriveJob *job)
{
    g_clear_pointer(&((NvmeRequest *)job)->ranges, g_free);
}

static bool
nvme_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    NvmeController *nvme = device->data;
    uint64_t count = cfgm_uint(config, "PortCount", NAMESPACES_USUAL);

    nvme->device = device;
    nvme->namespace_count = (unsigned)CLAMP(count, 1, NVME_NAMESPACES_MAX);
    nvme->pending = g_array_new(FALSE, FALSE, sizeof(NvmePending));
    drive_jobs_init(&nvme->jobs, device, sizeof(NvmeRequest));
    nvme->jobs.clear = clear_request;
    nvme->restart = pdm_queue_new(device, nvme_restart, nvme);
    if (!construct_pci(nvme, error))
        return false;
    for (unsigned i = 0; i < nvme->namespace_count; i++) {
        if (!attach_disk(nvme, i, error))
            return false;
    }
    nvme_reset(device);
    return true;
}

static void
nvme_destruct(PdmDevice *device)
{
    NvmeController *nvme = device->data;

    drive_jobs_free(&nvme->jobs, nvme->media, NVME_NAMESPACES_MAX);
    g_clear_pointer(&nvme->pending, g_array_unref);
}

static void
nvme_info(PdmDevice *device, GString *out)
{
    const NvmeController *nvme = device->data;

    g_string_append_printf(out, "configuration %08x, status %08x, %u at work\n", nvme->cc,
                           nvme->csts, drive_jobs_active(&nvme->jobs));
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        const NvmeSubmission *queue = &nvme->submissions[i];

        if (queue->size != 0)
            g_string_append_printf(out, "queue %u: %u entries, head %u, tail %u, ends in %u\n", i,
                                   queue->size, queue->head, queue->tail, queue->completion);
    }
}

static const PdmOption nvme_options[] = {
    {.key = "PortCount",
     .title = "Namespaces",
     .type = PDM_OPTION_UINT,
     .value = NAMESPACES_USUAL,
     .min = 1,
     .max = NVME_NAMESPACES_MAX},
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo nvme_device = {
    .abi = PDM_ABI_VERSION,
    .name = "nvme",
    .title = "NVMe controller",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(NvmeController),
    .max_instances = 1,
    .options = nvme_options,
    .construct = nvme_construct,
    .reset = nvme_reset,
    .destruct = nvme_destruct,
    .state = &nvme_state,
    .info = nvme_info,
};
