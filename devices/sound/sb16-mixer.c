/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Sound Blaster 16's mixer CT1745: volumes, and which interrupt and DMA channels the card has.
 * Programming Guide, chapter 4. Of the inputs the host's microphone is behind the microphone and
 * line jacks; FM, CD, tone controls and automatic gain keep what they are set to and do nothing. */
#include "devices/sound/sb16-private.h"

#include <math.h>
#include <string.h>

enum {
    RESET = 0x00,
    MIC_PRO = 0x0a,
    MASTER = 0x30,
    VOICE = 0x32,
    LINE = 0x38,
    MIC = 0x3a,
    INPUTS = 0x3d, /* left, then right */
    INPUT_GAIN = 0x3f,
    OUTPUT_GAIN = 0x41,
    IRQ = 0x80,
    DMA = 0x81,
    STATUS = 0x82,
};

#define INPUT_MIC 0x01u
#define INPUT_LINES 0x18u

static const struct {
    uint8_t reg, mask, initial;
} registers[] = {
    {0x30, 0xf8, 0xc0}, {0x31, 0xf8, 0xc0}, {0x32, 0xf8, 0xc0}, {0x33, 0xf8, 0xc0},
    {0x34, 0xf8, 0xc0}, {0x35, 0xf8, 0xc0}, {0x36, 0xf8, 0x00}, {0x37, 0xf8, 0x00},
    {0x38, 0xf8, 0x00}, {0x39, 0xf8, 0x00}, {0x3a, 0xf8, 0x00}, {0x3b, 0xc0, 0x00},
    {0x3c, 0x1f, 0x1f}, {0x3d, 0x7f, 0x15}, {0x3e, 0x7f, 0x0b}, {0x3f, 0xc0, 0x00},
    {0x40, 0xc0, 0x00}, {0x41, 0xc0, 0x00}, {0x42, 0xc0, 0x00}, {0x43, 0x01, 0x00},
    {0x44, 0xf0, 0x80}, {0x45, 0xf0, 0x80}, {0x46, 0xf0, 0x80}, {0x47, 0xf0, 0x80},
};

/* The Sound Blaster Pro's registers hold both sides of a pair in one byte. */
static const struct {
    uint8_t reg, left;
} pairs[] = {{0x04, 0x32}, {0x22, 0x30}, {0x26, 0x34}, {0x28, 0x36}, {0x2e, 0x38}};

/* The bits of registers 80h and 81h. */
static const int8_t irqs[8] = {9, 5, 7, 10, -1, -1, -1, -1};
static const int8_t channels[8] = {0, 1, -1, 3, -1, 5, 6, 7};

static int
first(const int8_t *choices, unsigned bits)
{
    for (unsigned i = 0; i < 8; i++) {
        if (bits >> i & 1 && choices[i] >= 0)
            return choices[i];
    }
    return -1;
}

static uint8_t
bit_of(const int8_t *choices, unsigned value)
{
    for (unsigned i = 0; i < 8; i++) {
        if (choices[i] == (int)value)
            return (uint8_t)(1u << i);
    }
    return 0;
}

int
sb16_mixer_irq(const Sb16 *sb16)
{
    return first(irqs, sb16->mixer[IRQ]);
}

/* Without a channel of its own, 16 bits go through the one of 8. */
int
sb16_mixer_dma(const Sb16 *sb16, unsigned way)
{
    int wide = first(channels, sb16->mixer[DMA] & 0xe0);

    return way == SB16_WIDE && wide >= 0 ? wide : first(channels, sb16->mixer[DMA] & 0x0b);
}

static void
update_irq(Sb16 *sb16)
{
    int wanted = sb16->mixer[STATUS] & 3 ? sb16_mixer_irq(sb16) : -1;

    if (wanted == sb16->line)
        return;
    if (sb16->line >= 0)
        pdm_isa_irq(sb16->device, (unsigned)sb16->line, false);
    if (wanted >= 0)
        pdm_isa_irq(sb16->device, (unsigned)wanted, true);
    sb16->line = wanted;
}

