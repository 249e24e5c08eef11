/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Properties of a NAT network. Manual, chapter Networking, "Network Address Translation Service".
 */
#include "app/networks/networks-dialog.h"
#include "app/widgets/widget-form.h"
#include "app/widgets/widget-forwards.h"

#include <glib/gi18n.h>

#define USUAL_NAME "NatNetwork"
#define USUAL_LOOPBACK "127.0.0.1=2"
#define USUAL_LOOPBACK6 "2"

typedef struct {
    VitrineClient *client;
    VitrineNatNetwork *before; /* name "": a new one */
    NetworksDialog *dialog;
    GtkWidget *name, *enabled, *range, *ipv6, *prefix6, *host;
    NetworksDhcpForm *dhcp;
    char *forwards4, *forwards6;
} NatDialog;

static void
nat_dialog_free(gpointer data)
{
    NatDialog *nat = data;

    g_object_unref(nat->client);
    vitrine_nat_network_free(nat->before);
    g_free(nat->forwards4);
    g_free(nat->forwards6);
    g_free(nat);
}

/* --- what the pages say --- */

static gboolean
is_on(GtkWidget *check)
{
    return gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(check));
}

/* The host itself, by its own address of either kind. */
static gboolean
is_reached(const VitrineNatNetwork *network)
{
    return *network->loopbacks != '\0' || *network->loopback6 != '\0';
}

static void
read_entry(GtkWidget *entry, char **field)
{
    g_autofree char *text = networks_dialog_read_entry(entry);

    vitrine_adapter_set_text(field, text);
}

/* One switch for both kinds: numbers that were there stay. */
static void
read_loopbacks(VitrineNatNetwork *network, gboolean reached)
{
    const gboolean was = is_reached(network);

    if (reached == was)
        return;
    vitrine_adapter_set_text(&network->loopbacks, reached ? USUAL_LOOPBACK : "");
    vitrine_adapter_set_text(&network->loopback6, reached ? USUAL_LOOPBACK6 : "");
}

/* (transfer full) */
static VitrineNatNetwork *
read_network(NatDialog *nat)
{
    VitrineNatNetwork *network = vitrine_nat_network_copy(nat->before);

    read_entry(nat->name, &network->name);
    read_entry(nat->range, &network->range);
    read_entry(nat->prefix6, &network->prefix6);
    network->enabled = is_on(nat->enabled);
    network->ipv6 = is_on(nat->ipv6);
    network->dhcp = networks_dhcp_form_get_enabled(nat->dhcp);
    vitrine_adapter_set_text(&network->forwards4, nat->forwards4);
    vitrine_adapter_set_text(&network->forwards6, nat->forwards6);
    read_loopbacks(network, is_on(nat->host));
    return network;
}

/* (transfer full) */
static VitrineDhcpServer *
read_server(NatDialog *nat, const VitrineNatNetwork *network)
{
    VitrineDhcpServer *server = networks_dhcp_form_get_server(nat->dhcp);

    vitrine_adapter_set_text(&server->name, network->name);
    server->enabled = TRUE; /* the network has the switch */
    return server;
}

static gboolean
is_taken(NatDialog *nat, const char *name)
{
    g_autoptr(VitrineNatNetwork) other = vitrine_client_find_nat_network(nat->client, name);

    return other != NULL && !g_str_equal(name, nat->before->name);
}

/* Its server's addresses have to be the network's own. */
static char *
dhcp_problem(NatDialog *nat, const VitrineNatNetwork *network, const VitrineDhcpServer *server)
{
    g_autoptr(VitrineDhcpServer) usual = vitrine_dhcp_server_new_for_network(network);
    g_autoptr(VitrineDhcpServer) moved = vitrine_dhcp_server_copy(server);
    char *problem = networks_dhcp_form_get_problem(nat->dhcp, server);

    if (problem != NULL)
        return problem;
    vitrine_adapter_set_text(&moved->address, usual->address);
    if (g_str_equal(usual->mask, server->mask) && vitrine_dhcp_server_check(moved, NULL))
        return NULL;
    return g_strdup_printf(_("The DHCP server's addresses are not those of the network %s."),
                           network->range);
}

