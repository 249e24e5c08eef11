/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtio SCSI host adapter: VIRTIO 1.1 section 5.6: configuration, targets, life cycle. One
 * unit at each target; drives come and go while the machine runs. Left out: protection information,
 * asynchronous notifications (queries say that there are none), priorities. */
#include "devices/storage/drive-attach.h"
#include "devices/storage/virtio-scsi-private.h"

#define TARGETS_USUAL 16u
#define REQUEST_QUEUES_MAX 4u
#define SLOT 15
#define CONFIG_SIZE 36u
#define SEGMENTS_MAX 254u
#define SECTORS_MAX 0xffffu
#define CDB_USUAL 32u
#define SENSE_USUAL 96u
#define FEATURE_INOUT 1u
/* The version of a saved state from which on it says whether an event was missed. */
#define STATE_EVENTS (VIRTIO_STATE_LEGACY + 1)

enum {
    CONFIG_SENSE_SIZE = 20,
    CONFIG_CDB_SIZE = 24,
};

/* --- the virtio device --- */

static void
notified(void *user, unsigned queue)
{
    VirtioScsi *adapter = user;

    if (queue == VSCSI_QUEUE_CONTROL)
        vscsi_run_control(adapter);
    else if (queue == VSCSI_QUEUE_EVENT)
        vscsi_run_events(adapter);
    else if (queue >= VSCSI_QUEUE_REQUESTS)
        vscsi_run_queue(adapter, queue);
}

static uint32_t
read_config(void *user, uint32_t offset, unsigned size)
{
    const VirtioScsi *adapter = user;
    uint8_t config[CONFIG_SIZE] = {0};
    uint32_t value = 0;

    vscsi_put32(config, adapter->virtio.queue_count - VSCSI_QUEUE_REQUESTS);
    vscsi_put32(config + 4, SEGMENTS_MAX);
    vscsi_put32(config + 8, SECTORS_MAX);
    vscsi_put32(config + 12, VSCSI_JOBS_MAX);
    vscsi_put32(config + 16, VSCSI_EVENT_SIZE);
    vscsi_put32(config + CONFIG_SENSE_SIZE, adapter->sense_size);
    vscsi_put32(config + CONFIG_CDB_SIZE, adapter->cdb_size);
    config[30] = (uint8_t)(adapter->target_count - 1); /* after the last channel, 0 */
    for (unsigned i = 0; i < size && offset + i < CONFIG_SIZE; i++)
        value |= (uint32_t)config[offset + i] << (8 * i);
    return value;
}

static void
write_config(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    VirtioScsi *adapter = user;

    if (drive_jobs_active(&adapter->jobs) != 0)
        return;
    if (offset == CONFIG_SENSE_SIZE && value <= VSCSI_SENSE_LIMIT)
        adapter->sense_size = value;
    else if (offset == CONFIG_CDB_SIZE && value >= SCSI_CDB_SIZE && value <= VSCSI_CDB_LIMIT)
        adapter->cdb_size = value;
}

static void
driver_reset(void *user)
{
    VirtioScsi *adapter = user;

    drive_jobs_drop(&adapter->jobs);
    adapter->waiting = 0;
    adapter->events_missed = false;
    adapter->cdb_size = CDB_USUAL;
    adapter->sense_size = SENSE_USUAL;
    for (unsigned i = 0; i < adapter->target_count; i++)
        scsi_unit_reset(&adapter->targets[i].unit);
}

static const VirtioOps virtio_ops = {
    .read_config = read_config,
    .write_config = write_config,
    .notify = notified,
    .reset = driver_reset,
};

/* --- life cycle --- */

static const PdmMediaConnector *
find_drive(PdmDevice *device, unsigned lun)
{
    VirtioScsi *adapter = device->data;

    return lun < adapter->target_count ? adapter->targets[lun].unit.media : NULL;
}

static bool
attach_target(VirtioScsi *adapter, unsigned index, GError **error)
{
    VscsiTarget *target = &adapter->targets[index];

    target->adapter = adapter;
    target->port.plugged = vscsi_plugged;
    return drive_attach(adapter->device, index, &target->port, &target->unit,
                        "the virtio SCSI adapter", &target->present, error);
}

static void
adapter_reset(PdmDevice *device)
{
    VirtioScsi *adapter = device->data;

    virtio_reset(&adapter->virtio);
    pci_msix_reset(&adapter->virtio.msix);
    driver_reset(adapter);
}

