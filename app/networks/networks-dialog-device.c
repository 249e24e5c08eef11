/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Properties of a host-only network: the addresses of the host's device, and the DHCP server of the
 * machines on it. */
#include "app/networks/networks-dialog.h"
#include "app/networks/networks-rows.h"
#include "app/widgets/widget-form.h"

#include <glib/gi18n.h>

#define USUAL_MASK "255.255.255.0"
#define SERVER_LAST 100u /* of the last number of the addresses in a network of 256 */
#define LOWER_LAST 101u
#define UPPER_LAST 254u

typedef struct {
    VitrineClient *client;
    VitrineHostInterface *before;
    NetworksDialog *dialog;
    GtkWidget *address, *mask, *address6, *bits6;
    NetworksDhcpForm *dhcp;
} DeviceDialog;

static void
device_dialog_free(gpointer data)
{
    DeviceDialog *device = data;

    g_object_unref(device->client);
    vitrine_host_interface_free(device->before);
    g_free(device);
}

static const char *
text_of(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

/* --- what the pages say --- */

static gboolean
is_address(const char *text, GSocketFamily family)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(text);

    return address != NULL && g_inet_address_get_family(address) == family;
}

static char *
check(gpointer data)
{
    DeviceDialog *device = data;
    g_autoptr(VitrineDhcpServer) server = networks_dhcp_form_get_server(device->dhcp);
    const char *address6 = text_of(device->address6);

    if (!is_address(text_of(device->address), G_SOCKET_FAMILY_IPV4))
        return g_strdup(_("The device needs an IPv4 address, such as 192.168.56.1."));
    if (!is_address(text_of(device->mask), G_SOCKET_FAMILY_IPV4))
        return g_strdup(_("The device needs a network mask, such as 255.255.255.0."));
    if (*address6 != '\0' && !is_address(address6, G_SOCKET_FAMILY_IPV6))
        return g_strdup(_("This is no IPv6 address; empty means none."));
    return server->enabled ? networks_dhcp_form_get_problem(device->dhcp, server) : NULL;
}

static gboolean
configure(DeviceDialog *device, GError **error)
{
    const VitrineHostInterface *before = device->before;
    const char *address = text_of(device->address), *mask = text_of(device->mask);
    const char *address6 = text_of(device->address6);
    const guint bits6 = (guint)gtk_spin_button_get_value(GTK_SPIN_BUTTON(device->bits6));

    if ((!g_str_equal(address, before->address) || !g_str_equal(mask, before->mask)) &&
        !vitrine_host_only_configure(before->name, address, mask, 0, error))
        return FALSE;
    return (g_str_equal(address6, before->address6) &&
            (*address6 == '\0' || bits6 == before->bits6)) ||
           vitrine_host_only_configure(before->name, address6, NULL, bits6, error);
}

static char *
saved_name(gpointer data)
{
    const DeviceDialog *device = data;

    return g_strdup(device->before->name);
}

static NetworksSteps *
save(gpointer data, GError **error)
{
    DeviceDialog *device = data;
    NetworksSteps *steps;
    g_autoptr(VitrineDhcpServer) server = networks_dhcp_form_get_server(device->dhcp);

    if (!configure(device, error))
        return NULL;
    steps = networks_steps_new(device->client);
    networks_dialog_keep_dhcp(steps, device->client, server);
    return steps;
}

/* --- pages --- */

/* One for a device whose network has none. */
static VitrineDhcpServer *
usual_server(const char *address, const char *mask, const char *name)
{
    VitrineDhcpServer *server = vitrine_dhcp_server_new();
    const char *dot = strrchr(address, '.');
    const int length = dot != NULL ? (int)(dot - address) : 0;
    const struct {
        char **field;
        guint last;
    } fields[] = {{&server->address, SERVER_LAST},
                  {&server->lower, LOWER_LAST},
                  {&server->upper, UPPER_LAST}};

    vitrine_adapter_set_text(&server->name, name);
    vitrine_adapter_set_text(&server->mask, *mask != '\0' ? mask : USUAL_MASK);
    for (guint i = 0; i < G_N_ELEMENTS(fields) && length != 0; i++) {
        g_free(*fields[i].field);
        *fields[i].field = g_strdup_printf("%.*s.%u", length, address, fields[i].last);
    }
    return server;
}

