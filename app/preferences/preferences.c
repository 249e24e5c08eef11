/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The preferences window: General, Input, Display, USB, Language. Manual, chapter "Configuration",
 * global settings. */
#include "app/preferences/preferences-private.h"
#include "app/widgets/widget-window.h"

#include "app/widgets/widget-pages.h"

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
    GtkWidget *pages = widget_pages_new();
    Preferences *preferences = g_new0(Preferences, 1);

    preferences->client = g_object_ref(client);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_set_default_size(GTK_WINDOW(window), 640, 380);
    gtk_window_set_position(GTK_WINDOW(window), GTK_WIN_POS_CENTER_ON_PARENT);
    gtk_window_set_titlebar(GTK_WINDOW(window), build_header(window));
#define PAGE(name, title, constructor)                                                             \
    widget_pages_add(pages, name, _(title), constructor(preferences));
#include "app/preferences/preferences-pages.def"
#undef PAGE
    gtk_container_add(GTK_CONTAINER(window), pages);
    g_object_set_data_full(G_OBJECT(window), "preferences", preferences, preferences_free);
    widget_window_close_by_keys(GTK_WINDOW(window));
    gtk_window_present(GTK_WINDOW(window));
}
