/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The list of filters of USB devices. Manual, chapter "USB settings". */
#include "app/widgets/widget-usb-filters.h"

#include "app/widgets/widget-format.h"
#include "app/widgets/widget-rows.h"
#include "app/widgets/widget-usb-filter.h"
#include "app/widgets/widget-usb.h"

#include <glib/gi18n.h>

#define LIST_HEIGHT 180
#define NEW (-1)

typedef struct {
    VitrineClient *client;
    gboolean global;
    WidgetUsbFiltersChanged changed;
    gpointer data;
    GPtrArray *filters; /* VitrineUsbFilter */
    GtkWidget *rows, *menu;
    GCancellable *cancel;
    int edited; /* the filter that the open dialog is about, or NEW */
} Filters;

static void
filters_free(gpointer data)
{
    Filters *filters = data;

    g_cancellable_cancel(filters->cancel);
    g_object_unref(filters->cancel);
    g_object_unref(filters->client);
    g_ptr_array_unref(filters->filters);
    g_free(filters);
}

/* --- the rows --- */
static void
describe(gpointer data, guint at, void (*say)(const WidgetRow *row, gpointer to), gpointer to)
{
    const Filters *filters = data;
    const VitrineUsbFilter *filter = filters->filters->pdata[at];
    g_autofree char *text = widget_usb_filter_text(filter);
    g_autofree char *with_action =
        g_strdup_printf("%s: %s", widget_usb_action_name(filter->action), text);
    const WidgetRow row = {filter->active, filter->name, filters->global ? with_action : text};

    say(&row, to);
}

static void
store(Filters *filters, int selected)
{
    widget_rows_show(filters->rows, filters->filters->len, selected);
    filters->changed(filters->data, filters->filters);
}

static void
take_edited(gpointer data, const VitrineUsbFilter *filter)
{
    Filters *filters = data;
    int at = filters->edited;

    if (at == NEW || at >= (int)filters->filters->len) {
        at = (int)filters->filters->len;
        g_ptr_array_add(filters->filters, vitrine_usb_filter_copy(filter));
    } else {
        vitrine_usb_filter_free(filters->filters->pdata[at]);
        filters->filters->pdata[at] = vitrine_usb_filter_copy(filter);
    }
    store(filters, at);
}

static void
edit(Filters *filters, const VitrineUsbFilter *filter, int at)
{
    filters->edited = at;
    widget_usb_filter_edit(GTK_WINDOW(gtk_widget_get_toplevel(filters->rows)), filter,
                           filters->global, take_edited, filters);
}

static void
on_add(gpointer data)
{
    Filters *filters = data;
    g_autofree char *name = g_strdup_printf(_("New filter %u"), filters->filters->len + 1);
    g_autoptr(VitrineUsbFilter) filter = vitrine_usb_filter_new(name);

    edit(filters, filter, NEW);
}

static void
on_edit(gpointer data, guint at)
{
    Filters *filters = data;

    edit(filters, filters->filters->pdata[at], (int)at);
}

static void
on_remove(gpointer data, guint at)
{
    Filters *filters = data;

    g_ptr_array_remove_index(filters->filters, at);
    store(filters, MIN((int)at, (int)filters->filters->len - 1));
}

static void
on_move(gpointer data, guint at, guint to)
{
    Filters *filters = data;
    gpointer filter = filters->filters->pdata[at];

    filters->filters->pdata[at] = filters->filters->pdata[to];
    filters->filters->pdata[to] = filter;
    store(filters, (int)to);
}

static void
on_toggle(gpointer data, guint at)
{
    Filters *filters = data;
    VitrineUsbFilter *filter = filters->filters->pdata[at];

    filter->active = !filter->active;
    store(filters, (int)at);
}

/* --- what is plugged in --- */
static void
on_device(GtkMenuItem *item, Filters *filters)
{
    const VitrineUsbDevice *device = g_object_get_data(G_OBJECT(item), "device");
    VitrineUsbFilter *filter = vitrine_usb_filter_new_for_device(device);

    if (filters->global)
        filter->action = VITRINE_USB_ACTION_IGNORE;
    g_ptr_array_add(filters->filters, filter);
    store(filters, (int)filters->filters->len - 1);
}

