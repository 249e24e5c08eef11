/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Network cards in the Devices menu and in the status bar: what each is attached to, its cable,
 * which is plugged and unplugged there at once and from now on, and the way to the settings. */
#include "app/vmwindow/vm-window-private.h"

#include "app/settings/settings-dialog.h"
#include "app/widgets/widget-change.h"
#include "app/widgets/widget-network.h"

#include <glib/gi18n.h>

#define CABLE "cable-"

static void
on_settings(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;

    settings_dialog_show(GTK_WINDOW(window), window->client, window->machine, "network");
}

/* --- cables --- */

typedef struct {
    VmWindow *window;
    guint slot;
    gboolean plugged;
} Change;

static void
change_free(Change *change)
{
    g_object_unref(change->window);
    g_free(change);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Change, change_free)

static GSimpleAction *
find_cable(VmWindow *window, guint slot)
{
    g_autofree char *name = g_strdup_printf(CABLE "%u", slot + 1);

    return G_SIMPLE_ACTION(g_action_map_lookup_action(G_ACTION_MAP(window), name));
}

/* The mark shows what is. */
static void
fail(const Change *change, const GError *error)
{
    if (change->window->devices == NULL)
        return;
    g_simple_action_set_state(find_cable(change->window, change->slot),
                              g_variant_new_boolean(!change->plugged));
    vm_window_show_error(change->window, _("The network cable cannot be changed."), error);
}

static void
on_changed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(Change) change = data;
    g_autoptr(GError) error = NULL;

    if (!widget_change_settings_finish(VITRINE_MACHINE(source), result, &error))
        fail(change, error);
}

static void
plug(VitrineSettings *settings, gpointer data)
{
    const Change *change = data;
    g_autoptr(VitrineAdapter) adapter =
        vitrine_adapter_copy(vitrine_settings_get_adapter(settings, change->slot));

    adapter->cable_connected = change->plugged;
    vitrine_settings_set_adapter(settings, change->slot, adapter);
}

static void
on_cable(GSimpleAction *action, GVariant *state, gpointer data)
{
    VmWindow *window = data;
    const char *name = g_action_get_name(G_ACTION(action));
    Change *change = g_new(Change, 1);

    *change = (Change){g_object_ref(window),
                       (guint)g_ascii_strtoull(name + sizeof(CABLE) - 1, NULL, 10) - 1,
                       g_variant_get_boolean(state)};
    g_simple_action_set_state(action, state);
    widget_change_settings_async(window->machine, plug, change, on_changed, change);
}

/* --- menu and status bar --- */

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

static void
add_cable(VmWindow *window, GMenu *menu, const VitrineAdapter *adapter, guint slot)
{
    g_autofree char *attachment = widget_attachment_text(adapter);
    g_autofree char *label =
        g_strdup_printf(_("Cable of adapter _%u connected (%s)"), slot + 1, attachment);
    g_autofree char *action = g_strdup_printf("win." CABLE "%u", slot + 1);

    g_simple_action_set_state(find_cable(window, slot),
                              g_variant_new_boolean(adapter->cable_connected));
    g_menu_append(menu, label, action);
}

void
vm_window_fill_network(VmWindow *window, VitrineSettings *settings)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GMenu) menu = g_menu_new(), cables = g_menu_new(), others = g_menu_new();

    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(settings, slot);
        g_autofree char *card = card_text(adapter, slot);

        if (!adapter->enabled)
            continue;
        g_string_append_printf(text, "%s%s", text->len ? "\n" : "", card);
        add_cable(window, cables, adapter, slot);
    }
    g_menu_append(others, _("_Network settings…"), "win.network-settings");
    g_menu_append_section(menu, NULL, G_MENU_MODEL(cables));
    g_menu_append_section(menu, NULL, G_MENU_MODEL(others));
    g_menu_append_submenu(window->devices, _("_Network"), G_MENU_MODEL(menu));
    vm_status_set_network(window->status, text->str, G_MENU_MODEL(menu));
}

void
vm_window_add_network_actions(VmWindow *window)
{
    static const GActionEntry entries[] = {{.name = "network-settings", .activate = on_settings}};

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        g_autofree char *name = g_strdup_printf(CABLE "%u", slot + 1);
        const GActionEntry entry = {.name = name, .state = "false", .change_state = on_cable};

        g_action_map_add_action_entries(G_ACTION_MAP(window), &entry, 1, window);
    }
}
