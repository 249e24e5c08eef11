/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What settings pages are made of, beside a form. */
#include "app/settings/settings-private.h"
#include "app/widgets/widget-notebook.h"

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
settings_add_live_check(GtkWidget *grid, int row, SettingsDialog *dialog, const char *property,
                        const char *label, const char *explanation, guint states)
{
    const int after = settings_add_check(grid, row, dialog, property, label, explanation);

    settings_lock_open(gtk_grid_get_child_at(GTK_GRID(grid), 1, row), states);
    return after;
}

GtkWidget *
settings_grid_new(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 12);
    return grid;
}

/* The number is put in by hand: a translated format is no literal. */
static char *
tab_title(const char *title, guint number)
{
    g_auto(GStrv) parts = g_strsplit(title, "%u", 2);
    g_autofree char *text = g_strdup_printf("%u", number);

    return g_strjoinv(text, parts);
}

GtkWidget *
settings_tabs_new(SettingsDialog *dialog, guint count, const char *title,
                  SettingsTabNew constructor)
{
    GtkWidget *notebook = gtk_notebook_new();

    widget_notebook_setup(GTK_NOTEBOOK(notebook));
    gtk_container_set_border_width(GTK_CONTAINER(notebook), 18);
    for (guint slot = 0; slot < count; slot++) {
        g_autofree char *text = tab_title(title, slot + 1);

        gtk_notebook_append_page(GTK_NOTEBOOK(notebook), constructor(dialog, slot),
                                 gtk_label_new(text));
    }
    return notebook;
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