static char *
check(gpointer data)
{
    NatDialog *nat = data;
    g_autoptr(VitrineNatNetwork) network = read_network(nat);
    g_autoptr(VitrineDhcpServer) server = read_server(nat, network);
    g_autoptr(GError) error = NULL;

    if (!vitrine_nat_network_check(network, &error))
        return g_strdup(error->message);
    if (is_taken(nat, network->name))
        return g_strdup_printf(_("There is a NAT network “%s” already."), network->name);
    return network->dhcp ? dhcp_problem(nat, network, server) : NULL;
}

/* A server that is as the network would have it anyway is not written. */
static void
keep_server(NatDialog *nat, NetworksSteps *steps, const VitrineNatNetwork *network)
{
    const char *name = nat->before->name;
    g_autoptr(VitrineDhcpServer) server = read_server(nat, network);
    g_autoptr(VitrineDhcpServer) usual = vitrine_dhcp_server_new_for_network(network);
    g_autoptr(VitrineDhcpServer) before = vitrine_client_find_dhcp_server(nat->client, name);
    const gboolean renamed = !g_str_equal(name, network->name);

    if (!network->dhcp)
        return;
    if (before != NULL && renamed)
        networks_steps_change_dhcp(steps, name, "remove");
    if (!vitrine_dhcp_server_equal(server, usual))
        networks_dialog_keep_dhcp(steps, nat->client, server);
    else if (before != NULL && !renamed)
        networks_steps_change_dhcp(steps, name, "remove");
}

static char *
saved_name(gpointer data)
{
    NatDialog *nat = data;
    g_autoptr(VitrineNatNetwork) network = read_network(nat);

    return g_strdup(network->name);
}

static NetworksSteps *
save(gpointer data, GError **error)
{
    NatDialog *nat = data;
    NetworksSteps *steps = networks_steps_new(nat->client);
    g_autoptr(VitrineNatNetwork) network = read_network(nat);

    if (!vitrine_nat_network_equal(network, nat->before))
        networks_steps_save_nat(steps, nat->before->name, network);
    keep_server(nat, steps, network);
    return steps;
}

/* --- pages --- */

static void
on_changed(NatDialog *nat)
{
    g_autoptr(VitrineNatNetwork) network = read_network(nat);
    g_autoptr(VitrineDhcpServer) usual = vitrine_dhcp_server_new_for_network(network);

    gtk_widget_set_sensitive(nat->prefix6, network->ipv6);
    if (vitrine_nat_network_check(network, NULL))
        networks_dhcp_form_follow(nat->dhcp, usual);
    networks_dialog_update(nat->dialog);
}

static void
on_dhcp(NatDialog *nat)
{
    networks_dialog_update(nat->dialog);
}

static void
on_forwards4(gpointer data, const char *lines)
{
    NatDialog *nat = data;

    vitrine_adapter_set_text(&nat->forwards4, lines);
    networks_dialog_update(nat->dialog);
}

static void
on_forwards6(gpointer data, const char *lines)
{
    NatDialog *nat = data;

    vitrine_adapter_set_text(&nat->forwards6, lines);
    networks_dialog_update(nat->dialog);
}

static GtkWidget *
new_entry(NatDialog *nat, const char *text)
{
    return networks_dialog_new_entry(text, G_CALLBACK(on_changed), nat);
}

static GtkWidget *
add_check(NatDialog *nat, GtkWidget *form, int row, const char *title, gboolean on)
{
    GtkWidget *check = gtk_check_button_new_with_mnemonic(title);

    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), on);
    g_signal_connect_swapped(check, "toggled", G_CALLBACK(on_changed), nat);
    gtk_grid_attach(GTK_GRID(form), check, 1, row, 1, 1);
    return check;
}

