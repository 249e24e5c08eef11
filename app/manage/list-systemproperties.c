/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list systemproperties: limits and defaults, as VBoxManage names them. A limit is what the check
 * of settings lets pass, not what the file format could say: so it grows with the program. Leaves
 * out USB controllers, guest additions and audio, which have no limit or default here. */
#include "app/manage/list-private.h"

typedef struct {
    const char *property;
    guint minimum;
    guint maximum;
} Range;

#define UINT(id, property, minimum, maximum, initial, text) {property, minimum, maximum},
#define STRING(id, property, initial, text)
#define BOOL(id, property, initial, text)
#define INT64(id, property, initial, text)
#define ENUM(id, property, type, initial, text)
static const Range ranges[] = {
#include "app/api/settings-properties.def"
};
#undef UINT
#undef STRING
#undef BOOL
#undef INT64
#undef ENUM

/* Where the chipset's name stands differs. */
static const struct {
    VitrineStorageBus bus;
    VitrineControllerType type;
    const char *name;
    const char *controllers; /* with %s for the chipset */
} buses[] = {
    {VITRINE_STORAGE_BUS_IDE, VITRINE_CONTROLLER_PIIX4, "IDE", "Maximum %s IDE Controllers:"},
    {VITRINE_STORAGE_BUS_SATA, VITRINE_CONTROLLER_AHCI, "SATA", "Maximum %s SATA Controllers:"},
    {VITRINE_STORAGE_BUS_SCSI, VITRINE_CONTROLLER_LSI_LOGIC, "SCSI",
     "Maximum %s SCSI Controllers:"},
    {VITRINE_STORAGE_BUS_SAS, VITRINE_CONTROLLER_LSI_LOGIC_SAS, "SAS",
     "Maximum SAS %s Controllers:"},
    {VITRINE_STORAGE_BUS_PCIE, VITRINE_CONTROLLER_NVME, "NVMe", "Maximum NVMe %s Controllers:"},
    {VITRINE_STORAGE_BUS_VIRTIO, VITRINE_CONTROLLER_VIRTIO_SCSI, "virtio-scsi",
     "Maximum virtio-scsi %s Controllers:"},
    {VITRINE_STORAGE_BUS_FLOPPY, VITRINE_CONTROLLER_I82078, "Floppy",
     "Maximum %s Floppy Controllers:"},
};

static void
print_text(const char *label, const char *text)
{
    manage_print("%-32s %s\n", label, text);
}

static void
print_number(const char *label, guint64 value, const char *unit)
{
    manage_print("%-32s %" G_GUINT64_FORMAT "%s\n", label, value, unit);
}

/* Settings that are right but for what is tried out. */
static VitrineSettings *
blank_settings(void)
{
    VitrineSettings *settings = vitrine_settings_new();
    vitrine_settings_set_string(settings, "name", "x");
    return settings;
}

/* A field of a name that begins so is refused, or does nothing in this version. */
static bool
is_refused(VitrineSettings *settings, const char *field)
{
    g_autoptr(GPtrArray) problems = vitrine_settings_check(settings);
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *problem = problems->pdata[i];
        if (g_str_has_prefix(problem->field, field) &&
            (problem->fatal || problem->code == VITRINE_ERROR_NOT_SUPPORTED))
            return true;
    }
    return false;
}

static bool
takes_number(const char *property, guint value)
{
    g_autoptr(VitrineSettings) settings = blank_settings();
    vitrine_settings_set_uint(settings, property, value);
    return !is_refused(settings, property);
}

