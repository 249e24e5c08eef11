/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, Network: a tab for each of the first four cards. Cards 5 to 8 stay as they are. Left
 * out: NAT's name servers and TFTP, which a card that has them keeps. */
#include "app/settings/settings-private.h"
#include "app/widgets/widget-format.h"
#include "app/widgets/widget-forwards.h"
#include "app/widgets/widget-network.h"

#include <glib/gi18n.h>

#define TABS 4

typedef struct {
    VitrineClient *client;
    VitrineSettings *settings;
    guint slot;
    GtkWidget *enabled, *details, *network, *name_label, *name, *note, *type, *promiscuous, *mac,
        *cable, *forwards_label, *forwards, *properties_label, *properties;
    GtkTextBuffer *lines; /* of properties */
    gboolean filling;
} NetworkCard;

static void
card_free(gpointer data)
{
    NetworkCard *card = data;

    g_object_unref(card->client);
    g_object_unref(card->settings);
    g_free(card);
}

/* --- what can be chosen --- */

/* TAP devices of the host; with bridges, for bridged networks. */
static void
append_devices(GtkComboBoxText *combo, gboolean bridges)
{
    g_autoptr(GPtrArray) devices = vitrine_list_host_interfaces();

    for (guint i = 0; i < devices->len; i++) {
        const VitrineHostInterface *device = devices->pdata[i];

        if (device->host_only || (bridges && device->bridge))
            gtk_combo_box_text_append_text(combo, device->name);
    }
}

static void
append_nat_networks(GtkComboBoxText *combo, VitrineClient *client)
{
    g_autoptr(GPtrArray) networks = vitrine_client_list_nat_networks(client);

    for (guint i = 0; i < networks->len; i++)
        gtk_combo_box_text_append_text(combo, ((VitrineNatNetwork *)networks->pdata[i])->name);
}

static void
fill_networks(GtkWidget *combo)
{
    static const VitrineNetwork offered[] = {VITRINE_NETWORK_NONE,        VITRINE_NETWORK_NAT,
                                             VITRINE_NETWORK_NAT_NETWORK, VITRINE_NETWORK_INTERNAL,
                                             VITRINE_NETWORK_BRIDGED,     VITRINE_NETWORK_HOST_ONLY,
                                             VITRINE_NETWORK_GENERIC};

    for (guint i = 0; i < G_N_ELEMENTS(offered); i++)
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo),
                                  vitrine_nick(VITRINE_TYPE_NETWORK, offered[i]),
                                  widget_network_name(offered[i]));
}

static void
fill_types(GtkWidget *combo, VitrineAdapterType present)
{
    for (int type = VITRINE_ADAPTER_AM79C970A; type <= VITRINE_ADAPTER_ELNK1; type++) {
        if (vitrine_adapter_is_built((VitrineAdapterType)type) || type == (int)present)
            gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo),
                                      vitrine_nick(VITRINE_TYPE_ADAPTER_TYPE, type),
                                      widget_card_name((VitrineAdapterType)type));
    }
}

static void
fill_names(NetworkCard *card, VitrineNetwork network)
{
    GtkComboBoxText *combo = GTK_COMBO_BOX_TEXT(card->name);

    gtk_combo_box_text_remove_all(combo);
    if (network == VITRINE_NETWORK_INTERNAL)
        gtk_combo_box_text_append_text(combo, "intnet");
    else if (network == VITRINE_NETWORK_NAT_NETWORK)
        append_nat_networks(combo, card->client);
    else if (network == VITRINE_NETWORK_GENERIC)
        gtk_combo_box_text_append_text(combo, "UDPTunnel");
    else
        append_devices(combo, network == VITRINE_NETWORK_BRIDGED);
}

/* --- the widgets follow the card --- */

