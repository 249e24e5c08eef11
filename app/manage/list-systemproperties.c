/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list systemproperties: limits and defaults, as VBoxManage names them. Limits are those of the
 * settings' own table. */
#include "app/manage/list-private.h"
#include "app/manage/manage-words.h"

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

static void
print_limits(const char *property, const char *label, const char *unit)
{
    g_autofree char *least = g_strdup_printf("Minimum %s:", label);
    g_autofree char *most = g_strdup_printf("Maximum %s:", label);
    for (guint i = 0; i < G_N_ELEMENTS(ranges); i++) {
        if (g_str_equal(ranges[i].property, property))
            manage_print("%-32s %u%s\n%-32s %u%s\n", least, ranges[i].minimum, unit, most,
                         ranges[i].maximum, unit);
    }
}

static void
print_number(const char *label, guint value)
{
    manage_print("%-32s %u\n", label, value);
}

static void
print_bus(VitrineStorageBus bus)
{
    const VitrineBusLimits *limits = vitrine_bus_limits(bus);
    const char *name = manage_phrase(VITRINE_TYPE_STORAGE_BUS, (int)bus);
    g_autofree char *controllers = g_strdup_printf("Maximum %s Controllers:", name);
    g_autofree char *ports = g_strdup_printf("Maximum %s Port count:", name);
    g_autofree char *devices = g_strdup_printf("Maximum Devices per %s Port:", name);
    print_number(controllers, limits->max_controllers);
    print_number(ports, limits->max_ports);
    print_number(devices, limits->devices_per_port);
}

static void
print_text(VitrineClient *client, const char *label, const char *property)
{
    g_autofree char *text = NULL;
    g_object_get(client, property, &text, NULL);
    manage_print("%-32s %s\n", label, text ? text : "");
}

static void
print_limits_of_machines(void)
{
    print_limits("memory", "guest RAM size", " Megabytes");
    print_limits("vram", "video RAM size", " Megabytes");
    print_limits("monitors", "guest monitor count", "");
    print_limits("cpus", "guest CPU count", "");
    print_number("Maximum Serial Port count:", VITRINE_UART_COUNT);
    print_number("Maximum Parallel Port count:", VITRINE_LPT_COUNT);
    for (int bus = VITRINE_STORAGE_BUS_IDE; bus <= VITRINE_STORAGE_BUS_VIRTIO; bus++)
        print_bus((VitrineStorageBus)bus);
}

void
list_systemproperties(VitrineClient *client)
{
    guint history;
    gboolean exclusive;
    g_object_get(client, "log-history-count", &history, "exclusive-hw-virt", &exclusive, NULL);
    manage_print("%-32s %s\n", "API version:", "7_0");
    print_limits_of_machines();
    print_text(client, "Default machine folder:", "machine-folder");
    manage_print("%-32s %s\n", "Exclusive HW virtualization use:", exclusive ? "on" : "off");
    print_text(client, "Default hard disk format:", "default-disk-format");
    print_text(client, "VRDE auth library:", "vrde-auth-library");
    print_text(client, "Webservice auth. library:", "web-service-auth-library");
    print_number("Log history count:", history);
    print_text(client, "Default frontend:", "default-frontend");
    print_text(client, "User language:", "language-id");
    print_text(client, "Proxy URL:", "proxy-url");
}
