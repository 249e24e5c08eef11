/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The snapshot tool: follows the machine's tree, acts on the selected row. */
#include "app/snapshots/snapshots-pane.h"

#include "app/snapshots/snapshots-ask.h"
#include "app/snapshots/snapshots-details.h"
#include "app/snapshots/snapshots-edit.h"
#include "app/snapshots/snapshots-tree.h"
#include "app/widgets/widget-actions.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-work.h"

#include <glib/gi18n.h>

#define AGE_SECONDS 60

struct _SnapshotsPane {
    GtkBox parent;
    VitrineMachine *machine;
    GCancellable *cancel; /* of what is loaded for the machine */
    gulong handler;
    GtkTreeView *view;
    GtkTreeStore *store;
    GtkInfoBar *error_bar;
    GtkLabel *error_label;
    SnapshotsDetails *details;
    GtkWidget *restore_button, *delete_button;
    GtkWidget *work;
    GSimpleActionGroup *actions;
    guint ages;
    VitrineSnapshot *restore_next; /* once the present is kept */
};

enum { SIGNAL_CLONE_WANTED, SIGNAL_COUNT };

/* Set once by class_init. */
static guint signals[SIGNAL_COUNT];

G_DEFINE_FINAL_TYPE(SnapshotsPane, snapshots_pane, GTK_TYPE_BOX)

static GtkWindow *
window_of(SnapshotsPane *pane)
{
    return GTK_WINDOW(gtk_widget_get_toplevel(GTK_WIDGET(pane)));
}

static void
show_error(SnapshotsPane *pane, const char *summary, const GError *error)
{
    g_autofree char *text = g_strdup_printf("%s. %s", summary, error->message);

    if (g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    gtk_label_set_text(pane->error_label, text);
    gtk_info_bar_set_revealed(pane->error_bar, TRUE);
}

static void
on_error_closed(GtkInfoBar *bar, int response, SnapshotsPane *pane)
{
    gtk_info_bar_set_revealed(bar, FALSE);
}

/* The snapshot of the selected row; NULL: Current State, or no row. The caller's. */
static VitrineSnapshot *
selected(SnapshotsPane *pane)
{
    VitrineSnapshot *snapshot = NULL;
    GtkTreeIter row;

    if (gtk_tree_selection_get_selected(gtk_tree_view_get_selection(pane->view), NULL, &row))
        gtk_tree_model_get(GTK_TREE_MODEL(pane->store), &row, SNAPSHOTS_COLUMN_SNAPSHOT, &snapshot,
                           -1);
    return snapshot;
}

/* NULL: nothing speaks against it. */
static const char *
why_not_now(SnapshotsPane *pane)
{
    if (!pane->machine)
        return _("No machine is selected");
    if (*vitrine_machine_get_busy(pane->machine) != '\0' ||
        widget_work_is_busy(WIDGET_WORK(pane->work)))
        return _("Something else is being done with the machine");
    return NULL;
}

static const char *
why_no_restore(SnapshotsPane *pane, VitrineSnapshot *snapshot)
{
    if (!snapshot)
        return _("Select a snapshot to go back to");
    if (vitrine_machine_state_is_online(vitrine_machine_get_state(pane->machine)))
        return _("The machine runs: it has to be off to go back to a snapshot");
    return NULL;
}

static const char *
why_no_delete(VitrineSnapshot *snapshot)
{
    if (!snapshot)
        return _("Select a snapshot to delete");
    if (!vitrine_snapshot_get_parent(snapshot) &&
        g_list_model_get_n_items(vitrine_snapshot_get_children(snapshot)) > 1)
        return _("The first snapshot can be deleted once at most one other follows it directly");
    return NULL;
}

static void
update_actions(SnapshotsPane *pane)
{
    g_autoptr(VitrineSnapshot) snapshot = selected(pane);
    GActionMap *map = G_ACTION_MAP(pane->actions);
    const char *now = why_not_now(pane);
    gboolean online =
        pane->machine && vitrine_machine_state_is_online(vitrine_machine_get_state(pane->machine));

    widget_action_enable(map, "take", !now);
    widget_action_enable(map, "clone", !now && (snapshot || !online));
    widget_action_enable(map, "edit", !now && snapshot);
    widget_action_offer(map, "restore", pane->restore_button, _("Go back to the selected snapshot"),
                        now ? now : why_no_restore(pane, snapshot));
    widget_action_offer(map, "delete", pane->delete_button, _("Forget the selected snapshot"),
                        now ? now : why_no_delete(snapshot));
}

static void
show_selected(SnapshotsPane *pane)
{
    g_autoptr(VitrineSnapshot) snapshot = selected(pane);

    update_actions(pane);
    snapshots_details_show(pane->details, pane->machine, snapshot);
}

static void
on_selection_changed(GtkTreeSelection *selection, SnapshotsPane *pane)
{
    show_selected(pane);
}

/* --- the tree --- */

static void
select_row(SnapshotsPane *pane, const char *id)
{
    GtkTreeIter row;

    if (snapshots_tree_find(pane->store, id, &row) || snapshots_tree_find(pane->store, "", &row)) {
        GtkTreePath *path = gtk_tree_model_get_path(GTK_TREE_MODEL(pane->store), &row);

        gtk_tree_view_set_cursor(pane->view, path, NULL, FALSE);
        gtk_tree_path_free(path);
    }
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsPane) pane = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSnapshot) root =
        vitrine_machine_load_snapshots_finish(VITRINE_MACHINE(source), result, &error);
    g_autoptr(VitrineSnapshot) before = NULL;
    g_autofree char *id = NULL;

    if (pane->machine != VITRINE_MACHINE(source)) /* or the pane is gone */
        return;
    before = selected(pane);
    id = g_strdup(before ? vitrine_snapshot_get_id(before) : "");
    if (error) {
        show_error(pane, _("The snapshots cannot be read"), error);
        return;
    }
    snapshots_tree_fill(pane->store, root, pane->machine);
    gtk_tree_view_expand_all(pane->view);
    select_row(pane, id);
}

