/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, USB: remote devices, which come from usbredir peers. What nobody can read stays in the
 * list as it is written. */
#include "app/settings/settings-usb-remote.h"

#include "app/widgets/widget-rows.h"
#include "app/widgets/widget-usb-remote.h"

#include <glib/gi18n.h>

#define LIST_HEIGHT 150
#define PROPERTY "usb-remotes"
#define NEW G_MAXUINT

typedef struct {
    VitrineSettings *settings;
    GPtrArray *addresses; /* char * */
    GtkWidget *rows;
    guint edited; /* the address that the open dialog is about, or NEW */
} Remotes;

static void
remotes_free(gpointer data)
{
    Remotes *remotes = data;

    g_object_unref(remotes->settings);
    g_ptr_array_unref(remotes->addresses);
    g_free(remotes);
}

static void
describe(gpointer data, guint at, void (*say)(const WidgetRow *row, gpointer to), gpointer to)
{
    const Remotes *remotes = data;
    const char *address = remotes->addresses->pdata[at];
    g_autoptr(VitrineUsbRemote) remote = vitrine_usb_remote_parse(address, NULL);
    g_autofree char *title =
        remote != NULL ? vitrine_usb_remote_get_title(remote) : g_strdup(_("Unknown"));
    const WidgetRow row = {.text = title, .details = address};

    say(&row, to);
}

static void
store(Remotes *remotes, int selected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < remotes->addresses->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               (const char *)remotes->addresses->pdata[i]);
    vitrine_settings_set_string(remotes->settings, PROPERTY, text->str);
    widget_rows_show(remotes->rows, remotes->addresses->len, selected);
}

/* --- what the buttons do --- */
static void
take_edited(gpointer data, const VitrineUsbRemote *remote)
{
    Remotes *remotes = data;
    char *address = vitrine_usb_remote_to_string(remote);
    guint at = remotes->edited;

    if (at == NEW) {
        at = remotes->addresses->len;
        g_ptr_array_add(remotes->addresses, address);
    } else {
        g_free(remotes->addresses->pdata[at]);
        remotes->addresses->pdata[at] = address;
    }
    store(remotes, (int)at);
}

static void
edit(Remotes *remotes, guint at, const VitrineUsbRemote *remote)
{
    remotes->edited = at;
    widget_usb_remote_edit(GTK_WINDOW(gtk_widget_get_toplevel(remotes->rows)), remote, take_edited,
                           remotes);
}

static void
on_add(gpointer data)
{
    edit(data, NEW, NULL);
}

static void
on_edit(gpointer data, guint at)
{
    Remotes *remotes = data;
    g_autoptr(VitrineUsbRemote) remote =
        vitrine_usb_remote_parse(remotes->addresses->pdata[at], NULL);

    edit(remotes, at, remote);
}

static void
on_remove(gpointer data, guint at)
{
    Remotes *remotes = data;

    g_ptr_array_remove_index(remotes->addresses, at);
    store(remotes, MIN((int)at, (int)remotes->addresses->len - 1));
}

/* --- the part of the page --- */
static void
read_addresses(Remotes *remotes)
{
    g_auto(GStrv) words =
        g_strsplit(vitrine_settings_get_string(remotes->settings, PROPERTY), " ", -1);

    remotes->addresses = g_ptr_array_new_with_free_func(g_free);
    for (char **word = words; *word != NULL; word++) {
        if (**word != '\0')
            g_ptr_array_add(remotes->addresses, g_strdup(*word));
    }
}

int
settings_usb_remotes_add(SettingsDialog *dialog, GtkWidget *grid, int row)
{
    static const WidgetRowsKind kind = {
        .name = N_("Remote USB devices"),
        .icon = "network-server-symbolic",
        .add = N_("Add a remote device"),
        .edit = N_("Edit the remote device"),
        .remove = N_("Remove the remote device"),
        .height = LIST_HEIGHT,
        .text_width = 40,
        .describe = describe,
        .on_add = on_add,
        .on_edit = on_edit,
        .on_remove = on_remove,
    };
    Remotes *remotes = g_new0(Remotes, 1);

    remotes->settings = g_object_ref(settings_dialog_get_settings(dialog));
    read_addresses(remotes);
    remotes->rows = widget_rows_new(
        &kind, _("No remote devices: another computer can hand its devices out by usbredir."),
        remotes);
    g_object_set_data_full(G_OBJECT(remotes->rows), "usb-remotes", remotes, remotes_free);
    settings_lock_open(remotes->rows, SETTINGS_SAVED);
    widget_rows_show(remotes->rows, remotes->addresses->len, 0);
    row = widget_form_add(grid, row, _("Re_mote devices"), remotes->rows);
    row = settings_add_problem(grid, row, dialog, PROPERTY);
    return widget_form_add_note(
        grid, row,
        _("The machine looks for them when it starts. The other computer runs “usbredirect”."));
}
