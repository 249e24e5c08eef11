/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a DHCP server tells its clients. A list above chooses whom: below is what is said to them.
 * Manual, chapter VBoxManage, "dhcpserver". */
#include "app/networks/networks-dhcp-clients.h"

#include "app/networks/networks-scope-tables.h"
#include "app/widgets/widget-actions.h"
#include "app/widgets/widget-form.h"
#include "app/widgets/widget-format.h"
#include "app/widgets/widget-network.h"

#include <glib/gi18n.h>
#include <string.h>

#define GROUP "dhcp"
#define SECONDS_MAX 31536000 /* a year */
#define LEAST_HEIGHT 340

enum { TIME_LEAST, TIME_USUAL, TIME_MOST, TIME_COUNT };

static const char *const time_titles[TIME_COUNT] = {N_("Lease at l_east"), N_("Lease _usually"),
                                                    N_("Lease at mos_t")};
static const char *const time_words[TIME_COUNT] = {"least", "usual", "most"};

struct NetworksDhcpClients {
    VitrineClient *client;
    void (*changed)(gpointer);
    gpointer data;
    GPtrArray *scopes; /* NetworksScope */
    GtkWidget *page, *list, *scroller;
    GActionMap *actions;
    gboolean filling;

    /* Of the scope that is shown; NULL: it has none of this. */
    GtkWidget *name, *machine, *slot, *fixed, *times[TIME_COUNT];
    WidgetTable *conditions, *options;
};

static void
clients_free(gpointer data)
{
    NetworksDhcpClients *clients = data;

    g_object_unref(clients->client);
    g_ptr_array_unref(clients->scopes);
    g_free(clients);
}

static NetworksScope *
shown_scope(NetworksDhcpClients *clients)
{
    return clients->scopes->pdata[MAX(gtk_combo_box_get_active(GTK_COMBO_BOX(clients->list)), 0)];
}

/* --- what the page says --- */

/* What was typed and not left yet counts. */
static guint64
read_number(GtkWidget *number)
{
    return g_ascii_strtoull(gtk_entry_get_text(GTK_ENTRY(number)), NULL, 10);
}

static char *
read_name(NetworksDhcpClients *clients, const NetworksScope *scope)
{
    const char *text = clients->name != NULL ? gtk_entry_get_text(GTK_ENTRY(clients->name)) : "";

    switch (scope->kind) {
    case NETWORKS_GROUP: return g_strstrip(g_strdup(text));
    case NETWORKS_CARD: return vitrine_plain_mac(text);
    case NETWORKS_MACHINE:
        return g_strdup_printf(
            "%s/%u", gtk_combo_box_get_active_id(GTK_COMBO_BOX(clients->machine)),
            (guint)CLAMP(read_number(clients->slot), 1, VITRINE_ADAPTER_COUNT) - 1);
    default: return g_strdup("");
    }
}

static void
write_time(NetworksDhcpClients *clients, guint time, GString *lines)
{
    const guint64 seconds = read_number(clients->times[time]);

    if (seconds != 0)
        g_string_append_printf(lines, "%s %" G_GUINT64_FORMAT "\n", time_words[time], seconds);
}

static char *
read_lines(NetworksDhcpClients *clients)
{
    GString *lines = g_string_new(NULL);

    if (clients->conditions != NULL)
        networks_conditions_write(clients->conditions, lines);
    for (guint i = 0; i < TIME_COUNT; i++)
        write_time(clients, i, lines);
    if (clients->fixed != NULL) {
        g_autofree char *address =
            g_strstrip(g_strdup(gtk_entry_get_text(GTK_ENTRY(clients->fixed))));
        if (*address != '\0')
            g_string_append_printf(lines, "fixed %s\n", address);
    }
    networks_options_write(clients->options, lines);
    return g_string_free(lines, FALSE);
}

/* Another name is in the list as well. */
static void
fill_list(NetworksDhcpClients *clients, int active)
{
    GtkComboBoxText *list = GTK_COMBO_BOX_TEXT(clients->list);

    clients->filling = TRUE;
    gtk_combo_box_text_remove_all(list);
    for (guint i = 0; i < clients->scopes->len; i++) {
        g_autofree char *title = networks_scope_title(clients->scopes->pdata[i], clients->client);
        gtk_combo_box_text_append_text(list, title);
    }
    gtk_combo_box_set_active(GTK_COMBO_BOX(list), active);
    clients->filling = FALSE;
    widget_action_enable(clients->actions, "remove", active > 0);
}

