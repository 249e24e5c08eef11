/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The HD Audio controller's registers (chapter 3.3). Accesses of any size: a table says which bits
 * of each register can be written, and which are cleared by ones. */
#include "devices/sound/hda-private.h"

#include <string.h>

#define GIE 0x80000000u
#define CIE 0x40000000u
#define STREAM_BITS ((1u << HDA_STREAMS) - 1)
#define WALL_HZ 24000000u
#define ICIS_BUSY 0x01u
#define ICIS_VALID 0x02u

typedef struct {
    uint16_t offset;
    uint8_t size;
    uint32_t initial, writable, cleared;
} Register;

/* clang-format off */
static const Register registers[] = {
    {0x00, 2, 0x4401, 0, 0}, /* GCAP: 4 inputs, 4 outputs, 64-bit addresses */
    {0x02, 1, 0x00, 0, 0}, {0x03, 1, 0x01, 0, 0}, /* version 1.0 */
    {0x04, 2, 0x3c, 0, 0}, {0x06, 2, 0x1d, 0, 0}, /* words of payload in a frame */
    {HDA_GCTL, 4, 0, 0x0103, 0},
    {0x0c, 2, 0, 0x7fff, 0}, /* WAKEEN */
    {HDA_STATESTS, 2, 0, 0, 0x7fff},
    {0x10, 2, 0, 0, 0x0002}, /* GSTS */
    {0x18, 2, 0x3c, 0, 0}, {0x1a, 2, 0x1d, 0, 0},
    {HDA_INTCTL, 4, 0, GIE | CIE | STREAM_BITS, 0},
    {HDA_INTSTS, 4, 0, 0, 0},
    {0x34, 4, 0, STREAM_BITS, 0}, /* SSYNC */
    {HDA_CORBLBASE, 4, 0, 0xffffff80, 0}, {HDA_CORBUBASE, 4, 0, 0xffffffff, 0},
    {HDA_CORBWP, 2, 0, 0x00ff, 0}, {HDA_CORBRP, 2, 0, 0x8000, 0},
    {HDA_CORBCTL, 1, 0, 0x03, 0}, {0x4d, 1, 0, 0, 0x01}, {HDA_CORBSIZE, 1, 0x42, 0, 0},
    {HDA_RIRBLBASE, 4, 0, 0xffffff80, 0}, {HDA_RIRBUBASE, 4, 0, 0xffffffff, 0},
    {HDA_RIRBWP, 2, 0, 0x8000, 0}, {HDA_RINTCNT, 2, 0, 0x00ff, 0},
    {HDA_RIRBCTL, 1, 0, 0x07, 0}, {HDA_RIRBSTS, 1, 0, 0, 0x05}, {HDA_RIRBSIZE, 1, 0x42, 0, 0},
    {HDA_ICOI, 4, 0, 0xffffffff, 0}, {HDA_ICII, 4, 0, 0, 0}, {HDA_ICIS, 2, 0, ICIS_BUSY, ICIS_VALID},
    {HDA_DPLBASE, 4, 0, 0xffffff81, 0}, {HDA_DPUBASE, 4, 0, 0xffffffff, 0},
};
static const Register stream_registers[] = {
    {HDA_SDCTL, 3, 0x040000, 0xf7001f, 0}, {HDA_SDSTS, 1, 0, 0, 0x1c},
    {HDA_SDLPIB, 4, 0, 0, 0}, {HDA_SDCBL, 4, 0, 0xffffffff, 0},
    {HDA_SDLVI, 2, 0, 0x00ff, 0}, {HDA_SDFIFOS, 2, 0xbf, 0, 0}, {HDA_SDFMT, 2, 0, 0x7f7f, 0},
    {HDA_SDBDPL, 4, 0, 0xffffff80, 0}, {HDA_SDBDPU, 4, 0, 0xffffffff, 0},
};
/* clang-format on */

void
hda_update_irq(Hda *hda)
{
    uint32_t status = 0, control = hda_get(hda, HDA_INTCTL, 4);

    for (unsigned i = 0; i < HDA_STREAMS; i++) {
        unsigned sd = HDA_SD + i * HDA_SD_SIZE;

        /* The enable bits 2 to 4 of the control stand where the status bits are. */
        if (hda->regs[sd + HDA_SDSTS] & hda->regs[sd + HDA_SDCTL] & 0x1c)
            status |= 1u << i;
    }
    if (hda->regs[HDA_RIRBSTS] & hda->regs[HDA_RIRBCTL] & 0x05)
        status |= CIE;
    if (status & control)
        status |= GIE;
    hda_set(hda, HDA_INTSTS, 4, status);
    pdm_pci_irq(hda->device, hda->pci, (status & GIE) && (control & GIE));
}

static void
set_initial(Hda *hda)
{
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++)
        hda_set(hda, registers[i].offset, registers[i].size, registers[i].initial);
    for (unsigned s = 0; s < HDA_STREAMS; s++) {
        for (size_t i = 0; i < G_N_ELEMENTS(stream_registers); i++)
            hda_set(hda, HDA_SD + s * HDA_SD_SIZE + stream_registers[i].offset,
                    stream_registers[i].size, stream_registers[i].initial);
    }
}

