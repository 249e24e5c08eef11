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

/* Two lines for people: which image, and where it lies. */
static void
print_slot(const VitrineAttachment *attachment, const char *location, bool ejected)
{
    manage_print("  Port %u, Unit %u: ", attachment->port, attachment->device);
    if (*attachment->medium)
        manage_print("UUID: %s%s%s\n    Location: \"%s\"\n", attachment->medium,
                     attachment->temp_eject ? " (temp eject)" : "", ejected ? " (ejected)" : "",
                     location);
    else if (*attachment->host_drive)
        manage_print("Host drive\n    Location: \"%s\"\n", location);
    else
        manage_print("Empty\n");
}

/* What print_slots() goes through. */
typedef struct {
    Manage *manage;
    VitrineMachine *machine;
    VitrineSettings *settings;
    const char *const *ejected; /* NULL: as the machine is now */
    bool machine_readable;
} Storage;

static bool
is_ejected(const Storage *storage, const VitrineAttachment *attachment)
{
    g_autofree char *place = vitrine_attachment_place(attachment);
    return storage->ejected ? g_strv_contains(storage->ejected, place)
                            : vitrine_machine_has_ejected(storage->machine, attachment);
}

static void
print_attachment(const Storage *storage, const VitrineAttachment *attachment)
{
    g_autofree char *location = location_of(storage->manage, attachment);
    bool ejected = is_ejected(storage, attachment);
    if (!storage->machine_readable) {
        print_slot(attachment, location, ejected);
        return;
    }
    print_slot_fact(attachment, "", location);
    if (*attachment->medium)
        print_slot_fact(attachment, "ImageUUID-", attachment->medium);
    if (attachment->kind == VITRINE_MEDIUM_KIND_HARD_DISK) {
        print_slot_fact(attachment, "nonrotational-", attachment->non_rotational ? "on" : "off");
        print_slot_fact(attachment, "discard-", attachment->discard ? "on" : "off");
        return;
    }
    if (*attachment->medium)
        print_slot_fact(attachment, "tempeject-", attachment->temp_eject ? "on" : "off");
    print_slot_fact(attachment, "IsEjected-", ejected ? "on" : "off");
}

static void
print_slots(const Storage *storage, const VitrineController *controller)
{
    guint devices = vitrine_bus_limits(vitrine_controller_bus(controller->type))->devices_per_port;
    for (guint port = 0; port < controller->port_count; port++) {
        for (guint device = 0; device < devices; device++) {
            const VitrineAttachment *attachment =
                vitrine_settings_find_attachment(storage->settings, controller->name, port, device);
            g_autofree char *name = manage_escape(controller->name);
            if (attachment)
                print_attachment(storage, attachment);
            else if (storage->machine_readable)
                manage_print("\"%s-%u-%u\"=\"none\"\n", name, port, device);
        }
    }
}

void
showvminfo_storage(Manage *manage, VitrineMachine *machine, VitrineSettings *settings,
                   const char *const *ejected, bool machine_readable)
{
    const Storage storage = {manage, machine, settings, ejected, machine_readable};
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    if (!machine_readable)
        manage_print("Storage Controllers:%s\n", controllers->len ? "" : " <none>");
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        print_controller(controller, i, machine_readable);
        if (!machine_readable)
            print_slots(&storage, controller);
    }
    for (guint i = 0; machine_readable && i < controllers->len; i++)
        print_slots(&storage, g_ptr_array_index(controllers, i));
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

/* The same in words. */
static char *
describe_connection(const VitrineUart *uart)
{
    const char *side = uart->server ? "server" : "client";
    switch (uart->mode) {
    case VITRINE_UART_MODE_DISCONNECTED: break;
    case VITRINE_UART_MODE_HOST_DEVICE:
        return g_strdup_printf("attached to device '%s'", uart->path);
    case VITRINE_UART_MODE_RAW_FILE:
        return g_strdup_printf("attached to raw file '%s'", uart->path);
    case VITRINE_UART_MODE_HOST_PIPE:
        return g_strdup_printf("attached to pipe (%s) '%s'", side, uart->path);
    case VITRINE_UART_MODE_TCP:
        return g_strdup_printf("attached to tcp (%s) '%s'", side, uart->path);
    }
    return g_strdup("disconnected");
}

/* What people read of a port that exists: details after its resources. */
static void
print_port(const char *name, guint number, guint io_base, guint irq, const char *details)
{
    g_autofree char *label = g_strdup_printf("%s %u:", name, number);
    showvminfo_line(label, "I/O base: 0x%04x, IRQ: %u, %s", io_base, irq, details);
}

static void
print_missing_port(bool machine_readable, const char *key, const char *name, guint number)
{
    g_autofree char *numbered = g_strdup_printf("%s%u", key, number);
    g_autofree char *label = g_strdup_printf("%s %u:", name, number);
    showvminfo_text(machine_readable, numbered, label, machine_readable ? "off" : "disabled");
}

static void
print_uart(const VitrineUart *uart, guint number, bool machine_readable)
{
    const char *type = manage_word(VITRINE_TYPE_UART_TYPE, (int)uart->type);
    if (!uart->enabled) {
        print_missing_port(machine_readable, "uart", "UART", number);
    } else if (machine_readable) {
        g_autofree char *connection = connection_of(uart);
        g_autofree char *escaped = manage_escape(connection);
        manage_print("uart%u=\"0x%04x,%u\"\nuartmode%u=\"%s\"\nuarttype%u=\"%s\"\n", number,
                     uart->io_base, uart->irq, number, escaped, number, type);
    } else {
        g_autofree char *connection = describe_connection(uart);
        g_autofree char *details = g_strdup_printf("%s, %s", connection, type);
        print_port("UART", number, uart->io_base, uart->irq, details);
    }
}

static void
print_lpt(const VitrineLpt *lpt, guint number, bool machine_readable)
{
    if (!lpt->enabled) {
        print_missing_port(machine_readable, "lpt", "LPT", number);
    } else if (machine_readable) {
        g_autofree char *escaped = manage_escape(lpt->path);
        manage_print("lpt%u=\"0x%04x,%u\"\nlptmode%u=\"%s\"\n", number, lpt->io_base, lpt->irq,
                     number, escaped);
    } else {
        g_autofree char *details = g_strdup_printf("attached to device '%s'", lpt->path);
        print_port("LPT", number, lpt->io_base, lpt->irq, details);
    }
}

void
showvminfo_ports(VitrineSettings *settings, bool machine_readable)
{
    for (guint i = 0; i < VITRINE_UART_COUNT; i++)
        print_uart(vitrine_settings_get_uart(settings, i), i + 1, machine_readable);
    for (guint i = 0; i < VITRINE_LPT_COUNT; i++)
        print_lpt(vitrine_settings_get_lpt(settings, i), i + 1, machine_readable);
}
