/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The standard PC: i440FX and PIIX3 with what a PC/AT has around them. Design section 9. */
#include "devices/machine-private.h"

#define SERIAL_DEVICE "serial"
#define PARALLEL_DEVICE "parallel"
#define DEFAULT_RAM (128ull << 20)

const MachinePlace MACHINE_DISPLAY = {"vga", 0, 0};
const MachinePlace MACHINE_KEYBOARD = {"i8042", 0, 0};
const MachinePlace MACHINE_MOUSE = {"i8042", 0, 1};

/* Its sound goes where the card's does. */
static const MachinePlace speaker_place = {"pit", 0, 0};

/* What COM1..4 and LPT1..2 have always had. */
static const MachinePort usual_serial[MACHINE_SERIAL_PORTS] = {
    {.io_base = 0x3f8, .irq = 4},
    {.io_base = 0x2f8, .irq = 3},
    {.io_base = 0x3e8, .irq = 4},
    {.io_base = 0x2e8, .irq = 3},
};
static const MachinePort usual_parallel[MACHINE_PARALLEL_PORTS] = {
    {.io_base = 0x378, .irq = 7},
    {.io_base = 0x278, .irq = 5},
};

void
machine_spec_init(MachineSpec *spec)
{
    *spec = (MachineSpec){
        .ram_size = DEFAULT_RAM,
        .pae = true,
        .long_mode = true,
        .apic = true,
        .x2apic = true,
        .ioapic = true,
        .rtc_utc = true,
        .boot_menu = true,
    };
}

CfgmNode *
machine_driver_config(CfgmNode *root, MachinePlace place)
{
    return machine_add_driver(root, place, NULL);
}

static void
set_string(CfgmNode *node, const char *key, const char *value)
{
    if (value != NULL)
        cfgm_set_string(node, key, value);
}

static void
add_globals(const MachineSpec *spec, CfgmNode *root)
{
    CfgmNode *em = cfgm_make(root, "EM");
    CfgmNode *tm = cfgm_make(root, "TM");

    cfgm_set_uint(root, "RamSize", spec->ram_size);
    cfgm_set_uint(root, "CpuCount", MAX(spec->cpus, 1));
    cfgm_set_uint(root, "CpuExecutionCap", spec->execution_cap != 0 ? spec->execution_cap : 100);
    set_string(root, "CpuProfile", spec->cpu_profile);
    cfgm_set_uint(root, "PAE", spec->pae);
    cfgm_set_uint(root, "LongMode", spec->long_mode);
    cfgm_set_uint(root, "APIC", spec->apic);
    cfgm_set_uint(root, "X2APIC", spec->x2apic);
    cfgm_set_string(em, "Engine", spec->engine != NULL ? spec->engine : "auto");
    cfgm_set_uint(em, "HardwareVirtualization", !spec->no_hardware);
    cfgm_set_uint(em, "LargePages", !spec->small_pages);
    cfgm_set_uint(em, "TripleFaultReset", spec->triple_fault_reset);
    cfgm_set_uint(tm, "Deterministic", spec->deterministic);
    if (spec->deterministic_hz != 0)
        cfgm_set_uint(tm, "DeterministicHz", spec->deterministic_hz);
    cfgm_set_uint(tm, "UtcOffsetNs", (uint64_t)spec->utc_offset_ns);
    cfgm_set_uint(cfgm_make(root, "RTC"), "UseUtc", spec->rtc_utc);
}

static void
add_chipset(const MachineSpec *spec, CfgmNode *root)
{
    CfgmNode *acpi;

    machine_add_device(root, "pic", 0);
    machine_add_device(root, "pit", 0);
    cfgm_set_uint(machine_add_device(root, "rtc", 0), "UseUtc", spec->rtc_utc);
    machine_add_device(root, "dma", 0);
    if (spec->apic && spec->ioapic)
        machine_add_device(root, "ioapic", 0);
    if (spec->hpet)
        machine_add_device(root, "hpet", 0);
    machine_add_device(root, "i440fx", 0);
    machine_add_device(root, "piix3", 0);
    acpi = machine_add_device(root, MACHINE_ACPI_DEVICE, 0);
    cfgm_set_uint(acpi, "IoApic", spec->apic && spec->ioapic);
    cfgm_set_uint(acpi, "Hpet", spec->hpet);
}

