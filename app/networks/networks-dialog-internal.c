/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Properties of an internal network: its name, which machines' cards have as well, and its DHCP
 * server. */
#include "app/networks/networks-dialog.h"
#include "app/widgets/widget-form.h"

#include <glib/gi18n.h>

#define FIRST_NETWORK 57u /* 192.168.57.0: the one before is the usual host-only network's */

typedef struct {
    VitrineClient *client;
    char *before; /* its name; "": a new one */
    NetworksDialog *dialog;
    GtkWidget *name;
    NetworksDhcpForm *dhcp;
} InternalDialog;

static void
internal_dialog_free(gpointer data)
{
    InternalDialog *internal = data;

    g_object_unref(internal->client);
    g_free(internal->before);
    g_free(internal);
}

static VitrineDhcpServer *
read_server(InternalDialog *internal)
{
    VitrineDhcpServer *server = networks_dhcp_form_get_server(internal->dhcp);
    g_autofree char *name = networks_dialog_read_entry(internal->name);

    vitrine_adapter_set_text(&server->name, name);
    return server;
}

/* Names of DHCP servers are for all kinds of networks. */
static gboolean
is_taken(InternalDialog *internal, const char *name)
{
    g_autoptr(VitrineDhcpServer) server = vitrine_client_find_dhcp_server(internal->client, name);
    g_autoptr(VitrineNatNetwork) network = vitrine_client_find_nat_network(internal->client, name);

    return *internal->before == '\0' && (server != NULL || network != NULL);
}

static char *
check(gpointer data)
{
    InternalDialog *internal = data;
    g_autoptr(VitrineDhcpServer) server = read_server(internal);

    if (is_taken(internal, server->name))
        return g_strdup_printf(_("There is a network “%s” already."), server->name);
    if (*internal->before == '\0' && !server->enabled)
        return g_strdup(_("A network without a DHCP server needs nothing here: it is there as soon "
                          "as a machine's network card names it."));
    return server->enabled ? networks_dhcp_form_get_problem(internal->dhcp, server) : NULL;
}

static char *
saved_name(gpointer data)
{
    InternalDialog *internal = data;
    g_autoptr(VitrineDhcpServer) server = read_server(internal);

    return g_strdup(server->name);
}

static NetworksSteps *
save(gpointer data, GError **error)
{
    InternalDialog *internal = data;
    NetworksSteps *steps = networks_steps_new(internal->client);
    g_autoptr(VitrineDhcpServer) server = read_server(internal);

    networks_dialog_keep_dhcp(steps, internal->client, server);
    return steps;
}

static void
on_changed(InternalDialog *internal)
{
    networks_dialog_update(internal->dialog);
}

static gboolean
has_address(const GPtrArray *servers, const char *address)
{
    for (guint i = 0; i < servers->len; i++) {
        if (g_str_equal(((VitrineDhcpServer *)servers->pdata[i])->address, address))
            return TRUE;
    }
    return FALSE;
}

/* One in a network that no other server has. */
static VitrineDhcpServer *
usual_server(VitrineClient *client, const char *name)
{
    VitrineDhcpServer *server = vitrine_dhcp_server_new();
    g_autoptr(GPtrArray) others = vitrine_client_list_dhcp_servers(client);
    g_autofree char *address = NULL, *lower = NULL, *upper = NULL;
    guint number = FIRST_NETWORK;

    address = g_strdup_printf("192.168.%u.2", number);
    while (has_address(others, address) && number < 255) {
        g_free(address);
        address = g_strdup_printf("192.168.%u.2", ++number);
    }
    lower = g_strdup_printf("192.168.%u.10", number);
    upper = g_strdup_printf("192.168.%u.254", number);
    vitrine_adapter_set_text(&server->name, name);
    vitrine_adapter_set_text(&server->address, address);
    vitrine_adapter_set_text(&server->mask, "255.255.255.0");
    vitrine_adapter_set_text(&server->lower, lower);
    vitrine_adapter_set_text(&server->upper, upper);
    return server;
}

static GtkWidget *
new_page(InternalDialog *internal, gboolean new)
{
    GtkWidget *page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *form = widget_form_new();
    g_autoptr(VitrineDhcpServer) server =
        vitrine_client_find_dhcp_server(internal->client, internal->before);

    if (server == NULL)
        server = usual_server(internal->client, internal->before);
    internal->name = networks_dialog_new_entry(internal->before, G_CALLBACK(on_changed), internal);
    gtk_widget_set_sensitive(internal->name, new);
    if (!new)
        gtk_widget_set_tooltip_text(internal->name,
                                    _("The name is in the settings of the machines that use it."));
    widget_form_add(form, 0, _("_Name"), internal->name);
    internal->dhcp = networks_dialog_new_dhcp(internal->client, server, new || server->enabled,
                                              G_CALLBACK(on_changed), internal);
    networks_dhcp_form_align(internal->dhcp, gtk_grid_get_child_at(GTK_GRID(form), 0, 0));
    gtk_box_pack_start(GTK_BOX(page), form, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(page), GTK_WIDGET(internal->dhcp), TRUE, TRUE, 0);
    return page;
}

void
networks_dialog_internal(GtkWindow *parent, VitrineClient *client, const char *name,
                         NetworksChanged changed)
{
    static const NetworksDialogKind kind = {check, save, saved_name, internal_dialog_free};
    const gboolean new = name == NULL || *name == '\0';
    InternalDialog *internal = g_new0(InternalDialog, 1);

    internal->client = g_object_ref(client);
    internal->before = g_strdup(new ? "" : name);
    internal->dialog = networks_dialog_new(
        parent, new ? _("New internal network") : _("Properties of an internal network"),
        new ? _("C_reate network") : _("_Save"), &kind, internal);
    networks_dialog_add_page(internal->dialog, _("DHCP"), new_page(internal, new));
    networks_dialog_add_page(internal->dialog, _("DHCP options"),
                             networks_dhcp_form_get_clients(internal->dhcp));
    networks_dialog_run(internal->dialog, changed, G_OBJECT(parent));
}
