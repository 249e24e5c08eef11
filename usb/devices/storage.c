/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB mass storage: a disk or CD-ROM drive below PDM_IF_MEDIA that a guest talks SCSI to. USB Mass
 * Storage Class Bulk-Only Transport 1.0; the commands are those of devices/storage/scsi.h. */
#include "usb/devices/storage-private.h"

#include <string.h>

#define WRAPPER_SIZE 31u
#define STATUS_SIZE 13u
#define WRAPPER_SIGNATURE 0x43425355u /* "USBC" */
#define STATUS_SIGNATURE 0x53425355u  /* "USBS" */
#define WRAPPER_IN 0x80u
enum { GET_MAX_LUN = 0xfe, BULK_ONLY_RESET = 0xff };

static UsbStorage *
storage_of(VusbDevice *device)
{
    return (UsbStorage *)device;
}

static uint32_t
get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static void
put32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

/* --- command --- */
static bool
is_good_wrapper(const VusbUrb *urb)
{
    return urb->size == WRAPPER_SIZE && get32(urb->data) == WRAPPER_SIGNATURE &&
           (urb->data[13] & 15) == 0 && (urb->data[14] & 31) >= 1 &&
           (urb->data[14] & 31) <= SCSI_CDB_SIZE;
}

/* How many bytes of data the command has, and which way. */
static uint64_t
intended(const UsbStorage *storage, bool *in)
{
    const ScsiTask *task = &storage->task;

    *in = task->op == SCSI_READ || task->op == SCSI_REPLY;
    switch (task->op) {
    case SCSI_REPLY:
    case SCSI_TAKE: return task->size;
    case SCSI_READ:
    case SCSI_WRITE: return task->count * scsi_host_block(&storage->unit, task);
    default: return 0;
    }
}

static void
begin_command(UsbStorage *storage, const uint8_t *wrapper)
{
    const uint32_t expected = get32(wrapper + 8);
    const bool host_in = (wrapper[12] & WRAPPER_IN) != 0;
    uint8_t cdb[SCSI_CDB_SIZE] = {0};
    uint64_t size;
    bool in;

    memcpy(cdb, wrapper + 15, wrapper[14] & 31);
    scsi_begin(&storage->unit, cdb, &storage->task);
    size = intended(storage, &in);
    storage->status = storage->task.op == SCSI_FAIL ? STORAGE_FAILED : STORAGE_PASSED;
    /* Cases 2, 3, 7, 8, 10 and 13 of section 6.7: the command is not carried out. */
    if (size > expected || (size != 0 && in != host_in)) {
        storage->status = STORAGE_PHASE_ERROR;
        storage->task.op = SCSI_NOTHING;
        size = 0;
    }
    storage->tag = get32(wrapper + 4);
    storage->expected = expected;
    storage->planned = (uint32_t)size;
    storage->moved = storage->window = storage->window_size = 0;
    storage->position = 0;
    if (expected == 0)
        storage->phase = STORAGE_WORK;
    else
        storage->phase = host_in ? STORAGE_DATA_IN : STORAGE_DATA_OUT;
}

/* Each step does a bit and says whether there may be more to do at once. */
static bool
take_command(UsbStorage *storage)
{
    VusbUrb *urb = g_queue_pop_head(&storage->out);

    if (urb == NULL)
        return false;
    if (!is_good_wrapper(urb)) {
        storage->phase = STORAGE_BROKEN;
        vusb_urb_done(urb, VUSB_STALL);
        return true;
    }
    begin_command(storage, urb->data);
    urb->actual = urb->size;
    vusb_urb_done(urb, VUSB_OK);
    return true;
}

/* --- data to the guest --- */
static const uint8_t *
data_at(UsbStorage *storage, uint32_t at, uint32_t *size)
{
    if (storage->task.op == SCSI_REPLY) {
        *size = storage->planned - at;
        return storage->task.data + at;
    }
    usb_storage_fetch(storage, at);
    if (storage->waiting)
        return NULL;
    *size = MIN(storage->window_size - (at - storage->window), storage->planned - at);
    return storage->io.buffer + (at - storage->window);
}

/* A packet that is not full ends the data; where there are fewer than the host wants and they end
 * with a full one, an empty one follows: case 5. */
