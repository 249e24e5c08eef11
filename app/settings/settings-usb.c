/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, USB: the controllers, and the filters that choose which of the host's devices the
 * machine gets by itself. Manual, chapter "USB settings". */
#include "app/settings/settings-usb-filter.h"
#include "app/widgets/widget-empty.h"
#include "app/widgets/widget-format.h"
#include "app/widgets/widget-usb.h"

#include <glib/gi18n.h>

#define LIST_HEIGHT 180

enum { COLUMN_ACTIVE, COLUMN_NAME, COLUMN_DETAILS, COLUMN_COUNT };

typedef struct {
    SettingsDialog *dialog; /* borrowed: it outlives the page */
    VitrineSettings *settings;
    GPtrArray *filters; /* VitrineUsbFilter */
    GtkListStore *store;
    GtkTreeView *view;
    GtkWidget *empty, *ehci;
    GtkWidget *from_device, *menu, *edit, *remove, *up, *down;
    GCancellable *cancel;
    int edited; /* the filter that the open dialog is about; -1: a new one */
} UsbPage;

static void
page_free(gpointer data)
{
    UsbPage *page = data;

    g_cancellable_cancel(page->cancel);
    g_object_unref(page->cancel);
    g_object_unref(page->settings);
    g_object_unref(page->store);
    g_ptr_array_unref(page->filters);
    g_free(page);
}

/* --- the list --- */
static int
selected(UsbPage *page)
{
    GtkTreeModel *model;
    GtkTreeIter iter;
    g_autoptr(GtkTreePath) path = NULL;

    if (!gtk_tree_selection_get_selected(gtk_tree_view_get_selection(page->view), &model, &iter))
        return -1;
    path = gtk_tree_model_get_path(model, &iter);
    return gtk_tree_path_get_indices(path)[0];
}

static void
show_possible(UsbPage *page)
{
    const int at = selected(page);

    gtk_widget_set_sensitive(page->edit, at >= 0);
    gtk_widget_set_sensitive(page->remove, at >= 0);
    gtk_widget_set_sensitive(page->up, at > 0);
    gtk_widget_set_sensitive(page->down, at >= 0 && at + 1 < (int)page->filters->len);
    gtk_widget_set_visible(page->empty, page->filters->len == 0);
}

static void
select_row(UsbPage *page, int at)
{
    g_autoptr(GtkTreePath) path = gtk_tree_path_new_from_indices(at, -1);

    if (at >= 0 && at < (int)page->filters->len)
        gtk_tree_view_set_cursor(page->view, path, NULL, FALSE);
}

static void
show_filters(UsbPage *page, int at)
{
    gtk_list_store_clear(page->store);
    for (guint i = 0; i < page->filters->len; i++) {
        const VitrineUsbFilter *filter = page->filters->pdata[i];
        g_autofree char *details = widget_usb_filter_text(filter);

        gtk_list_store_insert_with_values(page->store, NULL, -1, COLUMN_ACTIVE, filter->active,
                                          COLUMN_NAME, filter->name, COLUMN_DETAILS, details, -1);
    }
    select_row(page, at);
    show_possible(page);
}

static void
store_filters(UsbPage *page, int at)
{
    vitrine_settings_set_usb_filters(page->settings, page->filters);
    show_filters(page, at);
}

static void
on_toggled(GtkCellRendererToggle *cell, char *path, UsbPage *page)
{
    const guint at = (guint)g_ascii_strtoull(path, NULL, 10);
    VitrineUsbFilter *filter = page->filters->pdata[at];

    filter->active = !filter->active;
    store_filters(page, (int)at);
}

static void
on_selected(GtkTreeSelection *selection, UsbPage *page)
{
    show_possible(page);
}

/* --- what the buttons do --- */
static void
take_edited(gpointer data, const VitrineUsbFilter *filter)
{
    UsbPage *page = data;
    int at = page->edited;

    if (at < 0) {
        at = (int)page->filters->len;
        g_ptr_array_add(page->filters, vitrine_usb_filter_copy(filter));
    } else {
        vitrine_usb_filter_free(page->filters->pdata[at]);
        page->filters->pdata[at] = vitrine_usb_filter_copy(filter);
    }
    store_filters(page, at);
}

static void
edit(UsbPage *page, const VitrineUsbFilter *filter, int at)
{
    page->edited = at;
    settings_usb_filter_edit(GTK_WINDOW(page->dialog), filter, take_edited, page);
}

static void
on_add(GtkButton *button, UsbPage *page)
{
    g_autofree char *name = g_strdup_printf(_("New filter %u"), page->filters->len + 1);
    g_autoptr(VitrineUsbFilter) filter = vitrine_usb_filter_new(name);

    edit(page, filter, -1);
}