static void
load(SnapshotsPane *pane)
{
    vitrine_machine_load_snapshots_async(pane->machine, pane->cancel, on_loaded,
                                         g_object_ref(pane));
}

static void
on_machine_notify(VitrineMachine *machine, GParamSpec *property, SnapshotsPane *pane)
{
    if (g_str_equal(property->name, "busy"))
        update_actions(pane);
    else if (g_str_equal(property->name, "snapshots-generation") ||
             g_str_equal(property->name, "settings-generation") ||
             g_str_equal(property->name, "current-state-modified") ||
             g_str_equal(property->name, "current-snapshot") ||
             g_str_equal(property->name, "state"))
        load(pane);
}

void
snapshots_pane_set_machine(SnapshotsPane *pane, VitrineMachine *machine)
{
    if (pane->machine == machine)
        return;
    g_cancellable_cancel(pane->cancel);
    g_clear_object(&pane->cancel);
    g_clear_object(&pane->restore_next);
    if (pane->machine)
        g_clear_signal_handler(&pane->handler, pane->machine);
    g_set_object(&pane->machine, machine);
    gtk_tree_store_clear(pane->store);
    show_selected(pane);
    gtk_info_bar_set_revealed(pane->error_bar, FALSE);
    if (!machine)
        return;
    pane->cancel = g_cancellable_new();
    pane->handler = g_signal_connect(machine, "notify", G_CALLBACK(on_machine_notify), pane);
    load(pane);
}

/* --- commands --- */

static void
on_take(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    SnapshotsPane *pane = data;

    snapshots_take_show(window_of(pane), pane->machine);
}