static void
on_changed(NetworksDhcpClients *clients)
{
    NetworksScope *scope;
    g_autofree char *name = NULL;

    if (clients->filling)
        return;
    scope = shown_scope(clients);
    name = read_name(clients, scope);
    g_free(scope->lines);
    scope->lines = read_lines(clients);
    if (!g_str_equal(name, scope->name)) {
        g_free(scope->name);
        scope->name = g_steal_pointer(&name);
        fill_list(clients, gtk_combo_box_get_active(GTK_COMBO_BOX(clients->list)));
    }
    clients->changed(clients->data);
}

static void
on_table(WidgetTable *table, gpointer data)
{
    on_changed(data);
}

/* --- what is shown of a scope --- */

static GtkWidget *
new_entry(NetworksDhcpClients *clients, const char *text)
{
    GtkWidget *entry = gtk_entry_new();

    gtk_entry_set_text(GTK_ENTRY(entry), text != NULL ? text : "");
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_changed), clients);
    return entry;
}

static GtkWidget *
new_number(NetworksDhcpClients *clients, guint least, guint most, guint step, guint64 value)
{
    GtkWidget *number = gtk_spin_button_new_with_range(least, most, step);

    gtk_spin_button_set_value(GTK_SPIN_BUTTON(number), (double)value);
    gtk_entry_set_activates_default(GTK_ENTRY(number), TRUE);
    g_signal_connect_swapped(number, "changed", G_CALLBACK(on_changed), clients);
    return number;
}

/* A machine that is not there any more is among them by its identifier. */
static GtkWidget *
new_machines(NetworksDhcpClients *clients, const char *id)
{
    GtkWidget *combo = gtk_combo_box_text_new();
    GListModel *machines = vitrine_client_get_machines(clients->client);

    for (guint i = 0; i < g_list_model_get_n_items(machines); i++) {
        g_autoptr(VitrineMachine) machine = g_list_model_get_item(machines, i);
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), vitrine_machine_get_id(machine),
                                  vitrine_machine_get_name(machine));
    }
    if (!gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), id)) {
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), id, id);
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), id);
    }
    g_signal_connect_swapped(combo, "changed", G_CALLBACK(on_changed), clients);
    return combo;
}

static int
add_machine(NetworksDhcpClients *clients, GtkWidget *form, int row, const NetworksScope *scope)
{
    g_auto(GStrv) parts = g_strsplit(scope->name, "/", 2);
    const char *id = parts[0] != NULL ? parts[0] : "";
    const guint64 slot =
        parts[0] != NULL && parts[1] != NULL ? g_ascii_strtoull(parts[1], NULL, 10) : 0;

    clients->machine = new_machines(clients, id);
    clients->slot = new_number(clients, 1, VITRINE_ADAPTER_COUNT, 1, slot + 1);
    row = widget_form_add(form, row, _("_Machine"), clients->machine);
    return widget_form_add(form, row, _("_Network card"), clients->slot);
}

/* Who it is. */
static int
add_name(NetworksDhcpClients *clients, GtkWidget *form, int row, const NetworksScope *scope)
{
    g_autofree char *mac = NULL;

    switch (scope->kind) {
    case NETWORKS_GROUP:
        clients->name = new_entry(clients, scope->name);
        return widget_form_add(form, row, _("_Name of the group"), clients->name);
    case NETWORKS_CARD:
        mac = widget_mac_text(scope->name);
        clients->name = new_entry(clients, mac);
        gtk_entry_set_placeholder_text(GTK_ENTRY(clients->name), "08:00:27:A1:B2:C3");
        return widget_form_add(form, row, _("_Address of the card"), clients->name);
    case NETWORKS_MACHINE: return add_machine(clients, form, row, scope);
    default: return row;
    }
}

static int
add_fixed(NetworksDhcpClients *clients, GtkWidget *form, int row, const NetworksScope *scope)
{
    g_autofree char *address = networks_scope_get(scope, "fixed");

    if (scope->kind != NETWORKS_CARD && scope->kind != NETWORKS_MACHINE)
        return row;
    clients->fixed = new_entry(clients, address);
    gtk_entry_set_placeholder_text(GTK_ENTRY(clients->fixed), _("One of the server's"));
    return widget_form_add(form, row, _("_IPv4 address"), clients->fixed);
}

