/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, USB: the controllers, the filters that choose which of the host's devices the machine
 * gets by itself, and remote devices. Manual, chapter "USB settings". */
#include "app/settings/settings-usb-remote.h"
#include "app/widgets/widget-usb-filters.h"

#include <glib/gi18n.h>

typedef struct {
    SettingsDialog *dialog; /* borrowed: it outlives the page */
    VitrineSettings *settings;
    GtkWidget *ehci;
    GCancellable *cancel;
} UsbPage;

static void
page_free(gpointer data)
{
    UsbPage *page = data;

    g_cancellable_cancel(page->cancel);
    g_object_unref(page->cancel);
    g_object_unref(page->settings);
    g_free(page);
}

static void
on_filters(gpointer data, GPtrArray *filters)
{
    vitrine_settings_set_usb_filters(((UsbPage *)data)->settings, filters);
}

/* EHCI is offered where the program has it, or the machine asks for it. */
static void
on_kinds(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) kinds =
        vitrine_client_load_devices_finish(VITRINE_CLIENT(source), result, &error);
    UsbPage *page = data;

    for (guint i = 0; kinds != NULL && i < kinds->len; i++) {
        const VitrineDevice *kind = kinds->pdata[i];

        if (g_str_equal(kind->name, "ehci"))
            gtk_widget_show(page->ehci);
    }
}

/* --- the page --- */
static void
build_controllers(UsbPage *page, GtkWidget *grid, int *row)
{
    SettingsDialog *dialog = page->dialog;

    *row = settings_add_check(grid, *row, dialog, "usb-ohci", _("USB _1.1 controller (OHCI)"),
                              _("For guests that know nothing newer"));
    *row = settings_add_check(
        grid, *row, dialog, "usb-ehci", _("USB _2.0 controller (EHCI)"),
        _("Fast devices for older guests; brings a USB 1.1 controller for the slow ones"));
    page->ehci = gtk_grid_get_child_at(GTK_GRID(grid), 1, *row - 1);
    gtk_widget_set_no_show_all(page->ehci, TRUE);
    gtk_widget_set_visible(page->ehci, vitrine_settings_get_bool(page->settings, "usb-ehci"));
    *row = settings_add_check(grid, *row, dialog, "usb-xhci", _("USB _3.0 controller (xHCI)"),
                              _("Devices of every speed, for guests since Windows 8 and Linux 3"));
}

static int
build_filters(UsbPage *page, GtkWidget *grid, int row)
{
    GtkWidget *list =
        widget_usb_filters_new(settings_dialog_get_client(page->dialog), FALSE, on_filters, page);

    widget_usb_filters_show(list, vitrine_settings_get_usb_filters(page->settings));
    settings_lock_open(list, SETTINGS_ALWAYS);
    row = widget_form_add(grid, row, _("Device _filters"), list);
    return widget_form_add_note(
        grid, row,
        _("When the machine starts, and when a device is plugged in while it runs, "
          "it gets the devices that fit a filter. The host cannot use them "
          "meanwhile."));
}

GtkWidget *
settings_page_usb(SettingsDialog *dialog)
{
    VitrineClient *client = settings_dialog_get_client(dialog);
    UsbPage *page = g_new0(UsbPage, 1);
    GtkWidget *grid = widget_form_new();
    int row = 0;

    page->dialog = dialog;
    page->settings = g_object_ref(settings_dialog_get_settings(dialog));
    page->cancel = g_cancellable_new();
    g_object_set_data_full(G_OBJECT(grid), "usb-page", page, page_free);
    build_controllers(page, grid, &row);
    row = build_filters(page, grid, row);
    settings_usb_remotes_add(dialog, grid, row);
    vitrine_client_load_devices_async(client, page->cancel, on_kinds, page);
    return grid;
}
