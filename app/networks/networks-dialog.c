/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The frame of a network's properties. */
#include "app/networks/networks-dialog.h"

#include "app/widgets/widget-form.h"
#include "app/widgets/widget-notebook.h"

#include <glib/gi18n.h>

#define WIDTH 740

struct NetworksDialog {
    GtkWidget *dialog, *pages, *save;
    GtkLabel *problem;
    const NetworksDialogKind *kind;
    gpointer data;
    NetworksChanged changed;
    GObject *target; /* weak */
    gboolean busy;
};

static void
dialog_free(gpointer data)
{
    NetworksDialog *dialog = data;

    dialog->kind->free(dialog->data);
    g_clear_weak_pointer(&dialog->target);
    g_free(dialog);
}

static void
say(NetworksDialog *dialog, const char *problem)
{
    gtk_label_set_text(dialog->problem, problem != NULL ? problem : "");
    gtk_widget_set_visible(GTK_WIDGET(dialog->problem), problem != NULL);
}

void
networks_dialog_update(NetworksDialog *dialog)
{
    g_autofree char *problem = dialog->kind->check(dialog->data);

    say(dialog, problem);
    gtk_widget_set_sensitive(dialog->save, problem == NULL && !dialog->busy);
    gtk_widget_set_tooltip_text(dialog->save, problem);
}

static void
set_busy(NetworksDialog *dialog, gboolean busy)
{
    dialog->busy = busy;
    gtk_widget_set_sensitive(dialog->pages, !busy);
    gtk_widget_set_sensitive(dialog->save, !busy);
}

static void
on_saved(gpointer data, const GError *error)
{
    NetworksDialog *dialog = g_object_get_data(data, "networks-dialog");

    if (dialog->dialog == NULL) /* closed meanwhile */
        return;
    if (dialog->target != NULL) {
        g_autofree char *name = error == NULL ? dialog->kind->name(dialog->data) : NULL;
        dialog->changed(dialog->target, name);
    }
    set_busy(dialog, FALSE);
    if (error != NULL)
        say(dialog, error->message);
    else
        gtk_widget_destroy(dialog->dialog);
}

static void
on_response(GtkDialog *widget, int response, NetworksDialog *dialog)
{
    g_autoptr(GError) error = NULL;
    NetworksSteps *steps;

    if (response != GTK_RESPONSE_OK) {
        gtk_widget_destroy(GTK_WIDGET(widget));
        return;
    }
    steps = dialog->kind->save(dialog->data, &error);
    if (steps == NULL) {
        say(dialog, error->message);
        return;
    }
    set_busy(dialog, TRUE);
    networks_steps_run(steps, on_saved, G_OBJECT(widget));
}

NetworksDialog *
networks_dialog_new(GtkWindow *parent, const char *title, const char *button,
                    const NetworksDialogKind *kind, gpointer data)
{
    NetworksDialog *dialog = g_new0(NetworksDialog, 1);
    GtkWidget *problem = widget_dim_label(""), *area;

    dialog->kind = kind;
    dialog->data = data;
    dialog->dialog = gtk_dialog_new_with_buttons(
        title, parent,
        GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT | GTK_DIALOG_USE_HEADER_BAR, _("_Cancel"),
        GTK_RESPONSE_CANCEL, button, GTK_RESPONSE_OK, NULL);
    gtk_window_set_default_size(GTK_WINDOW(dialog->dialog), WIDTH, -1);
    dialog->save = gtk_dialog_get_widget_for_response(GTK_DIALOG(dialog->dialog), GTK_RESPONSE_OK);
    dialog->pages = gtk_notebook_new();
    widget_notebook_setup(GTK_NOTEBOOK(dialog->pages));
    gtk_notebook_set_show_border(GTK_NOTEBOOK(dialog->pages), FALSE);
    dialog->problem = GTK_LABEL(problem);
    gtk_widget_set_no_show_all(problem, TRUE);
    g_object_set(problem, "margin-start", 18, "margin-end", 18, "margin-top", 6, "margin-bottom",
                 12, NULL);
    area = gtk_dialog_get_content_area(GTK_DIALOG(dialog->dialog));
    gtk_box_pack_start(GTK_BOX(area), dialog->pages, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(area), problem, FALSE, FALSE, 0);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog->dialog), GTK_RESPONSE_OK);
    g_object_set_data_full(G_OBJECT(dialog->dialog), "networks-dialog", dialog, dialog_free);
    g_signal_connect(dialog->dialog, "response", G_CALLBACK(on_response), dialog);
    g_signal_connect(dialog->dialog, "destroy", G_CALLBACK(gtk_widget_destroyed), &dialog->dialog);
    return dialog;
}

void
networks_dialog_add_page(NetworksDialog *dialog, const char *title, GtkWidget *page)
{
    gtk_notebook_append_page(GTK_NOTEBOOK(dialog->pages), page, gtk_label_new(title));
}

GtkWidget *
networks_dialog_new_entry(const char *text, GCallback changed, gpointer data)
{
    GtkWidget *entry = gtk_entry_new();

    gtk_entry_set_text(GTK_ENTRY(entry), text);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    g_signal_connect_swapped(entry, "changed", changed, data);
    return entry;
}

char *
networks_dialog_read_entry(GtkWidget *entry)
{
    return g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY(entry))));
}

NetworksDhcpForm *
networks_dialog_new_dhcp(VitrineClient *client, const VitrineDhcpServer *server, gboolean on,
                         GCallback changed, gpointer data)
{
    GtkWidget *form = networks_dhcp_form_new(client, server, on);

    g_signal_connect_swapped(form, "changed", changed, data);
    return NETWORKS_DHCP_FORM(form);
}

void
networks_dialog_run(NetworksDialog *dialog, NetworksChanged changed, GObject *target)
{
    GtkNotebook *pages = GTK_NOTEBOOK(dialog->pages);

    dialog->changed = changed;
    g_set_weak_pointer(&dialog->target, target);
    gtk_notebook_set_show_tabs(pages, gtk_notebook_get_n_pages(pages) > 1);
    gtk_widget_show_all(dialog->dialog);
    networks_dialog_update(dialog);
    gtk_widget_child_focus(gtk_notebook_get_nth_page(pages, 0), GTK_DIR_TAB_FORWARD);
}

void
networks_dialog_keep_dhcp(NetworksSteps *steps, VitrineClient *client,
                          const VitrineDhcpServer *server)
{
    g_autoptr(VitrineDhcpServer) before = vitrine_client_find_dhcp_server(client, server->name);

    if (before != NULL ? !vitrine_dhcp_server_equal(before, server) : server->enabled)
        networks_steps_save_dhcp(steps, server);
}