static void
add_times(NetworksDhcpClients *clients, GtkWidget *form, int row, const NetworksScope *scope)
{
    for (guint i = 0; i < TIME_COUNT; i++) {
        g_autofree char *value = networks_scope_get(scope, time_words[i]);

        clients->times[i] = new_number(clients, 0, SECONDS_MAX, 60,
                                       value != NULL ? g_ascii_strtoull(value, NULL, 10) : 0);
        row = widget_form_add(form, row, _(time_titles[i]), clients->times[i]);
    }
    widget_form_add_note(form, row,
                         scope->kind == NETWORKS_EVERYONE
                             ? _("In seconds. 0: what the server thinks right, usually ten "
                                 "minutes.")
                             : _("In seconds. 0: as for everyone."));
}

static int
add_table(GtkWidget *form, int row, WidgetTable *table)
{
    gtk_grid_attach(GTK_GRID(form), widget_table_get_widget(table), 0, row, 2, 1);
    return row + 1;
}

static void
show_scope(NetworksDhcpClients *clients)
{
    const NetworksScope *scope = shown_scope(clients);
    GtkWidget *form = widget_form_new(), *old = gtk_bin_get_child(GTK_BIN(clients->scroller));
    int row = 0;

    clients->filling = TRUE;
    if (old != NULL)
        gtk_widget_destroy(old);
    clients->name = clients->machine = clients->slot = clients->fixed = NULL;
    clients->conditions = NULL;
    row = add_name(clients, form, row, scope);
    if (scope->kind == NETWORKS_GROUP) {
        clients->conditions = networks_conditions_new(scope, on_table, clients);
        row = add_table(form, row, clients->conditions);
    }
    row = add_fixed(clients, form, row, scope);
    clients->options = networks_options_new(scope, on_table, clients);
    row = add_table(form, row, clients->options);
    add_times(clients, form, row, scope);
    gtk_container_add(GTK_CONTAINER(clients->scroller), form);
    gtk_widget_show_all(form);
    clients->filling = FALSE;
}

/* --- the list --- */

static void
on_chosen(NetworksDhcpClients *clients)
{
    if (clients->filling)
        return;
    widget_action_enable(clients->actions, "remove",
                         gtk_combo_box_get_active(GTK_COMBO_BOX(clients->list)) > 0);
    show_scope(clients);
}

static void
choose(NetworksDhcpClients *clients, guint index)
{
    fill_list(clients, (int)index);
    show_scope(clients);
    clients->changed(clients->data);
}

/* name: taken. */
static void
add_scope(NetworksDhcpClients *clients, NetworksScopeKind kind, char *name)
{
    g_ptr_array_add(clients->scopes, networks_scope_new(kind, name));
    g_free(name);
    choose(clients, clients->scopes->len - 1);
    gtk_widget_child_focus(gtk_bin_get_child(GTK_BIN(clients->scroller)), GTK_DIR_TAB_FORWARD);
}

/* The first card of the first machine that has no settings here yet. */
static void
on_add_machine(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    NetworksDhcpClients *clients = data;
    GListModel *machines = vitrine_client_get_machines(clients->client);
    g_autofree char *name = NULL;

    for (guint i = 0; i < g_list_model_get_n_items(machines); i++) {
        g_autoptr(VitrineMachine) machine = g_list_model_get_item(machines, i);
        gboolean taken = FALSE;

        g_free(name);
        name = g_strconcat(vitrine_machine_get_id(machine), "/0", NULL);
        for (guint j = 0; j < clients->scopes->len; j++) {
            const NetworksScope *scope = clients->scopes->pdata[j];
            taken = taken || g_str_equal(scope->name, name);
        }
        if (!taken)
            break;
    }
    if (name != NULL)
        add_scope(clients, NETWORKS_MACHINE, g_steal_pointer(&name));
}

static void
on_add_card(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    add_scope(data, NETWORKS_CARD, g_strdup(""));
}

static void
on_add_group(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    NetworksDhcpClients *clients = data;

    add_scope(clients, NETWORKS_GROUP, g_strdup_printf(_("Group %u"), clients->scopes->len));
}

