/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Intel HD Audio controller and its codec: what their files share. Chapters are those of the
 * High Definition Audio Specification, revision 1.0a. */
#pragma once

#include "audio/audio.h"
#include "devices/sound/sound-pace.h"

#define HDA_INPUTS 4u
#define HDA_STREAMS 8u /* inputs first */
#define HDA_BAR_SIZE 0x4000u
#define HDA_REGISTERS 0x180u

enum {
    HDA_GCTL = 0x08,
    HDA_STATESTS = 0x0e,
    HDA_INTCTL = 0x20,
    HDA_INTSTS = 0x24,
    HDA_WALCLK = 0x30,
    HDA_CORBLBASE = 0x40,
    HDA_CORBUBASE = 0x44,
    HDA_CORBWP = 0x48,
    HDA_CORBRP = 0x4a,
    HDA_CORBCTL = 0x4c,
    HDA_CORBSIZE = 0x4e,
    HDA_RIRBLBASE = 0x50,
    HDA_RIRBUBASE = 0x54,
    HDA_RIRBWP = 0x58,
    HDA_RINTCNT = 0x5a,
    HDA_RIRBCTL = 0x5c,
    HDA_RIRBSTS = 0x5d,
    HDA_RIRBSIZE = 0x5e,
    HDA_ICOI = 0x60,
    HDA_ICII = 0x64,
    HDA_ICIS = 0x68,
    HDA_DPLBASE = 0x70,
    HDA_DPUBASE = 0x74,
    HDA_SD = 0x80, /* the first stream descriptor; they are 20h apart */
    HDA_SD_SIZE = 0x20,
};
/* Of a stream descriptor. */
enum {
    HDA_SDCTL = 0x00,
    HDA_SDSTS = 0x03,
    HDA_SDLPIB = 0x04,
    HDA_SDCBL = 0x08,
    HDA_SDLVI = 0x0c,
    HDA_SDFIFOS = 0x10,
    HDA_SDFMT = 0x12,
    HDA_SDBDPL = 0x18,
    HDA_SDBDPU = 0x1c,
};

#define HDA_GCTL_CRST 0x01u
#define HDA_GCTL_UNSOL 0x100u
#define HDA_SD_SRST 0x01u
#define HDA_SD_RUN 0x02u
#define HDA_SD_IOCE 0x04u
#define HDA_SD_BCIS 0x04u

#define HDA_NODES 0x1bu /* of the codec: 0 root, 1 the function group, then widgets */

/* What a guest sets in a node. */
typedef struct {
    uint8_t connection, power, stream_tag, pin_control, unsolicited, eapd;
    uint8_t amp[2]; /* left, right: bit 7 mute, then gain */
    uint16_t format;
    uint32_t config; /* of a pin */
} HdaNode;

typedef struct Hda Hda;

typedef struct {
    Hda *hda;
    unsigned index;
    SoundPace pace;
    AudioFormat format;
    AudioStream *audio;
    /* Of the buffer that is being worked at. */
    uint32_t entry, done;
} HdaStream;

struct Hda {
    uint8_t regs[HDA_REGISTERS];
    HdaStream streams[HDA_STREAMS];
    HdaNode nodes[HDA_NODES];
    uint16_t responses; /* since the last interrupt of the RIRB */
    uint64_t wall_zero; /* virtual ns at which the wall clock was 0 */

    PdmDevice *device;
    PdmPci *pci;
    TmTimer *timer;
    const AudioConnector *audio;
    AudioPort port;
};

static inline uint32_t
hda_get(const Hda *hda, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)hda->regs[offset + i] << (8 * i);
    return value;
}

static inline void
hda_set(Hda *hda, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        hda->regs[offset + i] = (uint8_t)(value >> (8 * i));
}

static inline unsigned
hda_sd(const HdaStream *stream)
{
    return HDA_SD + stream->index * HDA_SD_SIZE;
}

/* hda-registers.c */
void hda_registers_reset(Hda *hda);
void hda_update_irq(Hda *hda);
extern const IomMmioOps hda_mmio_ops;

/* hda-ring.c: commands and responses */
void hda_corb_run(Hda *hda);
void hda_rirb_put(Hda *hda, uint32_t response, bool unsolicited);

/* hda-stream.c */
void hda_streams_reset(Hda *hda);
/* Moves what is due and sets the timer. */
void hda_streams_run(Hda *hda);
/* Its control or format has changed. */
void hda_stream_control(HdaStream *stream, uint32_t before);
void hda_stream_reset(HdaStream *stream);
/* Volumes of all streams from the codec. */
void hda_streams_volume(Hda *hda);
void hda_streams_loaded(Hda *hda);

/* hda-codec.c */
void hda_codec_reset(Hda *hda);
/* Executes a verb and returns the response. */
uint32_t hda_codec_verb(Hda *hda, uint32_t verb);
/* How loud the stream with that tag is on the converters of a direction. */
void hda_codec_volume(const Hda *hda, AudioDirection direction, unsigned tag, float *left,
                      float *right);