static bool
send_data(UsbStorage *storage)
{
    VusbUrb *urb = g_queue_peek_head(&storage->in);

    if (urb == NULL)
        return false;
    while (urb->actual < urb->size && storage->moved + urb->actual < storage->planned) {
        uint32_t size;
        const uint8_t *data = data_at(storage, storage->moved + urb->actual, &size);

        if (data == NULL)
            return false;
        size = MIN(size, urb->size - urb->actual);
        memcpy(urb->data + urb->actual, data, size);
        urb->actual += size;
    }
    g_queue_pop_head(&storage->in);
    storage->moved += urb->actual;
    if (urb->actual < urb->size || storage->moved == storage->expected)
        storage->phase = STORAGE_WORK;
    vusb_urb_done(urb, VUSB_OK);
    return true;
}

/* --- data from the guest --- */

/* Takes as many bytes as there is a place for; what nobody wants has a place, too. */
static uint32_t
take_bytes(UsbStorage *storage, const uint8_t *data, uint32_t size)
{
    const bool wanted = storage->moved < storage->planned;

    if (!wanted)
        return size;
    size = MIN(size, storage->planned - storage->moved);
    if (storage->task.op == SCSI_TAKE) {
        memcpy(storage->task.data + storage->moved, data, size);
        return size;
    }
    size = MIN(size, STORAGE_BUFFER - storage->window_size);
    memcpy(storage->io.buffer + storage->window_size, data, size);
    storage->window_size += size;
    if (storage->window_size == STORAGE_BUFFER || storage->moved + size == storage->planned)
        usb_storage_write(storage);
    return size;
}

static bool
finish_data_out(UsbStorage *storage)
{
    if (storage->task.op == SCSI_TAKE && storage->status == STORAGE_PASSED) {
        scsi_taken(&storage->unit, &storage->task);
        if (storage->task.op == SCSI_FAIL)
            storage->status = STORAGE_FAILED;
    }
    storage->phase = STORAGE_WORK;
    return true;
}

static bool
take_data(UsbStorage *storage)
{
    VusbUrb *urb;

    if (storage->moved == storage->expected && storage->taken == 0)
        return finish_data_out(storage);
    urb = g_queue_peek_head(&storage->out);
    if (urb == NULL)
        return false;
    if (storage->taken > urb->size ||
        urb->size - storage->taken > storage->expected - storage->moved) {
        storage->phase = STORAGE_BROKEN; /* more than the wrapper said */
        return true;
    }
    while (storage->taken < urb->size && !storage->waiting) {
        const uint32_t size =
            take_bytes(storage, urb->data + storage->taken, urb->size - storage->taken);

        storage->moved += size;
        storage->taken += size;
    }
    if (storage->taken < urb->size)
        return false;
    g_queue_pop_head(&storage->out);
    storage->taken = 0;
    urb->actual = urb->size;
    vusb_urb_done(urb, VUSB_OK);
    return !storage->waiting;
}

/* --- status --- */
static bool
send_status(UsbStorage *storage)
{
    VusbUrb *urb = g_queue_pop_head(&storage->in);
    uint8_t bytes[STATUS_SIZE];

    if (urb == NULL)
        return false;
    put32(bytes, STATUS_SIGNATURE);
    put32(bytes + 4, storage->tag);
    put32(bytes + 8, storage->expected - MIN(storage->planned, storage->moved));
    bytes[12] = storage->status;
    storage->phase = STORAGE_COMMAND;
    vusb_urb_answer(urb, bytes, sizeof(bytes));
    return true;
}

static bool
stall_all(UsbStorage *storage)
{
    VusbUrb *urb;

    storage->taken = 0;
    while ((urb = g_queue_pop_head(&storage->in)) != NULL ||
           (urb = g_queue_pop_head(&storage->out)) != NULL)
        vusb_urb_done(urb, VUSB_STALL);
    return false;
}

static bool
step(UsbStorage *storage)
{
    switch ((StoragePhase)storage->phase) {
    case STORAGE_COMMAND: return take_command(storage);
    case STORAGE_DATA_IN: return send_data(storage);
    case STORAGE_DATA_OUT: return take_data(storage);
    case STORAGE_WORK:
        if (!usb_storage_work(storage))
            storage->phase = STORAGE_STATUS;
        return true;
    case STORAGE_STATUS: return send_status(storage);
    default: return stall_all(storage);
    }
}

static void
run(UsbStorage *storage)
{
    while (!storage->waiting && step(storage))
        ;
}