static void
on_edit(GtkButton *button, UsbPage *page)
{
    const int at = selected(page);

    if (at >= 0)
        edit(page, page->filters->pdata[at], at);
}

static void
on_activated(GtkTreeView *view, GtkTreePath *path, GtkTreeViewColumn *column, UsbPage *page)
{
    on_edit(NULL, page);
}

static void
on_remove(GtkButton *button, UsbPage *page)
{
    const int at = selected(page);

    if (at < 0)
        return;
    g_ptr_array_remove_index(page->filters, (guint)at);
    store_filters(page, MIN(at, (int)page->filters->len - 1));
}

static void
move(UsbPage *page, int by)
{
    const int at = selected(page), to = at + by;
    gpointer filter;

    if (at < 0 || to < 0 || to >= (int)page->filters->len)
        return;
    filter = page->filters->pdata[at];
    page->filters->pdata[at] = page->filters->pdata[to];
    page->filters->pdata[to] = filter;
    store_filters(page, to);
}

static void
on_up(GtkButton *button, UsbPage *page)
{
    move(page, -1);
}

static void
on_down(GtkButton *button, UsbPage *page)
{
    move(page, 1);
}

/* --- what is plugged in --- */
static void
on_device(GtkMenuItem *item, UsbPage *page)
{
    const VitrineUsbDevice *device = g_object_get_data(G_OBJECT(item), "device");
    VitrineUsbFilter *filter = vitrine_usb_filter_new_for_device(device);

    g_ptr_array_add(page->filters, filter);
    store_filters(page, (int)page->filters->len - 1);
}

static void
add_device(UsbPage *page, const VitrineUsbDevice *device)
{
    g_autofree char *title = vitrine_usb_device_get_title(device);
    g_autofree char *details = widget_usb_device_details(device);
    GtkWidget *item = gtk_menu_item_new_with_label(title);

    gtk_widget_set_tooltip_text(item, details);
    g_object_set_data_full(G_OBJECT(item), "device", vitrine_usb_device_copy(device),
                           (GDestroyNotify)vitrine_usb_device_free);
    g_signal_connect(item, "activate", G_CALLBACK(on_device), page);
    gtk_menu_shell_append(GTK_MENU_SHELL(page->menu), item);
}

static void
destroy_item(GtkWidget *item, gpointer data)
{
    gtk_widget_destroy(item);
}

static void
show_devices(UsbPage *page, GPtrArray *devices, const GError *error)
{
    gtk_container_foreach(GTK_CONTAINER(page->menu), destroy_item, NULL);
    for (guint i = 0; devices != NULL && i < devices->len; i++)
        add_device(page, devices->pdata[i]);
    if (devices == NULL || devices->len == 0) {
        GtkWidget *item = gtk_menu_item_new_with_label(
            error != NULL ? error->message : _("No USB device is plugged in"));

        gtk_widget_set_sensitive(item, FALSE);
        gtk_menu_shell_append(GTK_MENU_SHELL(page->menu), item);
    }
    gtk_widget_show_all(page->menu);
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
load_devices(UsbPage *page)
{
    vitrine_client_load_usb_devices_async(settings_dialog_get_client(page->dialog), page->cancel,
                                          on_devices, page);
}

static void
on_devices_changed(GtkWidget *grid)
{
    load_devices(g_object_get_data(G_OBJECT(grid), "usb-page"));
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
static GtkWidget *
button(GtkWidget *box, const char *icon, const char *name, GCallback callback, UsbPage *page)
{
    GtkWidget *widget = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);

    widget_set_name(widget, name);
    g_signal_connect(widget, "clicked", callback, page);
    gtk_container_add(GTK_CONTAINER(box), widget);
    return widget;
}

static void
add_device_button(UsbPage *page, GtkWidget *box)
{
    page->from_device = gtk_menu_button_new();
    page->menu = gtk_menu_new();
    gtk_button_set_image(
        GTK_BUTTON(page->from_device),
        gtk_image_new_from_icon_name("media-removable-symbolic", GTK_ICON_SIZE_BUTTON));
    widget_set_name(page->from_device, _("Add a filter for a device that is plugged in"));
    gtk_menu_button_set_popup(GTK_MENU_BUTTON(page->from_device), page->menu);
    gtk_container_add(GTK_CONTAINER(box), page->from_device);
}

static GtkWidget *
build_buttons(UsbPage *page)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    button(box, "list-add-symbolic", _("Add an empty filter"), G_CALLBACK(on_add), page);
    add_device_button(page, box);
    page->edit =
        button(box, "document-edit-symbolic", _("Edit the filter"), G_CALLBACK(on_edit), page);
    page->remove =
        button(box, "list-remove-symbolic", _("Remove the filter"), G_CALLBACK(on_remove), page);
    page->up = button(box, "go-up-symbolic", _("Earlier"), G_CALLBACK(on_up), page);
    page->down = button(box, "go-down-symbolic", _("Later"), G_CALLBACK(on_down), page);
    return box;
}

