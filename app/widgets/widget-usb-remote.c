/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dialog of widget-usb-remote.h: who waits for whom, over TCP or at a local socket, and what is
 * wrong with it. */
#include "app/widgets/widget-usb-remote.h"

#include "app/widgets/widget-form.h"

#include <glib/gi18n.h>
#include <string.h>

#define USUAL_PORT 4000

static const struct {
    const char *title;
    gboolean listens, local;
} ways[] = {
    {N_("The machine connects to a computer"), FALSE, FALSE},
    {N_("The machine connects to a local socket"), FALSE, TRUE},
    {N_("The machine waits for a computer"), TRUE, FALSE},
    {N_("The machine waits at a local socket"), TRUE, TRUE},
};

typedef struct {
    GtkWidget *dialog, *save, *form, *way, *host, *port, *path, *problem;
    int host_row, port_row, path_row;
    void (*done)(gpointer data, const VitrineUsbRemote *remote);
    gpointer data;
} Editor;

/* --- what the fields say --- */
static guint
chosen_way(const Editor *editor)
{
    return (guint)MAX(gtk_combo_box_get_active(GTK_COMBO_BOX(editor->way)), 0);
}

static char *
text_of(GtkWidget *entry)
{
    return g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY(entry))));
}

static VitrineUsbRemote *
read_fields(const Editor *editor)
{
    const guint way = chosen_way(editor);
    g_autofree char *host = text_of(editor->host), *path = text_of(editor->path);

    if (ways[way].local)
        return vitrine_usb_remote_new(ways[way].listens, path, "", 0);
    return vitrine_usb_remote_new(
        ways[way].listens, "", host,
        (guint)gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(editor->port)));
}

/* NULL: nothing. Settings write addresses with spaces between. */
static const char *
problem_of(const Editor *editor)
{
    const guint way = chosen_way(editor);
    g_autofree char *host = text_of(editor->host), *path = text_of(editor->path);

    if (ways[way].local && !g_path_is_absolute(path))
        return _("The socket's path begins at the root: /run/usb.socket.");
    if (!ways[way].local && !ways[way].listens && *host == '\0')
        return _("Which computer has the device? A name or an address.");
    if (!ways[way].local && ways[way].listens && *host != '\0' && !g_hostname_is_ip_address(host))
        return _("An address of this computer is a number such as 127.0.0.1.");
    if (strchr(ways[way].local ? path : host, ' ') != NULL)
        return _("There can be no spaces in it.");
    return NULL;
}

static void
show_row(const Editor *editor, int row, gboolean visible)
{
    for (int column = 0; column < 2; column++)
        gtk_widget_set_visible(gtk_grid_get_child_at(GTK_GRID(editor->form), column, row), visible);
}

/* One is somebody else's, the other one this computer's own. */
static void
name_host(const Editor *editor, gboolean listens)
{
    GtkWidget *label = gtk_grid_get_child_at(GTK_GRID(editor->form), 0, editor->host_row);

    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), listens ? _("_Address") : _("_Computer"));
    gtk_entry_set_placeholder_text(GTK_ENTRY(editor->host),
                                   listens ? _("Every address of this computer") : "");
    /* Else its placeholder would be its name. */
    atk_object_set_name(gtk_widget_get_accessible(editor->host),
                        listens ? _("Address") : _("Computer"));
}

static void
on_changed(GtkWidget *widget, Editor *editor)
{
    const guint way = chosen_way(editor);
    const char *problem = problem_of(editor);

    show_row(editor, editor->host_row, !ways[way].local);
    show_row(editor, editor->port_row, !ways[way].local);
    show_row(editor, editor->path_row, ways[way].local);
    name_host(editor, ways[way].listens);
    gtk_label_set_text(GTK_LABEL(editor->problem), problem != NULL ? problem : "");
    gtk_widget_set_visible(editor->problem, problem != NULL);
    gtk_widget_set_sensitive(editor->save, problem == NULL);
    gtk_widget_set_tooltip_text(editor->save, problem);
}