static void
medium_failed(UsbStorage *storage, int error)
{
    const VusbUrb *urb = g_queue_peek_head(&storage->in);

    scsi_medium_failed(&storage->unit, &storage->task, error);
    storage->status = STORAGE_FAILED;
    if (storage->phase == STORAGE_DATA_IN)
        storage->planned = storage->moved + (urb != NULL ? urb->actual : 0);
    else if (storage->phase == STORAGE_DATA_OUT)
        storage->planned = storage->window;
    storage->window_size = 0;
}

void
usb_storage_medium_done(void *user, int error)
{
    UsbStorage *storage = user;

    storage->waiting = false;
    if (error != 0) {
        medium_failed(storage, error);
    } else if (storage->phase == STORAGE_DATA_OUT) {
        storage->window += storage->window_size;
        storage->window_size = 0;
    } else if (storage->phase == STORAGE_DATA_IN && storage->task.raw) {
        mmc_frame_sector(storage->io.buffer,
                         (uint32_t)(storage->task.lba + storage->window / SCSI_CD_RAW_SECTOR));
    }
    run(storage);
}

/* --- the device --- */
static void
start_over(UsbStorage *storage)
{
    drive_io_drop(&storage->io);
    storage->waiting = false;
    storage->phase = STORAGE_COMMAND;
    storage->taken = storage->window_size = 0;
    storage->task.op = SCSI_NOTHING;
}

static void
storage_control(VusbDevice *device, VusbUrb *urb)
{
    UsbStorage *storage = storage_of(device);
    const VusbSetup *setup = &urb->setup;
    static const uint8_t max_lun = 0;

    if (setup->request_type == (VUSB_REQUEST_IN | VUSB_REQUEST_CLASS | VUSB_TO_INTERFACE) &&
        setup->request == GET_MAX_LUN && setup->value == 0) {
        vusb_urb_answer(urb, &max_lun, 1);
    } else if (setup->request_type == (VUSB_REQUEST_CLASS | VUSB_TO_INTERFACE) &&
               setup->request == BULK_ONLY_RESET && setup->length == 0) {
        start_over(storage);
        vusb_urb_done(urb, VUSB_OK);
        run(storage);
    } else {
        vusb_urb_done(urb, VUSB_STALL);
    }
}

static void
storage_submit(VusbDevice *device, VusbUrb *urb)
{
    UsbStorage *storage = storage_of(device);

    g_queue_push_tail(urb->in ? &storage->in : &storage->out, urb);
    run(storage);
}

static void
storage_cancel(VusbDevice *device, VusbUrb *urb)
{
    UsbStorage *storage = storage_of(device);

    if (urb == g_queue_peek_head(&storage->out))
        storage->taken = 0;
    if (g_queue_remove(&storage->in, urb) || g_queue_remove(&storage->out, urb))
        vusb_urb_done(urb, VUSB_CANCELLED);
}

static void
storage_bus_reset(VusbDevice *device)
{
    start_over(storage_of(device));
}

static void
storage_configured(VusbDevice *device, uint8_t configuration)
{
    start_over(storage_of(device));
}

static const VusbDeviceOps storage_ops = {
    .reset = storage_bus_reset,
    .control = storage_control,
    .submit = storage_submit,
    .cancel = storage_cancel,
    .configured = storage_configured,
};

/* --- life --- */

/* At least twelve hex digits: 4.1.1. */
static void
make_serial(UsbStorage *storage, unsigned instance)
{
    const char *serial = storage->media->serial(storage->media->user);

    g_snprintf(storage->serial, sizeof(storage->serial), "%08X%04X",
               serial != NULL ? g_str_hash(serial) : 0, instance);
}

static bool
plug(UsbStorage *storage, const CfgmNode *config, GError **error)
{
    VusbDevice *device = &storage->device;

    device->ops = &storage_ops;
    device->title = storage->unit.optical ? "USB CD/DVD Drive" : "USB Hard Disk";
    device->speeds = VUSB_SPEEDS_FULL | VUSB_SPEEDS_HIGH | VUSB_SPEEDS_SUPER;
    device->descriptors = usb_storage_descriptors;
    device->strings[0] = "Vitrine";
    device->strings[1] = device->title;
    device->strings[2] = storage->serial;
    device->self_powered = true;
    return vusb_plug_emulated(storage->pdm, device, config, error);
}

