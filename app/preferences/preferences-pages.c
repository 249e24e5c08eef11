/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The pages General, Display and Language of the preferences. */
#include "app/preferences/preferences-private.h"

#include "app/widgets/widget-folder-entry.h"
#include "app/widgets/widget-form.h"
#include "app/widgets/widget-preferences.h"

#include <glib/gi18n.h>

/* --- General --- */
static gboolean
apply_folder(GtkWidget *entry, GdkEventFocus *event, Preferences *preferences)
{
    const char *path = gtk_entry_get_text(GTK_ENTRY(entry));

    if (g_path_is_absolute(path))
        preferences_apply_property(preferences, "machine-folder", g_variant_new_string(path));
    return GDK_EVENT_PROPAGATE;
}

static void
on_folder_done(GtkEntry *entry, Preferences *preferences)
{
    apply_folder(GTK_WIDGET(entry), NULL, preferences);
}

GtkWidget *
preferences_page_general(Preferences *preferences)
{
    GtkWidget *grid = widget_form_new();
    GtkWidget *entry = widget_folder_entry_new(_("Choose the folder for new machines"));
    g_autofree char *folder = NULL;

    g_object_get(preferences->client, "machine-folder", &folder, NULL);
    gtk_entry_set_text(GTK_ENTRY(entry), folder ? folder : "");
    g_signal_connect(entry, "activate", G_CALLBACK(on_folder_done), preferences);
    g_signal_connect(entry, "focus-out-event", G_CALLBACK(apply_folder), preferences);
    widget_form_add(grid, 0, _("_Machine folder"), entry);
    widget_form_add_note(grid, 1, _("New machines are kept here, each in a folder of its own."));
    return grid;
}

/* --- Display --- */
static void
on_theme_changed(GtkComboBox *combo, Preferences *preferences)
{
    const char *id = gtk_combo_box_get_active_id(combo);

    preferences_apply_extra_data(preferences, WIDGET_THEME_DATA, g_str_equal(id, "Auto") ? "" : id);
    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme",
                 g_str_equal(id, "Dark"), NULL);
}

GtkWidget *
preferences_page_display(Preferences *preferences)
{
    GtkWidget *grid = widget_form_new(), *combo = gtk_combo_box_text_new();
    const char *value = vitrine_client_get_extra_data(preferences->client, WIDGET_THEME_DATA);

    gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), "Auto", _("As the desktop"));
    gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), "Dark", _("Dark"));
    if (!value || !gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), value))
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), "Auto");
    g_signal_connect(combo, "changed", G_CALLBACK(on_theme_changed), preferences);
    widget_form_add(grid, 0, _("_Appearance"), combo);
    return grid;
}

/* --- Language --- */
static void
on_language_changed(GtkComboBox *combo, Preferences *preferences)
{
    preferences_apply_property(preferences, "language-id",
                               g_variant_new_string(gtk_combo_box_get_active_id(combo)));
}

GtkWidget *
preferences_page_language(Preferences *preferences)
{
    GtkWidget *grid = widget_form_new(), *combo = gtk_combo_box_text_new();
    g_autofree char *language = NULL;

    gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), "", _("As the desktop"));
    gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), "de", "Deutsch");
    gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), "C", "English");
    g_object_get(preferences->client, "language-id", &language, NULL);
    if (!gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), language ? language : ""))
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), "");
    g_signal_connect(combo, "changed", G_CALLBACK(on_language_changed), preferences);
    widget_form_add(grid, 0, _("_Language"), combo);
    widget_form_add_note(grid, 1, _("Takes effect when Vitrine is started again."));
    return grid;
}
