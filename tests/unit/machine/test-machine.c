/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * devices/machine: the tree of the standard PC says what the MachineSpec says, and every device and
 * driver in it exists. */
#include "devices/devices.h"
#include "devices/machine.h"
#include "vmm/pdm/pdm-vm.h"

#include <string.h>

static CfgmNode *
build(const MachineSpec *spec)
{
    CfgmNode *root = cfgm_new();
    g_autoptr(GError) error = NULL;

    machine_build_config(spec, root, &error);
    g_assert_no_error(error);
    return root;
}

static uint64_t
number(const CfgmNode *root, const char *path, const char *name)
{
    const CfgmNode *node = cfgm_child(root, path);

    g_assert_true(cfgm_has(node, name));
    return cfgm_uint(node, name, 0);
}

static const char *
text(const CfgmNode *root, const char *path, const char *name)
{
    return cfgm_string(cfgm_child(root, path), name, NULL);
}

static void
test_usual(void)
{
    MachineSpec spec;
    CfgmNode *root;
    PdmRegistry *registry = pdm_registry_new();

    machine_spec_init(&spec);
    spec.hpet = true;
    root = build(&spec);
    devices_register(registry, NULL);
    g_assert_cmpuint(number(root, "", "RamSize"), ==, 128u << 20);
    g_assert_cmpuint(number(root, "", "CpuCount"), ==, 1);
    g_assert_cmpstr(text(root, "EM", "Engine"), ==, "auto");
    for (const CfgmNode *node = cfgm_first_child(cfgm_child(root, "Devices")); node != NULL;
         node = cfgm_next(node)) {
        if (pdm_registry_find_device(registry, cfgm_name(node)) == NULL)
            g_error("There is no device %s", cfgm_name(node));
    }
    g_assert_null(cfgm_child(root, "Devices/serial"));
    g_assert_null(cfgm_child(root, "Devices/fdc"));
    g_assert_nonnull(cfgm_child(root, "Devices/hpet/0"));
    cfgm_free(root);
    pdm_registry_free(registry);
}

static void
test_interrupt_controllers(void)
{
    MachineSpec spec;
    CfgmNode *root;

    machine_spec_init(&spec);
    spec.apic = false; /* an I/O APIC without a local APIC is of no use */
    root = build(&spec);
    g_assert_null(cfgm_child(root, "Devices/ioapic"));
    g_assert_null(cfgm_child(root, "Devices/hpet"));
    cfgm_free(root);
}

static void
test_media(void)
{
    static const MachineMedium media[] = {
        {.port = 1, .device = 1, .type = PDM_MEDIA_OPTICAL},
        {.port = 0,
         .device = 0,
         .type = PDM_MEDIA_DISK,
         .path = "/a.vdi",
         .format = "VDI",
         .descriptor = 7,
         .read_only = true,
         .no_host_cache = true},
        {.bus = MACHINE_BUS_FLOPPY, .device = 1, .type = PDM_MEDIA_FLOPPY, .driver = "own"},
    };
    MachineSpec spec;
    CfgmNode *root;

    machine_spec_init(&spec);
    spec.media = media;
    spec.media_count = G_N_ELEMENTS(media);
    root = build(&spec);
    g_assert_cmpstr(text(root, "Devices/piix4-ide/0/LUN3", "Driver"), ==, "optical");
    g_assert_null(text(root, "Devices/piix4-ide/0/LUN3/Config", "Path"));
    g_assert_false(cfgm_has(cfgm_child(root, "Devices/piix4-ide/0/LUN3/Config"), "Descriptor"));
    g_assert_cmpstr(text(root, "Devices/piix4-ide/0/LUN0", "Driver"), ==, "disk");
    g_assert_cmpstr(text(root, "Devices/piix4-ide/0/LUN0/Config", "Format"), ==, "VDI");
    g_assert_cmpuint(number(root, "Devices/piix4-ide/0/LUN0/Config", "Descriptor"), ==, 7);
    g_assert_cmpuint(number(root, "Devices/piix4-ide/0/LUN0/Config", "ReadOnly"), ==, 1);
    g_assert_cmpuint(number(root, "Devices/piix4-ide/0/LUN0/Config", "HostCache"), ==, 0);
    g_assert_cmpuint(number(root, "Devices/piix4-ide/0/LUN3/Config", "HostCache"), ==, 1);
    g_assert_cmpstr(text(root, "Devices/fdc/0/LUN1", "Driver"), ==, "own");
    g_assert_true(machine_driver_config(root, machine_medium_place(MACHINE_BUS_IDE, 0, 0)) ==
                  cfgm_child(root, "Devices/piix4-ide/0/LUN0/Config"));
    cfgm_free(root);
}

