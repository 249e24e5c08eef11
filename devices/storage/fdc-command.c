/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The data register of the 82078 and its commands (chapter 5), one row each. A byte that begins no
 * command is answered with the status "invalid command". FORMAT AND WRITE is left out. */
#include <string.h>

#include "devices/storage/fdc-private.h"

#define VERSION_ENHANCED 0x90
#define PART_82078 0x41
#define SPECIFICATION_DONE 0x80
#define SPECIFICATION_NO_RESULT 0x40

typedef struct {
    uint8_t code, mask; /* the command byte's bits under mask are code */
    uint8_t parameters;
    void (*run)(Fdc *fdc);
} FdcCommand;

void
fdc_result(Fdc *fdc, uint8_t length, bool irq)
{
    fdc->phase = length != 0 ? FDC_PHASE_RESULT : FDC_PHASE_IDLE;
    fdc->length = length;
    fdc->at = 0;
    if (irq)
        fdc_raise_irq(fdc);
}

static void
result_byte(Fdc *fdc, uint8_t value)
{
    fdc->bytes[0] = value;
    fdc_result(fdc, 1, false);
}

/* --- seeking --- */

static void
seek_ended(Fdc *fdc, unsigned drive, uint8_t status)
{
    fdc->seeks |= (uint8_t)(1u << drive);
    fdc->seek_status[drive] = (uint8_t)(FDC_ST0_SEEK_END | status | drive);
    fdc_result(fdc, 0, true);
}

static void
run_recalibrate(Fdc *fdc)
{
    unsigned drive = fdc->bytes[1] & 3;
    bool there = fdc->drives[drive].media != NULL;

    fdc_seek(fdc, drive, 0);
    /* Without a drive track 0 is never reported. */
    seek_ended(fdc, drive, there ? 0 : FDC_ST0_ABNORMAL | FDC_ST0_CHECK);
}

static void
run_seek(Fdc *fdc)
{
    unsigned drive = fdc->bytes[1] & 3;

    fdc_seek(fdc, drive, fdc->bytes[2]);
    seek_ended(fdc, drive, fdc->bytes[1] & 4);
}

static void
run_relative_seek(Fdc *fdc)
{
    unsigned drive = fdc->bytes[1] & 3;
    int distance = (fdc->bytes[0] & 0x40) != 0 ? fdc->bytes[2] : -fdc->bytes[2];

    fdc_seek(fdc, drive, fdc->drives[drive].track + distance);
    seek_ended(fdc, drive, fdc->bytes[1] & 4);
}

static void
run_sense_interrupt(Fdc *fdc)
{
    uint8_t *out = fdc->bytes;
    unsigned drive = 0;

    fdc_lower_irq(fdc);
    if (fdc->reset_left > 0) {
        drive = FDC_DRIVES - fdc->reset_left--;
        out[0] = (uint8_t)(FDC_ST0_POLLED | drive);
    } else if (fdc->seeks != 0) {
        while ((fdc->seeks & (1u << drive)) == 0)
            drive++;
        fdc->seeks &= (uint8_t) ~(1u << drive);
        out[0] = fdc->seek_status[drive];
    } else {
        result_byte(fdc, FDC_ST0_INVALID);
        return;
    }
    out[1] = fdc->drives[drive].track;
    fdc_result(fdc, 2, fdc->seeks != 0 && fdc->reset_left == 0);
}

static void
run_sense_drive(Fdc *fdc)
{
    unsigned index = fdc->bytes[1] & 3;
    const FdcDrive *drive = &fdc->drives[index];
    uint8_t status = FDC_ST3_TWO_SIDES | FDC_ST3_READY;

    if (drive->media != NULL && drive->track == 0)
        status |= FDC_ST3_TRACK_0;
    if (drive->media != NULL && fdc_is_protected(drive))
        status |= FDC_ST3_PROTECTED;
    result_byte(fdc, (uint8_t)(status | (fdc->bytes[1] & 7)));
}

/* --- settings --- */

