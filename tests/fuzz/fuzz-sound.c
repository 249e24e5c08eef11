/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sound cards and the PC's speaker against a guest that means harm: registers at ports and in
 * memory, PCI configuration, lists and rings in guest memory (onto themselves and onto registers),
 * the DMA controllers, time, a host that is not ready, saving and loading. One of fuzz-sound-*.c
 * says which card; the input begins where a driver has brought it up.
 *
 * An input is a byte that chooses the kind of card, and a row of steps: a byte that says what, and
 * what it needs. */
#include "tests/fuzz/fuzz-sound.h"

#include "devices/devices.h"
#include "tests/lib/bench-audio.h"

#define STEPS_MAX 400u
#define MS 1000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const PdmDeviceInfo ac97_device, dma_device, hda_device, pic_device, pit_device, sb16_device;
extern const PdmDriverInfo speaker_driver;

/* The bench asks for all devices that there are: these. */
bool
devices_register(PdmRegistry *registry, GError **error)
{
    static const PdmDeviceInfo *const devices[] = {&ac97_device, &dma_device, &hda_device,
                                                   &pic_device,  &pit_device, &sb16_device};
    bool ok = pdm_registry_add_driver(registry, &speaker_driver, error);

    for (unsigned i = 0; ok && i < G_N_ELEMENTS(devices); i++)
        ok = pdm_registry_add_device(registry, devices[i], error);
    return ok;
}

static CfgmNode *
tree(const FuzzSound *sound)
{
    CfgmNode *config = cfgm_new(), *card;

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "dma", 0);
    if (fuzz_sound.speaker) {
        device_bench_add(config, "pit", 0);
        device_bench_add_driver(config, "pit", 0, 0, "speaker");
    }
    card = device_bench_add(config, fuzz_sound.card, 0);
    if (fuzz_sound.codecs != NULL)
        cfgm_set_string(card, "Codec", fuzz_sound.codecs[sound->choice & 1]);
    device_bench_add_driver(config, fuzz_sound.card, 0, 0, "bench-audio");
    return config;
}

/* Ports of base address registers 0 and 1 one behind the other, or the window. */
static void
map(FuzzSound *sound)
{
    DeviceBench *bench = sound->bench;

    if (fuzz_sound.window != 0) {
        pci_guest_map(bench, FUZZ_SOUND_SLOT, 0);
    } else if (fuzz_sound.count > 0x100) {
        device_bench_pci_write(bench, FUZZ_SOUND_SLOT, 0, 0x10, fuzz_sound.ports, 4);
        device_bench_pci_write(bench, FUZZ_SOUND_SLOT, 0, 0x14, fuzz_sound.ports + 0x100u, 4);
        device_bench_pci_write(bench, FUZZ_SOUND_SLOT, 0, 0x04, 7, 2);
    }
}

/* --- what the host does --- */

static void
change_host(FuzzSound *sound, FuzzInput *input)
{
    BenchAudio *audio = bench_audio(sound->bench->pdm, fuzz_sound.card, 0, 0);
    const uint32_t waits = fuzz_take(input, 1);

    for (unsigned i = 0; i < audio->count; i++)
        audio->streams[i].waits = (waits >> (i & 7) & 1) != 0;
}

static void
pass_time(FuzzSound *sound, unsigned count, uint64_t step_ns)
{
    BenchAudio *audio = bench_audio(sound->bench->pdm, fuzz_sound.card, 0, 0);

    fuzz_wait(sound->bench, count, step_ns);
    for (unsigned i = 0; i < audio->count; i++)
        g_byte_array_set_size(audio->streams[i].written, 0);
}

/* --- what the guest does --- */

static void
access_card(FuzzSound *sound, FuzzInput *input)
{
    const uint32_t half = fuzz_sound.count > 0x100 ? fuzz_take(input, 1) & 1 : 0;

    if (fuzz_sound.window != 0)
        fuzz_access_window(sound->bench, input, PCI_GUEST_BAR(0), fuzz_sound.window);
    else
        fuzz_access_port(sound->bench, input, (uint16_t)(fuzz_sound.ports + half * 0x100),
                         MIN(fuzz_sound.count - half * 0x100u, 0x100));
}

static void
access_dma(FuzzSound *sound, FuzzInput *input)
{
    static const uint16_t places[][2] = {{0x00, 16}, {0x80, 16}, {0xc0, 32}, {0x40, 4}};
    const uint16_t *place = places[fuzz_take(input, 1) & 3];

    fuzz_access_port(sound->bench, input, place[0], place[1]);
}

static void
access_config(FuzzSound *sound, FuzzInput *input)
{
    const uint32_t offset = fuzz_take(input, 1) & 0xfc, value = fuzz_take(input, 4);

    if (fuzz_sound.window != 0 || fuzz_sound.count > 0x100)
        device_bench_pci_write(sound->bench, FUZZ_SOUND_SLOT, 0, offset, value, 4);
    if (offset < 0x28 && (value & 0x100) != 0)
        map(sound);
}

static void
step(FuzzSound *sound, FuzzInput *input)
{
    switch (fuzz_take(input, 1) & 15) {
    case 0:
    case 1: access_card(sound, input); break;
    case 2: access_dma(sound, input); break;
    case 3: fuzz_write_memory(sound->bench, input); break;
    case 4:
    case 5: pass_time(sound, 1 + (fuzz_take(input, 1) & 7), 5 * MS); break;
    case 6: pass_time(sound, 1, 1 + fuzz_take(input, 2) * 100u); break;
    case 7: change_host(sound, input); break;
    case 8:
        if ((fuzz_take(input, 1) & 15) == 0)
            sound->bench = fuzz_save_and_load(sound->bench, tree(sound));
        break;
    case 9:
        if ((fuzz_take(input, 1) & 15) == 0)
            device_bench_reset(sound->bench);
        break;
    case 10: access_config(sound, input); break;
    default: fuzz_sound_work(sound, input); break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    FuzzSound sound = {.choice = fuzz_take(&input, 1)};

    sound.bench = device_bench_new(tree(&sound));
    map(&sound);
    fuzz_sound_begin(&sound);
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&sound, &input);
    pass_time(&sound, 4, 10 * MS);
    device_bench_free(sound.bench);
    return 0;
}