static guint
largest(const Range *range)
{
    guint good = range->minimum, bad = range->maximum;
    if (takes_number(range->property, range->maximum))
        return range->maximum;
    while (bad - good > 1) {
        guint middle = good + (bad - good) / 2;
        if (takes_number(range->property, middle))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

static void
print_limits(const char *property, const char *least, const char *most, const char *unit)
{
    for (guint i = 0; i < G_N_ELEMENTS(ranges); i++) {
        if (!g_str_equal(ranges[i].property, property))
            continue;
        if (least)
            print_number(least, ranges[i].minimum, unit);
        print_number(most, largest(&ranges[i]), unit);
    }
}

/* How many controllers of a kind a machine with this chipset may have. */
static guint
count_controllers(VitrineChipset chipset, VitrineControllerType type)
{
    g_autoptr(VitrineSettings) settings = blank_settings();
    vitrine_settings_set_enum(settings, "chipset", (int)chipset);
    if (is_refused(settings, "chipset"))
        return 0;
    for (guint count = 0; count < 64; count++) {
        g_autofree char *name = g_strdup_printf("%u", count);
        g_autoptr(VitrineController) controller = vitrine_controller_new(name, type);
        controller->instance = count;
        vitrine_settings_put_controller(settings, controller);
        if (is_refused(settings, "controller:"))
            return count;
    }
    return 64;
}

static void
print_controllers(const char *format, const char *chipset, guint count)
{
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
    g_autofree char *label = g_strconcat(parts[0], chipset, parts[1], NULL);
    print_number(label, count, "");
}

static void
print_buses(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(buses); i++) {
        const VitrineBusLimits *limits = vitrine_bus_limits(buses[i].bus);
        g_autofree char *ports = g_strdup_printf("Maximum %s Port count:", buses[i].name);
        g_autofree char *devices = g_strdup_printf("Maximum Devices per %s Port:", buses[i].name);
        print_controllers(buses[i].controllers, "PIIX3",
                          count_controllers(VITRINE_CHIPSET_PIIX3, buses[i].type));
        print_controllers(buses[i].controllers, "ICH9",
                          count_controllers(VITRINE_CHIPSET_ICH9, buses[i].type));
        print_number(ports, limits->max_ports, "");
        print_number(devices, limits->devices_per_port, "");
    }
}

static void
print_limits_of_machines(void)
{
    print_limits("memory", "Minimum guest RAM size:", "Maximum guest RAM size:", " Megabytes");
    print_limits("vram", "Minimum video RAM size:", "Maximum video RAM size:", " Megabytes");
    print_limits("monitors", NULL, "Maximum guest monitor count:", "");
    print_number("Minimum guest CPU count:", 1, "");
    print_number("Maximum guest CPU count:", VITRINE_CPUS_MAX, "");
    print_number("Virtual disk limit (info):", VITRINE_MEDIUM_MAX_SIZE, " Bytes");
    print_number("Maximum Serial Port count:", VITRINE_UART_COUNT, "");
    print_number("Maximum Parallel Port count:", VITRINE_LPT_COUNT, "");
    print_number("Maximum Boot Position:", 4, "");
    print_buses();
}

static void
print_property(VitrineClient *client, const char *label, const char *property)
{
    g_autofree char *text = NULL;
    g_object_get(client, property, &text, NULL);
    print_text(label, text ? text : "");
}

void
list_systemproperties(VitrineClient *client)
{
    static const char *const proxy_modes[] = {"System", "NoProxy", "Manual"};
    guint history, proxy;
    gboolean exclusive;
    g_object_get(client, "log-history-count", &history, "exclusive-hw-virt", &exclusive,
                 "proxy-mode", &proxy, NULL);
    print_text("API version:", "7_0");
    print_limits_of_machines();
    print_property(client, "Default machine folder:", "machine-folder");
    print_text("Exclusive HW virtualization use:", exclusive ? "on" : "off");
    print_property(client, "Default hard disk format:", "default-disk-format");
    print_property(client, "VRDE auth library:", "vrde-auth-library");
    print_property(client, "Webservice auth. library:", "web-service-auth-library");
    print_number("Log history count:", history, "");
    print_property(client, "Default frontend:", "default-frontend");
    print_text("Proxy Mode:", proxy_modes[MIN(proxy, G_N_ELEMENTS(proxy_modes) - 1)]);
    print_property(client, "Proxy URL:", "proxy-url");
    print_property(client, "User language:", "language-id");
}
