/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The codec on the HD Audio link: SigmaTel STAC9221 as far as software sees one: four converters to
 * two speakers each, two from the inputs, six jacks. Chapter 7 of the specification (verbs and
 * parameters); SigmaTel STAC9220/9221 data sheet, "Widgets". Digital jacks and the beep are left
 * out. */
#include "devices/sound/hda-private.h"

#include <math.h>
#include <string.h>

#define VENDOR 0x83847680u
#define REVISION 0x00103401u
#define SUBSYSTEM 0x83847680u
#define AFG 1u

/* Widget capabilities (7.3.4.6). */
#define STEREO 0x0001u
#define IN_AMP 0x0002u
#define OUT_AMP 0x0004u
#define AMP_OVERRIDE 0x0008u
#define FORMAT_OVERRIDE 0x0010u
#define UNSOLICITED 0x0080u
#define CONNECTED 0x0100u
#define POWERED 0x0400u
#define TYPE_OUT (0x0u << 20)
#define TYPE_IN (0x1u << 20)
#define TYPE_SELECTOR (0x3u << 20)
#define TYPE_PIN (0x4u << 20)
#define TYPE_VENDOR (0xfu << 20)

#define RATES 0x000e0560u /* 16, 20, 24 bits; 44.1, 48, 96, 192 kHz and 88.2 */
#define PIN_OUT 0x0010u
#define PIN_IN 0x0020u
#define PIN_HP 0x0008u
#define PIN_SENSE 0x0004u
#define PIN_EAPD 0x10000u
/* 128 steps of 0.75 dB up to 0 dB, mute; 16 steps of 1.5 dB from 0 dB. */
#define DAC_AMP 0x80027f7fu
#define RECORD_AMP 0x80050f00u

typedef struct {
    uint32_t capabilities, pin, config;
    uint8_t inputs[7], count;
} Widget;

/* clang-format off */
static const Widget widgets[HDA_NODES] = {
    [0x02] = {TYPE_OUT | STEREO | OUT_AMP | AMP_OVERRIDE | FORMAT_OVERRIDE | POWERED, 0, 0, {0}, 0},
    [0x03] = {TYPE_OUT | STEREO | OUT_AMP | AMP_OVERRIDE | FORMAT_OVERRIDE | POWERED, 0, 0, {0}, 0},
    [0x04] = {TYPE_OUT | STEREO | OUT_AMP | AMP_OVERRIDE | FORMAT_OVERRIDE | POWERED, 0, 0, {0}, 0},
    [0x05] = {TYPE_OUT | STEREO | OUT_AMP | AMP_OVERRIDE | FORMAT_OVERRIDE | POWERED, 0, 0, {0}, 0},
    [0x06] = {TYPE_IN | STEREO | CONNECTED | FORMAT_OVERRIDE | POWERED, 0, 0, {0x17}, 1},
    [0x07] = {TYPE_IN | STEREO | CONNECTED | FORMAT_OVERRIDE | POWERED, 0, 0, {0x18}, 1},
    /* Headphones at the front, then the green, blue and pink jacks of the back, and those of more speakers. */
    [0x0a] = {TYPE_PIN | STEREO | CONNECTED | UNSOLICITED, PIN_OUT | PIN_HP | PIN_SENSE | PIN_EAPD, 0x0221401f, {0x02}, 1},
    [0x0b] = {TYPE_PIN | STEREO | UNSOLICITED, PIN_IN | PIN_SENSE, 0x02a19020, {0}, 0},
    [0x0c] = {TYPE_PIN | STEREO | UNSOLICITED, PIN_IN | PIN_SENSE, 0x01813022, {0}, 0},
    [0x0d] = {TYPE_PIN | STEREO | CONNECTED | UNSOLICITED, PIN_OUT | PIN_SENSE, 0x01014010, {0x02}, 1},
    [0x0e] = {TYPE_PIN | STEREO | UNSOLICITED, PIN_IN | PIN_SENSE, 0x01a19021, {0}, 0},
    [0x0f] = {TYPE_PIN | STEREO | CONNECTED | UNSOLICITED, PIN_OUT | PIN_SENSE, 0x01016011, {0x03}, 1},
    [0x12] = {TYPE_SELECTOR | STEREO | CONNECTED, 0, 0, {0x0e, 0x0b, 0x0c}, 3},
    [0x13] = {TYPE_SELECTOR | STEREO | CONNECTED, 0, 0, {0x0e, 0x0b, 0x0c}, 3},
    [0x17] = {TYPE_SELECTOR | STEREO | OUT_AMP | AMP_OVERRIDE | CONNECTED, 0, 0, {0x12}, 1},
    [0x18] = {TYPE_SELECTOR | STEREO | OUT_AMP | AMP_OVERRIDE | CONNECTED, 0, 0, {0x13}, 1},
};
/* clang-format on */

static uint32_t
type_of(unsigned node)
{
    return widgets[node].capabilities & 0xf00000u;
}

static bool
is_recording_amp(unsigned node)
{
    return node == 0x17 || node == 0x18;
}

void
hda_codec_reset(Hda *hda)
{
    memset(hda->nodes, 0, sizeof hda->nodes);
    for (unsigned i = 0; i < HDA_NODES; i++) {
        HdaNode *node = &hda->nodes[i];
        uint8_t gain = is_recording_amp(i) ? 0x80 : 0xff; /* muted */

        memset(node->amp, gain, sizeof node->amp);
        node->power = 3;
        node->config = widgets[i].config;
        node->eapd = widgets[i].pin & PIN_EAPD ? 2 : 0;
    }
    hda_streams_volume(hda);
}

