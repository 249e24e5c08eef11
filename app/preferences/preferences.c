/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The preferences window: General, Input, Display, Language. Manual, chapter "Configuration",
 * global settings. */
#include "app/preferences/preferences-private.h"

#include <glib/gi18n.h>

void
preferences_apply_property(Preferences *preferences, const char *name, GVariant *value)
{
    vitrine_client_set_system_property_async(preferences->client, name, value, NULL, NULL, NULL);
}

void
preferences_apply_extra_data(Preferences *preferences, const char *key, const char *value)
{
    vitrine_client_set_extra_data_async(preferences->client, key, value, NULL, NULL, NULL);
}

GtkWidget *
preferences_page(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 12);
    gtk_container_set_border_width(GTK_CONTAINER(grid), 18);
    return grid;
}

void
preferences_add_row(GtkWidget *grid, int row, const char *text, GtkWidget *widget, const char *note)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(text), *dim;

    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), widget);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_grid_attach(GTK_GRID(grid), label, 0, row * 2, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), widget, 1, row * 2, 1, 1);
    if (!note)
        return;
    dim = gtk_label_new(note);
    gtk_label_set_xalign(GTK_LABEL(dim), 0);
    gtk_label_set_line_wrap(GTK_LABEL(dim), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(dim), 50);
    gtk_style_context_add_class(gtk_widget_get_style_context(dim), "dim-label");
    gtk_grid_attach(GTK_GRID(grid), dim, 1, row * 2 + 1, 1, 1);
}

static void
preferences_free(gpointer data)
{
    Preferences *preferences = data;

    g_object_unref(preferences->client);
    g_free(preferences);
}

static GtkWidget *
build_header(GtkWidget *window)
{
    GtkWidget *header = gtk_header_bar_new();

    gtk_header_bar_set_title(GTK_HEADER_BAR(header), _("Preferences"));
    gtk_header_bar_set_show_close_button(GTK_HEADER_BAR(header), TRUE);
    gtk_widget_show(header);
    return header;
}

void
preferences_show(GtkWindow *parent, VitrineClient *client)
{
    GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0), *stack = gtk_stack_new();
    GtkWidget *sidebar = gtk_stack_sidebar_new();
    Preferences *preferences = g_new0(Preferences, 1);

    preferences->client = g_object_ref(client);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_default_size(GTK_WINDOW(window), 640, 380);
    gtk_window_set_position(GTK_WINDOW(window), GTK_WIN_POS_CENTER_ON_PARENT);
    gtk_window_set_titlebar(GTK_WINDOW(window), build_header(window));
    gtk_stack_sidebar_set_stack(GTK_STACK_SIDEBAR(sidebar), GTK_STACK(stack));
    gtk_widget_set_size_request(sidebar, 150, -1);
    gtk_box_pack_start(GTK_BOX(box), sidebar, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), stack, TRUE, TRUE, 0);
#define PAGE(name, title, constructor)                                                             \
    gtk_stack_add_titled(GTK_STACK(stack), constructor(preferences), name, _(title));
#include "app/preferences/preferences-pages.def"
#undef PAGE
    gtk_container_add(GTK_CONTAINER(window), box);
    g_object_set_data_full(G_OBJECT(window), "preferences", preferences, preferences_free);
    gtk_widget_show_all(box);
    gtk_window_present(GTK_WINDOW(window));
}