void
sb16_irq_raise(Sb16 *sb16, unsigned way)
{
    sb16->mixer[STATUS] |= (uint8_t)(1u << way);
    update_irq(sb16);
}

void
sb16_irq_lower(Sb16 *sb16, unsigned way)
{
    sb16->mixer[STATUS] &= (uint8_t) ~(1u << way);
    update_irq(sb16);
}

/* 32 steps of 2 dB up to 0 dB, and amplifiers of 6 dB. */
static float
level(const Sb16 *sb16, unsigned reg)
{
    return (float)pow(10, ((sb16->mixer[reg] >> 3) - 31) * 2 / 20.0);
}

static float
gain(const Sb16 *sb16, unsigned reg)
{
    return (float)(1u << (sb16->mixer[reg] >> 6));
}

static float
input_level(const Sb16 *sb16, unsigned side)
{
    unsigned inputs = sb16->mixer[INPUTS + side];
    float heard = 0;

    if (inputs & INPUT_MIC)
        heard = level(sb16, MIC);
    if (inputs & INPUT_LINES)
        heard = fmaxf(heard, level(sb16, LINE + side));
    return heard * gain(sb16, INPUT_GAIN + side);
}

void
sb16_mixer_apply(Sb16 *sb16)
{
    for (unsigned way = 0; way < SB16_WAYS && sb16->audio; way++) {
        AudioStream *const *streams = sb16->transfers[way].streams;
        float out[2];

        for (unsigned i = 0; i < 2; i++)
            out[i] = level(sb16, MASTER + i) * level(sb16, VOICE + i) * gain(sb16, OUTPUT_GAIN + i);
        sb16->audio->set_volume(streams[AUDIO_OUTPUT], out[0], out[1]);
        sb16->audio->set_volume(streams[AUDIO_INPUT], input_level(sb16, 0), input_level(sb16, 1));
    }
    update_irq(sb16);
}

/* What the guest can set; interrupt and DMA stay as they are. */
void
sb16_mixer_reset(Sb16 *sb16)
{
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++)
        sb16->mixer[registers[i].reg] = registers[i].initial;
    if (sb16_mixer_irq(sb16) < 0)
        sb16->mixer[IRQ] = bit_of(irqs, sb16->default_irq);
    if (sb16->mixer[DMA] == 0)
        sb16->mixer[DMA] =
            bit_of(channels, sb16->default_dma) | bit_of(channels, sb16->default_dma16);
    sb16_mixer_apply(sb16);
}

static void
write_register(Sb16 *sb16, unsigned reg, uint8_t value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
        if (registers[i].reg == reg)
            sb16->mixer[reg] = value & registers[i].mask;
    }
}

void
sb16_mixer_write(Sb16 *sb16, uint8_t value)
{
    unsigned reg = sb16->mixer_index;

    switch (reg) {
    case RESET: sb16_mixer_reset(sb16); return;
    case IRQ: sb16->mixer[IRQ] = value & 0x0f; break;
    case DMA:
        /* What is under way goes on on the new channel. */
        sb16->mixer[DMA] = value & 0xeb;
        break;
    case MIC_PRO: sb16->mixer[MIC] = (uint8_t)(value << 5); break;
    default: write_register(sb16, reg, value); break;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (pairs[i].reg != reg)
            continue;
        sb16->mixer[pairs[i].left] = (value & 0xf0) | 0x08;
        sb16->mixer[pairs[i].left + 1] = (uint8_t)(value << 4) | 0x08;
    }
    sb16_mixer_apply(sb16);
}

uint8_t
sb16_mixer_read(const Sb16 *sb16)
{
    unsigned reg = sb16->mixer_index;

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (pairs[i].reg == reg)
            return (sb16->mixer[pairs[i].left] & 0xf0) | sb16->mixer[pairs[i].left + 1] >> 4;
    }
    if (reg == MIC_PRO)
        return sb16->mixer[MIC] >> 5;
    return reg < SB16_MIXER_REGISTERS ? sb16->mixer[reg] : 0xff;
}
