/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * showvminfo: storage controllers, what is in their drives, serial and parallel ports. */
#include "app/manage/manage-words.h"
#include "app/manage/showvminfo-private.h"

/* One fact of a controller: storagecontroller<what><index>="text". */
static void
print_fact(const char *what, guint index, const char *text)
{
    g_autofree char *key = g_strdup_printf("storagecontroller%s%u", what, index);
    showvminfo_text(true, key, NULL, text);
}

static void
print_number_fact(const char *what, guint index, guint value)
{
    g_autofree char *text = g_strdup_printf("%u", value);
    print_fact(what, index, text);
}

static void
print_controller(const VitrineController *controller, guint index, bool machine_readable)
{
    const VitrineBusLimits *limits = vitrine_bus_limits(vitrine_controller_bus(controller->type));
    const char *type = manage_word(VITRINE_TYPE_CONTROLLER_TYPE, (int)controller->type);
    if (machine_readable) {
        print_fact("name", index, controller->name);
        print_fact("type", index, type);
        print_number_fact("instance", index, controller->instance);
        print_number_fact("maxportcount", index, limits->max_ports);
        print_number_fact("portcount", index, controller->port_count);
        print_fact("bootable", index, controller->bootable ? "on" : "off");
        return;
    }
    manage_print("#%u: '%s', Type: %s, Instance: %u, Ports: %u (max %u), %s\n", index,
                 controller->name, type, controller->instance, controller->port_count,
                 limits->max_ports, controller->bootable ? "Bootable" : "Not bootable");
}

/* Where what is in the drive lies: a path, a host drive, or emptydrive; the caller's. */
static char *
location_of(Manage *manage, const VitrineAttachment *attachment)
{
    VitrineMedium *medium =
        *attachment->medium ? vitrine_client_find_medium(manage->client, attachment->medium) : NULL;
    if (*attachment->host_drive)
        return g_strdup(attachment->host_drive);
    if (*attachment->medium == '\0')
        return g_strdup("emptydrive");
    return g_strdup(medium ? vitrine_medium_get_location(medium) : attachment->medium);
}

static void
print_slot_fact(const VitrineAttachment *attachment, const char *what, const char *text)
{
    g_autofree char *name = manage_escape(attachment->controller);
    g_autofree char *value = manage_escape(text);
    manage_print("\"%s-%s%u-%u\"=\"%s\"\n", name, what, attachment->port, attachment->device,
                 value);
}

static void
print_attachment(Manage *manage, const VitrineAttachment *attachment, bool machine_readable)
{
    g_autofree char *location = location_of(manage, attachment);
    bool removable = attachment->kind != VITRINE_MEDIUM_KIND_HARD_DISK;
    if (!machine_readable) {
        bool empty = g_str_equal(location, "emptydrive");
        manage_print("  Port %u, Unit %u: %s: %s%s%s%s%s\n", attachment->port, attachment->device,
                     manage_phrase(VITRINE_TYPE_MEDIUM_KIND, (int)attachment->kind),
                     empty ? "Empty" : "Location: \"", empty ? "" : location, empty ? "" : "\"",
                     *attachment->medium ? ", UUID: " : "", attachment->medium);
        return;
    }
    print_slot_fact(attachment, "", location);
    if (*attachment->medium)
        print_slot_fact(attachment, "ImageUUID-", attachment->medium);
    if (attachment->temp_eject)
        print_slot_fact(attachment, "tempeject-", "on");
    if (removable)
        print_slot_fact(attachment, "IsEjected-",
                        *attachment->medium || *attachment->host_drive ? "off" : "on");
    if (attachment->non_rotational)
        print_slot_fact(attachment, "nonrotational-", "on");
    if (attachment->discard)
        print_slot_fact(attachment, "discard-", "on");
}

