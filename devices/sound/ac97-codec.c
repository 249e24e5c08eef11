/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The AC'97 codec: SigmaTel STAC9700, or Analog Devices AD1980. Intel, Audio Codec '97
 * revision 2.3, chapter 5 (registers); the data sheets for their ids. Of the analogue inputs only
 * those that record are there; variable rate is, double rate and 3D are not. */
#include "devices/sound/ac97-private.h"

#include <math.h>
#include <string.h>

#define REG(offset) ((offset) / 2)

enum {
    RESET = 0x00,
    MASTER = 0x02,
    HEADPHONE = 0x04,
    MONO = 0x06,
    BEEP = 0x0a,
    PHONE = 0x0c,
    MIC = 0x0e,
    LINE = 0x10,
    CD = 0x12,
    VIDEO = 0x14,
    AUX = 0x16,
    PCM = 0x18,
    RECORD_SELECT = 0x1a,
    RECORD_GAIN = 0x1c,
    MIC_GAIN = 0x1e,
    GENERAL = 0x20,
    POWER = 0x26,
    EXTENDED_ID = 0x28,
    EXTENDED_CONTROL = 0x2a,
    DAC_RATE = 0x2c,
    ADC_RATE = 0x32,
    MIC_RATE = 0x34,
    VENDOR_FIRST = 0x5a,
    VENDOR_LAST = 0x7a,
    VENDOR_ID1 = 0x7c,
    VENDOR_ID2 = 0x7e,
};

#define MUTE 0x8000u
#define VARIABLE_RATE 0x0001u
#define VARIABLE_MIC_RATE 0x0008u
#define POWER_READY 0x000fu

/* Which bits of each register the guest can write; those missing are read-only. */
static const struct {
    uint8_t reg;
    uint16_t mask, initial;
} registers[] = {
    {MASTER, 0x9f1f, 0x8000},
    {HEADPHONE, 0x9f1f, 0x8000},
    {MONO, 0x801f, 0x8000},
    {BEEP, 0x801e, 0x0000},
    {PHONE, 0x801f, 0x8008},
    {MIC, 0x805f, 0x8008},
    {LINE, 0x9f1f, 0x8808},
    {CD, 0x9f1f, 0x8808},
    {VIDEO, 0x9f1f, 0x8808},
    {AUX, 0x9f1f, 0x8808},
    {PCM, 0x9f1f, 0x8808},
    {RECORD_SELECT, 0x0707, 0x0000},
    {RECORD_GAIN, 0x8f0f, 0x8000},
    {MIC_GAIN, 0x800f, 0x8000},
    {GENERAL, 0x0380, 0x0000},
    {POWER, 0xff00, POWER_READY},
    {EXTENDED_ID, 0, VARIABLE_RATE | VARIABLE_MIC_RATE | 0x0800}, /* revision 2.2 or later */
    {EXTENDED_CONTROL, VARIABLE_RATE | VARIABLE_MIC_RATE, 0x0000},
    {DAC_RATE, 0xffff, 48000},
    {ADC_RATE, 0xffff, 48000},
    {MIC_RATE, 0xffff, 48000},
};

static bool
is_muted_by_power(const Ac97 *ac97, unsigned bit)
{
    return ac97->codec[REG(POWER)] >> bit & 1; /* PR0: converters in, PR1: out */
}

/* Attenuation of a 5-bit field in steps of 1.5 dB from `top`. */
static float
level(unsigned field, double top, bool is_gain)
{
    double db = top + (is_gain ? 1.5 : -1.5) * (field & 0x1f);

    return (float)pow(10, db / 20);
}

