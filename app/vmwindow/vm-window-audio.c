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

/* The card and what it may do, for people; the caller's. */
static char *
card_text(VitrineSettings *settings)
{
    static const char *const cards[] = {
        [VITRINE_AUDIO_CONTROLLER_AC97] = "ICH AC97",
        [VITRINE_AUDIO_CONTROLLER_SB16] = "Sound Blaster 16",
        [VITRINE_AUDIO_CONTROLLER_HDA] = "Intel HD Audio",
    };
    const gboolean heard = vitrine_settings_get_bool(settings, "audio-out");
    const gboolean listens = vitrine_settings_get_bool(settings, "audio-in");

    if (!vitrine_settings_get_bool(settings, "audio"))
        return g_strdup("");
    return g_strdup_printf("%s\n%s\n%s",
                           cards[vitrine_settings_get_enum(settings, "audio-controller")],
                           heard ? _("Output is on") : _("Output is off: the guest is not heard"),
                           listens ? _("Input is on") : _("Input is off: the guest hears nothing"));
}

void
vm_window_fill_audio(VmWindow *window, VitrineSettings *settings)
{
    const gboolean has_card = vitrine_settings_get_bool(settings, "audio");
    const gboolean heard = vitrine_settings_get_bool(settings, "audio-out");
    g_autofree char *card = card_text(settings);
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
