/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The AC'97 bus masters: three rings of 32 buffers each, worked through at the pace of the codec's
 * rates. Intel 82801AA (ICH) data sheet, chapter 14.2, "Native audio bus mastering registers". */
#include "devices/sound/ac97-private.h"

#include <string.h>

#define SR_DCH 0x01u   /* halted */
#define SR_CELV 0x02u  /* at the last valid buffer */
#define SR_LVBCI 0x04u /* which is completed */
#define SR_BCIS 0x08u  /* a buffer is completed that wants to interrupt */
#define SR_FIFOE 0x10u
#define SR_CLEARED_BY_ONE (SR_LVBCI | SR_BCIS | SR_FIFOE)

#define CR_RPBM 0x01u /* run */
#define CR_RR 0x02u   /* reset */
#define CR_LVBIE 0x04u
#define CR_FEIE 0x08u
#define CR_IOCE 0x10u

#define GLOBAL_COLD 0x02u /* out of cold reset */
#define GLOBAL_WARM 0x04u
#define GLOBAL_CONTROL_MASK 0x3fu
#define STATUS_READY 0x100u

enum { BDBAR = 0, CIV = 4, LVI = 5, SR = 6, PICB = 8, PIV = 10, CR = 11 };
enum { GLOB_CNT = 0x2c, GLOB_STA = 0x30, ACC_SEMA = 0x34 };

#define CHUNK 2048u /* bytes */
/* However small a guest makes its buffers. */
#define INTERVAL_MIN_NS 500000u

static const uint32_t status_of_box[AC97_BOXES] = {0x20, 0x40, 0x80};

static void
update_irq(Ac97 *ac97)
{
    ac97->global_status &= ~(status_of_box[0] | status_of_box[1] | status_of_box[2]);
    for (unsigned i = 0; i < AC97_BOXES; i++) {
        const Ac97Box *box = &ac97->box[i];

        if ((box->sr & SR_LVBCI && box->cr & CR_LVBIE) ||
            (box->sr & SR_BCIS && box->cr & CR_IOCE) || (box->sr & SR_FIFOE && box->cr & CR_FEIE))
            ac97->global_status |= status_of_box[i];
    }
    pdm_pci_irq(ac97->device, ac97->pci, ac97->global_status & ~STATUS_READY);
}

static bool
is_running(const Ac97Box *box)
{
    return box->cr & CR_RPBM && !(box->sr & SR_DCH);
}

static unsigned
channels(const Ac97Box *box)
{
    return box->index == AC97_MC ? 1 : 2;
}

static void
pace_box(Ac97Box *box)
{
    sound_pace_start(&box->pace, pdm_now(box->ac97->device),
                     ac97_codec_rate(box->ac97, box->index) * channels(box));
    if (box->ac97->audio)
        box->ac97->audio->run(box->stream, is_running(box));
}

/* The next descriptor: 32 bits of address, 16 of samples, and what to do at the end. */
static void
load_buffer(Ac97Box *box)
{
    uint8_t raw[8];
    uint32_t address, control;

    box->civ = box->piv;
    box->piv = (box->civ + 1) % 32;
    pdm_phys_read(box->ac97->device, box->base + box->civ * 8u, raw, sizeof raw);
    memcpy(&address, raw, 4);
    memcpy(&control, raw + 4, 4);
    box->address = GUINT32_FROM_LE(address) & ~1u;
    control = GUINT32_FROM_LE(control);
    box->picb = (uint16_t)control;
    box->on_completion = control >> 31;
    box->loaded = true;
}

static void
complete_buffer(Ac97Box *box)
{
    box->loaded = false;
    if (box->on_completion)
        box->sr |= SR_BCIS;
    if (box->civ == box->lvi) {
        box->sr |= SR_LVBCI | SR_CELV | SR_DCH;
        pace_box(box);
    } else {
        load_buffer(box);
    }
    update_irq(box->ac97);
}

static void
move(Ac97Box *box, uint32_t samples)
{
    const AudioConnector *audio = box->ac97->audio;
    uint8_t data[CHUNK] = {0};
    size_t size = samples * 2u;

    if (box->index == AC97_PO) {
        pdm_phys_read(box->ac97->device, box->address, data, size);
        if (audio)
            audio->write(box->stream, data, size);
    } else {
        if (audio)
            audio->read(box->stream, data, size);
        pdm_phys_write(box->ac97->device, box->address, data, size);
    }
    box->address += (uint32_t)size;
    box->picb = (uint16_t)(box->picb - samples);
}

/* Works at what is due. Each of the 32 buffers may be empty, so the last valid one ends it. */
static void
run_box(Ac97Box *box)
{
    uint64_t now = pdm_now(box->ac97->device), due;

    if (box->index == AC97_PO && sound_pace_waits(&box->pace, box->ac97->audio, box->stream, now))
        return;
    due = sound_pace_due(&box->pace, now);
    due -= due % channels(box);
    while (is_running(box) && (due != 0 || box->picb < channels(box))) {
        uint32_t samples = (uint32_t)MIN(MIN(due, box->picb), CHUNK / 2);

        samples -= samples % channels(box);
        if (samples != 0) {
            move(box, samples);
            sound_pace_moved(&box->pace, samples);
            due -= samples;
        }
        if (box->picb < channels(box))
            complete_buffer(box);
    }
}