static void
clear_request(DriveJob *job)
{
    virtio_chain_clear(&((VscsiRequest *)job)->chain);
}

static bool
adapter_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    VirtioScsi *adapter = device->data;
    const VirtioInfo info = {
        .name = "virtio-scsi",
        .type = 8,
        .class_code = 0x01,
        .slot = SLOT,
        .features = FEATURE_INOUT | VSCSI_FEATURE_HOTPLUG,
        .queues = VSCSI_QUEUE_REQUESTS + CLAMP(pdm_cpu_count(device), 1, REQUEST_QUEUES_MAX),
        .config_size = CONFIG_SIZE,
        .interface = virtio_interface(config, VIRTIO_MODERN),
    };
    uint64_t targets = cfgm_uint(config, "PortCount", TARGETS_USUAL);

    adapter->device = device;
    adapter->target_count = (unsigned)CLAMP(targets, 1, VSCSI_TARGETS_MAX);
    drive_jobs_init(&adapter->jobs, device, sizeof(VscsiRequest));
    adapter->jobs.clear = clear_request;
    adapter->restart = pdm_queue_new(device, vscsi_restart, adapter);
    if (!virtio_init(&adapter->virtio, device, &info, &virtio_ops, adapter, error))
        return false;
    for (unsigned i = 0; i < adapter->target_count; i++) {
        if (!attach_target(adapter, i, error))
            return false;
    }
    drive_commands_offer(&adapter->commands, device, find_drive);
    adapter_reset(device);
    return true;
}

static void
adapter_destruct(PdmDevice *device)
{
    VirtioScsi *adapter = device->data;
    const PdmMediaConnector *drives[VSCSI_TARGETS_MAX];

    for (unsigned i = 0; i < VSCSI_TARGETS_MAX; i++)
        drives[i] = adapter->targets[i].unit.media;
    drive_jobs_free(&adapter->jobs, drives, VSCSI_TARGETS_MAX);
}

static void
adapter_info(PdmDevice *device, GString *out)
{
    const VirtioScsi *adapter = device->data;

    g_string_append_printf(out, "status %02x, features %" G_GINT64_MODIFIER "x, %u at work\n",
                           adapter->virtio.status, adapter->virtio.features,
                           drive_jobs_active(&adapter->jobs));
}

/* clang-format off */
static const SsmField target_fields[] = {
    SSM_STRUCT(VscsiTarget, unit, scsi_unit_fields),
    SSM_END,
};

static const SsmField adapter_fields[] = {
    SSM_STRUCT(VirtioScsi, virtio, virtio_fields),
    SSM_UINT_BELOW(VirtioScsi, waiting, 1u << (VSCSI_QUEUE_REQUESTS + REQUEST_QUEUES_MAX)),
    SSM_UINT_BELOW(VirtioScsi, cdb_size, VSCSI_CDB_LIMIT + 1),
    SSM_UINT_BELOW(VirtioScsi, sense_size, VSCSI_SENSE_LIMIT + 1),
    SSM_STRUCT_ARRAY(VirtioScsi, targets, target_fields),
    SSM_UINT_SINCE(VirtioScsi, events_missed, STATE_EVENTS),
    SSM_END,
};
/* clang-format on */

static bool
adapter_post_load(void *object, uint32_t version, GError **error)
{
    VirtioScsi *adapter = object;

    if (!virtio_holds(&adapter->virtio) || adapter->cdb_size < SCSI_CDB_SIZE) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                            "The saved state of the virtio SCSI adapter contradicts itself.");
        return false;
    }
    pdm_queue_push(adapter->device->api, adapter->restart, NULL);
    return true;
}

static const SsmState adapter_state = {
    .version = STATE_EVENTS,
    .min_version = 1,
    .fields = adapter_fields,
    .post_load = adapter_post_load,
};

static const PdmOption adapter_options[] = {
    {.key = "PortCount",
     .title = "Ports",
     .type = PDM_OPTION_UINT,
     .value = TARGETS_USUAL,
     .min = 1,
     .max = VSCSI_TARGETS_MAX},
    VIRTIO_OPTION("modern"),
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo virtio_scsi_device = {
    .abi = PDM_ABI_VERSION,
    .name = "virtio-scsi",
    .title = "SCSI adapter (virtio-scsi)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(VirtioScsi),
    .max_instances = 1,
    .options = adapter_options,
    .construct = adapter_construct,
    .reset = adapter_reset,
    .destruct = adapter_destruct,
    .state = &adapter_state,
    .info = adapter_info,
};