static bool
storage_construct(PdmDevice *pdm, const CfgmNode *config, GError **error)
{
    UsbStorage *storage = pdm->data;

    storage->pdm = pdm;
    g_queue_init(&storage->in);
    g_queue_init(&storage->out);
    drive_io_init(&storage->io, STORAGE_BUFFER, usb_storage_medium_done, storage);
    storage->port = (PdmMediaPort){.user = &storage->unit,
                                   .type = PDM_MEDIA_DISK,
                                   .medium_changed = scsi_medium_changed,
                                   .eject_request = scsi_eject_request};
    if (!pdm_attach(pdm, 0, PDM_IF_MEDIA, &storage->port, (const void **)&storage->media, false,
                    error))
        return false;
    if (storage->media == NULL)
        return true; /* a case without a drive in it is not plugged in */
    if (storage->media->type == PDM_MEDIA_FLOPPY) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A floppy drive can't be attached to USB.");
        return false;
    }
    scsi_unit_attach(&storage->unit, pdm, storage->media);
    make_serial(storage, pdm->instance);
    return plug(storage, config, error);
}

static void
storage_reset(PdmDevice *pdm)
{
    UsbStorage *storage = pdm->data;

    if (storage->media == NULL)
        return;
    vusb_device_reset(&storage->device);
    scsi_unit_reset(&storage->unit);
}

static void
storage_destruct(PdmDevice *pdm)
{
    UsbStorage *storage = pdm->data;

    vusb_unplug(&storage->device);
    if (storage->io.current != NULL)
        drive_io_free(&storage->io, &storage->media, 1);
}

static bool
storage_loaded(void *object, uint32_t version, GError **error)
{
    UsbStorage *storage = object;

    if (storage->media == NULL)
        return true;
    if (!usb_storage_task_holds(storage)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "The USB drive of the saved state contradicts itself or its medium.");
        return false;
    }
    if (!vusb_device_loaded(&storage->device, error))
        return false;
    if (storage->waiting)
        usb_storage_submit(storage);
    return true;
}

/* clang-format off */
static const SsmField sense_fields[] = {
    SSM_UINT(ScsiSense, key), SSM_UINT(ScsiSense, asc), SSM_UINT(ScsiSense, ascq), SSM_END,
};

static const SsmField task_fields[] = {
    SSM_ENUM(ScsiTask, op, SCSI_SAME + 1), SSM_BYTES(ScsiTask, cdb), SSM_STRUCT(ScsiTask, sense, sense_fields),
    SSM_UINT(ScsiTask, lba), SSM_UINT(ScsiTask, count), SSM_UINT_BELOW(ScsiTask, raw, 2),
    SSM_UINT_BELOW(ScsiTask, fua, 2), SSM_UINT_BELOW(ScsiTask, unmap, 2), SSM_UINT(ScsiTask, size),
    SSM_BYTES(ScsiTask, data), SSM_END,
};

static const SsmField fields[] = {
    SSM_STRUCT(UsbStorage, device, vusb_device_fields), SSM_STRUCT(UsbStorage, unit, scsi_unit_fields),
    SSM_STRUCT(UsbStorage, task, task_fields), SSM_BUFFER(UsbStorage, io.buffer, STORAGE_BUFFER),
    SSM_UINT_BELOW(UsbStorage, phase, STORAGE_PHASES), SSM_UINT_BELOW(UsbStorage, status, STORAGE_STATUSES),
    SSM_UINT(UsbStorage, tag), SSM_UINT(UsbStorage, expected), SSM_UINT(UsbStorage, planned),
    SSM_UINT(UsbStorage, moved), SSM_UINT(UsbStorage, taken), SSM_UINT(UsbStorage, window),
    SSM_UINT(UsbStorage, window_size), SSM_UINT(UsbStorage, position), SSM_UINT_BELOW(UsbStorage, waiting, 2),
    SSM_UINT_BELOW(UsbStorage, io_kind, PDM_IO_DISCARD + 1), SSM_UINT(UsbStorage, io_size),
    SSM_UINT(UsbStorage, io_within), SSM_UINT(UsbStorage, io_offset), SSM_END,
};
/* clang-format on */
static const SsmState storage_state = {
    .version = 1, .min_version = 1, .fields = fields, .post_load = storage_loaded};

const PdmDeviceInfo usb_storage_device = {
    .abi = PDM_ABI_VERSION,
    .name = "usb-storage",
    .title = "USB mass storage",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(UsbStorage),
    .max_instances = 8,
    .options = usb_device_options,
    .construct = storage_construct,
    .reset = storage_reset,
    .destruct = storage_destruct,
    .state = &storage_state,
};