static void
add_device(Filters *filters, const VitrineUsbDevice *device)
{
    g_autofree char *title = vitrine_usb_device_get_title(device);
    g_autofree char *details = widget_usb_device_details(device);
    GtkWidget *item = gtk_menu_item_new_with_label(title);

    gtk_widget_set_tooltip_text(item, details);
    g_object_set_data_full(G_OBJECT(item), "device", vitrine_usb_device_copy(device),
                           (GDestroyNotify)vitrine_usb_device_free);
    g_signal_connect(item, "activate", G_CALLBACK(on_device), filters);
    gtk_menu_shell_append(GTK_MENU_SHELL(filters->menu), item);
}

static void
destroy_item(GtkWidget *item, gpointer data)
{
    gtk_widget_destroy(item);
}

static void
show_devices(Filters *filters, GPtrArray *devices, const GError *error)
{
    gtk_container_foreach(GTK_CONTAINER(filters->menu), destroy_item, NULL);
    for (guint i = 0; devices != NULL && i < devices->len; i++)
        add_device(filters, devices->pdata[i]);
    if (devices == NULL || devices->len == 0) {
        GtkWidget *item = gtk_menu_item_new_with_label(
            error != NULL ? error->message : _("No USB device is plugged in"));

        gtk_widget_set_sensitive(item, FALSE);
        gtk_menu_shell_append(GTK_MENU_SHELL(filters->menu), item);
    }
    gtk_widget_show_all(filters->menu);
}

static void
on_devices(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) devices =
        vitrine_client_load_usb_devices_finish(VITRINE_CLIENT(source), result, &error);

    if (!g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        show_devices(data, devices, error);
}

static void
load_devices(Filters *filters)
{
    vitrine_client_load_usb_devices_async(filters->client, filters->cancel, on_devices, filters);
}

static void
on_devices_changed(GtkWidget *rows)
{
    load_devices(g_object_get_data(G_OBJECT(rows), "usb-filters"));
}

/* --- the list --- */
static void
add_device_button(Filters *filters)
{
    GtkWidget *button = gtk_menu_button_new();

    filters->menu = gtk_menu_new();
    gtk_button_set_image(GTK_BUTTON(button), gtk_image_new_from_icon_name(
                                                 "media-removable-symbolic", GTK_ICON_SIZE_BUTTON));
    widget_set_name(button, _("Add a filter for a device that is plugged in"));
    gtk_menu_button_set_popup(GTK_MENU_BUTTON(button), filters->menu);
    widget_rows_add_button(filters->rows, button);
}

GtkWidget *
widget_usb_filters_new(VitrineClient *client, gboolean global, WidgetUsbFiltersChanged changed,
                       gpointer data)
{
    static const WidgetRowsKind kind = {
        .name = N_("USB device filters"),
        .icon = "media-removable-symbolic",
        .add = N_("Add an empty filter"),
        .edit = N_("Edit the filter"),
        .remove = N_("Remove the filter"),
        .up = N_("Earlier"),
        .down = N_("Later"),
        .height = LIST_HEIGHT,
        .text_width = 24,
        .describe = describe,
        .on_add = on_add,
        .on_edit = on_edit,
        .on_remove = on_remove,
        .on_move = on_move,
        .on_toggle = on_toggle,
    };
    Filters *filters = g_new0(Filters, 1);

    filters->client = g_object_ref(client);
    filters->global = global;
    filters->changed = changed;
    filters->data = data;
    filters->filters = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);
    filters->cancel = g_cancellable_new();
    filters->rows = widget_rows_new(
        &kind,
        global ? _("No filters: all machines may have all devices.")
               : _("No filters: the machine gets USB devices only from its Devices menu."),
        filters);
    add_device_button(filters);
    g_object_set_data_full(G_OBJECT(filters->rows), "usb-filters", filters, filters_free);
    show_devices(filters, NULL, NULL);
    g_signal_connect_object(client, "usb-devices-changed", G_CALLBACK(on_devices_changed),
                            filters->rows, G_CONNECT_SWAPPED);
    load_devices(filters);
    return filters->rows;
}

void
widget_usb_filters_show(GtkWidget *list, GPtrArray *shown)
{
    Filters *filters = g_object_get_data(G_OBJECT(list), "usb-filters");

    g_ptr_array_set_size(filters->filters, 0);
    for (guint i = 0; i < shown->len; i++)
        g_ptr_array_add(filters->filters, vitrine_usb_filter_copy(shown->pdata[i]));
    widget_rows_show(filters->rows, filters->filters->len, 0);
}