static char *
network_note(VitrineNetwork network)
{
    switch (network) {
    case VITRINE_NETWORK_NONE: return g_strdup(_("The card is there, its cable leads nowhere."));
    case VITRINE_NETWORK_NAT:
        return g_strdup(_("The guest reaches what the host reaches. Nobody reaches the guest but "
                          "through forwarded ports."));
    case VITRINE_NETWORK_INTERNAL:
        return g_strdup(_("Machines with a network of the same name reach each other and nothing "
                          "else."));
    case VITRINE_NETWORK_NAT_NETWORK:
        return g_strdup(_("Machines in the same NAT network reach each other and what the host "
                          "reaches."));
    case VITRINE_NETWORK_BRIDGED:
        return g_strdup_printf(
            _("Needs a bridge of the host that you may join, or a TAP device that belongs to you. "
              "An administrator makes one: ip tuntap add dev %s mode tap user %s"),
            "vmtap0", g_get_user_name());
    case VITRINE_NETWORK_HOST_ONLY:
        return g_strdup_printf(
            _("Needs a TAP device of the host that belongs to you. An administrator makes one: ip "
              "tuntap add dev %s mode tap user %s"),
            "vmtap0", g_get_user_name());
    case VITRINE_NETWORK_GENERIC:
        return g_strdup(_("UDPTunnel joins the card with one of another machine, here or on "
                          "another computer: their frames go through a pair of UDP ports."));
    default: return g_strdup("");
    }
}

static void
show_name(NetworkCard *card, VitrineAdapter *adapter)
{
    char **name = widget_network_field(adapter);
    GtkWidget *entry = gtk_bin_get_child(GTK_BIN(card->name));
    gboolean device = adapter->network == VITRINE_NETWORK_BRIDGED ||
                      adapter->network == VITRINE_NETWORK_HOST_ONLY;
    gtk_widget_set_visible(card->name, name != NULL);
    gtk_widget_set_visible(card->name_label, name != NULL);
    gboolean driver = adapter->network == VITRINE_NETWORK_GENERIC;

    gtk_label_set_text_with_mnemonic(GTK_LABEL(card->name_label), device   ? _("De_vice")
                                                                  : driver ? _("_Driver")
                                                                           : _("_Name"));
    atk_object_set_name(gtk_widget_get_accessible(entry), device   ? _("Device")
                                                          : driver ? _("Driver")
                                                                   : _("Name"));
    gtk_entry_set_text(GTK_ENTRY(entry), name != NULL ? *name : "");
    gtk_entry_set_placeholder_text(GTK_ENTRY(entry),
                                   adapter->network == VITRINE_NETWORK_INTERNAL ? "intnet" : NULL);
}

static void
show_possible(NetworkCard *card)
{
    const VitrineAdapter *adapter = vitrine_settings_get_adapter(card->settings, card->slot);
    g_autofree char *note = network_note(adapter->network);
    gboolean nat = adapter->network == VITRINE_NETWORK_NAT;
    gboolean generic = adapter->network == VITRINE_NETWORK_GENERIC;
    gboolean alone = nat || adapter->network == VITRINE_NETWORK_NONE;

    gtk_widget_set_sensitive(card->details, adapter->enabled);
    settings_lock_set_possible(card->promiscuous, !alone,
                               alone ? _("There are no others whose frames the guest could see")
                                     : NULL);
    gtk_label_set_text(GTK_LABEL(card->note), note);
    gtk_widget_set_visible(card->note, *note != '\0');
    gtk_widget_set_visible(card->forwards, nat);
    gtk_widget_set_visible(card->forwards_label, nat);
    gtk_widget_set_visible(card->properties, generic);
    gtk_widget_set_visible(card->properties_label, generic);
}

static void
fill(NetworkCard *card)
{
    g_autoptr(VitrineAdapter) adapter =
        vitrine_adapter_copy(vitrine_settings_get_adapter(card->settings, card->slot));

    card->filling = TRUE;
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(card->enabled), adapter->enabled);
    gtk_combo_box_set_active_id(GTK_COMBO_BOX(card->network),
                                vitrine_nick(VITRINE_TYPE_NETWORK, adapter->network));
    gtk_combo_box_set_active_id(GTK_COMBO_BOX(card->type),
                                vitrine_nick(VITRINE_TYPE_ADAPTER_TYPE, adapter->type));
    gtk_combo_box_set_active(GTK_COMBO_BOX(card->promiscuous), (int)adapter->promiscuous);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(card->cable), adapter->cable_connected);
    gtk_entry_set_text(GTK_ENTRY(card->mac), adapter->mac);
    gtk_text_buffer_set_text(card->lines, adapter->generic_properties, -1);
    fill_names(card, adapter->network);
    show_name(card, adapter);
    card->filling = FALSE;
    show_possible(card);
}

