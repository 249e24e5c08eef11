/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Sound Blaster 16 at the ISA bus (CT2740: DSP 4.05, mixer CT1745): ports and life cycle.
 * Creative Labs, Sound Blaster Series Hardware Programming Guide. There is no synthesizer (OPL3) at
 * 388h, no MIDI port at 330h and no CD-ROM interface: a guest that looks for them finds nothing. */
#include "devices/sound/sb16-private.h"

#include <string.h>

/* From the base address on. */
#define FIRST_PORT 4u
#define PORTS 12u
#define NOTHING 0xffu
#define READABLE 0x80u

enum {
    MIXER_INDEX = 4,
    MIXER_DATA = 5,
    RESET = 6,
    READ = 10,
    WRITE = 12,
    STATUS = 14,
    STATUS_16 = 15
};

static void
sb16_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    Sb16 *sb16 = user;

    sb16_transfers_run(sb16);
    switch (offset + FIRST_PORT) {
    case MIXER_INDEX: sb16->mixer_index = (uint8_t)value; return;
    case MIXER_DATA: sb16_mixer_write(sb16, (uint8_t)value); return;
    case RESET: sb16_dsp_write_reset(sb16, (uint8_t)value); return;
    case WRITE: sb16_dsp_write(sb16, (uint8_t)value); return;
    default: return;
    }
}

static uint32_t
sb16_read(void *user, uint32_t offset, unsigned size)
{
    Sb16 *sb16 = user;

    sb16_transfers_run(sb16);
    switch (offset + FIRST_PORT) {
    case MIXER_INDEX: return sb16->mixer_index;
    case MIXER_DATA: return sb16_mixer_read(sb16);
    case READ: return sb16_dsp_read(sb16);
    case WRITE: return (uint32_t)~READABLE & 0xff; /* takes a command at any time */
    case STATUS:
        sb16_irq_lower(sb16, SB16_NARROW);
        return sb16->reply_count != 0 ? NOTHING : (uint32_t)~READABLE & 0xff;
    case STATUS_16: sb16_irq_lower(sb16, SB16_WIDE); return NOTHING;
    default: return NOTHING;
    }
}

static const IomPortOps sb16_ops = {.read = sb16_read, .write = sb16_write, .sizes = 1};

static void
sb16_expired(void *user)
{
    sb16_transfers_run(user);
}

static void
open_streams(Sb16 *sb16)
{
    static const char *const names[SB16_WAYS][2] = {
        [SB16_NARROW] = {[AUDIO_OUTPUT] = "8 bits out", [AUDIO_INPUT] = "8 bits in"},
        [SB16_WIDE] = {[AUDIO_OUTPUT] = "16 bits out", [AUDIO_INPUT] = "16 bits in"},
    };

    for (unsigned way = 0; way < SB16_WAYS && sb16->audio; way++) {
        for (unsigned i = 0; i < 2; i++)
            sb16->transfers[way].streams[i] =
                sb16->audio->open(sb16->audio->user, i, names[way][i]);
    }
}

static void
sb16_reset(PdmDevice *device)
{
    Sb16 *sb16 = device->data;

    memset(sb16->mixer, 0, sizeof sb16->mixer);
    sb16->mixer_index = sb16->command = sb16->last_reply = sb16->test = sb16->in_reset = 0;
    for (unsigned i = 0; i < SB16_WAYS; i++) {
        Sb16Transfer *transfer = &sb16->transfers[i];

        transfer->block = transfer->left = 0;
        transfer->again = transfer->input = transfer->stereo = transfer->is_signed = 0;
    }
    sb16_mixer_reset(sb16);
    sb16_dsp_reset(sb16);
    sb16_transfers_run(sb16);
}

static bool
sb16_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    static const uint8_t channels[] = {0, 1, 3, 5, 6, 7};
    Sb16 *sb16 = device->data;

    sb16->device = device;
    sb16->line = -1;
    sb16->port = (AudioPort){.name = "Sound Blaster 16"};
    sb16->default_irq = (unsigned)cfgm_uint(config, "Irq", 5);
    sb16->default_dma = (unsigned)cfgm_uint(config, "Dma", 1);
    sb16->default_dma16 = (unsigned)cfgm_uint(config, "Dma16", 5);
    sb16->timer = pdm_timer_new(device, "sb16", sb16_expired, sb16);
    for (unsigned i = 0; i < SB16_WAYS; i++) {
        sb16->transfers[i].sb16 = sb16;
        sb16->transfers[i].way = i;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(channels); i++)
        pdm_dma_register(device, channels[i], sb16_dma, sb16);
    sb16->ports = pdm_ports_new(device, "sb16", PORTS, &sb16_ops, sb16);
    pdm_ports_map(device, sb16->ports, (uint16_t)(cfgm_uint(config, "IoBase", 0x220) + FIRST_PORT));
    if (!pdm_attach(device, 0, PDM_IF_AUDIO, &sb16->port, (const void **)&sb16->audio, false,
                    error))
        return false;
    open_streams(sb16);
    sb16_reset(device);
    return true;
}

