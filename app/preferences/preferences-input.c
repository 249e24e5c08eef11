/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preferences, Input: the host key. A button that takes the next key pressed. */
#include "app/preferences/preferences-private.h"

#include "app/widgets/widget-form.h"
#include "app/widgets/widget-preferences.h"

#include <glib/gi18n.h>

typedef struct {
    Preferences *preferences;
    GtkButton *button;
    gboolean waiting;
} HostKey;

static void
show_key(HostKey *host)
{
    g_autofree char *name = widget_host_key_name(widget_host_key(host->preferences->client));

    gtk_button_set_label(host->button, host->waiting ? _("Press the new host key…") : name);
}

static void
on_clicked(GtkButton *button, HostKey *host)
{
    host->waiting = !host->waiting;
    show_key(host);
}

static gboolean
on_key(GtkWidget *widget, GdkEventKey *event, HostKey *host)
{
    g_autofree char *value = g_strdup_printf("%u", event->keyval);

    if (!host->waiting)
        return GDK_EVENT_PROPAGATE;
    host->waiting = FALSE;
    if (event->keyval != GDK_KEY_Escape)
        preferences_apply_extra_data(host->preferences, WIDGET_HOST_KEY_DATA, value);
    show_key(host);
    return GDK_EVENT_STOP;
}

static gboolean
on_focus_out(GtkWidget *widget, GdkEventFocus *event, HostKey *host)
{
    host->waiting = FALSE;
    show_key(host);
    return GDK_EVENT_PROPAGATE;
}

static void
on_extra_data(VitrineClient *client, const char *machine, const char *key, const char *value,
              GtkButton *button)
{
    HostKey *host = g_object_get_data(G_OBJECT(button), "host-key");

    if (g_str_equal(key, WIDGET_HOST_KEY_DATA))
        show_key(host);
}

GtkWidget *
preferences_page_input(Preferences *preferences)
{
    GtkWidget *grid = widget_form_new(), *button = gtk_button_new();
    HostKey *host = g_new0(HostKey, 1);

    host->preferences = preferences;
    host->button = GTK_BUTTON(button);
    show_key(host);
    g_object_set_data_full(G_OBJECT(button), "host-key", host, g_free);
    g_signal_connect(button, "clicked", G_CALLBACK(on_clicked), host);
    g_signal_connect(button, "key-press-event", G_CALLBACK(on_key), host);
    g_signal_connect(button, "focus-out-event", G_CALLBACK(on_focus_out), host);
    g_signal_connect_object(preferences->client, "extra-data-changed", G_CALLBACK(on_extra_data),
                            button, 0);
    widget_form_add(grid, 0, _("_Host key"), button);
    widget_form_add_note(
        grid, 1,
        _("Gives keyboard and pointer to a machine and takes them back; with another key it is a "
          "command of the machine's window. Click, then press a key."));
    return grid;
}
