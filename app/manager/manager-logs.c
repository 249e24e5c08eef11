/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The log viewer: a tab for each file, search, refresh. Files are read without waiting, and at most
 * their last 4 MiB are shown. */
#include "app/manager/manager-logs.h"

#include "app/widgets/widget-empty.h"
#include "app/widgets/widget-notebook.h"
#include "app/widgets/widget-template.h"

#include <glib/gi18n.h>

#define SHOWN_LIMIT (4u * 1024 * 1024)

struct _ManagerLogs {
    GtkBox parent;
    GtkNotebook *notebook;
    GtkSearchEntry *search;
    GtkStack *stack;
    VitrineMachine *machine;
    gboolean
        stale; /* what is shown is another machine's, or older than the widget's last showing */
};

G_DEFINE_FINAL_TYPE(ManagerLogs, manager_logs, GTK_TYPE_BOX)

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
add_page(ManagerLogs *logs, const char *path, const char *title)
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
    gtk_notebook_append_page(logs->notebook, scroller, gtk_label_new(title));
    g_file_load_contents_async(file, NULL, on_read, g_object_ref(view));
}

static void
fill(ManagerLogs *logs)
{
    const char *folder = vitrine_machine_get_log_folder(logs->machine);

    widget_notebook_clear(logs->notebook);
    for (unsigned i = 0; i <= 3; i++) {
        g_autofree char *name = i ? g_strdup_printf("VBox.log.%u", i) : g_strdup("VBox.log");
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            add_page(logs, path, name);
    }
    gtk_stack_set_visible_child_name(
        logs->stack, gtk_notebook_get_n_pages(logs->notebook) > 0 ? "logs" : "empty");
}

static void
on_refresh(GtkButton *button, ManagerLogs *logs)
{
    if (logs->machine)
        fill(logs);
}

/* Finds the next place after the cursor, around the end. */
static void
on_find(GtkEntry *entry, ManagerLogs *logs)
{
    int page = gtk_notebook_get_current_page(logs->notebook);
    GtkWidget *scroller = gtk_notebook_get_nth_page(logs->notebook, page);
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

static void
on_map(ManagerLogs *logs)
{
    if (logs->machine)
        fill(logs);
}

void
manager_logs_set_machine(ManagerLogs *logs, VitrineMachine *machine)
{
    g_set_object(&logs->machine, machine);
    if (gtk_widget_get_mapped(GTK_WIDGET(logs)))
        on_map(logs);
}

/* --- the class --- */

static void
manager_logs_dispose(GObject *object)
{
    g_clear_object(&MANAGER_LOGS(object)->machine);
    G_OBJECT_CLASS(manager_logs_parent_class)->dispose(object);
}

static void
manager_logs_class_init(ManagerLogsClass *class)
{
    static const WidgetChild children[] = {
        {"notebook", G_STRUCT_OFFSET(ManagerLogs, notebook)},
        {"search", G_STRUCT_OFFSET(ManagerLogs, search)},
        {"stack", G_STRUCT_OFFSET(ManagerLogs, stack)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = manager_logs_dispose;
    widget_class_set_template(widget_class, "manager/manager-logs.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(widget_class, on_refresh);
    gtk_widget_class_bind_template_callback(widget_class, on_find);
}

static void
manager_logs_init(ManagerLogs *logs)
{
    gtk_widget_init_template(GTK_WIDGET(logs));
    widget_notebook_setup(logs->notebook);
    gtk_stack_add_named(logs->stack,
                        widget_empty_page_new("text-x-generic-symbolic",
                                              _("There is no log yet: this machine has not run."),
                                              NULL),
                        "empty");
    g_signal_connect(logs, "map", G_CALLBACK(on_map), NULL);
}

GtkWidget *
manager_logs_new(void)
{
    return g_object_new(MANAGER_TYPE_LOGS, NULL);
}
