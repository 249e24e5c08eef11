/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Serial and parallel ports: <UART> and <LPT>. A port that is not in the file is off, with the
 * resources of its number. */
#include <string.h>

#include "app/service/settings/xml.h"

static const char *const mode_words[] = {"Disconnected", "HostPipe", "HostDevice", "RawFile",
                                         "TCP"};
static const char *const type_words[] = {"16450", "16550A", "16750"};

static int
index_of(const char *const *words, guint count, const char *word, int fallback)
{
    for (guint i = 0; word && i < count; i++) {
        if (g_ascii_strcasecmp(words[i], word) == 0)
            return i;
    }
    return fallback;
}

static xmlNodePtr
find_port(SettingsFile *file, const char *path, guint slot)
{
    xmlNodePtr port = xml_path(file->body, path);
    while (port && xml_get_int(port, "slot", -1) != slot)
        port = xml_next(port);
    return port;
}

static VitrineUart *
read_uart(SettingsFile *file, guint slot)
{
    xmlNodePtr port = find_port(file, "Hardware/UART/Port", slot);
    VitrineUart *uart = vitrine_uart_new(slot);
    g_autofree char *mode = xml_get(port, "hostMode");
    g_autofree char *type = xml_get(port, "uartType");
    if (port == NULL)
        return uart;
    uart->enabled = xml_get_bool(port, "enabled", FALSE);
    uart->io_base = (guint)xml_get_int(port, "IOBase", uart->io_base);
    uart->irq = (guint)xml_get_int(port, "IRQ", uart->irq);
    uart->mode =
        index_of(mode_words, G_N_ELEMENTS(mode_words), mode, VITRINE_UART_MODE_DISCONNECTED);
    uart->type = index_of(type_words, G_N_ELEMENTS(type_words), type, VITRINE_UART_TYPE_16550A);
    uart->server = xml_get_bool(port, "server", FALSE);
    char *path = xml_get(port, "path");
    if (path) {
        g_free(uart->path);
        uart->path = path;
    }
    return uart;
}

static VitrineLpt *
read_lpt(SettingsFile *file, guint slot)
{
    xmlNodePtr port = find_port(file, "Hardware/LPT/Port", slot);
    VitrineLpt *lpt = vitrine_lpt_new(slot);
    if (port == NULL)
        return lpt;
    lpt->enabled = xml_get_bool(port, "enabled", FALSE);
    lpt->io_base = (guint)xml_get_int(port, "IOBase", lpt->io_base);
    lpt->irq = (guint)xml_get_int(port, "IRQ", lpt->irq);
    char *path = xml_get(port, "path");
    if (path) {
        g_free(lpt->path);
        lpt->path = path;
    }
    return lpt;
}

void
machine_ports_read(SettingsFile *file, VitrineSettings *settings)
{
    for (guint slot = 0; slot < VITRINE_UART_COUNT; slot++) {
        g_autoptr(VitrineUart) uart = read_uart(file, slot);
        vitrine_settings_set_uart(settings, slot, uart);
    }
    for (guint slot = 0; slot < VITRINE_LPT_COUNT; slot++) {
        g_autoptr(VitrineLpt) lpt = read_lpt(file, slot);
        vitrine_settings_set_lpt(settings, slot, lpt);
    }
}

static xmlNodePtr
make_port(SettingsFile *file, const char *parent, const char *path, guint slot, gboolean enabled,
          guint io_base, guint irq)
{
    xmlNodePtr port = find_port(file, path, slot);
    g_autofree char *number = g_strdup_printf("%u", slot);
    g_autofree char *base = g_strdup_printf("0x%x", io_base);
    g_autofree char *line = g_strdup_printf("%u", irq);
    if (port == NULL)
        port = xml_add(xml_make_path(file->body, parent), "Port");
    xml_set(port, "slot", number);
    xml_set(port, "enabled", enabled ? "true" : "false");
    xml_set(port, "IOBase", base);
    xml_set(port, "IRQ", line);
    return port;
}

static gboolean
same_uart(const VitrineUart *a, const VitrineUart *b)
{
    return a->enabled == b->enabled && a->io_base == b->io_base && a->irq == b->irq &&
           a->mode == b->mode && a->server == b->server && a->type == b->type &&
           strcmp(a->path, b->path) == 0;
}

static void
write_uart(SettingsFile *file, guint slot, const VitrineUart *uart)
{
    xmlNodePtr port = make_port(file, "Hardware/UART", "Hardware/UART/Port", slot, uart->enabled,
                                uart->io_base, uart->irq);
    gboolean socket =
        uart->mode == VITRINE_UART_MODE_HOST_PIPE || uart->mode == VITRINE_UART_MODE_TCP;
    xml_set(port, "server", socket ? (uart->server ? "true" : "false") : NULL);
    xml_set(port, "path", *uart->path ? uart->path : NULL);
    xml_set(port, "hostMode", mode_words[uart->mode]);
    xml_set(port, "uartType",
            uart->type == VITRINE_UART_TYPE_16550A ? NULL : type_words[uart->type]);
}

void
machine_ports_write(SettingsFile *file, VitrineSettings *settings)
{
    for (guint slot = 0; slot < VITRINE_UART_COUNT; slot++) {
        const VitrineUart *now = vitrine_settings_get_uart(settings, slot);
        g_autoptr(VitrineUart) old = read_uart(file, slot);
        if (!same_uart(now, old))
            write_uart(file, slot, now);
    }
    for (guint slot = 0; slot < VITRINE_LPT_COUNT; slot++) {
        const VitrineLpt *now = vitrine_settings_get_lpt(settings, slot);
        g_autoptr(VitrineLpt) old = read_lpt(file, slot);
        if (now->enabled == old->enabled && now->io_base == old->io_base && now->irq == old->irq &&
            strcmp(now->path, old->path) == 0)
            continue;
        xmlNodePtr port = make_port(file, "Hardware/LPT", "Hardware/LPT/Port", slot, now->enabled,
                                    now->io_base, now->irq);
        xml_set(port, "path", *now->path ? now->path : NULL);
    }
}
