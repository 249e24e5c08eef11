/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sound in the Devices menu: whether the guest is heard and may listen, at once and from now on. */
#include "app/vmwindow/vm-window-private.h"

#include "app/settings/settings-dialog.h"

#include <glib/gi18n.h>

#define OUTPUT "audio-output"
#define INPUT "audio-input"

static void
on_settings(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;

    settings_dialog_show(GTK_WINDOW(window), window->client, window->machine, "audio");
}

static void
on_set(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_console_set_audio_finish(VITRINE_CONSOLE(source), result, &error) &&
        window->devices)
        vm_window_show_error(window, _("The sound cannot be switched."), error);
}

static void
on_change(GSimpleAction *action, GVariant *state, gpointer data)
{
    VmWindow *window = data;
    const gboolean input = g_str_equal(g_action_get_name(G_ACTION(action)), INPUT);

    if (window->console == NULL)
        return;
    g_simple_action_set_state(action, state);
    vitrine_console_set_audio_async(window->console, input, g_variant_get_boolean(state), NULL,
                                    on_set, g_object_ref(window));
}

static void
set_state(VmWindow *window, const char *name, gboolean on, gboolean enabled)
{
    GSimpleAction *action = G_SIMPLE_ACTION(g_action_map_lookup_action(G_ACTION_MAP(window), name));

    g_simple_action_set_state(action, g_variant_new_boolean(on));
    g_simple_action_set_enabled(action, enabled);
}

static void
on_catalog(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;

    if (!window->devices)
        return;
    window->catalog = vitrine_client_load_devices_finish(VITRINE_CLIENT(source), result, NULL);
    if (window->catalog != NULL)
        vm_window_refresh_media(window);
}

/* The card's title, or its word as long as the list of devices has not come. The caller's. */
static char *
card_title(VmWindow *window, int controller)
{
    VitrineAudioController other;

    for (guint i = 0; window->catalog != NULL && i < window->catalog->len; i++) {
        VitrineDevice *device = window->catalog->pdata[i];

        if (vitrine_device_get_audio_controller(device, &other) && (int)other == controller)
            return g_strdup(device->title);
    }
    return g_ascii_strup(vitrine_nick(VITRINE_TYPE_AUDIO_CONTROLLER, controller), -1);
}

/* The card and what it may do, for people; the caller's. */
static char *
card_text(VmWindow *window, VitrineSettings *settings)
{
    const gboolean heard = vitrine_settings_get_bool(settings, "audio-out");
    const gboolean listens = vitrine_settings_get_bool(settings, "audio-in");
    g_autofree char *card = NULL;

    if (!vitrine_settings_get_bool(settings, "audio"))
        return g_strdup("");
    if (!window->catalog_wanted) {
        window->catalog_wanted = TRUE;
        vitrine_client_load_devices_async(window->client, NULL, on_catalog, g_object_ref(window));
    }
    card = card_title(window, vitrine_settings_get_enum(settings, "audio-controller"));
    return g_strdup_printf("%s\n%s\n%s", card,
                           heard ? _("Output is on") : _("Output is off: the guest is not heard"),
                           listens ? _("Input is on") : _("Input is off: the guest hears nothing"));
}

void
vm_window_fill_audio(VmWindow *window, VitrineSettings *settings)
{
    const gboolean has_card = vitrine_settings_get_bool(settings, "audio");
    const gboolean heard = vitrine_settings_get_bool(settings, "audio-out");
    g_autofree char *card = card_text(window, settings);
    g_autoptr(GMenu) menu = g_menu_new();

    set_state(window, OUTPUT, heard, has_card);
    set_state(window, INPUT, vitrine_settings_get_bool(settings, "audio-in"), has_card);
    g_menu_append(menu, _("Audio _output"), "win." OUTPUT);
    g_menu_append(menu, _("Audio _input"), "win." INPUT);
    g_menu_append(menu, _("Audio _settings…"), "win.audio-settings");
    g_menu_append_submenu(window->devices, _("_Audio"), G_MENU_MODEL(menu));
    vm_status_set_audio(window->status, card, heard, G_MENU_MODEL(menu));
}

void
vm_window_add_audio_actions(VmWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "audio-settings", .activate = on_settings},
        {.name = OUTPUT, .state = "false", .change_state = on_change},
        {.name = INPUT, .state = "false", .change_state = on_change}};

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
}
