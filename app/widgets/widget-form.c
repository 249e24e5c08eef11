/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What pages of settings and preferences are made of. */
#include "app/widgets/widget-form.h"

GtkWidget *
widget_form_new(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
    gtk_grid_set_row_spacing(GTK_GRID(grid), 12);
    gtk_container_set_border_width(GTK_CONTAINER(grid), 18);
    return grid;
}

GtkWidget *
widget_dim_label(const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 56);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    return label;
}

GtkWidget *
widget_problem_label(void)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 44);
    gtk_widget_set_no_show_all(label, TRUE);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "error");
    return label;
}

/* Whether the label belongs beside the control's first line, not its middle: not where it is an
 * entry with something behind it. */
static gboolean
is_tall(GtkWidget *control)
{
    g_autoptr(GList) children = NULL;

    if (!GTK_IS_BOX(control))
        return GTK_IS_SCROLLED_WINDOW(control);
    children = gtk_container_get_children(GTK_CONTAINER(control));
    return !children || !GTK_IS_ENTRY(children->data);
}

int
widget_form_add(GtkWidget *form, int row, const char *text, GtkWidget *control)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(text);
    const gboolean tall = is_tall(control);

    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), control);
    gtk_widget_set_valign(label, tall ? GTK_ALIGN_START : GTK_ALIGN_CENTER);
    gtk_widget_set_margin_top(label, tall ? 6 : 0);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_widget_set_hexpand(control, TRUE);
    gtk_grid_attach(GTK_GRID(form), label, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(form), control, 1, row, 1, 1);
    return row + 1;
}

int
widget_form_add_note(GtkWidget *form, int row, const char *text)
{
    gtk_grid_attach(GTK_GRID(form), widget_dim_label(text), 1, row, 1, 1);
    return row + 1;
}