void
ac97_master_run(Ac97 *ac97)
{
    uint64_t now = pdm_now(ac97->device), next = UINT64_MAX;

    for (unsigned i = 0; i < AC97_BOXES; i++) {
        Ac97Box *box = &ac97->box[i];

        if (is_running(box))
            run_box(box);
        if (is_running(box))
            next = MIN(next, MIN(sound_pace_when(&box->pace, box->picb), now + AUDIO_PERIOD_NS));
    }
    if (next != UINT64_MAX)
        pdm_timer_set(ac97->device, ac97->timer, MAX(next, now + INTERVAL_MIN_NS));
    else
        pdm_timer_cancel(ac97->device, ac97->timer);
}

void
ac97_master_repace(Ac97 *ac97)
{
    for (unsigned i = 0; i < AC97_BOXES; i++) {
        Ac97Box *box = &ac97->box[i];

        if (is_running(box) && box->pace.rate != ac97_codec_rate(ac97, i) * channels(box))
            pace_box(box);
    }
    ac97_master_run(ac97);
}

static void
reset_box(Ac97Box *box)
{
    box->base = box->address = 0;
    box->civ = box->lvi = box->piv = 0;
    box->picb = 0;
    box->loaded = box->on_completion = false;
    box->sr = SR_DCH;
    box->cr &= CR_LVBIE | CR_FEIE | CR_IOCE;
    pace_box(box);
}

void
ac97_master_reset(Ac97 *ac97)
{
    for (unsigned i = 0; i < AC97_BOXES; i++) {
        ac97->box[i].cr = 0;
        reset_box(&ac97->box[i]);
    }
    ac97->global_control = 0;
    ac97->global_status = STATUS_READY;
    ac97->semaphore = 0;
    update_irq(ac97);
    ac97_master_run(ac97);
}

void
ac97_master_loaded(Ac97 *ac97)
{
    for (unsigned i = 0; i < AC97_BOXES; i++)
        pace_box(&ac97->box[i]);
    update_irq(ac97);
    ac97_master_run(ac97);
}

/* --- registers --- */

static void
write_control(Ac97Box *box, uint32_t value)
{
    if (value & CR_RR) {
        if (!(box->cr & CR_RPBM))
            reset_box(box);
        return;
    }
    box->cr = value & (CR_RPBM | CR_LVBIE | CR_FEIE | CR_IOCE);
    if (!(box->cr & CR_RPBM)) {
        box->sr |= SR_DCH;
    } else if (box->sr & SR_DCH && !(box->sr & SR_CELV)) {
        box->sr &= (uint16_t)~SR_DCH;
        if (!box->loaded)
            load_buffer(box);
    }
    pace_box(box);
}

/* More buffers: goes on behind the one that was the last. */
static void
write_last_valid(Ac97Box *box, uint32_t value)
{
    box->lvi = value % 32;
    if (!(box->sr & SR_CELV) || box->civ == box->lvi)
        return;
    box->sr &= (uint16_t)~SR_CELV;
    if (!(box->cr & CR_RPBM))
        return;
    box->sr &= (uint16_t)~SR_DCH;
    load_buffer(box);
    pace_box(box);
}

static void
box_write(Ac97Box *box, uint32_t offset, uint32_t value, unsigned size)
{
    if (offset == BDBAR && size == 4) {
        box->base = value & ~7u;
    } else if (offset == LVI && size == 1) {
        write_last_valid(box, value);
    } else if (offset == CIV && size == 2) {
        write_last_valid(box, value >> 8);
    } else if (offset == SR && size <= 2) {
        box->sr &= (uint16_t) ~(value & SR_CLEARED_BY_ONE);
    } else if (offset == CR && size == 1) {
        write_control(box, value);
    } else if (offset == CIV && size == 4) {
        write_last_valid(box, value >> 8);
        box->sr &= (uint16_t) ~(value >> 16 & SR_CLEARED_BY_ONE);
    }
}

static uint32_t
box_read(const Ac97Box *box, uint32_t offset, unsigned size)
{
    const uint8_t raw[16] = {(uint8_t)box->base,
                             (uint8_t)(box->base >> 8),
                             (uint8_t)(box->base >> 16),
                             (uint8_t)(box->base >> 24),
                             box->civ,
                             box->lvi,
                             (uint8_t)box->sr,
                             (uint8_t)(box->sr >> 8),
                             (uint8_t)box->picb,
                             (uint8_t)(box->picb >> 8),
                             box->piv,
                             box->cr};
    uint32_t value = 0;

    for (unsigned i = 0; i < size && offset + i < sizeof raw; i++)
        value |= (uint32_t)raw[offset + i] << (8 * i);
    return value;
}

static void
master_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Ac97 *ac97 = user;

    ac97_master_run(ac97);
    if (offset < GLOB_CNT)
        box_write(&ac97->box[offset / 0x10], offset % 0x10, value, size);
    else if (offset == GLOB_CNT)
        ac97->global_control = value & GLOBAL_CONTROL_MASK & ~GLOBAL_WARM; /* it is over at once */
    if (offset == GLOB_CNT && !(value & GLOBAL_COLD))
        ac97_codec_reset(ac97);
    update_irq(ac97);
    ac97_master_run(ac97);
}

static uint32_t
master_read(void *user, uint32_t offset, unsigned size)
{
    Ac97 *ac97 = user;
    uint32_t taken;

    ac97_master_run(ac97);
    if (offset < GLOB_CNT)
        return box_read(&ac97->box[offset / 0x10], offset % 0x10, size);
    switch (offset) {
    case GLOB_CNT: return ac97->global_control;
    case GLOB_STA: return ac97->global_status;
    case ACC_SEMA:
        taken = ac97->semaphore;
        ac97->semaphore = 1;
        return taken;
    default: return 0;
    }
}

const IomPortOps ac97_master_ops = {.read = master_read, .write = master_write, .sizes = 7};
