/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Session Information window: asks the machine for its statistics once a second, while it is
 * shown, plots the load by engine and lists the numbers. */
#include "app/vmwindow/vm-information.h"

#include "app/vmwindow/vm-statistic.h"
#include "app/widgets/widget-engine-load.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>

#define POLL_SECONDS 1

enum { COLUMN_NAME, COLUMN_VALUE };

struct _VmInformation {
    GtkWindow parent;
    GtkBox *plot_place;
    WidgetPlot *plot;
    GtkLabel *summary;
    GtkTreeView *view;
    GtkTreeStore *numbers;
    VitrineConsole *console;
    GCancellable *cancel;
    GHashTable *rows;   /* name: GtkTreeRowReference */
    GHashTable *opened; /* groups that were shown open once */
    guint poll;
    WidgetEngineLoad load;
};

G_DEFINE_FINAL_TYPE(VmInformation, vm_information, GTK_TYPE_WINDOW)

/* --- the list --- */

/* Parts of a group stand behind its own lines. */
static int
place_in(GtkTreeModel *model, GtkTreeIter *parent, gboolean is_part)
{
    GtkTreeIter child;
    int place = 0;

    if (is_part || parent == NULL || !gtk_tree_model_iter_children(model, &child, parent))
        return -1;
    do {
        if (gtk_tree_model_iter_has_child(model, &child))
            return place;
        place++;
    } while (gtk_tree_model_iter_next(model, &child));
    return -1;
}

/* The row of that name below `parent` (NULL: none), which is known as `key`; made if it is not
 * there. */
static void
find_row(VmInformation *information, const char *key, const char *name, GtkTreeIter *parent,
         gboolean is_part, GtkTreeIter *iter)
{
    GtkTreeModel *model = GTK_TREE_MODEL(information->numbers);
    GtkTreeRowReference *row = g_hash_table_lookup(information->rows, key);
    GtkTreePath *path;

    if (row) {
        path = gtk_tree_row_reference_get_path(row);
        gtk_tree_model_get_iter(model, iter, path);
    } else {
        gtk_tree_store_insert_with_values(information->numbers, iter, parent,
                                          place_in(model, parent, is_part), COLUMN_NAME, name, -1);
        path = gtk_tree_model_get_path(model, iter);
        g_hash_table_insert(information->rows, g_strdup(key),
                            gtk_tree_row_reference_new(model, path));
    }
    gtk_tree_path_free(path);
}

static void
show_number(VmInformation *information, const char *name, const char *value)
{
    g_auto(VmStatistic) statistic = {0};
    g_autofree char *part = NULL;
    GtkTreeIter group, place, row;
    GtkTreePath *path;

    vm_statistic_init(&statistic, name, value);
    find_row(information, statistic.group, statistic.group, NULL, FALSE, &group);
    place = group;
    if (statistic.part) {
        part = g_strconcat(statistic.group, "/", statistic.part, NULL);
        find_row(information, part, statistic.part, &group, TRUE, &place);
    }
    find_row(information, name, statistic.name, &place, FALSE, &row);
    gtk_tree_store_set(information->numbers, &row, COLUMN_VALUE, statistic.value, -1);
    if (!g_hash_table_contains(information->opened, statistic.group)) {
        path = gtk_tree_model_get_path(GTK_TREE_MODEL(information->numbers), &group);
        gtk_tree_view_expand_row(information->view, path, FALSE);
        gtk_tree_path_free(path);
        g_hash_table_add(information->opened, g_strdup(statistic.group));
    }
}

/* --- asking --- */

static void
read_statistics(VmInformation *information, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        char *value = strstr(lines[i], ": ");

        if (!value)
            continue;
        *value = '\0';
        value += strlen(": ");
        show_number(information, lines[i], value);
    }
    widget_engine_load_add(&information->load, information->plot, text);
}

static void
on_statistics(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmInformation) information = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        vitrine_console_get_info_finish(VITRINE_CONSOLE(source), result, &error);
    g_autofree char *summary = NULL;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (text) {
        read_statistics(information, text);
        summary = g_strdup_printf(_("Execution engine: %s"),
                                  vitrine_console_get_engine(information->console));
    }
    gtk_label_set_text(information->summary, text ? summary : error->message);
}

static gboolean
on_poll(gpointer data)
{
    VmInformation *information = data;

    if (gtk_widget_get_mapped(GTK_WIDGET(information)))
        vitrine_console_get_info_async(information->console, "statistics", information->cancel,
                                       on_statistics, g_object_ref(information));
    return G_SOURCE_CONTINUE;
}

/* --- the class --- */

GtkWidget *
vm_information_new(GtkWindow *parent, VitrineConsole *console, const char *machine)
{
    VmInformation *information = g_object_new(VM_TYPE_INFORMATION, NULL);
    g_autofree char *title = g_strdup_printf(_("%s: Session information"), machine);

    gtk_window_set_title(GTK_WINDOW(information), title);
    gtk_window_set_transient_for(GTK_WINDOW(information), parent);
    gtk_window_set_destroy_with_parent(GTK_WINDOW(information), TRUE);
    information->console = g_object_ref(console);
    gtk_widget_show(GTK_WIDGET(information));
    on_poll(information);
    return GTK_WIDGET(information);
}

static void
vm_information_dispose(GObject *object)
{
    VmInformation *information = VM_INFORMATION(object);

    g_cancellable_cancel(information->cancel);
    g_clear_object(&information->cancel);
    g_clear_handle_id(&information->poll, g_source_remove);
    g_clear_object(&information->console);
    g_clear_pointer(&information->rows, g_hash_table_unref);
    g_clear_pointer(&information->opened, g_hash_table_unref);
    G_OBJECT_CLASS(vm_information_parent_class)->dispose(object);
}

static void
vm_information_class_init(VmInformationClass *class)
{
    static const WidgetChild children[] = {
        {"plot_place", G_STRUCT_OFFSET(VmInformation, plot_place)},
        {"summary", G_STRUCT_OFFSET(VmInformation, summary)},
        {"view", G_STRUCT_OFFSET(VmInformation, view)},
        {"numbers", G_STRUCT_OFFSET(VmInformation, numbers)},
    };

    G_OBJECT_CLASS(class)->dispose = vm_information_dispose;
    widget_class_set_template(GTK_WIDGET_CLASS(class), "vmwindow/vm-information.ui", children,
                              G_N_ELEMENTS(children));
}

static void
vm_information_init(VmInformation *information)
{
    gtk_widget_init_template(GTK_WIDGET(information));
    information->plot = WIDGET_PLOT(widget_engine_load_plot_new());
    gtk_box_pack_start(information->plot_place, GTK_WIDGET(information->plot), TRUE, TRUE, 0);
    gtk_widget_show(GTK_WIDGET(information->plot));
    information->cancel = g_cancellable_new();
    information->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                              (GDestroyNotify)gtk_tree_row_reference_free);
    information->opened = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    widget_window_close_by_keys(GTK_WINDOW(information));
    information->poll = g_timeout_add_seconds(POLL_SECONDS, on_poll, information);
}
