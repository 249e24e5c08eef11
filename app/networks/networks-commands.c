/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What can be done with networks. */
#include "app/networks/networks-dialog.h"
#include "app/networks/networks-private.h"
#include "app/widgets/widget-actions.h"

#include <glib/gi18n.h>

#define GROUP "networks"

/* --- new, properties --- */

static void
make_device(NetworksWindow *window)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = vitrine_host_only_create(&error);

    if (name != NULL)
        networks_window_select(window, name);
    else
        networks_window_show_error(window, _("No network device was made"), error);
}

/* name NULL: a new one. */
static void
show_dialog(NetworksWindow *window, const char *name)
{
    VitrineClient *client = networks_window_get_client(window);

    switch (networks_window_get_kind(window)) {
    case NETWORKS_HOST_ONLY:
        networks_dialog_device(GTK_WINDOW(window), client, name, networks_window_select);
        break;
    case NETWORKS_NAT:
        networks_dialog_nat(GTK_WINDOW(window), client, name, networks_window_select);
        break;
    case NETWORKS_INTERNAL:
        networks_dialog_internal(GTK_WINDOW(window), client, name, networks_window_select);
        break;
    }
}

static void
on_new(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    NetworksWindow *window = data;

    if (networks_window_get_kind(window) == NETWORKS_HOST_ONLY)
        make_device(window);
    else
        show_dialog(window, NULL);
}

static void
on_properties(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autofree char *name = networks_window_get_selected(data, NETWORKS_COLUMN_NAME);

    show_dialog(data, name);
}

/* --- start, stop --- */

static void
on_turned(gpointer data, const GError *error)
{
    if (error != NULL)
        networks_window_show_error(data, _("The network stays as it is"), error);
}

static void
turn(NetworksWindow *window, const char *verb)
{
    NetworksSteps *steps = networks_steps_new(networks_window_get_client(window));
    g_autofree char *name = networks_window_get_selected(window, NETWORKS_COLUMN_NAME);

    networks_steps_change_nat(steps, name, verb);
    networks_steps_run(steps, on_turned, G_OBJECT(window));
}

static void
on_start(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    turn(data, "start");
}

static void
on_stop(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    turn(data, "stop");
}

/* --- remove --- */

typedef struct {
    NetworksWindow *window;
    char *name;
    NetworksKind kind;
} Removal;

static void
on_removed(gpointer data, const GError *error)
{
    if (error != NULL)
        networks_window_show_error(data, _("The network was not removed"), error);
    networks_window_reload(data);
}

static void
remove_network(const Removal *removal)
{
    VitrineClient *client = networks_window_get_client(removal->window);
    g_autofree char *dhcp = removal->kind == NETWORKS_HOST_ONLY
                                ? networks_device_dhcp_name(removal->name)
                                : g_strdup(removal->name);
    g_autoptr(VitrineDhcpServer) server = vitrine_client_find_dhcp_server(client, dhcp);
    g_autoptr(GError) error = NULL;
    NetworksSteps *steps;

    if (removal->kind == NETWORKS_HOST_ONLY && !vitrine_host_only_remove(removal->name, &error)) {
        on_removed(removal->window, error);
        return;
    }
    steps = networks_steps_new(client);
    if (removal->kind == NETWORKS_NAT)
        networks_steps_change_nat(steps, removal->name, "remove");
    if (server != NULL)
        networks_steps_change_dhcp(steps, dhcp, "remove");
    networks_steps_run(steps, on_removed, G_OBJECT(removal->window));
}

static void
on_remove_response(GtkDialog *dialog, int response, gpointer data)
{
    Removal *removal = data;

    if (response == GTK_RESPONSE_OK)
        remove_network(removal);
    gtk_widget_destroy(GTK_WIDGET(dialog));
    g_object_unref(removal->window);
    g_free(removal->name);
    g_free(removal);
}

/* What goes with the network. */
static char *
removal_text(NetworksKind kind, const char *used_by)
{
    const char *what =
        kind == NETWORKS_HOST_ONLY ? _("The host's network device goes, with its DHCP server.")
        : kind == NETWORKS_NAT     ? _("Its forwarded ports and its DHCP server go with it.")
                                   : _("Its DHCP server goes; machines can still use the network.");

    if (*used_by == '\0' || kind == NETWORKS_INTERNAL)
        return g_strdup(what);
    return g_strdup_printf(_("%s These machines cannot start any more until they get another "
                             "network: %s."),
                           what, used_by);
}

static void
on_remove(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    NetworksWindow *window = data;
    g_autofree char *used_by = networks_window_get_selected(window, NETWORKS_COLUMN_USED_BY);
    g_autofree char *text = removal_text(networks_window_get_kind(window), used_by);
    char *name = networks_window_get_selected(window, NETWORKS_COLUMN_NAME);
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Remove “%s”?"), name);
    Removal *removal = g_new(Removal, 1);
    GtkWidget *remove;

    *removal = (Removal){g_object_ref(window), name, networks_window_get_kind(window)};
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", text);
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL);
    remove = gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Remove"), GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(remove), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_signal_connect(dialog, "response", G_CALLBACK(on_remove_response), removal);
    gtk_widget_show(dialog);
}

/* --- all of them --- */

/* An internal network without a DHCP server is only in machines' settings. */
static gboolean
can_remove(NetworksWindow *window, const char *name, const char *problem)
{
    g_autoptr(VitrineDhcpServer) server =
        name != NULL ? vitrine_client_find_dhcp_server(networks_window_get_client(window), name)
                     : NULL;

    switch (networks_window_get_kind(window)) {
    case NETWORKS_HOST_ONLY: return name != NULL && problem == NULL;
    case NETWORKS_INTERNAL: return server != NULL;
    default: return name != NULL;
    }
}

void
networks_window_update_commands(NetworksWindow *window)
{
    GActionMap *map = G_ACTION_MAP(gtk_widget_get_action_group(GTK_WIDGET(window), GROUP));
    const NetworksKind kind = networks_window_get_kind(window);
    g_autofree char *name = networks_window_get_selected(window, NETWORKS_COLUMN_NAME);
    g_autofree char *problem = kind == NETWORKS_HOST_ONLY ? vitrine_host_only_problem() : NULL;
    g_autoptr(VitrineNatNetwork) network =
        kind == NETWORKS_NAT && name != NULL
            ? vitrine_client_find_nat_network(networks_window_get_client(window), name)
            : NULL;

    widget_action_enable(map, "new", problem == NULL);
    widget_action_enable(map, "properties", name != NULL);
    widget_action_enable(map, "start", network != NULL && network->enabled && !network->running);
    widget_action_enable(map, "stop", network != NULL && network->running);
    widget_action_enable(map, "remove", can_remove(window, name, problem));
}

void
networks_window_add_commands(NetworksWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "new", .activate = on_new},
        {.name = "properties", .activate = on_properties},
        {.name = "start", .activate = on_start},
        {.name = "stop", .activate = on_stop},
        {.name = "remove", .activate = on_remove},
    };
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), window);
    gtk_widget_insert_action_group(GTK_WIDGET(window), GROUP, G_ACTION_GROUP(group));
}