static void
on_response(GtkDialog *dialog, int response, Editor *editor)
{
    if (response == GTK_RESPONSE_OK) {
        g_autoptr(VitrineUsbRemote) remote = NULL;

        /* What was typed counts although the keyboard has not left the field. */
        gtk_spin_button_update(GTK_SPIN_BUTTON(editor->port));
        remote = read_fields(editor);
        editor->done(editor->data, remote);
    }
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

/* --- the form --- */
static GtkWidget *
entry_new(Editor *editor, const char *text)
{
    GtkWidget *entry = gtk_entry_new();

    gtk_entry_set_text(GTK_ENTRY(entry), text);
    gtk_entry_set_width_chars(GTK_ENTRY(entry), 30);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    g_signal_connect(entry, "changed", G_CALLBACK(on_changed), editor);
    return entry;
}

static void
add_ways(Editor *editor, const VitrineUsbRemote *remote)
{
    editor->way = gtk_combo_box_text_new();
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(editor->way), _(ways[i].title));
        if (i == 0 ||
            (ways[i].listens == remote->listens && ways[i].local == (*remote->path != '\0')))
            gtk_combo_box_set_active(GTK_COMBO_BOX(editor->way), (int)i);
    }
    g_signal_connect(editor->way, "changed", G_CALLBACK(on_changed), editor);
}

static void
add_port(Editor *editor, const VitrineUsbRemote *remote)
{
    editor->port = gtk_spin_button_new_with_range(1, 65535, 1);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(editor->port),
                              remote->port != 0 ? remote->port : USUAL_PORT);
    gtk_entry_set_activates_default(GTK_ENTRY(editor->port), TRUE);
    gtk_widget_set_halign(editor->port, GTK_ALIGN_START);
}

static void
add_problem(Editor *editor, int row)
{
    editor->problem = widget_problem_label();
    gtk_grid_attach(GTK_GRID(editor->form), editor->problem, 1, row, 1, 1);
}

static void
build_form(Editor *editor, const VitrineUsbRemote *remote)
{
    GtkWidget *form = editor->form = widget_form_new();

    add_ways(editor, remote);
    editor->host_row = widget_form_add(form, 0, _("_Way"), editor->way);
    editor->host = entry_new(editor, remote->host);
    editor->port_row = widget_form_add(form, editor->host_row, _("_Computer"), editor->host);
    add_port(editor, remote);
    editor->path_row = widget_form_add(form, editor->port_row, _("_Port"), editor->port);
    editor->path = entry_new(editor, remote->path);
    add_problem(editor, widget_form_add(form, editor->path_row, _("_Socket"), editor->path));
}

void
widget_usb_remote_edit(GtkWindow *parent, const VitrineUsbRemote *remote,
                       void (*done)(gpointer data, const VitrineUsbRemote *remote), gpointer data)
{
    g_autoptr(VitrineUsbRemote) fresh = vitrine_usb_remote_new(FALSE, "", "", 0);
    Editor *editor = g_new0(Editor, 1);

    editor->done = done;
    editor->data = data;
    editor->dialog = gtk_dialog_new_with_buttons(
        _("Remote USB device"), parent,
        GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT | GTK_DIALOG_USE_HEADER_BAR, _("_Cancel"),
        GTK_RESPONSE_CANCEL, _("_Apply"), GTK_RESPONSE_OK, NULL);
    editor->save = gtk_dialog_get_widget_for_response(GTK_DIALOG(editor->dialog), GTK_RESPONSE_OK);
    gtk_dialog_set_default_response(GTK_DIALOG(editor->dialog), GTK_RESPONSE_OK);
    build_form(editor, remote != NULL ? remote : fresh);
    gtk_container_add(GTK_CONTAINER(gtk_dialog_get_content_area(GTK_DIALOG(editor->dialog))),
                      editor->form);
    g_object_set_data_full(G_OBJECT(editor->dialog), "editor", editor, g_free);
    g_signal_connect(editor->dialog, "response", G_CALLBACK(on_response), editor);
    gtk_widget_show_all(editor->dialog);
    on_changed(NULL, editor);
}
