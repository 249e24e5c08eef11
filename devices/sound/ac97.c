/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Intel ICH AC'97 sound card: PCI function and life cycle. Intel 82801AA (ICH) data sheet,
 * chapter 14. The manual's default card. */
#include "devices/sound/ac97-private.h"

#include <string.h>

static void
ac97_expired(void *user)
{
    ac97_master_run(user);
}

static bool
construct_pci(Ac97 *ac97, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x2415,
        .subsystem_vendor = 0x8086,
        .subsystem = 0x0000,
        .revision = 0x01,
        .subclass = 0x01,
        .class_code = 0x04,
        .interrupt_pin = 1,
        .slot = 5,
        .function = 0,
    };
    PdmDevice *device = ac97->device;
    IomPorts *codec = pdm_ports_new(device, "ac97 codec", AC97_CODEC_BYTES, &ac97_codec_ops, ac97);
    IomPorts *master =
        pdm_ports_new(device, "ac97 master", AC97_MASTER_BYTES, &ac97_master_ops, ac97);

    ac97->pci = pdm_pci_new(device, &info, NULL, ac97, error);
    return ac97->pci != NULL &&
           pdm_pci_bar_ports(device, ac97->pci, 0, codec, AC97_CODEC_BYTES, error) &&
           pdm_pci_bar_ports(device, ac97->pci, 1, master, AC97_MASTER_BYTES, error);
}

static void
open_streams(Ac97 *ac97)
{
    static const struct {
        AudioDirection direction;
        const char *name;
    } streams[AC97_BOXES] = {
        {AUDIO_INPUT, "PCM in"}, {AUDIO_OUTPUT, "PCM out"}, {AUDIO_INPUT, "microphone"}};

    for (unsigned i = 0; i < AC97_BOXES && ac97->audio; i++)
        ac97->box[i].stream =
            ac97->audio->open(ac97->audio->user, streams[i].direction, streams[i].name);
}

static void
ac97_reset(PdmDevice *device)
{
    Ac97 *ac97 = device->data;

    ac97_codec_reset(ac97);
    ac97_master_reset(ac97);
}

static bool
ac97_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Ac97 *ac97 = device->data;

    ac97->device = device;
    ac97->ad1980 = strcmp(cfgm_string(config, "Codec", "STAC9700"), "AD1980") == 0;
    ac97->port = (AudioPort){.name = "AC'97"};
    for (unsigned i = 0; i < AC97_BOXES; i++) {
        ac97->box[i].ac97 = ac97;
        ac97->box[i].index = i;
    }
    ac97->timer = pdm_timer_new(device, "ac97", ac97_expired, ac97);
    if (!construct_pci(ac97, error) || !pdm_attach(device, 0, PDM_IF_AUDIO, &ac97->port,
                                                   (const void **)&ac97->audio, false, error))
        return false;
    open_streams(ac97);
    return true;
}

static bool
ac97_post_load(void *object, uint32_t version, GError **error)
{
    Ac97 *ac97 = object;

    for (unsigned i = 0; i < AC97_BOXES; i++) {
        if (ac97_codec_rate(ac97, i) < 4000 || ac97_codec_rate(ac97, i) > 48000) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "a rate of %u Hz",
                        ac97_codec_rate(ac97, i));
            return false;
        }
    }
    ac97_codec_apply(ac97);
    ac97_master_loaded(ac97);
    return true;
}

static void
ac97_info(PdmDevice *device, GString *out)
{
    const Ac97 *ac97 = device->data;
    static const char *const names[AC97_BOXES] = {"PCM in", "PCM out", "microphone"};

    for (unsigned i = 0; i < AC97_BOXES; i++) {
        const Ac97Box *box = &ac97->box[i];

        g_string_append_printf(
            out,
            "%s: control %02x, status %02x, buffer %u of up to %u, %u samples left, "
            "%u Hz\n",
            names[i], box->cr, box->sr, box->civ, box->lvi, box->picb, ac97_codec_rate(ac97, i));
    }
}

/* clang-format off */
static const SsmField box_fields[] = {
    SSM_UINT(Ac97Box, base), SSM_UINT_BELOW(Ac97Box, civ, 32), SSM_UINT_BELOW(Ac97Box, lvi, 32),
    SSM_UINT_BELOW(Ac97Box, piv, 32), SSM_UINT_BELOW(Ac97Box, cr, 32), SSM_UINT_BELOW(Ac97Box, sr, 32),
    SSM_UINT(Ac97Box, picb), SSM_UINT(Ac97Box, address), SSM_UINT_BELOW(Ac97Box, loaded, 2),
    SSM_UINT_BELOW(Ac97Box, on_completion, 2), SSM_END,
};
static const SsmField ac97_fields[] = {
    SSM_UINT_ARRAY(Ac97, codec), SSM_STRUCT_ARRAY(Ac97, box, box_fields), SSM_UINT(Ac97, global_control),
    SSM_UINT(Ac97, global_status), SSM_UINT_BELOW(Ac97, semaphore, 2), SSM_END,
};
static const SsmState ac97_state = {
    .version = 1, .min_version = 1, .fields = ac97_fields, .post_load = ac97_post_load,
};
/* clang-format on */

static const char *const codecs[] = {"STAC9700", "AD1980", NULL};

static const PdmOption ac97_options[] = {
    {.key = "Codec",
     .title = "Codec",
     .type = PDM_OPTION_CHOICE,
     .text = "STAC9700",
     .choices = codecs},
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo ac97_device = {
    .abi = PDM_ABI_VERSION,
    .name = "ac97",
    .title = "ICH AC97",
    .kind = PDM_KIND_SOUND,
    .instance_size = sizeof(Ac97),
    .max_instances = 1,
    .options = ac97_options,
    .construct = ac97_construct,
    .reset = ac97_reset,
    .state = &ac97_state,
    .info = ac97_info,
};