static void
run_specify(Fdc *fdc)
{
    fdc->step_rate = fdc->bytes[1];
    fdc->head_load = fdc->bytes[2];
    fdc_result(fdc, 0, false);
}

static void
run_configure(Fdc *fdc)
{
    fdc->config = fdc->bytes[2];
    fdc->precompensation = fdc->bytes[3];
    fdc_result(fdc, 0, false);
}

static void
run_lock(Fdc *fdc)
{
    fdc->locked = (fdc->bytes[0] & 0x80) != 0;
    result_byte(fdc, fdc->locked ? 0x10 : 0);
}

static void
run_perpendicular(Fdc *fdc)
{
    /* Without OW the drives' bits stay. */
    if ((fdc->bytes[1] & 0x80) != 0)
        fdc->perpendicular = fdc->bytes[1] & 0x3f;
    else
        fdc->perpendicular = (uint8_t)((fdc->perpendicular & 0x3c) | (fdc->bytes[1] & 0x03));
    fdc_result(fdc, 0, false);
}

static void
run_option(Fdc *fdc)
{
    fdc->option = fdc->bytes[1];
    fdc_result(fdc, 0, false);
}

static void
run_power_down(Fdc *fdc)
{
    result_byte(fdc, fdc->bytes[1]);
}

/* Any number of drives' bytes, ended by one with the highest bit. */
static void
run_drive_specification(Fdc *fdc)
{
    uint8_t last = fdc->bytes[fdc->length - 1];

    if ((last & SPECIFICATION_DONE) == 0) {
        fdc->specification[last >> 5 & 3] = last;
        if (fdc->length < FDC_DRIVES + 2) {
            fdc->length++;
            return;
        }
    }
    if ((last & SPECIFICATION_NO_RESULT) != 0) {
        fdc_result(fdc, 0, false);
        return;
    }
    memcpy(fdc->bytes, fdc->specification, FDC_DRIVES);
    fdc_result(fdc, FDC_DRIVES, false);
}

/* --- information --- */

static void
run_dump_registers(Fdc *fdc)
{
    uint8_t *out = fdc->bytes;

    for (unsigned i = 0; i < FDC_DRIVES; i++)
        out[i] = fdc->drives[i].track;
    out[4] = fdc->step_rate;
    out[5] = fdc->head_load;
    out[6] = fdc->eot;
    out[7] = (uint8_t)((fdc->locked ? 0x80 : 0) | fdc->perpendicular);
    out[8] = fdc->config;
    out[9] = fdc->precompensation;
    fdc_result(fdc, 10, false);
}

static void
run_version(Fdc *fdc)
{
    result_byte(fdc, VERSION_ENHANCED);
}

static void
run_part_id(Fdc *fdc)
{
    result_byte(fdc, PART_82078);
}

static void
run_save(Fdc *fdc)
{
    uint8_t *out = fdc->bytes;

    memset(out, 0, 16);
    out[0] = fdc->rate;
    out[1] = fdc->option;
    for (unsigned i = 0; i < FDC_DRIVES; i++)
        out[2 + i] = fdc->drives[i].track;
    out[6] = fdc->step_rate;
    out[7] = fdc->head_load;
    out[8] = fdc->eot;
    out[9] = (uint8_t)((fdc->locked ? 0x80 : 0) | fdc->perpendicular);
    out[10] = fdc->config;
    out[11] = fdc->precompensation;
    fdc_result(fdc, 16, false);
}

static void
run_restore(Fdc *fdc)
{
    const uint8_t *in = fdc->bytes + 1;

    fdc->rate = in[0] & 3;
    fdc->option = in[1];
    fdc->step_rate = in[6];
    fdc->head_load = in[7];
    fdc->eot = in[8];
    fdc->locked = (in[9] & 0x80) != 0;
    fdc->perpendicular = in[9] & 0x3f;
    fdc->config = in[10];
    fdc->precompensation = in[11];
    fdc_result(fdc, 0, false);
}

