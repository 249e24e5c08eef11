/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What all settings pages are made of. */
#include "app/settings/settings-private.h"

GtkWidget *
settings_page_grid(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 12);
    gtk_container_set_border_width(GTK_CONTAINER(grid), 18);
    return grid;
}

GtkWidget *
settings_dim_label(const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 56);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    return label;
}

int
settings_add_row(GtkWidget *grid, int row, const char *text, GtkWidget *widget)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(text);
    gboolean tall = GTK_IS_SCROLLED_WINDOW(widget) || GTK_IS_BOX(widget);

    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), widget);
    gtk_widget_set_valign(label, tall ? GTK_ALIGN_START : GTK_ALIGN_CENTER);
    gtk_widget_set_margin_top(label, tall ? 6 : 0);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_widget_set_hexpand(widget, TRUE);
    gtk_grid_attach(GTK_GRID(grid), label, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), widget, 1, row, 1, 1);
    return row + 1;
}

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
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "error");
    gtk_grid_attach(GTK_GRID(grid), label, 1, row, 1, 1);
    settings_dialog_watch_field(dialog, field, GTK_LABEL(label));
    return row + 1;
}