void
ac97_codec_apply(Ac97 *ac97)
{
    unsigned master = ac97->codec[REG(MASTER)], pcm = ac97->codec[REG(PCM)];
    unsigned record = ac97->codec[REG(RECORD_GAIN)], mic = ac97->codec[REG(MIC_GAIN)];
    bool silent = (master | pcm) & MUTE || is_muted_by_power(ac97, 9);
    bool deaf = is_muted_by_power(ac97, 8);

    if (ac97->audio == NULL)
        return;
    ac97->audio->set_volume(ac97->box[AC97_PO].stream,
                            silent ? 0 : level(master >> 8, 0, false) * level(pcm >> 8, 12, false),
                            silent ? 0 : level(master, 0, false) * level(pcm, 12, false));
    ac97->audio->set_volume(ac97->box[AC97_PI].stream,
                            deaf || record & MUTE ? 0 : level(record >> 8 & 0xf, 0, true),
                            deaf || record & MUTE ? 0 : level(record & 0xf, 0, true));
    ac97->audio->set_volume(ac97->box[AC97_MC].stream,
                            deaf || mic & MUTE ? 0 : level(mic & 0xf, 0, true),
                            deaf || mic & MUTE ? 0 : level(mic & 0xf, 0, true));
    for (unsigned i = 0; i < AC97_BOXES; i++) {
        const AudioFormat format = {.rate = ac97_codec_rate(ac97, i),
                                    .channels = i == AC97_MC ? 1 : 2,
                                    .sample = AUDIO_S16};

        ac97->audio->set_format(ac97->box[i].stream, &format);
    }
}

uint32_t
ac97_codec_rate(const Ac97 *ac97, unsigned box)
{
    static const uint8_t reg[AC97_BOXES] = {ADC_RATE, DAC_RATE, MIC_RATE};

    return ac97->codec[REG(reg[box])];
}

void
ac97_codec_reset(Ac97 *ac97)
{
    memset(ac97->codec, 0, sizeof ac97->codec);
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++)
        ac97->codec[REG(registers[i].reg)] = registers[i].initial;
    ac97->codec[REG(VENDOR_ID1)] = ac97->ad1980 ? 0x4144 : 0x8384;
    ac97->codec[REG(VENDOR_ID2)] = ac97->ad1980 ? 0x5370 : 0x7600;
    ac97_codec_apply(ac97);
}

/* The converters of the codecs take 4 to 48 kHz; a rate beyond that becomes the nearest. */
static uint16_t
possible_rate(const Ac97 *ac97, uint32_t offset, uint32_t value)
{
    unsigned needs = offset == MIC_RATE ? VARIABLE_MIC_RATE : VARIABLE_RATE;

    if (!(ac97->codec[REG(EXTENDED_CONTROL)] & needs))
        return 48000;
    return (uint16_t)CLAMP(value, 4000, 48000);
}

static void
set_extended_control(Ac97 *ac97)
{
    unsigned control = ac97->codec[REG(EXTENDED_CONTROL)];

    if (!(control & VARIABLE_RATE))
        ac97->codec[REG(DAC_RATE)] = ac97->codec[REG(ADC_RATE)] = 48000;
    if (!(control & VARIABLE_MIC_RATE))
        ac97->codec[REG(MIC_RATE)] = 48000;
}

static void
codec_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Ac97 *ac97 = user;
    uint16_t *reg = &ac97->codec[REG(offset)];

    ac97->semaphore = 0;
    if (offset == RESET) {
        ac97_codec_reset(ac97);
        ac97_master_repace(ac97);
        return;
    }
    if (ac97->ad1980 && offset >= VENDOR_FIRST && offset <= VENDOR_LAST)
        *reg = (uint16_t)value;
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
        if (registers[i].reg == offset)
            *reg = (uint16_t)((*reg & ~registers[i].mask) | (value & registers[i].mask));
    }
    if (offset == DAC_RATE || offset == ADC_RATE || offset == MIC_RATE)
        *reg = possible_rate(ac97, offset, value);
    if (offset == EXTENDED_CONTROL)
        set_extended_control(ac97);
    /* A sixth bit of attenuation is not there: it gives the most that is. */
    if ((offset == MASTER || offset == HEADPHONE || offset == MONO) && value & 0x0020)
        *reg |= 0x001f;
    if ((offset == MASTER || offset == HEADPHONE) && value & 0x2000)
        *reg |= 0x1f00;
    ac97_codec_apply(ac97);
    ac97_master_repace(ac97);
}

static uint32_t
codec_read(void *user, uint32_t offset, unsigned size)
{
    Ac97 *ac97 = user;

    ac97->semaphore = 0;
    return ac97->codec[REG(offset)];
}

const IomPortOps ac97_codec_ops = {.read = codec_read, .write = codec_write, .sizes = 2};