static void
on_remove(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    NetworksDhcpClients *clients = data;
    const int active = gtk_combo_box_get_active(GTK_COMBO_BOX(clients->list));

    if (active <= 0)
        return;
    g_ptr_array_remove_index(clients->scopes, (guint)active);
    choose(clients, (guint)active - 1);
}

static GtkWidget *
new_add_button(void)
{
    GtkWidget *button = gtk_menu_button_new();
    g_autoptr(GMenu) menu = g_menu_new();

    g_menu_append(menu, _("_Machine's network card"), GROUP ".add-machine");
    g_menu_append(menu, _("Network _card by its address"), GROUP ".add-card");
    g_menu_append(menu, _("_Group of clients"), GROUP ".add-group");
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
    gtk_button_set_image(GTK_BUTTON(button),
                         gtk_image_new_from_icon_name("list-add-symbolic", GTK_ICON_SIZE_BUTTON));
    widget_set_name(button, _("Add settings for some clients"));
    return button;
}

static GtkWidget *
new_remove_button(void)
{
    GtkWidget *button = gtk_button_new_from_icon_name("list-remove-symbolic", GTK_ICON_SIZE_BUTTON);

    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), GROUP ".remove");
    widget_set_name(button, _("Remove these settings"));
    return button;
}

static GtkWidget *
new_bar(NetworksDhcpClients *clients)
{
    GtkWidget *bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *label = gtk_label_new_with_mnemonic(_("Settings _for"));

    gtk_label_set_mnemonic_widget(GTK_LABEL(label), clients->list);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    g_object_set(bar, "margin-start", 18, "margin-end", 18, "margin-top", 18, NULL);
    gtk_box_pack_start(GTK_BOX(bar), label, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(bar), clients->list, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(bar), new_add_button(), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(bar), new_remove_button(), FALSE, FALSE, 0);
    return bar;
}

/* --- the page --- */

static void
add_actions(NetworksDhcpClients *clients)
{
    static const GActionEntry entries[] = {
        {.name = "add-machine", .activate = on_add_machine},
        {.name = "add-card", .activate = on_add_card},
        {.name = "add-group", .activate = on_add_group},
        {.name = "remove", .activate = on_remove},
    };
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();
    GListModel *machines = vitrine_client_get_machines(clients->client);

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), clients);
    gtk_widget_insert_action_group(clients->page, GROUP, G_ACTION_GROUP(group));
    clients->actions = G_ACTION_MAP(group); /* the page's */
    widget_action_enable(clients->actions, "add-machine", g_list_model_get_n_items(machines) != 0);
}

NetworksDhcpClients *
networks_dhcp_clients_new(VitrineClient *client, const char *configs, void (*changed)(gpointer),
                          gpointer data)
{
    NetworksDhcpClients *clients = g_new0(NetworksDhcpClients, 1);

    clients->client = g_object_ref(client);
    clients->changed = changed;
    clients->data = data;
    clients->scopes = networks_scopes_read(configs);
    clients->page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    clients->list = gtk_combo_box_text_new();
    clients->scroller = gtk_scrolled_window_new(NULL, NULL);
    g_object_set(clients->scroller, "hscrollbar-policy", GTK_POLICY_NEVER, "min-content-height",
                 LEAST_HEIGHT, NULL);
    add_actions(clients);
    gtk_box_pack_start(GTK_BOX(clients->page), new_bar(clients), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(clients->page), clients->scroller, TRUE, TRUE, 0);
    g_object_set_data_full(G_OBJECT(clients->page), "dhcp-clients", clients, clients_free);
    fill_list(clients, 0);
    show_scope(clients);
    g_signal_connect_swapped(clients->list, "changed", G_CALLBACK(on_chosen), clients);
    return clients;
}

GtkWidget *
networks_dhcp_clients_get_widget(NetworksDhcpClients *clients)
{
    return clients->page;
}

void
networks_dhcp_clients_set_possible(NetworksDhcpClients *clients, gboolean possible)
{
    gtk_widget_set_sensitive(clients->page, possible);
}

char *
networks_dhcp_clients_get_configs(NetworksDhcpClients *clients)
{
    return networks_scopes_write(clients->scopes);
}

char *
networks_dhcp_clients_get_problem(NetworksDhcpClients *clients)
{
    return networks_scopes_problem(clients->scopes);
}
