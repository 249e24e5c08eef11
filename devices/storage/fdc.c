/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 82078 floppy disk controller in AT mode (Intel 290468): ports 3F2 to 3F5 and 3F7, IRQ 6,
 * DMA 2. Seeks take no time. Status registers A and B of the PS/2 modes are not there. */
#include "devices/storage/fdc-private.h"

enum { OFFSET_DOR, OFFSET_TDR, OFFSET_STATUS, OFFSET_DATA };

#define RATE_SELECT_RESET 0x80
#define DIR_CHANGED 0x80

/* CMOS bytes by which firmware and systems know of floppy drives. */
#define CMOS_FLOPPY_TYPES 0x10
#define CMOS_EQUIPMENT 0x14

void
fdc_update_irq(Fdc *fdc)
{
    pdm_isa_irq(fdc->device, FDC_IRQ, fdc->irq && (fdc->dor & FDC_DOR_GATE) != 0);
}

void
fdc_raise_irq(Fdc *fdc)
{
    fdc->irq = true;
    fdc_update_irq(fdc);
}

void
fdc_lower_irq(Fdc *fdc)
{
    fdc->irq = false;
    fdc_update_irq(fdc);
}

/* --- reset --- */

void
fdc_reset_controller(Fdc *fdc)
{
    drive_io_drop(&fdc->io);
    pdm_dma_dreq(fdc->device, FDC_DMA, false);
    fdc->transfer = (FdcTransfer){0};
    fdc->phase = FDC_PHASE_IDLE;
    fdc->length = fdc->at = 0;
    fdc->seeks = fdc->reset_left = 0;
    if (!fdc->locked) {
        fdc->config = FDC_CONFIG_NO_FIFO;
        fdc->precompensation = 0;
    }
    fdc_lower_irq(fdc);
}

/* The controller looks at its four drives and reports that for each of them. */
static void
leave_reset(Fdc *fdc)
{
    if ((fdc->config & FDC_CONFIG_NO_POLL) != 0)
        return;
    fdc->reset_left = FDC_DRIVES;
    fdc_raise_irq(fdc);
}

/* --- registers --- */

static uint8_t
read_status(const Fdc *fdc)
{
    if ((fdc->dor & FDC_DOR_RUN) == 0)
        return 0;
    switch (fdc->phase) {
    case FDC_PHASE_IDLE: return FDC_MSR_READY;
    case FDC_PHASE_COMMAND: return FDC_MSR_READY | FDC_MSR_BUSY;
    case FDC_PHASE_RESULT: return FDC_MSR_READY | FDC_MSR_BUSY | FDC_MSR_TO_HOST;
    default: break;
    }
    if (fdc_uses_dma(fdc))
        return FDC_MSR_BUSY;
    if (fdc->phase == FDC_PHASE_MEDIUM)
        return FDC_MSR_BUSY | FDC_MSR_NON_DMA;
    return (uint8_t)(FDC_MSR_BUSY | FDC_MSR_NON_DMA | FDC_MSR_READY |
                     (fdc_to_host(fdc) ? FDC_MSR_TO_HOST : 0));
}

static uint32_t
fdc_read(void *user, uint32_t offset, unsigned size)
{
    Fdc *fdc = user;

    switch (offset) {
    case OFFSET_DOR: return fdc->dor;
    case OFFSET_TDR: return fdc->tdr;
    case OFFSET_STATUS: return read_status(fdc);
    default: return fdc_data_read(fdc);
    }
}

static void
write_output(Fdc *fdc, uint8_t value)
{
    uint8_t changed = fdc->dor ^ value;

    fdc->dor = value;
    if ((changed & FDC_DOR_RUN) != 0) {
        if ((value & FDC_DOR_RUN) != 0)
            leave_reset(fdc);
        else
            fdc_reset_controller(fdc);
    }
    fdc_update_irq(fdc);
}

static void
write_rate_select(Fdc *fdc, uint8_t value)
{
    fdc->rate = value & 3;
    if ((value & RATE_SELECT_RESET) != 0 && (fdc->dor & FDC_DOR_RUN) != 0) {
        fdc_reset_controller(fdc);
        leave_reset(fdc);
    }
}

static void
fdc_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Fdc *fdc = user;

    switch (offset) {
    case OFFSET_DOR: write_output(fdc, (uint8_t)value); break;
    case OFFSET_TDR: fdc->tdr = value & 3; break;
    case OFFSET_STATUS: write_rate_select(fdc, (uint8_t)value); break;
    default: fdc_data_write(fdc, (uint8_t)value); break;
    }
}

static uint32_t
fdc_read_input(void *user, uint32_t offset, unsigned size)
{
    const Fdc *fdc = user;
    const FdcDrive *drive = &fdc->drives[fdc->dor & FDC_DOR_SELECT];

    return drive->media != NULL && drive->changed ? DIR_CHANGED : 0;
}