static GtkWidget *
new_general(NatDialog *nat, const VitrineNatNetwork *network)
{
    GtkWidget *form = widget_form_new();
    int row = 0;

    nat->name = new_entry(nat, network->name);
    nat->range = new_entry(nat, network->range);
    nat->prefix6 = new_entry(nat, network->prefix6);
    gtk_widget_set_sensitive(nat->name, !network->running);
    gtk_widget_set_tooltip_text(
        nat->name, network->running ? _("The name can change when the network is stopped.") : NULL);
    row = widget_form_add(form, row, _("_Name"), nat->name);
    nat->enabled = add_check(nat, form, row++, _("_Machines can use it"), network->enabled);
    row = widget_form_add(form, row, _("_IPv4 network"), nat->range);
    nat->host =
        add_check(nat, form, row++, _("Machines reach the _host itself"), is_reached(network));
    nat->ipv6 = add_check(nat, form, row++, _("IPv_6 as well"), network->ipv6);
    row = widget_form_add(form, row, _("IPv6 _prefix"), nat->prefix6);
    gtk_widget_set_sensitive(nat->prefix6, network->ipv6);
    widget_form_add_note(form, row,
                         _("The first address of the network leads to everything that the host "
                           "reaches."));
    return form;
}

static GtkWidget *
new_forwards(const char *lines, WidgetForwardsChanged changed, NatDialog *nat)
{
    GtkWidget *table = widget_forwards_new(lines, FALSE, changed, nat, NULL);
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);

    gtk_container_set_border_width(GTK_CONTAINER(table), 18);
    gtk_container_add(GTK_CONTAINER(scroller), table);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    return scroller;
}

static GtkWidget *
new_dhcp(NatDialog *nat, const VitrineNatNetwork *network)
{
    g_autoptr(VitrineDhcpServer) server =
        vitrine_client_find_dhcp_server(nat->client, network->name);

    if (server == NULL)
        server = vitrine_dhcp_server_new_for_network(network);
    nat->dhcp =
        networks_dialog_new_dhcp(nat->client, server, network->dhcp, G_CALLBACK(on_dhcp), nat);
    return GTK_WIDGET(nat->dhcp);
}

/* A new network has a name and addresses that no other has. */
static VitrineNatNetwork *
new_network(VitrineClient *client)
{
    VitrineNatNetwork *network = vitrine_nat_network_new();
    g_autoptr(GPtrArray) others = vitrine_client_list_nat_networks(client);

    vitrine_adapter_set_text(&network->name, USUAL_NAME);
    for (guint number = 1, i = 0; i < others->len; i++) {
        const VitrineNatNetwork *other = others->pdata[i];
        g_autofree char *name = NULL, *range = NULL;

        if (!g_str_equal(other->name, network->name) && !g_str_equal(other->range, network->range))
            continue;
        name = g_strdup_printf(USUAL_NAME "%u", number);
        range = g_strdup_printf("10.0.%u.0/24", number % 253 + 2);
        vitrine_adapter_set_text(&network->name, name);
        vitrine_adapter_set_text(&network->range, range);
        number++;
        i = G_MAXUINT; /* from the first again */
    }
    return network;
}

void
networks_dialog_nat(GtkWindow *parent, VitrineClient *client, const char *name,
                    NetworksChanged changed)
{
    static const NetworksDialogKind kind = {check, save, saved_name, nat_dialog_free};
    const gboolean new = name == NULL || *name == '\0';
    g_autoptr(VitrineNatNetwork) network =
        new ? new_network(client) : vitrine_client_find_nat_network(client, name);
    NatDialog *nat;

    if (network == NULL) /* it has just been removed */
        return;
    nat = g_new0(NatDialog, 1);
    nat->client = g_object_ref(client);
    nat->before = vitrine_nat_network_copy(network);
    if (new)
        vitrine_adapter_set_text(&nat->before->name, "");
    nat->forwards4 = g_strdup(network->forwards4);
    nat->forwards6 = g_strdup(network->forwards6);
    nat->dialog =
        networks_dialog_new(parent, new ? _("New NAT network") : _("Properties of a NAT network"),
                            new ? _("C_reate network") : _("_Save"), &kind, nat);
    networks_dialog_add_page(nat->dialog, _("General"), new_general(nat, network));
    networks_dialog_add_page(nat->dialog, _("DHCP"), new_dhcp(nat, network));
    networks_dialog_add_page(nat->dialog, _("DHCP options"),
                             networks_dhcp_form_get_clients(nat->dhcp));
    networks_dialog_add_page(nat->dialog, _("IPv4 ports"),
                             new_forwards(network->forwards4, on_forwards4, nat));
    networks_dialog_add_page(nat->dialog, _("IPv6 ports"),
                             new_forwards(network->forwards6, on_forwards6, nat));
    networks_dialog_run(nat->dialog, changed, G_OBJECT(parent));
}