static void
add_firmware(const MachineSpec *spec, CfgmNode *root)
{
    CfgmNode *fwcfg = machine_add_device(root, "fw-cfg", 0);
    g_autofree char *boot_order = machine_boot_order(spec);

    set_string(machine_add_device(root, "bios", 0), "Path", spec->firmware);
    set_string(fwcfg, "BootOrder", boot_order);
    set_string(fwcfg, "Uuid", spec->uuid);
    cfgm_set_uint(fwcfg, "BootMenu", spec->boot_menu);
    if (spec->boot_menu_delay_ms != 0)
        cfgm_set_uint(fwcfg, "BootMenuDelay", spec->boot_menu_delay_ms);
    machine_add_device(root, "debugcon", 0);
    if (spec->debug_driver != NULL)
        machine_add_driver(root, (MachinePlace){"debugcon", 0, 0}, spec->debug_driver);
}

static void
add_console(const MachineSpec *spec, CfgmNode *root)
{
    CfgmNode *vga = machine_add_device(root, MACHINE_DISPLAY.device, MACHINE_DISPLAY.instance);

    if (spec->video_ram != 0)
        cfgm_set_uint(vga, "VRamSize", spec->video_ram);
    if (spec->display_driver != NULL)
        machine_add_driver(root, MACHINE_DISPLAY, spec->display_driver);
    machine_add_device(root, MACHINE_KEYBOARD.device, MACHINE_KEYBOARD.instance);
    if (spec->keyboard_driver != NULL)
        machine_add_driver(root, MACHINE_KEYBOARD, spec->keyboard_driver);
    if (spec->mouse_driver != NULL)
        machine_add_driver(root, MACHINE_MOUSE, spec->mouse_driver);
}

MachinePlace
machine_serial_place(unsigned index)
{
    return (MachinePlace){SERIAL_DEVICE, index, 0};
}

MachinePlace
machine_parallel_place(unsigned index)
{
    return (MachinePlace){PARALLEL_DEVICE, index, 0};
}

static void
add_port(CfgmNode *root, MachinePlace place, const MachinePort *port, const MachinePort *usual)
{
    CfgmNode *config;

    if (!port->enabled)
        return;
    config = machine_add_device(root, place.device, place.instance);
    cfgm_set_uint(config, "IoBase", port->io_base != 0 ? port->io_base : usual->io_base);
    cfgm_set_uint(config, "Irq", port->irq != 0 ? port->irq : usual->irq);
    if (port->type != NULL)
        cfgm_set_string(config, "UartType", port->type);
    if (port->driver != NULL)
        machine_add_driver(root, place, port->driver);
}

MachinePlace
machine_sound_place(const MachineSound *sound)
{
    return (MachinePlace){sound->card, 0, 0};
}

static void
add_sound(CfgmNode *root, const MachineSound *sound)
{
    CfgmNode *driver;

    if (sound->card == NULL)
        return;
    set_string(machine_add_device(root, sound->card, 0), "Codec", sound->codec);
    if (sound->backend == NULL)
        return;
    driver = machine_add_driver(root, machine_sound_place(sound), "audio");
    cfgm_set_string(driver, "Backend", sound->backend);
    set_string(driver, "Machine", sound->machine);
    set_string(driver, "File", sound->file);
    cfgm_set_uint(driver, "Output", sound->output);
    cfgm_set_uint(driver, "Input", sound->input);
    cfgm_set_uint(driver, "Optional", sound->optional);
    machine_add_driver(root, speaker_place, "speaker");
}

bool
machine_build_config(const MachineSpec *spec, CfgmNode *root, GError **error)
{
    add_globals(spec, root);
    add_chipset(spec, root);
    add_firmware(spec, root);
    add_console(spec, root);
    /* Devices look for their controller when they are made: it comes first. */
    machine_add_usb_controllers(spec, root);
    if (!machine_add_storage(spec, root, error) || !machine_add_network(spec, root, error))
        return false;
    if (!machine_add_usb(spec, root, error))
        return false;
    for (unsigned i = 0; i < MACHINE_SERIAL_PORTS; i++)
        add_port(root, machine_serial_place(i), &spec->serial[i], &usual_serial[i]);
    for (unsigned i = 0; i < MACHINE_PARALLEL_PORTS; i++)
        add_port(root, machine_parallel_place(i), &spec->parallel[i], &usual_parallel[i]);
    add_sound(root, &spec->sound);
    return true;
}