/* --- the card follows the widgets --- */

static void
read_enum(GtkWidget *combo, GType type, int *value)
{
    vitrine_from_nick(type, gtk_combo_box_get_active_id(GTK_COMBO_BOX(combo)), value);
}

/* Colons and dashes that people copy along are left out. */
static char *
entered_mac(NetworkCard *card)
{
    return vitrine_plain_mac(gtk_entry_get_text(GTK_ENTRY(card->mac)));
}

/* A card that is switched on for the first time leads to the host's networks. */
static void
set_enabled(VitrineAdapter *adapter, gboolean enabled)
{
    if (enabled && !adapter->enabled && *adapter->mac == '\0') {
        g_free(adapter->mac);
        adapter->mac = vitrine_adapter_new_mac();
        if (adapter->network == VITRINE_NETWORK_NONE)
            adapter->network = VITRINE_NETWORK_NAT;
    }
    adapter->enabled = enabled;
}

static void
read_properties(NetworkCard *card, VitrineAdapter *adapter)
{
    g_autofree char *text = NULL;

    g_object_get(card->lines, "text", &text, NULL);
    g_strchomp(text);
    vitrine_adapter_set_text(&adapter->generic_properties, text);
}

/* A driver is needed; there is one. */
static void
set_network(VitrineAdapter *adapter, VitrineNetwork network)
{
    if (network == VITRINE_NETWORK_GENERIC && *adapter->generic_driver == '\0')
        vitrine_adapter_set_text(&adapter->generic_driver, "UDPTunnel");
    adapter->network = network;
}

static void
on_changed(GtkWidget *widget, NetworkCard *card)
{
    int network;

    g_autoptr(VitrineAdapter) adapter = NULL;
    g_autofree char *mac = NULL;
    char **name;

    if (card->filling)
        return;
    adapter = vitrine_adapter_copy(vitrine_settings_get_adapter(card->settings, card->slot));
    name = widget_network_field(adapter);
    if (name != NULL)
        vitrine_adapter_set_text(
            name, gtk_entry_get_text(GTK_ENTRY(gtk_bin_get_child(GTK_BIN(card->name)))));
    mac = entered_mac(card);
    vitrine_adapter_set_text(&adapter->mac, mac);
    network = (int)adapter->network;
    read_enum(card->network, VITRINE_TYPE_NETWORK, &network);
    set_network(adapter, (VitrineNetwork)network);
    read_properties(card, adapter);
    read_enum(card->type, VITRINE_TYPE_ADAPTER_TYPE, (int *)&adapter->type);
    adapter->promiscuous =
        (VitrinePromiscuous)gtk_combo_box_get_active(GTK_COMBO_BOX(card->promiscuous));
    adapter->cable_connected = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(card->cable));
    set_enabled(adapter, gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(card->enabled)));
    vitrine_settings_set_adapter(card->settings, card->slot, adapter);
    if (widget == card->network || widget == card->enabled)
        fill(card); /* with the name that belongs to this kind of network */
    else
        show_possible(card);
}

static void
on_lines_changed(GtkTextBuffer *buffer, NetworkCard *card)
{
    on_changed(card->properties, card);
}

static void
on_new_mac(GtkButton *button, NetworkCard *card)
{
    g_autofree char *mac = vitrine_adapter_new_mac();

    gtk_entry_set_text(GTK_ENTRY(card->mac), mac);
}

/* --- building --- */

static GtkWidget *
new_promiscuous(void)
{
    GtkWidget *combo = gtk_combo_box_text_new();

    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), _("Refused"));
    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), _("Frames of other machines"));
    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), _("All frames"));
    return combo;
}

