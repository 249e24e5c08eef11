/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pages with tabs. When a page has left, GTK tells assistive programs so, asks for the state of its
 * tab meanwhile, and complains that there is none; it does not ask while no tabs are shown. */
#include "app/widgets/widget-notebook.h"

static void
on_destroy(GtkNotebook *notebook, gpointer data)
{
    gtk_notebook_set_show_tabs(notebook, FALSE);
}

void
widget_notebook_setup(GtkNotebook *notebook)
{
    g_signal_connect(notebook, "destroy", G_CALLBACK(on_destroy), NULL);
}

void
widget_notebook_clear(GtkNotebook *notebook)
{
    gtk_notebook_set_show_tabs(notebook, FALSE);
    while (gtk_notebook_get_n_pages(notebook) > 0)
        gtk_notebook_remove_page(notebook, 0);
    gtk_notebook_set_show_tabs(notebook, TRUE);
}
