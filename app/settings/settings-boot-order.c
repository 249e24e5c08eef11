/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The boot order as a reorderable GtkTreeView. The four settings boot1..boot4 are written after
 * each change. */
#include "app/settings/settings-boot-order.h"

#include <glib/gi18n.h>

enum { COLUMN_ENABLED, COLUMN_NAME, COLUMN_DEVICE, COLUMN_COUNT };
static const char *const properties[] = {"boot1", "boot2", "boot3", "boot4"};
#define PLACES G_N_ELEMENTS(properties)

typedef struct {
    VitrineSettings *settings;
    GtkListStore *store;
    GtkTreeView *view;
    gboolean filling;
} BootOrder;

static const char *
device_name(int device)
{
    switch (device) {
    case VITRINE_BOOT_DEVICE_FLOPPY: return _("Floppy");
    case VITRINE_BOOT_DEVICE_DVD: return _("Optical");
    case VITRINE_BOOT_DEVICE_HARD_DISK: return _("Hard disk");
    default: return _("Network");
    }
}

static void
add(BootOrder *order, int device, gboolean enabled)
{
    gtk_list_store_insert_with_values(order->store, NULL, -1, COLUMN_ENABLED, enabled, COLUMN_NAME,
                                      device_name(device), COLUMN_DEVICE, device, -1);
}

/* Those in the order first, then the others, switched off. */
static void
fill(BootOrder *order)
{
    gboolean used[VITRINE_BOOT_DEVICE_NETWORK + 1] = {FALSE};

    order->filling = TRUE;
    for (unsigned i = 0; i < PLACES; i++) {
        int device = vitrine_settings_get_enum(order->settings, properties[i]);
        if (device == VITRINE_BOOT_DEVICE_NONE || used[device])
            continue;
        used[device] = TRUE;
        add(order, device, TRUE);
    }
    for (int device = VITRINE_BOOT_DEVICE_FLOPPY; device <= VITRINE_BOOT_DEVICE_NETWORK; device++) {
        if (!used[device])
            add(order, device, FALSE);
    }
    order->filling = FALSE;
}

static void
store(BootOrder *order)
{
    GtkTreeModel *model = GTK_TREE_MODEL(order->store);
    unsigned place = 0;
    GtkTreeIter iter;

    if (order->filling)
        return;
    for (gboolean more = gtk_tree_model_get_iter_first(model, &iter); more;
         more = gtk_tree_model_iter_next(model, &iter)) {
        gboolean enabled;
        int device;
        gtk_tree_model_get(model, &iter, COLUMN_ENABLED, &enabled, COLUMN_DEVICE, &device, -1);
        if (enabled && place < PLACES)
            vitrine_settings_set_enum(order->settings, properties[place++], device);
    }
    while (place < PLACES)
        vitrine_settings_set_enum(order->settings, properties[place++], VITRINE_BOOT_DEVICE_NONE);
}

static void
on_toggled(GtkCellRendererToggle *cell, char *path, BootOrder *order)
{
    GtkTreeIter iter;
    gboolean enabled;

    if (!gtk_tree_model_get_iter_from_string(GTK_TREE_MODEL(order->store), &iter, path))
        return;
    gtk_tree_model_get(GTK_TREE_MODEL(order->store), &iter, COLUMN_ENABLED, &enabled, -1);
    gtk_list_store_set(order->store, &iter, COLUMN_ENABLED, !enabled, -1);
    store(order);
}

/* A drag ends with the deletion of the row's old place. */
static void
on_row_deleted(GtkTreeModel *model, GtkTreePath *path, BootOrder *order)
{
    store(order);
}

static void
move(BootOrder *order, int by)
{
    GtkTreeSelection *selection = gtk_tree_view_get_selection(order->view);
    GtkTreeModel *model = GTK_TREE_MODEL(order->store);
    GtkTreeIter iter, other;

    if (!gtk_tree_selection_get_selected(selection, NULL, &iter))
        return;
    other = iter;
    if (by < 0 ? gtk_tree_model_iter_previous(model, &other)
               : gtk_tree_model_iter_next(model, &other))
        gtk_list_store_swap(order->store, &iter, &other);
    store(order);
}

static void
on_up(GtkButton *button, BootOrder *order)
{
    move(order, -1);
}

static void
on_down(GtkButton *button, BootOrder *order)
{
    move(order, 1);
}

static void
boot_order_free(gpointer data)
{
    BootOrder *order = data;

    g_object_unref(order->settings);
    g_object_unref(order->store);
    g_free(order);
}

static GtkWidget *
button(const char *icon, const char *name, GCallback callback, BootOrder *order)
{
    GtkWidget *widget = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);

    gtk_widget_set_tooltip_text(widget, name);
    atk_object_set_name(gtk_widget_get_accessible(widget), name);
    g_signal_connect(widget, "clicked", callback, order);
    return widget;
}

static void
add_columns(BootOrder *order)
{
    GtkCellRenderer *toggle = gtk_cell_renderer_toggle_new(), *text = gtk_cell_renderer_text_new();

    g_signal_connect(toggle, "toggled", G_CALLBACK(on_toggled), order);
    gtk_tree_view_insert_column_with_attributes(order->view, -1, NULL, toggle, "active",
                                                COLUMN_ENABLED, NULL);
    gtk_tree_view_insert_column_with_attributes(order->view, -1, NULL, text, "text", COLUMN_NAME,
                                                NULL);
}

GtkWidget *
settings_boot_order_new(VitrineSettings *settings)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *frame = gtk_frame_new(NULL), *buttons = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    BootOrder *order = g_new0(BootOrder, 1);

    order->settings = g_object_ref(settings);
    order->store = gtk_list_store_new(COLUMN_COUNT, G_TYPE_BOOLEAN, G_TYPE_STRING, G_TYPE_INT);
    fill(order);
    order->view = GTK_TREE_VIEW(gtk_tree_view_new_with_model(GTK_TREE_MODEL(order->store)));
    gtk_tree_view_set_headers_visible(order->view, FALSE);
    gtk_tree_view_set_reorderable(order->view, TRUE);
    gtk_tree_view_set_enable_search(order->view, FALSE);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(order->view)), _("Boot order"));
    add_columns(order);
    g_signal_connect(order->store, "row-deleted", G_CALLBACK(on_row_deleted), order);
    gtk_container_add(GTK_CONTAINER(frame), GTK_WIDGET(order->view));
    gtk_box_pack_start(GTK_BOX(box), frame, TRUE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(buttons),
                      button("go-up-symbolic", _("Earlier"), G_CALLBACK(on_up), order));
    gtk_container_add(GTK_CONTAINER(buttons),
                      button("go-down-symbolic", _("Later"), G_CALLBACK(on_down), order));
    gtk_box_pack_start(GTK_BOX(box), buttons, FALSE, FALSE, 0);
    g_object_set_data_full(G_OBJECT(box), "boot-order", order, boot_order_free);
    return box;
}