void
hda_registers_reset(Hda *hda)
{
    memset(hda->regs, 0, sizeof hda->regs);
    set_initial(hda);
    hda->responses = 0;
    hda->wall_zero = pdm_now(hda->device);
    hda_streams_reset(hda);
    hda_update_irq(hda);
}

/* CRST low holds everything in reset; its rise brings the codec's state change. */
static void
global_control(Hda *hda, uint32_t before)
{
    uint32_t now = hda_get(hda, HDA_GCTL, 4);

    if (before & HDA_GCTL_CRST && !(now & HDA_GCTL_CRST)) {
        hda_registers_reset(hda);
        hda_codec_reset(hda);
    } else if (!(before & HDA_GCTL_CRST) && now & HDA_GCTL_CRST) {
        hda->wall_zero = pdm_now(hda->device);
        hda_set(hda, HDA_STATESTS, 2, 1);
    }
}

static void
immediate_command(Hda *hda)
{
    if (!(hda->regs[HDA_ICIS] & ICIS_BUSY))
        return;
    hda_set(hda, HDA_ICII, 4, hda_codec_verb(hda, hda_get(hda, HDA_ICOI, 4)));
    hda->regs[HDA_ICIS] = ICIS_VALID;
}

static void
written(Hda *hda, const Register *reg, uint32_t before)
{
    switch (reg->offset) {
    case HDA_GCTL: global_control(hda, before); break;
    case HDA_CORBRP: /* reset while bit 15 is set; the bit reads back as the guest waits for it */
        hda_set(hda, HDA_CORBRP, 2, hda_get(hda, HDA_CORBRP, 2) & 0x8000);
        break;
    case HDA_CORBWP:
    case HDA_CORBCTL: hda_corb_run(hda); break;
    case HDA_RIRBWP: /* bit 15 resets the pointer and reads as 0 */
        hda_set(hda, HDA_RIRBWP, 2, hda_get(hda, HDA_RIRBWP, 2) & 0x8000 ? 0 : before);
        break;
    case HDA_RIRBSTS:
        if (before & 1 && !(hda->regs[HDA_RIRBSTS] & 1))
            hda->responses = 0;
        hda_corb_run(hda);
        break;
    case HDA_ICIS: immediate_command(hda); break;
    default: break;
    }
}

/* The part of an access that falls on a register at `offset`. */
static void
write_register(Hda *hda, const Register *reg, unsigned at, uint64_t from, uint64_t value,
               unsigned size, HdaStream *stream)
{
    uint32_t before = hda_get(hda, at, reg->size), now = before, bits, mask = 0;

    if (from + size <= at || from >= at + reg->size)
        return;
    for (unsigned i = 0; i < reg->size; i++) {
        if (at + i >= from && at + i < from + size)
            mask |= 0xffu << (8 * i);
    }
    bits = (uint32_t)(from <= at ? value >> (8 * (at - from)) : value << (8 * (from - at))) & mask;
    now = (now & ~(reg->writable & mask)) | (bits & reg->writable);
    now &= ~(bits & reg->cleared);
    hda_set(hda, at, reg->size, now);
    if (stream == NULL)
        written(hda, reg, before);
    else if (reg->offset == HDA_SDCTL || reg->offset == HDA_SDFMT)
        hda_stream_control(stream,
                           reg->offset == HDA_SDCTL ? before : hda_get(hda, hda_sd(stream), 3));
}

static void
hda_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    Hda *hda = user;

    /* In reset, only the bit that ends it can be written. */
    if (!(hda->regs[HDA_GCTL] & HDA_GCTL_CRST) && offset != HDA_GCTL)
        return;
    hda_streams_run(hda);
    for (size_t i = 0; i < G_N_ELEMENTS(registers) && offset < HDA_SD; i++)
        write_register(hda, &registers[i], registers[i].offset, offset, value, size, NULL);
    for (unsigned s = 0; s < HDA_STREAMS && offset >= HDA_SD; s++) {
        HdaStream *stream = &hda->streams[s];

        for (size_t i = 0; i < G_N_ELEMENTS(stream_registers); i++)
            write_register(hda, &stream_registers[i], hda_sd(stream) + stream_registers[i].offset,
                           offset, value, size, stream);
    }
    hda_update_irq(hda);
    hda_streams_run(hda);
}

static uint64_t
hda_read(void *user, uint64_t offset, unsigned size)
{
    Hda *hda = user;
    uint64_t passed;

    /* Above 2000h stand the wall clock and the positions once more (chapter 3.3, "aliases"). */
    if (offset >= 0x2000)
        offset -= 0x2000;
    if (offset + size > HDA_REGISTERS)
        return 0;
    if (offset >= HDA_WALCLK && offset < HDA_WALCLK + 4) {
        passed = pdm_now(hda->device) - hda->wall_zero;
        hda_set(hda, HDA_WALCLK, 4, (uint32_t)((unsigned __int128)passed * WALL_HZ / 1000000000u));
    }
    if (offset >= HDA_SD)
        hda_streams_run(hda);
    return hda_get(hda, (unsigned)offset, size);
}

const IomMmioOps hda_mmio_ops = {.read = hda_read, .write = hda_write, .max_size = 4};