static void
edit_selected(SnapshotsPane *pane)
{
    g_autoptr(VitrineSnapshot) snapshot = selected(pane);

    if (snapshot)
        snapshots_edit_show(window_of(pane), pane->machine, snapshot);
}

static void
on_edit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    edit_selected(data);
}

static void
on_clone(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(VitrineSnapshot) snapshot = selected(data);

    g_signal_emit(data, signals[SIGNAL_CLONE_WANTED], 0,
                  snapshot ? vitrine_snapshot_get_id(snapshot) : "");
}

static void
on_row_activated(GtkTreeView *view, GtkTreePath *path, GtkTreeViewColumn *column,
                 SnapshotsPane *pane)
{
    edit_selected(pane);
}

static void
on_work_done(gpointer data, const char *made, const GError *error)
{
    SnapshotsPane *pane = data;

    if (error)
        show_error(pane, _("The snapshot tool could not finish"), error);
    update_actions(pane);
}

static void
follow(SnapshotsPane *pane, VitrineProgress *progress, const GError *error, const char *summary)
{
    if (!pane->machine) /* the pane is gone, the work goes on */
        return;
    if (progress)
        widget_work_follow(WIDGET_WORK(pane->work), progress, on_work_done, pane);
    else
        show_error(pane, summary, error);
    update_actions(pane);
}

static void
on_restoring(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsPane) pane = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_restore_snapshot_finish(VITRINE_MACHINE(source), result, &error);

    follow(pane, progress, error, _("The snapshot was not restored"));
}

static void
restore(SnapshotsPane *pane, VitrineSnapshot *snapshot)
{
    vitrine_machine_restore_snapshot_async(pane->machine, vitrine_snapshot_get_id(snapshot), NULL,
                                           on_restoring, g_object_ref(pane));
}

static void
on_kept(gpointer data, const char *made, const GError *error)
{
    SnapshotsPane *pane = data;
    g_autoptr(VitrineSnapshot) snapshot = g_steal_pointer(&pane->restore_next);

    if (error)
        show_error(pane, _("The present was not kept, so nothing was restored"), error);
    else if (snapshot)
        restore(pane, snapshot);
    update_actions(pane);
}

static void
on_keeping(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsPane) pane = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_take_snapshot_finish(VITRINE_MACHINE(source), result, &error);

    if (!pane->machine) /* gone: what was to be restored is left as it is */
        return;
    if (progress)
        widget_work_follow(WIDGET_WORK(pane->work), progress, on_kept, pane);
    else
        on_kept(pane, NULL, error);
    update_actions(pane);
}

static void
on_restore_wanted(gpointer data, VitrineSnapshot *snapshot, gboolean keep)
{
    SnapshotsPane *pane = data;
    g_autofree char *name =
        g_strdup_printf(_("Before going back to “%s”"), vitrine_snapshot_get_name(snapshot));

    if (!pane->machine)
        return;
    if (!keep) {
        restore(pane, snapshot);
        return;
    }
    g_set_object(&pane->restore_next, snapshot);
    vitrine_machine_take_snapshot_async(pane->machine, name, NULL, NULL, on_keeping,
                                        g_object_ref(pane));
}

static void
on_restore(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    SnapshotsPane *pane = data;
    g_autoptr(VitrineSnapshot) snapshot = selected(pane);

    snapshots_ask_restore(window_of(pane), pane->machine, snapshot, on_restore_wanted,
                          G_OBJECT(pane));
}

static void
on_deleting(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsPane) pane = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_delete_snapshot_finish(VITRINE_MACHINE(source), result, &error);

    follow(pane, progress, error, _("The snapshot was not deleted"));
}

static void
on_delete_wanted(gpointer data, VitrineSnapshot *snapshot)
{
    SnapshotsPane *pane = data;

    if (pane->machine)
        vitrine_machine_delete_snapshot_async(pane->machine, vitrine_snapshot_get_id(snapshot),
                                              NULL, on_deleting, g_object_ref(pane));
}

