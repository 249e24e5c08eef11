/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, Serial ports: a tab for each of the four. */
#include "app/settings/settings-private.h"

#include <glib/gi18n.h>

typedef struct {
    VitrineSettings *settings;
    guint slot;
    GtkWidget *enabled, *details, *mode, *server, *path, *base, *irq;
    gboolean filling;
} SerialPort;

static void
serial_port_free(gpointer data)
{
    SerialPort *port = data;

    g_object_unref(port->settings);
    g_free(port);
}

static void
show_possible(SerialPort *port)
{
    int mode = gtk_combo_box_get_active(GTK_COMBO_BOX(port->mode));
    gboolean connected = mode != VITRINE_UART_MODE_DISCONNECTED;

    gtk_widget_set_sensitive(port->details,
                             gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(port->enabled)));
    settings_lock_set_possible(port->path, connected, NULL);
    settings_lock_set_possible(
        port->server, mode == VITRINE_UART_MODE_HOST_PIPE || mode == VITRINE_UART_MODE_TCP, NULL);
    gtk_entry_set_placeholder_text(GTK_ENTRY(port->path),
                                   mode == VITRINE_UART_MODE_TCP ? _("Port, or host:port")
                                   : mode == VITRINE_UART_MODE_HOST_DEVICE
                                       ? _("Device, /dev/ptmx for a new terminal")
                                       : _("Absolute path"));
}

static void
on_changed(GtkWidget *widget, SerialPort *port)
{
    g_autoptr(VitrineUart) uart = NULL;

    if (port->filling)
        return;
    uart = vitrine_uart_copy(vitrine_settings_get_uart(port->settings, port->slot));
    uart->enabled = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(port->enabled));
    uart->mode = (VitrineUartMode)gtk_combo_box_get_active(GTK_COMBO_BOX(port->mode));
    uart->server = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(port->server));
    uart->io_base = (guint)g_ascii_strtoull(gtk_entry_get_text(GTK_ENTRY(port->base)), NULL, 16);
    uart->irq = (guint)gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(port->irq));
    g_free(uart->path);
    uart->path = g_strdup(gtk_entry_get_text(GTK_ENTRY(port->path)));
    vitrine_settings_set_uart(port->settings, port->slot, uart);
    show_possible(port);
}

static void
fill(SerialPort *port)
{
    const VitrineUart *uart = vitrine_settings_get_uart(port->settings, port->slot);
    g_autofree char *base = g_strdup_printf("0x%X", uart->io_base);

    port->filling = TRUE;
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(port->enabled), uart->enabled);
    gtk_combo_box_set_active(GTK_COMBO_BOX(port->mode), (int)uart->mode);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(port->server), uart->server);
    gtk_entry_set_text(GTK_ENTRY(port->base), base);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(port->irq), uart->irq);
    gtk_entry_set_text(GTK_ENTRY(port->path), uart->path);
    port->filling = FALSE;
    show_possible(port);
}

static void
build_details(SerialPort *port)
{
    static const char *const modes[] = {N_("Disconnected"), N_("Host pipe"), N_("Host device"),
                                        N_("File"), N_("TCP")};
    int row = 0;

    port->details = settings_grid_new();
    port->mode = gtk_combo_box_text_new();
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(port->mode), _(modes[i]));
    port->path = gtk_entry_new();
    port->server =
        gtk_check_button_new_with_mnemonic(_("The machine makes the pipe or so_cket and waits"));
    port->base = gtk_entry_new(); /* hexadecimal, as everybody writes ports */
    port->irq = gtk_spin_button_new_with_range(0, 15, 1);
    row = widget_form_add(port->details, row, _("_Connected to"), port->mode);
    row = widget_form_add(port->details, row, _("_Path or address"), port->path);
    gtk_grid_attach(GTK_GRID(port->details), port->server, 1, row++, 1, 1);
    row = widget_form_add(port->details, row, _("I/O _base"), port->base);
    widget_form_add(port->details, row, _("I_RQ"), port->irq);
}

static GtkWidget *
serial_port_new(SettingsDialog *dialog, guint slot)
{
    SerialPort *port = g_new0(SerialPort, 1);
    GtkWidget *grid = widget_form_new();
    g_autofree char *field = g_strdup_printf("uart:%u", slot);

    port->settings = g_object_ref(settings_dialog_get_settings(dialog));
    port->slot = slot;
    port->enabled = gtk_check_button_new_with_mnemonic(_("_Enabled"));
    build_details(port);
    gtk_grid_attach(GTK_GRID(grid), port->enabled, 1, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), port->details, 1, 1, 1, 1);
    settings_add_problem(grid, 2, dialog, field);
    fill(port);
    g_signal_connect(port->enabled, "toggled", G_CALLBACK(on_changed), port);
    g_signal_connect(port->mode, "changed", G_CALLBACK(on_changed), port);
    g_signal_connect(port->server, "toggled", G_CALLBACK(on_changed), port);
    g_signal_connect(port->path, "changed", G_CALLBACK(on_changed), port);
    g_signal_connect(port->base, "changed", G_CALLBACK(on_changed), port);
    g_signal_connect(port->irq, "value-changed", G_CALLBACK(on_changed), port);
    g_object_set_data_full(G_OBJECT(grid), "port", port, serial_port_free);
    return grid;
}

GtkWidget *
settings_page_serial(SettingsDialog *dialog)
{
    return settings_tabs_new(dialog, VITRINE_UART_COUNT, _("Port %u"), serial_port_new);
}