static void
on_changed(DeviceDialog *device)
{
    networks_dialog_update(device->dialog);
}

/* A server that is still to be made goes with the device. */
static void
on_address(DeviceDialog *device)
{
    g_autofree char *name = networks_device_dhcp_name(device->before->name);
    g_autoptr(VitrineDhcpServer) saved = vitrine_client_find_dhcp_server(device->client, name);
    g_autoptr(VitrineDhcpServer) usual =
        usual_server(text_of(device->address), text_of(device->mask), name);

    if (saved == NULL && is_address(text_of(device->address), G_SOCKET_FAMILY_IPV4))
        networks_dhcp_form_follow(device->dhcp, usual);
    on_changed(device);
}

static int
add_entry(DeviceDialog *device, GtkWidget *form, int row, const char *title, GtkWidget *entry)
{
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_address), device);
    return widget_form_add(form, row, title, entry);
}

static void
set_text(GtkWidget *entry, const char *text)
{
    gtk_entry_set_text(GTK_ENTRY(entry), text);
}

static GtkWidget *
new_addresses(DeviceDialog *device)
{
    const VitrineHostInterface *before = device->before;
    g_autofree char *problem = vitrine_host_only_problem();
    GtkWidget *form = widget_form_new();
    int row = 0;

    device->address = gtk_entry_new();
    device->mask = gtk_entry_new();
    device->address6 = gtk_entry_new();
    device->bits6 = gtk_spin_button_new_with_range(0, 128, 1);
    set_text(device->address, before->address);
    set_text(device->mask, *before->mask != '\0' ? before->mask : USUAL_MASK);
    set_text(device->address6, before->address6);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(device->bits6),
                              *before->address6 != '\0' ? before->bits6 : 64);
    row = add_entry(device, form, row, _("IPv4 _address"), device->address);
    row = add_entry(device, form, row, _("Network _mask"), device->mask);
    row = add_entry(device, form, row, _("IPv_6 address"), device->address6);
    row = add_entry(device, form, row, _("_Length of its prefix"), device->bits6);
    if (problem == NULL)
        return form;
    gtk_widget_set_sensitive(device->address, FALSE);
    gtk_widget_set_sensitive(device->mask, FALSE);
    gtk_widget_set_sensitive(device->address6, FALSE);
    gtk_widget_set_sensitive(device->bits6, FALSE);
    widget_form_add_note(form, row, problem);
    return form;
}

static GtkWidget *
new_dhcp(DeviceDialog *device)
{
    g_autofree char *name = networks_device_dhcp_name(device->before->name);
    g_autoptr(VitrineDhcpServer) server = vitrine_client_find_dhcp_server(device->client, name);

    if (server == NULL)
        server = usual_server(device->before->address, device->before->mask, name);
    device->dhcp = networks_dialog_new_dhcp(device->client, server, server->enabled,
                                            G_CALLBACK(on_changed), device);
    return GTK_WIDGET(device->dhcp);
}

static VitrineHostInterface *
find_device(const char *name)
{
    g_autoptr(GPtrArray) devices = vitrine_list_host_interfaces();

    for (guint i = 0; i < devices->len; i++) {
        const VitrineHostInterface *device = devices->pdata[i];

        if (g_str_equal(device->name, name))
            return vitrine_host_interface_copy(device);
    }
    return NULL;
}

void
networks_dialog_device(GtkWindow *parent, VitrineClient *client, const char *name,
                       NetworksChanged changed)
{
    static const NetworksDialogKind kind = {check, save, saved_name, device_dialog_free};
    VitrineHostInterface *found = find_device(name);
    DeviceDialog *device;

    if (found == NULL) /* it has just been removed */
        return;
    device = g_new0(DeviceDialog, 1);
    device->client = g_object_ref(client);
    device->before = found;
    device->dialog = networks_dialog_new(parent, _("Properties of a host-only network"), _("_Save"),
                                         &kind, device);
    networks_dialog_add_page(device->dialog, _("Device"), new_addresses(device));
    networks_dialog_add_page(device->dialog, _("DHCP"), new_dhcp(device));
    networks_dialog_add_page(device->dialog, _("DHCP options"),
                             networks_dhcp_form_get_clients(device->dhcp));
    networks_dialog_run(device->dialog, changed, G_OBJECT(parent));
}
