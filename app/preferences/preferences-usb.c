/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preferences, USB: the global filters, which say of the host's devices what no machine has a say
 * in. Manual, chapter "USB settings". */
#include "app/preferences/preferences-private.h"

#include "app/widgets/widget-form.h"
#include "app/widgets/widget-usb-filters.h"

#include <glib/gi18n.h>

typedef struct {
    VitrineClient *client;
    GtkWidget *list, *problem;
    GCancellable *cancel;
    guint saving; /* calls under way */
} UsbPage;

static void
page_free(gpointer data)
{
    UsbPage *page = data;

    g_cancellable_cancel(page->cancel);
    g_object_unref(page->cancel);
    g_object_unref(page->client);
    g_free(page);
}

static gboolean
is_cancelled(const GError *error)
{
    return g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED) ||
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
show_problem(UsbPage *page, const GError *error)
{
    gtk_label_set_text(GTK_LABEL(page->problem), error != NULL ? error->message : "");
    gtk_widget_set_visible(page->problem, error != NULL);
}

/* --- from the service --- */
static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) filters =
        vitrine_client_load_usb_filters_finish(VITRINE_CLIENT(source), result, &error);
    UsbPage *page = data;

    if (is_cancelled(error))
        return;
    if (filters == NULL)
        show_problem(page, error);
    else if (page->saving == 0)
        widget_usb_filters_show(page->list, filters);
    gtk_widget_set_sensitive(page->list, filters != NULL);
}

static void
load(UsbPage *page)
{
    vitrine_client_load_usb_filters_async(page->client, page->cancel, on_loaded, page);
}

/* --- to the service --- */
static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    UsbPage *page = data;

    vitrine_client_save_usb_filters_finish(VITRINE_CLIENT(source), result, &error);
    if (is_cancelled(error))
        return;
    page->saving--;
    show_problem(page, error);
    if (error != NULL)
        load(page); /* shows what is kept */
}

static void
on_filters(gpointer data, GPtrArray *filters)
{
    UsbPage *page = data;

    page->saving++;
    vitrine_client_save_usb_filters_async(page->client, filters, page->cancel, on_saved, page);
}

/* --- the page --- */
GtkWidget *
preferences_page_usb(Preferences *preferences)
{
    UsbPage *page = g_new0(UsbPage, 1);
    GtkWidget *grid = widget_form_new();
    int row;

    page->client = g_object_ref(preferences->client);
    page->cancel = g_cancellable_new();
    page->problem = widget_problem_label();
    g_object_set_data_full(G_OBJECT(grid), "usb-page", page, page_free);
    page->list = widget_usb_filters_new(page->client, TRUE, on_filters, page);
    gtk_widget_set_sensitive(page->list, FALSE); /* until it is known what there is */
    row = widget_form_add(grid, 0, _("Device _filters"), page->list);
    gtk_grid_attach(GTK_GRID(grid), page->problem, 1, row++, 1, 1);
    widget_form_add_note(
        grid, row,
        _("What fits a filter stays with the host, or is taken from the host's drivers and waits "
          "for a machine. The first filter that fits counts, before those of machines."));
    load(page);
    return grid;
}
