/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Name and description: of a snapshot that is to be taken, or of one that is there. */
#include "app/snapshots/snapshots-edit.h"

#include "app/widgets/widget-template.h"
#include "app/widgets/widget-window.h"
#include "app/widgets/widget-work.h"

#include <glib/gi18n.h>

#define SNAPSHOTS_TYPE_EDIT (snapshots_edit_get_type())
G_DECLARE_FINAL_TYPE(SnapshotsEdit, snapshots_edit, SNAPSHOTS, EDIT, GtkDialog)

struct _SnapshotsEdit {
    GtkDialog parent;
    GtkWidget *cancel_button, *accept_button, *fields;
    GtkEntry *name;
    GtkTextView *description;
    GtkLabel *note, *error;
    GtkWidget *work;
    VitrineMachine *machine;
    VitrineSnapshot *snapshot; /* NULL: a new one */
};

G_DEFINE_FINAL_TYPE(SnapshotsEdit, snapshots_edit, GTK_TYPE_DIALOG)

static char *
typed_name(SnapshotsEdit *edit)
{
    return g_strstrip(g_strdup(gtk_entry_get_text(edit->name)));
}

static void
on_changed(GtkEntry *entry, SnapshotsEdit *edit)
{
    g_autofree char *name = typed_name(edit);
    gboolean ready = *name != '\0';

    gtk_widget_set_sensitive(edit->accept_button, ready);
    gtk_widget_set_tooltip_text(edit->accept_button, ready ? NULL : _("The name is missing."));
}

/* --- the work --- */

static void
set_working(SnapshotsEdit *edit, gboolean working)
{
    gtk_widget_set_sensitive(edit->fields, !working);
    gtk_widget_set_sensitive(edit->accept_button, !working);
    gtk_widget_set_sensitive(edit->cancel_button, !working);
}

static void
show_error(SnapshotsEdit *edit, const GError *error)
{
    set_working(edit, FALSE);
    gtk_label_set_text(edit->error, error->message);
    gtk_widget_show(GTK_WIDGET(edit->error));
}

static void
on_taken(gpointer data, const char *made, const GError *error)
{
    SnapshotsEdit *edit = data;

    if (g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        set_working(edit, FALSE);
    else if (error)
        show_error(edit, error);
    else
        gtk_widget_destroy(GTK_WIDGET(edit));
}

static void
on_taking(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsEdit) edit = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_take_snapshot_finish(VITRINE_MACHINE(source), result, &error);

    if (!edit->machine) /* the dialog is gone */
        return;
    if (progress)
        widget_work_follow(WIDGET_WORK(edit->work), progress, on_taken, edit);
    else
        show_error(edit, error);
}

static void
on_edited(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsEdit) edit = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_edit_snapshot_finish(VITRINE_MACHINE(source), result, &error)) {
        if (edit->machine)
            show_error(edit, error);
    } else {
        gtk_widget_destroy(GTK_WIDGET(edit));
    }
}

static void
on_accept(GtkButton *button, SnapshotsEdit *edit)
{
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(edit->description);
    g_autofree char *name = typed_name(edit), *description = NULL;

    g_object_get(buffer, "text", &description, NULL);
    gtk_widget_hide(GTK_WIDGET(edit->error));
    set_working(edit, TRUE);
    if (edit->snapshot)
        vitrine_machine_edit_snapshot_async(edit->machine, vitrine_snapshot_get_id(edit->snapshot),
                                            name, description, NULL, on_edited, g_object_ref(edit));
    else
        vitrine_machine_take_snapshot_async(edit->machine, name, description, NULL, on_taking,
                                            g_object_ref(edit));
}

/* While the work goes on, its own button gives it up; the dialog stays to show how it ends. */
static gboolean
on_delete(GtkWidget *widget, GdkEvent *event, SnapshotsEdit *edit)
{
    return widget_work_is_busy(WIDGET_WORK(edit->work));
}

/* --- the class --- */

static void
snapshots_edit_dispose(GObject *object)
{
    SnapshotsEdit *edit = SNAPSHOTS_EDIT(object);

    g_clear_object(&edit->machine);
    g_clear_object(&edit->snapshot);
    G_OBJECT_CLASS(snapshots_edit_parent_class)->dispose(object);
}

static void
snapshots_edit_class_init(SnapshotsEditClass *class)
{
    static const WidgetChild children[] = {
        {"cancel_button", G_STRUCT_OFFSET(SnapshotsEdit, cancel_button)},
        {"accept_button", G_STRUCT_OFFSET(SnapshotsEdit, accept_button)},
        {"fields", G_STRUCT_OFFSET(SnapshotsEdit, fields)},
        {"name", G_STRUCT_OFFSET(SnapshotsEdit, name)},
        {"description", G_STRUCT_OFFSET(SnapshotsEdit, description)},
        {"note", G_STRUCT_OFFSET(SnapshotsEdit, note)},
        {"error", G_STRUCT_OFFSET(SnapshotsEdit, error)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = snapshots_edit_dispose;
    widget_class_set_template(widget_class, "snapshots/snapshots-edit.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(widget_class, on_accept);
    gtk_widget_class_bind_template_callback(widget_class, on_changed);
}

static void
snapshots_edit_init(SnapshotsEdit *edit)
{
    gtk_widget_init_template(GTK_WIDGET(edit));
    edit->work = widget_work_new();
    gtk_box_pack_end(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(edit))), edit->work, FALSE,
                     FALSE, 0);
    g_signal_connect(edit, "delete-event", G_CALLBACK(on_delete), edit);
}

static SnapshotsEdit *
edit_new(GtkWindow *parent, VitrineMachine *machine, const char *title, const char *verb)
{
    SnapshotsEdit *edit = g_object_new(SNAPSHOTS_TYPE_EDIT, "use-header-bar", 1, "title", title,
                                       "transient-for", parent, "destroy-with-parent", TRUE, NULL);

    edit->machine = g_object_ref(machine);
    gtk_button_set_label(GTK_BUTTON(edit->accept_button), verb);
    widget_window_set_default(edit->accept_button);
    return edit;
}

void
snapshots_take_show(GtkWindow *parent, VitrineMachine *machine)
{
    SnapshotsEdit *edit = edit_new(parent, machine, _("Take a snapshot"), _("_Take snapshot"));
    g_autofree char *name =
        g_strdup_printf(_("Snapshot %u"), vitrine_machine_get_snapshot_count(machine) + 1);
    gboolean online = vitrine_machine_state_is_online(vitrine_machine_get_state(machine));

    gtk_entry_set_text(edit->name, name);
    gtk_label_set_text(edit->note,
                       online ? _("Keeps settings, disks and memory as they are now. The guest "
                                  "runs on meanwhile.")
                              : _("Keeps settings and disks as they are now."));
    gtk_widget_show(GTK_WIDGET(edit));
    gtk_widget_grab_focus(GTK_WIDGET(edit->name));
}

void
snapshots_edit_show(GtkWindow *parent, VitrineMachine *machine, VitrineSnapshot *snapshot)
{
    SnapshotsEdit *edit = edit_new(parent, machine, _("Snapshot"), _("_Save"));

    edit->snapshot = g_object_ref(snapshot);
    gtk_entry_set_text(edit->name, vitrine_snapshot_get_name(snapshot));
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(edit->description),
                             vitrine_snapshot_get_description(snapshot), -1);
    gtk_widget_hide(GTK_WIDGET(edit->note));
    gtk_widget_show(GTK_WIDGET(edit));
    gtk_widget_grab_focus(GTK_WIDGET(edit->name));
}