static bool
sb16_post_load(void *object, uint32_t version, GError **error)
{
    Sb16 *sb16 = object;

    for (unsigned i = 0; i < 2; i++) {
        if (sb16->rate[i] < AUDIO_RATE_MIN || sb16->rate[i] > AUDIO_RATE_MAX) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "a rate of %u Hz", sb16->rate[i]);
            return false;
        }
    }
    if (sb16->got + sb16->awaited > (int)sizeof sb16->parameters) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "%u parameters of a command",
                    sb16->got + sb16->awaited);
        return false;
    }
    sb16_mixer_apply(sb16);
    sb16_transfers_repace(sb16);
    return true;
}

static void
sb16_info(PdmDevice *device, GString *out)
{
    const Sb16 *sb16 = device->data;

    g_string_append_printf(out, "IRQ %d, DMA %d and %d, %u Hz out, %u Hz in\n",
                           sb16_mixer_irq(sb16), sb16_mixer_dma(sb16, SB16_NARROW),
                           sb16_mixer_dma(sb16, SB16_WIDE), sb16->rate[AUDIO_OUTPUT],
                           sb16->rate[AUDIO_INPUT]);
    for (unsigned i = 0; i < SB16_WAYS; i++) {
        const Sb16Transfer *transfer = &sb16->transfers[i];

        g_string_append_printf(out, "%s bits: %s%s, %u of %u bytes left\n",
                               i == SB16_WIDE ? "16" : "8",
                               !transfer->active ? "idle"
                               : transfer->input ? "records"
                                                 : "plays",
                               transfer->paused ? ", paused" : "", transfer->left, transfer->block);
    }
}

/* clang-format off */
static const SsmField transfer_fields[] = {
    SSM_UINT_BELOW(Sb16Transfer, block, 0x20001), SSM_UINT_BELOW(Sb16Transfer, left, 0x20001),
    SSM_UINT_BELOW(Sb16Transfer, active, 2), SSM_UINT_BELOW(Sb16Transfer, paused, 2),
    SSM_UINT_BELOW(Sb16Transfer, again, 2), SSM_UINT_BELOW(Sb16Transfer, input, 2),
    SSM_UINT_BELOW(Sb16Transfer, stereo, 2), SSM_UINT_BELOW(Sb16Transfer, is_signed, 2),
    SSM_UINT_BELOW(Sb16Transfer, silent, 2), SSM_END,
};
static const SsmField sb16_fields[] = {
    SSM_STRUCT_ARRAY(Sb16, transfers, transfer_fields), SSM_UINT_ARRAY(Sb16, mixer),
    SSM_UINT(Sb16, mixer_index), SSM_UINT(Sb16, command), SSM_UINT_BELOW(Sb16, awaited, 4),
    SSM_UINT_BELOW(Sb16, got, 4), SSM_UINT_ARRAY(Sb16, parameters), SSM_UINT_ARRAY(Sb16, replies),
    SSM_UINT_BELOW(Sb16, reply_count, SB16_REPLIES + 1), SSM_UINT(Sb16, last_reply), SSM_UINT(Sb16, test),
    SSM_UINT(Sb16, speaker), SSM_UINT_BELOW(Sb16, in_reset, 2), SSM_UINT(Sb16, length),
    SSM_UINT_ARRAY(Sb16, rate), SSM_END,
};
static const SsmState sb16_state = {
    .version = 1, .min_version = 1, .fields = sb16_fields, .post_load = sb16_post_load,
};

static const PdmOption sb16_options[] = {
    { "IoBase", "I/O port", PDM_OPTION_UINT, 0x220, 0x220, 0x280, NULL, NULL },
    { "Irq", "Interrupt", PDM_OPTION_UINT, 5, 5, 10, NULL, NULL },
    { "Dma", "DMA channel, 8 bits", PDM_OPTION_UINT, 1, 0, 3, NULL, NULL },
    { "Dma16", "DMA channel, 16 bits", PDM_OPTION_UINT, 5, 5, 7, NULL, NULL },
    { NULL, NULL, PDM_OPTION_END, 0, 0, 0, NULL, NULL },
};
/* clang-format on */

const PdmDeviceInfo sb16_device = {
    .abi = PDM_ABI_VERSION,
    .name = "sb16",
    .title = "Sound Blaster 16",
    .kind = PDM_KIND_SOUND,
    .instance_size = sizeof(Sb16),
    .max_instances = 1,
    .options = sb16_options,
    .construct = sb16_construct,
    .reset = sb16_reset,
    .state = &sb16_state,
    .info = sb16_info,
};
