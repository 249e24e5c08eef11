/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preferences as windows need them. */
#include "app/widgets/widget-preferences.h"

#include <glib/gi18n.h>

void
widget_preferences_apply(VitrineClient *client)
{
    const char *theme = vitrine_client_get_extra_data(client, WIDGET_THEME_DATA);
    g_autofree char *language = NULL;

    g_object_get(client, "language-id", &language, NULL);
    if (language && *language)
        g_setenv("LANGUAGE", language, TRUE);
    if (g_strcmp0(theme, "Dark") == 0)
        g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", TRUE, NULL);
}

guint
widget_host_key(VitrineClient *client)
{
    const char *value = vitrine_client_get_extra_data(client, WIDGET_HOST_KEY_DATA);
    guint64 keyval;

    if (value && *value && g_ascii_string_to_unsigned(value, 10, 1, G_MAXUINT32, &keyval, NULL))
        return (guint)keyval;
    return GDK_KEY_Control_R;
}

char *
widget_host_key_name(guint keyval)
{
    switch (keyval) {
    case GDK_KEY_Control_R: return g_strdup(_("Right Ctrl"));
    case GDK_KEY_Control_L: return g_strdup(_("Left Ctrl"));
    case GDK_KEY_Alt_R: return g_strdup(_("Right Alt"));
    case GDK_KEY_Alt_L: return g_strdup(_("Left Alt"));
    case GDK_KEY_Shift_R: return g_strdup(_("Right Shift"));
    case GDK_KEY_Super_L: return g_strdup(_("Left Super"));
    case GDK_KEY_Super_R: return g_strdup(_("Right Super"));
    case GDK_KEY_Menu: return g_strdup(_("Menu"));
    default: return gtk_accelerator_get_label(keyval, 0);
    }
}
