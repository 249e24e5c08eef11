/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Session Information window: asks the machine for its statistics once a second, while it is
 * shown, plots the load by engine and lists the numbers. */
#include "app/vmwindow/vm-information.h"

#include "app/widgets/widget-engine-load.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>

#define POLL_SECONDS 1
#define TIME_SUFFIX "-time-ns"

enum { COLUMN_NAME, COLUMN_VALUE };

struct _VmInformation {
    GtkWindow parent;
    GtkBox *plot_place;
    WidgetPlot *plot;
    GtkLabel *summary;
    GtkTreeView *view;
    GtkListStore *numbers;
    VitrineConsole *console;
    GCancellable *cancel;
    GHashTable *rows; /* name: GtkTreeRowReference */
    guint poll;
    WidgetEngineLoad load;
};

G_DEFINE_FINAL_TYPE(VmInformation, vm_information, GTK_TYPE_WINDOW)

/* --- the list --- */

/* Nanoseconds as seconds, everything else as it is. */
static void
for_people(const char *name, const char *value, char **shown_name, char **shown_value)
{
    if (g_str_has_suffix(name, "-ns")) {
        gsize length = strlen(name) - strlen("-ns");
        *shown_name = g_strdup_printf("%.*s%s", (int)length, name,
                                      g_str_has_suffix(name, TIME_SUFFIX) ? "" : "-time");
        *shown_value =
            g_strdup_printf(_("%.3f s"), (double)g_ascii_strtoull(value, NULL, 10) / 1e9);
    } else {
        *shown_name = g_strdup(name);
        *shown_value = g_strdup(value);
    }
}

static void
show_number(VmInformation *information, const char *name, const char *value)
{
    GtkTreeModel *model = GTK_TREE_MODEL(information->numbers);
    GtkTreeRowReference *row = g_hash_table_lookup(information->rows, name);
    g_autofree char *shown_name = NULL, *shown_value = NULL;
    GtkTreeIter iter;
    GtkTreePath *path;

    for_people(name, value, &shown_name, &shown_value);
    if (row) {
        path = gtk_tree_row_reference_get_path(row);
        gtk_tree_model_get_iter(model, &iter, path);
        gtk_list_store_set(information->numbers, &iter, COLUMN_VALUE, shown_value, -1);
    } else {
        gtk_list_store_insert_with_values(information->numbers, &iter, -1, COLUMN_NAME, shown_name,
                                          COLUMN_VALUE, shown_value, -1);
        path = gtk_tree_model_get_path(model, &iter);
        g_hash_table_insert(information->rows, g_strdup(name),
                            gtk_tree_row_reference_new(model, path));
    }
    gtk_tree_path_free(path);
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
    g_autofree char *title = g_strdup_printf(_("%s: Session Information"), machine);

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
    widget_window_close_by_keys(GTK_WINDOW(information));
    information->poll = g_timeout_add_seconds(POLL_SECONDS, on_poll, information);
}