static void
build_view(UsbPage *page)
{
    GtkCellRenderer *toggle = gtk_cell_renderer_toggle_new(), *name = gtk_cell_renderer_text_new();
    GtkCellRenderer *details = gtk_cell_renderer_text_new();

    page->view = GTK_TREE_VIEW(gtk_tree_view_new_with_model(GTK_TREE_MODEL(page->store)));
    gtk_tree_view_set_headers_visible(page->view, FALSE);
    gtk_tree_view_set_enable_search(page->view, FALSE);
    gtk_tree_view_set_tooltip_column(page->view, COLUMN_DETAILS);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(page->view)), _("USB device filters"));
    g_object_set(name, "ellipsize", PANGO_ELLIPSIZE_END, "width-chars", 24, NULL);
    g_object_set(details, "ellipsize", PANGO_ELLIPSIZE_END, "sensitive", FALSE, NULL);
    g_signal_connect(toggle, "toggled", G_CALLBACK(on_toggled), page);
    gtk_tree_view_insert_column_with_attributes(page->view, -1, NULL, toggle, "active",
                                                COLUMN_ACTIVE, NULL);
    gtk_tree_view_insert_column_with_attributes(page->view, -1, NULL, name, "text", COLUMN_NAME,
                                                NULL);
    gtk_tree_view_insert_column_with_attributes(page->view, -1, NULL, details, "text",
                                                COLUMN_DETAILS, NULL);
    g_signal_connect(page->view, "row-activated", G_CALLBACK(on_activated), page);
    g_signal_connect(gtk_tree_view_get_selection(page->view), "changed", G_CALLBACK(on_selected),
                     page);
}

static GtkWidget *
build_list(UsbPage *page)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL), *overlay = gtk_overlay_new();

    build_view(page);
    page->empty = widget_empty_page_new(
        "media-removable-symbolic",
        _("No filters: the machine gets USB devices only from its Devices menu."), NULL);
    gtk_widget_set_no_show_all(page->empty, TRUE);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scroller), LIST_HEIGHT);
    gtk_container_add(GTK_CONTAINER(scroller), GTK_WIDGET(page->view));
    gtk_container_add(GTK_CONTAINER(overlay), scroller);
    gtk_overlay_add_overlay(GTK_OVERLAY(overlay), page->empty);
    gtk_overlay_set_overlay_pass_through(GTK_OVERLAY(overlay), page->empty, TRUE);
    gtk_widget_set_hexpand(overlay, TRUE);
    gtk_box_pack_start(GTK_BOX(box), overlay, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), build_buttons(page), FALSE, FALSE, 0);
    return box;
}

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

static void
copy_filters(UsbPage *page)
{
    GPtrArray *filters = vitrine_settings_get_usb_filters(page->settings);

    page->filters = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);
    for (guint i = 0; i < filters->len; i++)
        g_ptr_array_add(page->filters, vitrine_usb_filter_copy(filters->pdata[i]));
}

GtkWidget *
settings_page_usb(SettingsDialog *dialog)
{
    VitrineClient *client = settings_dialog_get_client(dialog);
    UsbPage *page = g_new0(UsbPage, 1);
    GtkWidget *grid = widget_form_new(), *list;
    int row = 0;

    page->dialog = dialog;
    page->settings = g_object_ref(settings_dialog_get_settings(dialog));
    page->cancel = g_cancellable_new();
    page->store = gtk_list_store_new(COLUMN_COUNT, G_TYPE_BOOLEAN, G_TYPE_STRING, G_TYPE_STRING);
    copy_filters(page);
    build_controllers(page, grid, &row);
    list = build_list(page);
    settings_lock_open(list, SETTINGS_ALWAYS);
    row = widget_form_add(grid, row, _("Device _filters"), list);
    widget_form_add_note(
        grid, row,
        _("When the machine starts, and when a device is plugged in while it runs, "
          "it gets the devices that fit a filter. The host cannot use them "
          "meanwhile."));
    show_filters(page, 0);
    show_devices(page, NULL, NULL);
    g_object_set_data_full(G_OBJECT(grid), "usb-page", page, page_free);
    g_signal_connect_object(client, "usb-devices-changed", G_CALLBACK(on_devices_changed), grid,
                            G_CONNECT_SWAPPED);
    load_devices(page);
    vitrine_client_load_devices_async(client, page->cancel, on_kinds, page);
    return grid;
}
