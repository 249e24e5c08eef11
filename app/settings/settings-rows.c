/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What settings pages are made of, beside a form. */
#include "app/settings/settings-private.h"

int
settings_add_check(GtkWidget *grid, int row, SettingsDialog *dialog, const char *property,
                   const char *label, const char *explanation)
{
    GtkWidget *check = gtk_check_button_new_with_mnemonic(label);

    g_object_bind_property(settings_dialog_get_settings(dialog), property, check, "active",
                           G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    gtk_widget_set_tooltip_text(check, explanation);
    gtk_grid_attach(GTK_GRID(grid), check, 1, row, 1, 1);
    return row + 1;
}

int
settings_add_problem(GtkWidget *grid, int row, SettingsDialog *dialog, const char *field)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 56);
    gtk_widget_set_no_show_all(label, TRUE);
    gtk_grid_attach(GTK_GRID(grid), label, 1, row, 1, 1);
    settings_dialog_watch_field(dialog, field, GTK_LABEL(label));
    return row + 1;
}
