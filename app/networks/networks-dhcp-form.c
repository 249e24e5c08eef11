/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The page of a DHCP server. */
#include "app/networks/networks-dhcp-form.h"

#include "app/networks/networks-dhcp-clients.h"
#include "app/widgets/widget-form.h"

#include <glib/gi18n.h>

enum { ENTRY_ADDRESS, ENTRY_MASK, ENTRY_LOWER, ENTRY_UPPER, ENTRY_COUNT };

static const char *const entry_titles[ENTRY_COUNT] = {N_("Server _address"), N_("Network _mask"),
                                                      N_("_First address"), N_("_Last address")};

struct _NetworksDhcpForm {
    GtkGrid parent;
    VitrineDhcpServer *server; /* that it was made with */
    GtkToggleButton *enabled;
    GtkWidget *details;
    NetworksDhcpClients *clients;
    GtkEntry *entries[ENTRY_COUNT];
    gboolean typed, filling;
};

G_DEFINE_FINAL_TYPE(NetworksDhcpForm, networks_dhcp_form, GTK_TYPE_GRID)

static char **
field_of(VitrineDhcpServer *server, guint entry)
{
    switch (entry) {
    case ENTRY_ADDRESS: return &server->address;
    case ENTRY_MASK: return &server->mask;
    case ENTRY_LOWER: return &server->lower;
    default: return &server->upper;
    }
}

gboolean
networks_dhcp_form_get_enabled(NetworksDhcpForm *form)
{
    return gtk_toggle_button_get_active(form->enabled);
}

VitrineDhcpServer *
networks_dhcp_form_get_server(NetworksDhcpForm *form)
{
    VitrineDhcpServer *server = vitrine_dhcp_server_copy(form->server);

    server->enabled = networks_dhcp_form_get_enabled(form);
    for (guint i = 0; i < ENTRY_COUNT; i++) {
        g_autofree char *text = g_strstrip(g_strdup(gtk_entry_get_text(form->entries[i])));
        vitrine_adapter_set_text(field_of(server, i), text);
    }
    g_free(server->configs);
    server->configs = networks_dhcp_clients_get_configs(form->clients);
    return server;
}

char *
networks_dhcp_form_get_problem(NetworksDhcpForm *form, const VitrineDhcpServer *server)
{
    g_autofree char *problem = networks_dhcp_clients_get_problem(form->clients);
    g_autoptr(GError) error = NULL;

    if (problem == NULL && !vitrine_dhcp_server_check(server, &error))
        problem = g_strdup(error->message);
    return g_steal_pointer(&problem);
}

GtkWidget *
networks_dhcp_form_get_clients(NetworksDhcpForm *form)
{
    return networks_dhcp_clients_get_widget(form->clients);
}

static void
fill_entries(NetworksDhcpForm *form, const VitrineDhcpServer *server)
{
    form->filling = TRUE;
    for (guint i = 0; i < ENTRY_COUNT; i++)
        gtk_entry_set_text(form->entries[i], *field_of((VitrineDhcpServer *)server, i));
    form->filling = FALSE;
}

void
networks_dhcp_form_follow(NetworksDhcpForm *form, const VitrineDhcpServer *server)
{
    if (!form->typed)
        fill_entries(form, server);
}

void
networks_dhcp_form_align(NetworksDhcpForm *form, GtkWidget *label)
{
    g_autoptr(GtkSizeGroup) column = gtk_size_group_new(GTK_SIZE_GROUP_HORIZONTAL);

    gtk_size_group_add_widget(column, label);
    for (int row = 0; row < ENTRY_COUNT; row++)
        gtk_size_group_add_widget(column, gtk_grid_get_child_at(GTK_GRID(form->details), 0, row));
}

static void
on_changed(GtkWidget *widget, NetworksDhcpForm *form)
{
    if (form->filling)
        return;
    form->typed = form->typed || GTK_IS_ENTRY(widget);
    gtk_widget_set_sensitive(form->details, networks_dhcp_form_get_enabled(form));
    networks_dhcp_clients_set_possible(form->clients, networks_dhcp_form_get_enabled(form));
    g_signal_emit_by_name(form, "changed");
}

static void
on_clients_changed(gpointer data)
{
    g_signal_emit_by_name(data, "changed");
}

/* --- the class --- */

static void
networks_dhcp_form_finalize(GObject *object)
{
    vitrine_dhcp_server_free(NETWORKS_DHCP_FORM(object)->server);
    G_OBJECT_CLASS(networks_dhcp_form_parent_class)->finalize(object);
}

static void
networks_dhcp_form_class_init(NetworksDhcpFormClass *class)
{
    G_OBJECT_CLASS(class)->finalize = networks_dhcp_form_finalize;
    g_signal_new("changed", NETWORKS_TYPE_DHCP_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                 G_TYPE_NONE, 0);
}

static void
add_entries(NetworksDhcpForm *form)
{
    int row = 0;

    for (guint i = 0; i < ENTRY_COUNT; i++) {
        GtkWidget *entry = gtk_entry_new();

        form->entries[i] = GTK_ENTRY(entry);
        gtk_entry_set_activates_default(form->entries[i], TRUE);
        row = widget_form_add(form->details, row, _(entry_titles[i]), entry);
        g_signal_connect(entry, "changed", G_CALLBACK(on_changed), form);
    }
}

static void
networks_dhcp_form_init(NetworksDhcpForm *form)
{
    GtkWidget *enabled = gtk_check_button_new_with_mnemonic(_("_Give out addresses (DHCP)"));

    gtk_grid_set_row_spacing(GTK_GRID(form), 12);
    gtk_container_set_border_width(GTK_CONTAINER(form), 18);
    form->enabled = GTK_TOGGLE_BUTTON(enabled);
    form->details = widget_form_new();
    gtk_container_set_border_width(GTK_CONTAINER(form->details), 0);
    add_entries(form);
    gtk_grid_attach(GTK_GRID(form), enabled, 0, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(form), form->details, 0, 1, 1, 1);
}

GtkWidget *
networks_dhcp_form_new(VitrineClient *client, const VitrineDhcpServer *server, gboolean enabled)
{
    NetworksDhcpForm *form = g_object_new(NETWORKS_TYPE_DHCP_FORM, NULL);

    form->server = vitrine_dhcp_server_copy(server);
    fill_entries(form, server);
    form->clients = networks_dhcp_clients_new(client, server->configs, on_clients_changed, form);
    networks_dhcp_clients_set_possible(form->clients, enabled);
    gtk_toggle_button_set_active(form->enabled, enabled);
    gtk_widget_set_sensitive(form->details, enabled);
    g_signal_connect(form->enabled, "toggled", G_CALLBACK(on_changed), form);
    return GTK_WIDGET(form);
}
