/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards in the Devices menu and in the status bar. */
#include "app/vmwindow/vm-window-private.h"

#include "app/settings/settings-dialog.h"
#include "app/widgets/widget-network.h"

#include <glib/gi18n.h>

static void
on_settings(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;

    settings_dialog_show(GTK_WINDOW(window), window->client, window->machine, "network");
}

/* "Adapter 1: NAT, 08:00:27:A1:B2:C3", with a word when the cable is out. */
static char *
card_text(const VitrineAdapter *adapter, guint slot)
{
    g_autofree char *attachment = widget_attachment_text(adapter);
    g_autofree char *mac = widget_mac_text(adapter->mac);

    return g_strdup_printf(adapter->cable_connected ? _("Adapter %u: %s, %s")
                                                    : _("Adapter %u: %s, %s, cable not connected"),
                           slot + 1, attachment, mac);
}

void
vm_window_fill_network(VmWindow *window, VitrineSettings *settings)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GMenu) menu = g_menu_new();

    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(settings, slot);
        g_autofree char *card = card_text(adapter, slot);
        if (adapter->enabled)
            g_string_append_printf(text, "%s%s", text->len ? "\n" : "", card);
    }
    g_menu_append(menu, _("_Network settings…"), "win.network-settings");
    g_menu_append_submenu(window->devices, _("_Network"), G_MENU_MODEL(menu));
    vm_status_set_network(window->status, text->str, G_MENU_MODEL(menu));
}

void
vm_window_add_network_actions(VmWindow *window)
{
    static const GActionEntry entries[] = {{.name = "network-settings", .activate = on_settings}};

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
}
