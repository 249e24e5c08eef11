/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The standard PC on a bench. */
#include "tests/state/whole-machine.h"

#include "devices/machine.h"

#define MIB (1u << 20)
/* Slots of controllers and cards, and where their windows are put: a MiB for each. */
#define SLOT_FIRST 3u
#define NETWORK_SLOT 8u
#define SLOT_LAST 24u
#define SLOT_BARS 0xe2000000ull

static CfgmNode *
build_config(void)
{
    static const MachineMedium media[] = {
        {.port = 0, .device = 0, .type = PDM_MEDIA_DISK, .driver = "bench-media"},
        {.port = 1, .device = 0, .type = PDM_MEDIA_OPTICAL, .driver = "bench-media"},
        {.bus = MACHINE_BUS_FLOPPY, .type = PDM_MEDIA_FLOPPY, .driver = "bench-media"},
        {.bus = MACHINE_BUS_SATA, .port = 0, .type = PDM_MEDIA_DISK, .driver = "bench-media"},
        {.bus = MACHINE_BUS_SATA, .port = 1, .type = PDM_MEDIA_OPTICAL, .driver = "bench-media"},
        {.bus = MACHINE_BUS_NVME, .port = 1, .type = PDM_MEDIA_DISK, .driver = "bench-media"},
        {.bus = MACHINE_BUS_SCSI, .port = 2, .type = PDM_MEDIA_DISK, .driver = "bench-media"},
        {.bus = MACHINE_BUS_VIRTIO_BLK, .type = PDM_MEDIA_DISK, .driver = "bench-media"},
        {.bus = MACHINE_BUS_VIRTIO_SCSI,
         .port = 3,
         .type = PDM_MEDIA_DISK,
         .driver = "bench-media"},
        {.bus = MACHINE_BUS_SAS, .port = 4, .type = PDM_MEDIA_DISK, .driver = "bench-media"},
        {.bus = MACHINE_BUS_USB, .type = PDM_MEDIA_DISK, .driver = "bench-media"},
    };
    static const unsigned sizes[] = {4 * MIB, MIB, 1440 * 1024, MIB, MIB, MIB,
                                     MIB,     MIB, MIB,         MIB, MIB};
    static const char *const cards[] = {"virtio-net", "pcnet", "ne2000"};
    CfgmNode *config = cfgm_new();
    g_autoptr(GError) error = NULL;
    MachineSpec spec;

    machine_spec_init(&spec);
    spec.hpet = true;
    spec.display_driver = "bench-display";
    spec.keyboard_driver = "bench-keyboard";
    spec.mouse_driver = "bench-mouse";
    spec.media = media;
    spec.media_count = G_N_ELEMENTS(media);
    spec.serial[0] = (MachinePort){.enabled = true, .driver = "bench-char"};
    spec.serial[1] = (MachinePort){.enabled = true};
    spec.parallel[0] = (MachinePort){.enabled = true, .driver = "bench-char"};
    spec.adapters[0] = (MachineAdapter){.model = "82540EM"};
    spec.usb = (MachineUsb){
        .ohci = true, .ehci = true, .xhci = true, .tablet = true, .mouse = true, .keyboard = true};
    spec.sound = (MachineSound){.card = "ac97", .backend = "null", .output = true};
    machine_build_config(&spec, config, &error);
    g_assert_no_error(error);
    /* The other sound cards, of which one stands where the first one does. */
    cfgm_set_uint(cfgm_make(config, "Devices/hda/0/Config"), "PCIDeviceNo", 30);
    cfgm_make(config, "Devices/usb-hub/0/Config");
    cfgm_make(config, "Devices/sb16/0/Config");
    /* The other network cards are the first ones of their kind. */
    for (unsigned i = 0; i < G_N_ELEMENTS(cards); i++) {
        cfgm_set_uint(cfgm_makef(config, "Devices/%s/0", cards[i]), "PCIDeviceNo",
                      NETWORK_SLOT + i);
        cfgm_set_string(device_bench_add(config, cards[i], 0), "BootRom", "");
        device_bench_add_driver(config, cards[i], 0, 0, "network");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(media); i++) {
        CfgmNode *node = machine_driver_config(
            config, machine_medium_place(media[i].bus, media[i].port, media[i].device));

        cfgm_set_uint(node, "Size", sizes[i]);
        cfgm_set_uint(node, "Type", media[i].type);
        cfgm_set_uint(node, "SectorSize", media[i].type == PDM_MEDIA_OPTICAL ? 2048 : 512);
    }
    return config;
}

static uint64_t
bar_address(unsigned slot, unsigned bar)
{
    return SLOT_BARS + slot * 0x100000ull + bar * 0x10000ull;
}