static void
fdc_write_control(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    ((Fdc *)user)->rate = value & 3;
}

static const IomPortOps main_ops = {.read = fdc_read, .write = fdc_write, .sizes = 1};
static const IomPortOps input_ops = {
    .read = fdc_read_input, .write = fdc_write_control, .sizes = 1};

/* --- life cycle --- */

static void
fdc_reset(PdmDevice *device)
{
    Fdc *fdc = device->data;

    fdc->locked = false;
    fdc->dor = FDC_DOR_RUN | FDC_DOR_GATE;
    fdc->tdr = 0;
    fdc->rate = 2;
    fdc->step_rate = fdc->head_load = 0;
    fdc->perpendicular = fdc->option = fdc->eot = 0;
    for (unsigned i = 0; i < FDC_DRIVES; i++)
        fdc->drives[i].track = fdc->drives[i].rotation = 0;
    fdc_reset_controller(fdc);
}

static bool
attach_drive(Fdc *fdc, unsigned lun, GError **error)
{
    FdcDrive *drive = &fdc->drives[lun];

    drive->changed = true;
    drive->port = (PdmMediaPort){
        .user = drive,
        .type = PDM_MEDIA_FLOPPY,
        .medium_changed = fdc_medium_changed,
    };
    if (!pdm_attach(fdc->device, lun, PDM_IF_MEDIA, &drive->port, (const void **)&drive->media,
                    false, error))
        return false;
    if (drive->media == NULL || drive->media->type == PDM_MEDIA_FLOPPY)
        return true;
    drive->media = NULL;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "Only floppy drives can be attached to the floppy controller (LUN %u).", lun);
    return false;
}

/* Drive A in the high half, B in the low one; both only if they are there. */
static void
tell_firmware(Fdc *fdc)
{
    uint8_t types =
        (uint8_t)(fdc_drive_type(&fdc->drives[0]) << 4 | fdc_drive_type(&fdc->drives[1]));
    unsigned count = (types >> 4 != 0) + ((types & 15) != 0);
    int equipment = MAX(pdm_cmos_get(fdc->device, CMOS_EQUIPMENT), 0) & 0x3e;

    if (count > 0)
        equipment |= (int)(1 | (count - 1) << 6);
    pdm_cmos_set(fdc->device, CMOS_FLOPPY_TYPES, types);
    pdm_cmos_set(fdc->device, CMOS_EQUIPMENT, (uint8_t)equipment);
}

static const PdmMediaConnector *
find_drive(PdmDevice *device, unsigned lun)
{
    const Fdc *fdc = device->data;

    return lun < FDC_LUNS ? fdc->drives[lun].media : NULL;
}

static bool
fdc_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Fdc *fdc = device->data;

    fdc->device = device;
    drive_io_init(&fdc->io, FDC_SECTOR, fdc_medium_done, fdc);
    for (unsigned i = 0; i < FDC_LUNS; i++)
        if (!attach_drive(fdc, i, error))
            return false;
    pdm_ports_map(device, pdm_ports_new(device, "floppy", 4, &main_ops, fdc), 0x3f2);
    pdm_ports_map(device, pdm_ports_new(device, "floppy-input", 1, &input_ops, fdc), 0x3f7);
    pdm_dma_register(device, FDC_DMA, fdc_dma, fdc);
    drive_commands_offer(&fdc->commands, device, find_drive);
    tell_firmware(fdc);
    fdc_reset(device);
    return true;
}

static void
fdc_destruct(PdmDevice *device)
{
    Fdc *fdc = device->data;
    const PdmMediaConnector *drives[] = {fdc->drives[0].media, fdc->drives[1].media};

    drive_io_free(&fdc->io, drives, FDC_LUNS);
}

static void
fdc_info(PdmDevice *device, GString *out)
{
    const Fdc *fdc = device->data;

    g_string_append_printf(out, "phase %u, output %02x, rate %u, operation %u\n", fdc->phase,
                           fdc->dor, fdc->rate, fdc->transfer.op);
    for (unsigned i = 0; i < FDC_LUNS; i++)
        if (fdc->drives[i].media != NULL)
            g_string_append_printf(out, "drive %u: %s, track %u\n", i,
                                   fdc_has_medium(&fdc->drives[i]) ? "disk" : "empty",
                                   fdc->drives[i].track);
}

const PdmDeviceInfo fdc_device = {
    .abi = PDM_ABI_VERSION,
    .name = "fdc",
    .title = "Floppy controller (82078)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(Fdc),
    .max_instances = 1,
    .construct = fdc_construct,
    .reset = fdc_reset,
    .destruct = fdc_destruct,
    .state = &fdc_state,
    .info = fdc_info,
};
