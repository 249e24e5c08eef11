/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From the machine's settings to the VMM's configuration tree. What this version cannot do is named
 * here, before anything starts. */
#include "app/console/console-private.h"

#define MIB (1024ull * 1024)
#define NS_PER_MS 1000000ll

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
refuse(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED, message);
    return false;
}

static bool
check_supported(VitrineSettings *settings, GError **error)
{
    guint cpus = vitrine_settings_get_uint(settings, "cpus");

    if (cpus > VITRINE_CPUS_MAX)
        return refuse(error,
                      "This version runs machines with up to %d processors; this machine has %u. "
                      "Set fewer in Settings, System.",
                      VITRINE_CPUS_MAX, cpus);
    if (cpus > 1 && !(vitrine_settings_get_bool(settings, "ioapic") &&
                      vitrine_settings_get_bool(settings, "apic")))
        return refuse(error, "Several processors need the I/O APIC. Switch it on in Settings, "
                             "System, or set one processor.");
    if (vitrine_settings_get_enum(settings, "firmware") != VITRINE_FIRMWARE_BIOS)
        return refuse(
            error,
            "This version starts machines with BIOS firmware only. Switch EFI off in Settings, "
            "System.");
    if (vitrine_settings_get_enum(settings, "chipset") != VITRINE_CHIPSET_PIIX3)
        return refuse(error,
                      "This version has the chipset PIIX3 only. Choose it in Settings, System.");
    return true;
}

static const char *
boot_word(int device)
{
    switch (device) {
    case VITRINE_BOOT_DEVICE_FLOPPY: return "floppy";
    case VITRINE_BOOT_DEVICE_DVD: return "dvd";
    case VITRINE_BOOT_DEVICE_HARD_DISK: return "disk";
    case VITRINE_BOOT_DEVICE_NETWORK: return "network";
    default: return NULL;
    }
}

static char *
boot_order(VitrineSettings *settings)
{
    static const char *const properties[] = {"boot1", "boot2", "boot3", "boot4"};
    GString *order = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++) {
        const char *word = boot_word(vitrine_settings_get_enum(settings, properties[i]));
        if (word)
            g_string_append_printf(order, "%s%s", order->len ? "," : "", word);
    }
    return g_string_free(order, FALSE);
}

static const char *
keep(Console *console, char *text)
{
    g_ptr_array_add(console->strings, text);
    return text;
}

static void
fill_scalars(Console *console, MachineSpec *spec)
{
    VitrineSettings *settings = console->settings;
    const char *profile = vitrine_settings_get_string(settings, "cpu-profile");
    guint vram = vitrine_settings_get_uint(settings, "vram");
    const char *hardware = vitrine_settings_get_string(settings, "hardware-uuid");

    spec->ram_size = vitrine_settings_get_uint(settings, "memory") * MIB;
    spec->cpus = vitrine_settings_get_uint(settings, "cpus");
    spec->execution_cap = vitrine_settings_get_uint(settings, "cpu-execution-cap");
    spec->cpu_profile = g_strcmp0(profile, "host") == 0 ? NULL : profile;
    spec->engine = vitrine_settings_get_string(settings, "exec-engine");
    spec->no_hardware = !vitrine_settings_get_bool(settings, "hwvirtex");
    spec->small_pages = !vitrine_settings_get_bool(settings, "large-pages");
    spec->pae = vitrine_settings_get_bool(settings, "pae");
    spec->long_mode = vitrine_settings_get_bool(settings, "long-mode");
    spec->apic = vitrine_settings_get_bool(settings, "apic");
    spec->x2apic = vitrine_settings_get_bool(settings, "x2apic");
    spec->ioapic = vitrine_settings_get_bool(settings, "ioapic");
    spec->hpet = vitrine_settings_get_bool(settings, "hpet");
    spec->rtc_utc = vitrine_settings_get_bool(settings, "rtc-utc");
    spec->utc_offset_ns = vitrine_settings_get_int64(settings, "time-offset") * NS_PER_MS;
    spec->triple_fault_reset = vitrine_settings_get_bool(settings, "triple-fault-reset");
    /* The VBE modes up to 2560x1600 in 32 bits need 16 MiB. */
    spec->video_ram = MAX(vram, 16u) * MIB;
    spec->boot_order = keep(console, boot_order(settings));
    spec->boot_menu =
        vitrine_settings_get_enum(settings, "boot-menu") != VITRINE_BOOT_MENU_DISABLED;
    spec->uuid = hardware && *hardware ? hardware : vitrine_machine_get_id(console->machine);
    spec->display_driver = console_display_driver.name;
    spec->keyboard_driver = console_keyboard_driver.name;
    spec->mouse_driver = console_mouse_driver.name;
}

/* Pointer, keyboard and drives at USB bring a controller where there is none. A machine
 * whose settings ask for several touches gets a tablet, which knows one. */
static void
fill_usb(Console *console, MachineSpec *spec)
{
    MachineUsb *usb = &spec->usb;
    const int keyboard = vitrine_settings_get_enum(console->settings, "keyboard");
    bool needed;

    switch (vitrine_settings_get_enum(console->settings, "pointing")) {
    case VITRINE_POINTING_USB_MOUSE: usb->mouse = true; break;
    case VITRINE_POINTING_USB_TABLET:
    case VITRINE_POINTING_COMBO_MOUSE:
    case VITRINE_POINTING_USB_MULTI_TOUCH:
    case VITRINE_POINTING_USB_MT_SCREEN_PLUS_PAD: usb->tablet = true; break;
    default: break;
    }
    usb->ehci = vitrine_settings_get_bool(console->settings, "usb-ehci");
    /* What an EHCI controller does not do its companion does. */
    usb->ohci = vitrine_settings_get_bool(console->settings, "usb-ohci") || usb->ehci;
    usb->keyboard = keyboard == VITRINE_KEYBOARD_USB;
    needed = usb->mouse || usb->tablet || usb->keyboard;
    for (size_t i = 0; i < spec->media_count; i++)
        needed = needed || spec->media[i].bus == MACHINE_BUS_USB;
    usb->xhci = vitrine_settings_get_bool(console->settings, "usb-xhci") || (needed && !usb->ohci);
}

bool
console_config_build(Console *console, GError **error)
{
    g_autoptr(GArray) controllers = g_array_new(FALSE, TRUE, sizeof(MachineController));
    g_autoptr(GArray) media = g_array_new(FALSE, TRUE, sizeof(MachineMedium));
    MachineSpec spec;

    if (!check_supported(console->settings, error))
        return false;
    machine_spec_init(&spec);
    fill_scalars(console, &spec);
    if (!console_storage_describe(console, controllers, media, error))
        return false;
    spec.controllers = (const MachineController *)controllers->data;
    spec.controller_count = controllers->len;
    spec.media = (const MachineMedium *)media->data;
    spec.media_count = media->len;
    console_ports_describe(console, &spec);
    fill_usb(console, &spec);
    if (!console_network_describe(console, &spec, error))
        return false;
    console_sound_describe(console, &spec.sound);
    console->config = cfgm_new();
    return machine_build_config(&spec, console->config, error) &&
           console_ports_connect(console, error);
}