static void
on_delete(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    SnapshotsPane *pane = data;
    g_autoptr(VitrineSnapshot) snapshot = selected(pane);

    snapshots_ask_delete(window_of(pane), snapshot, on_delete_wanted, G_OBJECT(pane));
}

/* --- the class --- */

static gboolean
on_ages(gpointer data)
{
    snapshots_tree_update_ages(SNAPSHOTS_PANE(data)->store);
    return G_SOURCE_CONTINUE;
}

static void
snapshots_pane_dispose(GObject *object)
{
    SnapshotsPane *pane = SNAPSHOTS_PANE(object);

    g_clear_handle_id(&pane->ages, g_source_remove);
    if (pane->machine)
        g_clear_signal_handler(&pane->handler, pane->machine);
    g_cancellable_cancel(pane->cancel);
    g_clear_object(&pane->cancel);
    g_clear_object(&pane->machine);
    g_clear_object(&pane->restore_next);
    g_clear_object(&pane->actions);
    g_clear_object(&pane->store);
    G_OBJECT_CLASS(snapshots_pane_parent_class)->dispose(object);
}

static void
snapshots_pane_class_init(SnapshotsPaneClass *class)
{
    static const WidgetChild children[] = {
        {"details", G_STRUCT_OFFSET(SnapshotsPane, details)},
        {"view", G_STRUCT_OFFSET(SnapshotsPane, view)},
        {"error_bar", G_STRUCT_OFFSET(SnapshotsPane, error_bar)},
        {"error_label", G_STRUCT_OFFSET(SnapshotsPane, error_label)},
        {"restore_button", G_STRUCT_OFFSET(SnapshotsPane, restore_button)},
        {"delete_button", G_STRUCT_OFFSET(SnapshotsPane, delete_button)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    g_type_ensure(SNAPSHOTS_TYPE_DETAILS);
    G_OBJECT_CLASS(class)->dispose = snapshots_pane_dispose;
    widget_class_set_template(widget_class, "snapshots/snapshots-pane.ui", children,
                              G_N_ELEMENTS(children));
    signals[SIGNAL_CLONE_WANTED] =
        g_signal_new("clone-wanted", SNAPSHOTS_TYPE_PANE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, G_TYPE_STRING);
    gtk_widget_class_bind_template_callback(widget_class, on_error_closed);
    gtk_widget_class_bind_template_callback(widget_class, on_row_activated);
    gtk_widget_class_bind_template_callback(widget_class, on_selection_changed);
}

static void
snapshots_pane_init(SnapshotsPane *pane)
{
    static const GActionEntry entries[] = {
        {.name = "take", .activate = on_take},       {.name = "clone", .activate = on_clone},
        {.name = "restore", .activate = on_restore}, {.name = "delete", .activate = on_delete},
        {.name = "edit", .activate = on_edit},
    };

    pane->store = snapshots_tree_new();
    pane->actions = g_simple_action_group_new();
    pane->work = widget_work_new();
    g_action_map_add_action_entries(G_ACTION_MAP(pane->actions), entries, G_N_ELEMENTS(entries),
                                    pane);
    gtk_widget_insert_action_group(GTK_WIDGET(pane), "snapshots", G_ACTION_GROUP(pane->actions));
    gtk_widget_init_template(GTK_WIDGET(pane));
    gtk_tree_view_set_model(pane->view, GTK_TREE_MODEL(pane->store));
    gtk_box_pack_end(GTK_BOX(pane), pane->work, FALSE, FALSE, 0);
    pane->ages = g_timeout_add_seconds(AGE_SECONDS, on_ages, pane);
    update_actions(pane);
}

GtkWidget *
snapshots_pane_new(VitrineClient *client)
{
    SnapshotsPane *pane = g_object_new(SNAPSHOTS_TYPE_PANE, NULL);

    snapshots_details_set_client(pane->details, client);
    return GTK_WIDGET(pane);
}
