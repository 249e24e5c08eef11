/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The log viewer: a tab for each file, search, refresh. Files are read without waiting, and at most
 * their last 4 MiB are shown. */
#include "app/manager/manager-log.h"

#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

#define SHOWN_LIMIT (4u * 1024 * 1024)

typedef struct {
    GtkWidget *window, *notebook, *search;
    VitrineMachine *machine;
} LogWindow;

static void
log_window_free(gpointer data)
{
    LogWindow *log = data;

    g_object_unref(log->machine);
    g_free(log);
}

static void
show_text(GtkTextView *view, const char *text, gsize length)
{
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(view);
    const char *start = length > SHOWN_LIMIT ? text + length - SHOWN_LIMIT : text;
    g_autofree char *valid = g_utf8_make_valid(start, (gssize)(length - (gsize)(start - text)));
    GtkTextIter end;

    gtk_text_buffer_set_text(buffer, valid, -1);
    gtk_text_buffer_get_end_iter(buffer, &end);
    gtk_text_buffer_place_cursor(buffer, &end);
    gtk_text_view_scroll_to_mark(view, gtk_text_buffer_get_insert(buffer), 0, FALSE, 0, 0);
}

static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkTextView) view = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length;

    if (g_file_load_contents_finish(G_FILE(source), result, &text, &length, NULL, &error))
        show_text(view, text, length);
    else
        show_text(view, error->message, strlen(error->message));
}

static void
add_page(LogWindow *log, const char *path, const char *title)
{
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL), *view = gtk_text_view_new();
    g_autoptr(GFile) file = g_file_new_for_path(path);

    gtk_text_view_set_editable(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_monospace(GTK_TEXT_VIEW(view), TRUE);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(view), 12);
    gtk_text_view_set_top_margin(GTK_TEXT_VIEW(view), 6);
    atk_object_set_name(gtk_widget_get_accessible(view), title);
    gtk_container_add(GTK_CONTAINER(scroller), view);
    gtk_widget_show_all(scroller);
    gtk_notebook_append_page(GTK_NOTEBOOK(log->notebook), scroller, gtk_label_new(title));
    g_file_load_contents_async(file, NULL, on_read, g_object_ref(view));
}

static void
fill(LogWindow *log)
{
    const char *folder = vitrine_machine_get_log_folder(log->machine);

    while (gtk_notebook_get_n_pages(GTK_NOTEBOOK(log->notebook)) > 0)
        gtk_notebook_remove_page(GTK_NOTEBOOK(log->notebook), 0);
    for (unsigned i = 0; i <= 3; i++) {
        g_autofree char *name = i ? g_strdup_printf("VBox.log.%u", i) : g_strdup("VBox.log");
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            add_page(log, path, name);
    }
    if (gtk_notebook_get_n_pages(GTK_NOTEBOOK(log->notebook)) == 0) {
        GtkWidget *label = gtk_label_new(_("There is no log yet: this machine has not run."));
        gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
        gtk_widget_show(label);
        gtk_notebook_append_page(GTK_NOTEBOOK(log->notebook), label, gtk_label_new(_("Log")));
    }
}

static void
on_refresh(GtkButton *button, LogWindow *log)
{
    fill(log);
}

/* Finds the next place after the cursor, around the end. */
static void
on_find(GtkEntry *entry, LogWindow *log)
{
    int page = gtk_notebook_get_current_page(GTK_NOTEBOOK(log->notebook));
    GtkWidget *scroller = gtk_notebook_get_nth_page(GTK_NOTEBOOK(log->notebook), page);
    const char *text = gtk_entry_get_text(entry);
    GtkTextIter from, start, end;
    GtkTextBuffer *buffer;
    GtkWidget *view;

    if (!GTK_IS_SCROLLED_WINDOW(scroller) || *text == '\0')
        return;
    view = gtk_bin_get_child(GTK_BIN(scroller));
    buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(view));
    gtk_text_buffer_get_selection_bounds(buffer, NULL, &from);
    if (!gtk_text_iter_forward_search(&from, text, GTK_TEXT_SEARCH_CASE_INSENSITIVE, &start, &end,
                                      NULL)) {
        gtk_text_buffer_get_start_iter(buffer, &from);
        if (!gtk_text_iter_forward_search(&from, text, GTK_TEXT_SEARCH_CASE_INSENSITIVE, &start,
                                          &end, NULL)) {
            gtk_widget_error_bell(GTK_WIDGET(entry));
            return;
        }
    }
    gtk_text_buffer_select_range(buffer, &start, &end);
    gtk_text_view_scroll_to_iter(GTK_TEXT_VIEW(view), &start, 0.2, FALSE, 0, 0);
}

static GtkWidget *
build_header(LogWindow *log)
{
    GtkWidget *header = gtk_header_bar_new();
    GtkWidget *refresh =
        gtk_button_new_from_icon_name("view-refresh-symbolic", GTK_ICON_SIZE_BUTTON);

    gtk_header_bar_set_show_close_button(GTK_HEADER_BAR(header), TRUE);
    gtk_header_bar_set_title(GTK_HEADER_BAR(header), _("Log"));
    gtk_header_bar_set_subtitle(GTK_HEADER_BAR(header), vitrine_machine_get_name(log->machine));
    widget_set_name(refresh, _("Refresh"));
    g_signal_connect(refresh, "clicked", G_CALLBACK(on_refresh), log);
    gtk_header_bar_pack_start(GTK_HEADER_BAR(header), refresh);
    log->search = gtk_search_entry_new();
    gtk_entry_set_placeholder_text(GTK_ENTRY(log->search), _("Find, Enter for the next"));
    atk_object_set_name(gtk_widget_get_accessible(log->search), _("Find in the log"));
    g_signal_connect(log->search, "activate", G_CALLBACK(on_find), log);
    gtk_header_bar_pack_end(GTK_HEADER_BAR(header), log->search);
    gtk_widget_show_all(header);
    return header;
}

void
manager_log_show(GtkWindow *parent, VitrineMachine *machine)
{
    LogWindow *log = g_new0(LogWindow, 1);

    log->machine = g_object_ref(machine);
    log->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    log->notebook = gtk_notebook_new();
    gtk_window_set_transient_for(GTK_WINDOW(log->window), parent);
    gtk_window_set_default_size(GTK_WINDOW(log->window), 860, 560);
    gtk_window_set_position(GTK_WINDOW(log->window), GTK_WIN_POS_CENTER_ON_PARENT);
    gtk_window_set_titlebar(GTK_WINDOW(log->window), build_header(log));
    gtk_notebook_set_show_border(GTK_NOTEBOOK(log->notebook), FALSE);
    gtk_container_add(GTK_CONTAINER(log->window), log->notebook);
    g_object_set_data_full(G_OBJECT(log->window), "log", log, log_window_free);
    fill(log);
    gtk_widget_show(log->notebook);
    gtk_window_present(GTK_WINDOW(log->window));
}