/* Firmware finds what is plugged in later, though a HALT ends its list. */
static void
test_boot_order(void)
{
    static const MachineMedium media[] = {
        {.port = 0, .type = PDM_MEDIA_DISK, .path = "/a.vdi", .not_bootable = true},
        {.bus = MACHINE_BUS_SATA, .port = 1, .type = PDM_MEDIA_DISK, .path = "/b.vdi"},
        {.bus = MACHINE_BUS_SATA, .port = 2, .type = PDM_MEDIA_OPTICAL},
    };
    MachineController sata = {.bus = MACHINE_BUS_SATA, .ports = 4};
    MachineSpec spec;
    CfgmNode *root;

    machine_spec_init(&spec);
    spec.boot_order = "dvd,disk";
    spec.media = media;
    spec.media_count = G_N_ELEMENTS(media);
    spec.controllers = &sata;
    spec.controller_count = 1;
    root = build(&spec);
    g_assert_true(
        g_str_has_prefix(text(root, "Devices/fw-cfg/0/Config", "BootOrder"),
                         "dvd,disk,/pci@i0cf8/sata@d/drive@2/disk@0,"
                         "/pci@i0cf8/sata@d/drive@1/disk@0,/pci@i0cf8/sata@d/drive@0/disk@0,"
                         "/pci@i0cf8/sata@d/drive@3/disk@0"));
    g_assert_true(g_str_has_suffix(text(root, "Devices/fw-cfg/0/Config", "BootOrder"), ",HALT"));
    cfgm_free(root);
    sata.not_bootable = true;
    root = build(&spec);
    g_assert_null(strstr(text(root, "Devices/fw-cfg/0/Config", "BootOrder"), "drive@3"));
    cfgm_free(root);
}

static void
expect_refusal(const MachineMedium *media, size_t count, const char *why)
{
    CfgmNode *root = cfgm_new();
    g_autoptr(GError) error = NULL;
    MachineSpec spec;

    machine_spec_init(&spec);
    spec.media = media;
    spec.media_count = count;
    g_assert_false(machine_build_config(&spec, root, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, why));
    cfgm_free(root);
}

static void
test_refused_media(void)
{
    static const MachineMedium twice[] = {{.port = 0, .type = PDM_MEDIA_DISK},
                                          {.port = 0, .type = PDM_MEDIA_OPTICAL}};
    static const MachineMedium no_port = {.port = 2, .type = PDM_MEDIA_DISK};
    static const MachineMedium no_device = {.device = 2, .type = PDM_MEDIA_DISK};
    static const MachineMedium wrong_bus = {.bus = MACHINE_BUS_FLOPPY, .type = PDM_MEDIA_DISK};
    static const MachineMedium floppy_on_ide = {.type = PDM_MEDIA_FLOPPY};

    expect_refusal(twice, 2, "another one already");
    expect_refusal(&no_port, 1, "no such place");
    expect_refusal(&no_device, 1, "no such place");
    expect_refusal(&wrong_bus, 1, "of another kind");
    expect_refusal(&floppy_on_ide, 1, "of another kind");
}

static void
test_ports(void)
{
    MachineSpec spec;
    CfgmNode *root;

    machine_spec_init(&spec);
    spec.serial[1] = (MachinePort){.enabled = true};
    spec.serial[2] = (MachinePort){
        .enabled = true, .io_base = 0x220, .irq = 10, .driver = "char-null", .type = "16750"};
    spec.parallel[0] = (MachinePort){.enabled = true};
    root = build(&spec);
    g_assert_null(cfgm_child(root, "Devices/serial/0"));
    g_assert_cmphex(number(root, "Devices/serial/1/Config", "IoBase"), ==, 0x2f8);
    g_assert_cmpuint(number(root, "Devices/serial/1/Config", "Irq"), ==, 3);
    g_assert_null(cfgm_child(root, "Devices/serial/1/LUN0"));
    g_assert_cmphex(number(root, "Devices/serial/2/Config", "IoBase"), ==, 0x220);
    g_assert_cmpuint(number(root, "Devices/serial/2/Config", "Irq"), ==, 10);
    g_assert_cmpstr(text(root, "Devices/serial/2/Config", "UartType"), ==, "16750");
    g_assert_cmpstr(text(root, "Devices/serial/2/LUN0", "Driver"), ==, "char-null");
    g_assert_cmphex(number(root, "Devices/parallel/0/Config", "IoBase"), ==, 0x378);
    cfgm_free(root);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/machine/usual", test_usual);
    g_test_add_func("/machine/interrupt-controllers", test_interrupt_controllers);
    g_test_add_func("/machine/media", test_media);
    g_test_add_func("/machine/boot-order", test_boot_order);
    g_test_add_func("/machine/refused-media", test_refused_media);
    g_test_add_func("/machine/ports", test_ports);
    return g_test_run();
}