/* The windows of controllers and cards, as firmware would place them. */
static void
map_windows(DeviceBench *bench)
{
    for (unsigned slot = SLOT_FIRST; slot <= SLOT_LAST; slot++) {
        if (device_bench_pci_read(bench, slot, 0, 0, 2) == 0xffff)
            continue;
        for (unsigned bar = 0; bar < 6; bar++)
            device_bench_pci_write(bench, slot, 0, 0x10 + 4 * bar, (uint32_t)bar_address(slot, bar),
                                   4);
        device_bench_pci_write(bench, slot, 0, 4, 7, 2);
    }
}

DeviceBench *
whole_machine_new(void)
{
    DeviceBench *bench = device_bench_new(build_config());

    map_windows(bench);
    return bench;
}

static void
poke_port(DeviceBench *bench, GRand *random)
{
    static const uint16_t bases[] = {0x00,  0x20,  0x40,  0x60,  0x70,  0x80,  0x90,   0xa0,  0xc0,
                                     0x170, 0x1f0, 0x278, 0x2f8, 0x370, 0x378, 0x3b0,  0x3c0, 0x3d0,
                                     0x3f0, 0x3f8, 0x4d0, 0x510, 0x600, 0xcf8, 0xc000, 0x1ce};
    const uint16_t port =
        g_rand_int(random) % 8 == 0
            ? (uint16_t)g_rand_int(random)
            : (uint16_t)(bases[g_rand_int(random) % G_N_ELEMENTS(bases)] + g_rand_int(random) % 16);
    const unsigned size = 1u << g_rand_int(random) % 3;

    if (g_rand_boolean(random))
        iom_port_read(bench->rooms.iom, port, size);
    else
        iom_port_write(bench->rooms.iom, port, g_rand_int(random), size);
}

static void
poke_memory(DeviceBench *bench, GRand *random)
{
    static const uint64_t bases[] = {0xa0000,    0xb8000,    0xc0000,    0xfec00000,
                                     0xfed00000, 0xfee00000, 0xe0000000, 0xfffc0000};
    const uint64_t gpa =
        bases[g_rand_int(random) % G_N_ELEMENTS(bases)] + (g_rand_int(random) & 0xfff);
    const unsigned size = 1u << g_rand_int(random) % 4;

    if (g_rand_boolean(random))
        device_bench_read(bench, gpa, size);
    else
        device_bench_write(bench, gpa, g_rand_int(random), size);
}

static void
poke_window(DeviceBench *bench, GRand *random)
{
    const unsigned slot = SLOT_FIRST + g_rand_int(random) % (SLOT_LAST - SLOT_FIRST + 1);
    const uint64_t gpa =
        bar_address(slot, g_rand_int(random) % 6) + (g_rand_int(random) % 0x400) * 4;
    const uint32_t value = g_rand_int(random) & (g_rand_boolean(random) ? 0xff : UINT32_MAX);

    if (g_rand_boolean(random))
        device_bench_read(bench, gpa, 4);
    else
        device_bench_write(bench, gpa, value, 4);
}

static void
poke_config(DeviceBench *bench, GRand *random)
{
    const unsigned slot = g_rand_int(random) % 5, function = g_rand_int(random) % 4;
    const uint32_t offset = g_rand_int(random) & 0xfc;

    device_bench_pci_write(bench, slot, function, offset, g_rand_int(random), 4);
    device_bench_pci_write(bench, slot, function, 4, 7, 2);
}

static void
give_input(DeviceBench *bench, GRand *random)
{
    const PdmKeyboardPort *keyboard =
        pdm_lun_port(bench->pdm, MACHINE_KEYBOARD.device, 0, MACHINE_KEYBOARD.lun, PDM_IF_KEYBOARD);
    const PdmMousePort *mouse =
        pdm_lun_port(bench->pdm, MACHINE_MOUSE.device, 0, MACHINE_MOUSE.lun, PDM_IF_MOUSE);
    const uint8_t character = (uint8_t)g_rand_int(random);

    keyboard->scancode(keyboard->user, (uint8_t)g_rand_int(random));
    mouse->relative(mouse->user, g_rand_int_range(random, -300, 300),
                    g_rand_int_range(random, -300, 300), 1, 0, g_rand_int(random) & 7);
    bench_char_receive(bench->pdm, machine_serial_place(0).device, 0, 0, &character, 1);
}

void
whole_machine_use(DeviceBench *bench, uint32_t seed, unsigned rounds)
{
    GRand *random = g_rand_new_with_seed(seed);

    for (unsigned i = 0; i < rounds; i++) {
        const uint32_t what = g_rand_int(random) % 32;

        if (what < 20)
            poke_port(bench, random);
        else if (what < 24)
            poke_memory(bench, random);
        else if (what < 27)
            poke_window(bench, random);
        else if (what < 28)
            poke_config(bench, random);
        else if (what < 30)
            give_input(bench, random);
        else
            device_bench_advance(bench, g_rand_int(random) % 200000);
        device_bench_run_queues(bench);
    }
    g_rand_free(random);
}