static uint32_t
parameter(unsigned node, unsigned which)
{
    const Widget *widget = &widgets[node];

    switch (which) {
    case 0x00: return node == 0 ? VENDOR : 0;
    case 0x02: return node == 0 ? REVISION : 0;
    case 0x04: /* first child and their number */
        return node == 0 ? 0x00010001 : node == AFG ? 0x00020000 | (HDA_NODES - 2) : 0;
    case 0x05: return node == AFG ? 0x01 : 0;
    case 0x08: return node == AFG ? 0x00000d0c : 0; /* delays of the path */
    case 0x09: return node <= AFG ? 0 : widget->capabilities ? widget->capabilities : TYPE_VENDOR;
    case 0x0a: return node == AFG || widget->capabilities & FORMAT_OVERRIDE ? RATES : 0;
    case 0x0b: return node == AFG || widget->capabilities & FORMAT_OVERRIDE ? 0x1 : 0; /* PCM */
    case 0x0c: return widget->pin;
    case 0x0e: return widget->count;
    case 0x0f: return node == AFG || widget->capabilities & POWERED ? 0x0f : 0;
    case 0x12:
        return !(widget->capabilities & OUT_AMP) ? 0
               : is_recording_amp(node)          ? RECORD_AMP
                                                 : DAC_AMP;
    default: return 0;
    }
}

/* Four entries from `first` on. */
static uint32_t
connections(unsigned node, unsigned first)
{
    uint32_t list = 0;

    for (unsigned i = 0; i < 4 && first + i < widgets[node].count; i++)
        list |= (uint32_t)widgets[node].inputs[first + i] << (8 * i);
    return list;
}

static void
set_amp(HdaNode *node, uint32_t payload)
{
    uint8_t value = payload & 0xff;

    if (payload & 0x2000)
        node->amp[0] = value;
    if (payload & 0x1000)
        node->amp[1] = value;
}

static uint32_t
get_amp(unsigned index, const HdaNode *node, uint32_t payload)
{
    if (!(widgets[index].capabilities & OUT_AMP) || !(payload & 0x8000))
        return 0;
    return node->amp[payload & 0x2000 ? 0 : 1];
}

static uint32_t
get(const Hda *hda, unsigned index, unsigned verb, unsigned payload)
{
    const HdaNode *node = &hda->nodes[index];

    switch (verb) {
    case 0xf00: return parameter(index, payload);
    case 0xf01: return node->connection;
    case 0xf02: return connections(index, payload);
    case 0xf05: return node->power | (uint32_t)node->power << 4;
    case 0xf06: return node->stream_tag;
    case 0xf07: return node->pin_control;
    case 0xf08: return node->unsolicited;
    case 0xf09: /* something is in every jack */
        return type_of(index) == TYPE_PIN ? 0x80000000u : 0;
    case 0xf0c: return node->eapd;
    case 0xf1c: return node->config;
    case 0xf20: return index == AFG ? SUBSYSTEM : 0;
    default: return 0;
    }
}

static void
set(Hda *hda, unsigned index, unsigned verb, uint8_t payload)
{
    HdaNode *node = &hda->nodes[index];

    switch (verb) {
    case 0x701:
        if (payload < widgets[index].count)
            node->connection = payload;
        break;
    case 0x705: node->power = payload & 3; break;
    case 0x706: node->stream_tag = payload; break;
    case 0x707: node->pin_control = payload; break;
    case 0x708: node->unsolicited = payload & 0xbf; break;
    case 0x70c: node->eapd = payload & 7; break;
    case 0x71c:
    case 0x71d:
    case 0x71e:
    case 0x71f:
        node->config &= ~(0xffu << (8 * (verb - 0x71c)));
        node->config |= (uint32_t)payload << (8 * (verb - 0x71c));
        break;
    case 0x7ff:
        if (index == AFG)
            hda_codec_reset(hda);
        break;
    default: break;
    }
    hda_streams_volume(hda);
}

uint32_t
hda_codec_verb(Hda *hda, uint32_t verb)
{
    unsigned index = verb >> 20 & 0xff;

    if (verb >> 28 != 0 || index >= HDA_NODES)
        return 0;
    switch (verb >> 16 & 15) {
    case 0x2: hda->nodes[index].format = (uint16_t)verb; return 0;
    case 0x3:
        if (verb & 0x8000) {
            set_amp(&hda->nodes[index], verb & 0xffff);
            hda_streams_volume(hda);
        }
        return 0;
    case 0xa: return hda->nodes[index].format;
    case 0xb: return get_amp(index, &hda->nodes[index], verb & 0xffff);
    case 0x7: set(hda, index, verb >> 8 & 0xfff, (uint8_t)verb); return 0;
    case 0xf: return get(hda, index, verb >> 8 & 0xfff, verb & 0xff);
    default: return 0;
    }
}

static float
gain_of(unsigned node, uint8_t amp)
{
    double db = is_recording_amp(node) ? 1.5 * MIN(amp & 0x7f, 15) : 0.75 * ((amp & 0x7f) - 127);

    return amp & 0x80 ? 0.0f : (float)pow(10, db / 20);
}

void
hda_codec_volume(const Hda *hda, AudioDirection direction, unsigned tag, float *left, float *right)
{
    *left = *right = 0;
    for (unsigned i = 2; i < HDA_NODES && tag != 0; i++) {
        const HdaNode *node = &hda->nodes[i];
        unsigned amp = direction == AUDIO_INPUT ? i + 0x11 : i; /* 06h records through 17h */

        if (type_of(i) != (direction == AUDIO_INPUT ? TYPE_IN : TYPE_OUT) ||
            widgets[i].capabilities == 0 || node->stream_tag >> 4 != tag || node->power != 0)
            continue;
        *left = fmaxf(*left, gain_of(amp, hda->nodes[amp].amp[0]));
        *right = fmaxf(*right, gain_of(amp, hda->nodes[amp].amp[1]));
    }
}