static GtkWidget *
new_mac_box(NetworkCard *card)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *button =
        gtk_button_new_from_icon_name("view-refresh-symbolic", GTK_ICON_SIZE_BUTTON);

    card->mac = gtk_entry_new();
    gtk_entry_set_activates_default(GTK_ENTRY(card->mac), TRUE);
    atk_object_set_name(gtk_widget_get_accessible(card->mac), _("MAC address"));
    widget_set_name(button, _("New address at random"));
    gtk_box_pack_start(GTK_BOX(box), card->mac, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), button, FALSE, FALSE, 0);
    g_signal_connect(button, "clicked", G_CALLBACK(on_new_mac), card);
    return box;
}

static int
add_problem(NetworkCard *card, int row, SettingsDialog *dialog, const char *part)
{
    g_autofree char *field = g_strdup_printf("adapter:%u:%s", card->slot, part);

    return settings_add_problem(card->details, row, dialog, field);
}

static int
add_name(NetworkCard *card, int row)
{
    card->name = gtk_combo_box_text_new_with_entry();
    gtk_widget_set_no_show_all(card->name, TRUE);
    gtk_widget_show(gtk_bin_get_child(GTK_BIN(card->name)));
    row = widget_form_add(card->details, row, _("_Name"), card->name);
    card->name_label = gtk_grid_get_child_at(GTK_GRID(card->details), 0, row - 1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(card->name_label),
                                  gtk_bin_get_child(GTK_BIN(card->name)));
    gtk_widget_set_no_show_all(card->name_label, TRUE);
    return row;
}

/* Lines NAME=VALUE, as many as the driver knows. */
static int
add_properties(NetworkCard *card, int row)
{
    GtkWidget *view = gtk_text_view_new();

    card->properties = gtk_scrolled_window_new(NULL, NULL);
    card->lines = gtk_text_view_get_buffer(GTK_TEXT_VIEW(view));
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(view), 6);
    gtk_text_view_set_top_margin(GTK_TEXT_VIEW(view), 6);
    gtk_widget_set_tooltip_text(
        view, _("A line for each: sport=4000 is the port here, dest=192.168.1.7 the other "
                "computer, dport=4001 its port"));
    atk_object_set_name(gtk_widget_get_accessible(view), _("Properties"));
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(card->properties), GTK_SHADOW_IN);
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(card->properties), 84);
    gtk_container_add(GTK_CONTAINER(card->properties), view);
    gtk_widget_show(view);
    row = widget_form_add(card->details, row, _("P_roperties"), card->properties);
    card->properties_label = gtk_grid_get_child_at(GTK_GRID(card->details), 0, row - 1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(card->properties_label), view);
    gtk_widget_set_no_show_all(card->properties, TRUE);
    gtk_widget_set_no_show_all(card->properties_label, TRUE);
    return row;
}

static void
on_forwards(gpointer data, const char *lines)
{
    NetworkCard *card = data;
    g_autoptr(VitrineAdapter) adapter =
        vitrine_adapter_copy(vitrine_settings_get_adapter(card->settings, card->slot));

    vitrine_adapter_set_text(&adapter->nat_forwards, lines);
    vitrine_settings_set_adapter(card->settings, card->slot, adapter);
}

/* What is wrong stands above the rules, where it is in sight while they are edited. */
static GtkWidget *
new_forwards(NetworkCard *card, SettingsDialog *dialog)
{
    const VitrineAdapter *adapter = vitrine_settings_get_adapter(card->settings, card->slot);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6), *problem = gtk_grid_new();
    g_autofree char *field = g_strdup_printf("adapter:%u:forwards", card->slot);

    settings_add_problem(problem, 0, dialog, field);
    gtk_box_pack_start(GTK_BOX(box), problem, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box),
                       widget_forwards_new(adapter->nat_forwards, TRUE, on_forwards, card, NULL),
                       FALSE, FALSE, 0);
    return box;
}

/* Below the whole form: the table is wider than the controls. */
static void
add_forwards(NetworkCard *card, int row, SettingsDialog *dialog)
{
    card->forwards_label = widget_dim_label(_("Port forwarding"));
    card->forwards = new_forwards(card, dialog);
    gtk_widget_show_all(card->forwards);
    gtk_widget_set_no_show_all(card->forwards_label, TRUE);
    gtk_widget_set_no_show_all(card->forwards, TRUE);
    gtk_widget_set_margin_top(card->forwards_label, 6);
    gtk_grid_attach(GTK_GRID(card->details), card->forwards_label, 0, row, 2, 1);
    gtk_grid_attach(GTK_GRID(card->details), card->forwards, 0, row + 1, 2, 1);
}

