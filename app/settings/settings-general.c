/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, General: name, system, snapshot folder, description. */
#include "app/settings/settings-private.h"

#include "app/widgets/widget-folder-entry.h"

#include <glib/gi18n.h>

static void
on_type_changed(GtkComboBox *combo, VitrineSettings *settings)
{
    const char *id = gtk_combo_box_get_active_id(combo);

    if (id)
        vitrine_settings_set_string(settings, "os-type", id);
}

/* All systems; one that this version does not know is kept and shown by its identifier. */
static GtkWidget *
type_combo(VitrineSettings *settings)
{
    GtkWidget *combo = gtk_combo_box_text_new();
    const char *present = vitrine_settings_get_string(settings, "os-type");

    for (guint i = 0; i < vitrine_os_type_count(); i++) {
        const VitrineOsType *type = vitrine_os_type_nth(i);
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), type->id, type->description);
    }
    if (!gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), present)) {
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(combo), present, present);
        gtk_combo_box_set_active_id(GTK_COMBO_BOX(combo), present);
    }
    g_signal_connect_object(combo, "changed", G_CALLBACK(on_type_changed), settings, 0);
    return combo;
}

/* What is kept is what was typed: an empty entry means the folder beside the settings. */
static GtkWidget *
folder_entry(SettingsDialog *dialog)
{
    GtkWidget *entry = widget_folder_entry_new(_("Choose the folder for snapshots"));
    const char *folder = vitrine_machine_get_snapshot_folder(settings_dialog_get_machine(dialog));

    gtk_entry_set_placeholder_text(GTK_ENTRY(entry), folder);
    g_object_bind_property(settings_dialog_get_settings(dialog), "snapshot-folder", entry, "text",
                           G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    return entry;
}

static GtkWidget *
description_view(VitrineSettings *settings)
{
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL), *view = gtk_text_view_new();

    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(view), GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(view), 6);
    gtk_text_view_set_top_margin(GTK_TEXT_VIEW(view), 6);
    atk_object_set_name(gtk_widget_get_accessible(view), _("Description"));
    settings_lock_open(view, SETTINGS_ALWAYS);
    g_object_bind_property(settings, "description", gtk_text_view_get_buffer(GTK_TEXT_VIEW(view)),
                           "text", G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    gtk_container_add(GTK_CONTAINER(scroller), view);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scroller), 110);
    gtk_widget_set_vexpand(scroller, TRUE);
    return scroller;
}

GtkWidget *
settings_page_general(SettingsDialog *dialog)
{
    VitrineSettings *settings = settings_dialog_get_settings(dialog);
    GtkWidget *grid = widget_form_new(), *name = gtk_entry_new();
    int row = 0;

    g_object_bind_property(settings, "name", name, "text",
                           G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    gtk_entry_set_activates_default(GTK_ENTRY(name), TRUE);
    settings_lock_open(name, SETTINGS_SAVED);
    row = widget_form_add(grid, row, _("_Name"), name);
    row = settings_add_problem(grid, row, dialog, "name");
    row = widget_form_add(grid, row, _("S_ystem"), type_combo(settings));
    row = settings_add_problem(grid, row, dialog, "os-type");
    row = widget_form_add(grid, row, _("Snapshot _folder"), folder_entry(dialog));
    row = settings_add_problem(grid, row, dialog, "snapshot-folder");
    widget_form_add(grid, row, _("_Description"), description_view(settings));
    return grid;
}