static void
run_invalid(Fdc *fdc)
{
    pdm_guest_error(fdc->device, "fdc-command", "The floppy command %02x is not known.",
                    fdc->bytes[0]);
    result_byte(fdc, FDC_ST0_INVALID);
}

/* clang-format off */
static const FdcCommand commands[] = {
    {0x02, 0x9f,  8, fdc_begin_read},   /* READ TRACK */
    {0x03, 0xff,  2, run_specify},
    {0x04, 0xff,  1, run_sense_drive},
    {0x05, 0x3f,  8, fdc_begin_write},
    {0x06, 0x1f,  8, fdc_begin_read},
    {0x07, 0xff,  1, run_recalibrate},
    {0x08, 0xff,  0, run_sense_interrupt},
    {0x09, 0x3f,  8, fdc_begin_write},  /* WRITE DELETED DATA */
    {0x0a, 0xbf,  1, fdc_read_id},
    {0x0c, 0x1f,  8, fdc_begin_read},   /* READ DELETED DATA */
    {0x0d, 0xbf,  5, fdc_begin_format},
    {0x0e, 0xff,  0, run_dump_registers},
    {0x0f, 0xff,  2, run_seek},
    {0x10, 0xff,  0, run_version},
    {0x11, 0x1f,  8, fdc_begin_scan},   /* SCAN EQUAL */
    {0x12, 0xff,  1, run_perpendicular},
    {0x13, 0xff,  3, run_configure},
    {0x14, 0x7f,  0, run_lock},
    {0x16, 0x1f,  8, fdc_begin_verify},
    {0x17, 0xff,  1, run_power_down},
    {0x18, 0xff,  0, run_part_id},
    {0x19, 0x1f,  8, fdc_begin_scan},   /* SCAN LOW OR EQUAL */
    {0x1d, 0x1f,  8, fdc_begin_scan},   /* SCAN HIGH OR EQUAL */
    {0x2e, 0xff,  0, run_save},
    {0x33, 0xff,  1, run_option},
    {0x4e, 0xff, 16, run_restore},
    {0x8e, 0xff,  1, run_drive_specification},
    {0x8f, 0xbf,  2, run_relative_seek},
};
/* clang-format on */

static const FdcCommand invalid_command = {.run = run_invalid};

static const FdcCommand *
find_command(uint8_t byte)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if ((byte & commands[i].mask) == commands[i].code)
            return &commands[i];
    return &invalid_command;
}

static void
take_command_byte(Fdc *fdc, uint8_t value)
{
    const FdcCommand *command;

    if (fdc->phase == FDC_PHASE_IDLE) {
        fdc->phase = FDC_PHASE_COMMAND;
        fdc->at = 0;
        fdc->length = (uint8_t)(find_command(value)->parameters + 1);
    }
    fdc->bytes[fdc->at++] = value;
    command = find_command(fdc->bytes[0]);
    if (fdc->at == fdc->length)
        command->run(fdc);
}

void
fdc_data_write(Fdc *fdc, uint8_t value)
{
    if ((fdc->dor & FDC_DOR_RUN) == 0)
        return;
    if (fdc->phase == FDC_PHASE_IDLE || fdc->phase == FDC_PHASE_COMMAND)
        take_command_byte(fdc, value);
    else if (fdc->phase == FDC_PHASE_HOST && !fdc_uses_dma(fdc) && !fdc_to_host(fdc))
        fdc_host_write(fdc, value);
}

uint8_t
fdc_data_read(Fdc *fdc)
{
    uint8_t value;

    if (fdc->phase == FDC_PHASE_HOST && !fdc_uses_dma(fdc) && fdc_to_host(fdc))
        return fdc_host_read(fdc);
    if (fdc->phase != FDC_PHASE_RESULT)
        return 0;
    value = fdc->bytes[fdc->at++];
    if (fdc->at == 1 && fdc->seeks == 0 && fdc->reset_left == 0)
        fdc_lower_irq(fdc);
    if (fdc->at == fdc->length)
        fdc_result(fdc, 0, false);
    return value;
}