/* What a running machine's card can have otherwise. */
static void
open_live(NetworkCard *card)
{
    GtkWidget *const live[] = {card->network,     card->name,  card->properties,
                               card->promiscuous, card->cable, card->forwards};

    for (guint i = 0; i < G_N_ELEMENTS(live); i++)
        settings_lock_open(live[i], SETTINGS_RUNNING);
}

static void
build_details(NetworkCard *card, SettingsDialog *dialog)
{
    const VitrineAdapter *adapter = vitrine_settings_get_adapter(card->settings, card->slot);
    int row = 0;

    card->details = settings_grid_new();
    card->network = gtk_combo_box_text_new();
    fill_networks(card->network);
    card->type = gtk_combo_box_text_new();
    fill_types(card->type, adapter->type);
    card->promiscuous = new_promiscuous();
    card->cable = gtk_check_button_new_with_mnemonic(_("Ca_ble connected"));
    card->note = widget_dim_label("");
    gtk_widget_set_no_show_all(card->note, TRUE);
    row = widget_form_add(card->details, row, _("_Attached to"), card->network);
    row = add_name(card, row);
    row = add_problem(card, row, dialog, "name");
    row = add_properties(card, row);
    gtk_grid_attach(GTK_GRID(card->details), card->note, 1, row++, 1, 1);
    row = widget_form_add(card->details, row, _("Card _type"), card->type);
    row = add_problem(card, row, dialog, "type");
    row = widget_form_add(card->details, row, _("_Promiscuous mode"), card->promiscuous);
    row = widget_form_add(card->details, row, _("_MAC address"), new_mac_box(card));
    gtk_label_set_mnemonic_widget(
        GTK_LABEL(gtk_grid_get_child_at(GTK_GRID(card->details), 0, row - 1)), card->mac);
    row = add_problem(card, row, dialog, "mac");
    gtk_grid_attach(GTK_GRID(card->details), card->cable, 1, row++, 1, 1);
    add_forwards(card, row, dialog);
    open_live(card);
}

static void
connect_all(NetworkCard *card)
{
    g_signal_connect(card->enabled, "toggled", G_CALLBACK(on_changed), card);
    g_signal_connect(card->network, "changed", G_CALLBACK(on_changed), card);
    g_signal_connect(card->name, "changed", G_CALLBACK(on_changed), card);
    g_signal_connect(card->type, "changed", G_CALLBACK(on_changed), card);
    g_signal_connect(card->promiscuous, "changed", G_CALLBACK(on_changed), card);
    g_signal_connect(card->mac, "changed", G_CALLBACK(on_changed), card);
    g_signal_connect(card->cable, "toggled", G_CALLBACK(on_changed), card);
    g_signal_connect(card->lines, "changed", G_CALLBACK(on_lines_changed), card);
}

static GtkWidget *
network_card_new(SettingsDialog *dialog, guint slot)
{
    NetworkCard *card = g_new0(NetworkCard, 1);
    GtkWidget *grid = widget_form_new();

    card->client = g_object_ref(settings_dialog_get_client(dialog));
    card->settings = g_object_ref(settings_dialog_get_settings(dialog));
    card->slot = slot;
    card->enabled = gtk_check_button_new_with_mnemonic(_("_Enabled"));
    build_details(card, dialog);
    gtk_grid_attach(GTK_GRID(grid), card->enabled, 0, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), card->details, 0, 1, 1, 1);
    gtk_widget_set_hexpand(card->details, TRUE);
    fill(card);
    connect_all(card);
    g_object_set_data_full(G_OBJECT(grid), "card", card, card_free);
    return grid;
}

GtkWidget *
settings_page_network(SettingsDialog *dialog)
{
    return settings_tabs_new(dialog, TABS, _("Adapter %u"), network_card_new);
}