static void
print_slots(Manage *manage, VitrineSettings *settings, const VitrineController *controller,
            bool machine_readable)
{
    guint devices = vitrine_bus_limits(vitrine_controller_bus(controller->type))->devices_per_port;
    for (guint port = 0; port < controller->port_count; port++) {
        for (guint device = 0; device < devices; device++) {
            const VitrineAttachment *attachment =
                vitrine_settings_find_attachment(settings, controller->name, port, device);
            g_autofree char *name = manage_escape(controller->name);
            if (attachment)
                print_attachment(manage, attachment, machine_readable);
            else if (machine_readable)
                manage_print("\"%s-%u-%u\"=\"none\"\n", name, port, device);
        }
    }
}

void
showvminfo_storage(Manage *manage, VitrineSettings *settings, bool machine_readable)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    if (!machine_readable)
        manage_print("Storage Controllers:%s\n", controllers->len ? "" : " <none>");
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        print_controller(controller, i, machine_readable);
        if (!machine_readable)
            print_slots(manage, settings, controller, false);
    }
    for (guint i = 0; machine_readable && i < controllers->len; i++)
        print_slots(manage, settings, g_ptr_array_index(controllers, i), true);
}

/* What a port is connected to, as modifyvm takes it but with a comma; the caller's. */
static char *
connection_of(const VitrineUart *uart)
{
    const char *word = "";
    switch (uart->mode) {
    case VITRINE_UART_MODE_DISCONNECTED: return g_strdup("disconnected");
    case VITRINE_UART_MODE_HOST_DEVICE: return g_strdup(uart->path);
    case VITRINE_UART_MODE_RAW_FILE: word = "file"; break;
    case VITRINE_UART_MODE_HOST_PIPE: word = uart->server ? "server" : "client"; break;
    case VITRINE_UART_MODE_TCP: word = uart->server ? "tcpserver" : "tcpclient"; break;
    }
    return g_strdup_printf("%s,%s", word, uart->path);
}

static void
print_port(const char *key, const char *label, guint number, gboolean enabled, guint io_base,
           guint irq, bool machine_readable)
{
    if (machine_readable && enabled)
        manage_print("%s%u=\"0x%04x,%u\"\n", key, number, io_base, irq);
    else if (machine_readable)
        manage_print("%s%u=\"off\"\n", key, number);
    else if (enabled)
        manage_print("%s %u: I/O base: 0x%04x, IRQ: %u\n", label, number, io_base, irq);
    else
        manage_print("%s %u: disabled\n", label, number);
}

static void
print_uart_details(const VitrineUart *uart, guint number, bool machine_readable)
{
    g_autofree char *connection = connection_of(uart);
    g_autofree char *escaped = manage_escape(connection);
    const char *type = manage_word(VITRINE_TYPE_UART_TYPE, (int)uart->type);
    if (machine_readable)
        manage_print("uartmode%u=\"%s\"\nuarttype%u=\"%s\"\n", number, escaped, number, type);
    else
        manage_print("  %s, %s\n", connection, type);
}

void
showvminfo_ports(VitrineSettings *settings, bool machine_readable)
{
    for (guint i = 0; i < VITRINE_UART_COUNT; i++) {
        const VitrineUart *uart = vitrine_settings_get_uart(settings, i);
        print_port("uart", "UART", i + 1, uart->enabled, uart->io_base, uart->irq,
                   machine_readable);
        if (uart->enabled)
            print_uart_details(uart, i + 1, machine_readable);
    }
    for (guint i = 0; i < VITRINE_LPT_COUNT; i++) {
        const VitrineLpt *lpt = vitrine_settings_get_lpt(settings, i);
        g_autofree char *key = g_strdup_printf("lptmode%u", i + 1);
        print_port("lpt", "LPT", i + 1, lpt->enabled, lpt->io_base, lpt->irq, machine_readable);
        if (lpt->enabled)
            showvminfo_text(machine_readable, key, "  Connected to:", lpt->path);
    }
}
