/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Intel ICH6 HD Audio card: PCI function and life cycle. Intel I/O Controller Hub 6 data sheet,
 * chapter 20; High Definition Audio Specification, revision 1.0a. */
#include "devices/sound/hda-private.h"

static void
hda_expired(void *user)
{
    hda_streams_run(user);
}

static bool
construct_pci(Hda *hda, const CfgmNode *config, GError **error)
{
    const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x2668,
        .subsystem_vendor = 0x8384,
        .subsystem = 0x7680,
        .revision = 0x01,
        .subclass = 0x03,
        .class_code = 0x04,
        .interrupt_pin = 1,
        .slot = (int)CLAMP(cfgm_uint(config, "PCIDeviceNo", 5), 1, 31),
        .function = 0,
    };
    PdmDevice *device = hda->device;
    PgmRegion *region = pdm_mmio_new(device, "hda", HDA_BAR_SIZE, &hda_mmio_ops, hda);

    hda->pci = pdm_pci_new(device, &info, NULL, hda, error);
    if (hda->pci == NULL)
        return false;
    pdm_pci_config(device, hda->pci)[0x40] = 0x01; /* HDCTL: HD Audio, not AC'97 */
    return pdm_pci_bar_region(device, hda->pci, 0, region, HDA_BAR_SIZE, false, true, error);
}

static void
open_streams(Hda *hda)
{
    static const char *const names[HDA_STREAMS] = {"input 1",  "input 2",  "input 3",  "input 4",
                                                   "output 1", "output 2", "output 3", "output 4"};

    for (unsigned i = 0; i < HDA_STREAMS && hda->audio; i++)
        hda->streams[i].audio = hda->audio->open(
            hda->audio->user, i < HDA_INPUTS ? AUDIO_INPUT : AUDIO_OUTPUT, names[i]);
}

static void
hda_reset(PdmDevice *device)
{
    Hda *hda = device->data;

    hda_registers_reset(hda);
    hda_codec_reset(hda);
}

static bool
hda_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    Hda *hda = device->data;

    hda->device = device;
    hda->port = (AudioPort){.name = "HD Audio"};
    for (unsigned i = 0; i < HDA_STREAMS; i++) {
        hda->streams[i].hda = hda;
        hda->streams[i].index = i;
    }
    hda->timer = pdm_timer_new(device, "hda", hda_expired, hda);
    if (!construct_pci(hda, config, error) ||
        !pdm_attach(device, 0, PDM_IF_AUDIO, &hda->port, (const void **)&hda->audio, false, error))
        return false;
    open_streams(hda);
    return true;
}

static bool
hda_post_load(void *object, uint32_t version, GError **error)
{
    Hda *hda = object;

    hda_streams_loaded(hda);
    hda_update_irq(hda);
    return true;
}

static void
hda_info(PdmDevice *device, GString *out)
{
    const Hda *hda = device->data;

    for (unsigned i = 0; i < HDA_STREAMS; i++) {
        const HdaStream *stream = &hda->streams[i];
        unsigned sd = hda_sd(stream);

        if (hda->regs[sd] & HDA_SD_RUN)
            g_string_append_printf(out, "%s %u: %u Hz, %u channels, at %u of %u bytes\n",
                                   i < HDA_INPUTS ? "input" : "output", i % HDA_INPUTS,
                                   stream->format.rate, stream->format.channels,
                                   hda_get(hda, sd + HDA_SDLPIB, 4),
                                   hda_get(hda, sd + HDA_SDCBL, 4));
    }
}

/* clang-format off */
static const SsmField node_fields[] = {
    SSM_UINT(HdaNode, connection), SSM_UINT_BELOW(HdaNode, power, 4), SSM_UINT(HdaNode, stream_tag),
    SSM_UINT(HdaNode, pin_control), SSM_UINT(HdaNode, unsolicited), SSM_UINT(HdaNode, eapd),
    SSM_BYTES(HdaNode, amp), SSM_UINT(HdaNode, format), SSM_UINT(HdaNode, config), SSM_END,
};
static const SsmField stream_fields[] = {
    SSM_UINT_BELOW(HdaStream, entry, 256), SSM_UINT(HdaStream, done), SSM_END,
};
static const SsmField hda_fields[] = {
    SSM_BYTES(Hda, regs), SSM_STRUCT_ARRAY(Hda, streams, stream_fields),
    SSM_STRUCT_ARRAY(Hda, nodes, node_fields), SSM_UINT(Hda, responses), SSM_UINT(Hda, wall_zero), SSM_END,
};
static const SsmState hda_state = {
    .version = 1, .min_version = 1, .fields = hda_fields, .post_load = hda_post_load,
};
/* clang-format on */

static const PdmOption hda_options[] = {
    {.key = "PCIDeviceNo",
     .title = "PCI slot",
     .type = PDM_OPTION_UINT,
     .value = 5,
     .min = 1,
     .max = 31},
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo hda_device = {
    .abi = PDM_ABI_VERSION,
    .name = "hda",
    .title = "Intel HD Audio",
    .kind = PDM_KIND_SOUND,
    .instance_size = sizeof(Hda),
    .max_instances = 1,
    .options = hda_options,
    .construct = hda_construct,
    .reset = hda_reset,
    .state = &hda_state,
    .info = hda_info,
};
