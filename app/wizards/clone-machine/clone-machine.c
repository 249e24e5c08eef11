/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cloning: name and place, full or linked, which states. A linked clone of the present state stands
 * on a snapshot that is taken for it. */
#include "app/wizards/clone-machine/clone-machine.h"

#include "app/widgets/widget-folder-entry.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-window.h"
#include "app/widgets/widget-work.h"

#include <glib/gi18n.h>

#define CLONE_TYPE_MACHINE (clone_machine_get_type())
G_DECLARE_FINAL_TYPE(CloneMachine, clone_machine, CLONE, MACHINE, GtkDialog)

struct _CloneMachine {
    GtkDialog parent;
    VitrineClient *client;
    VitrineMachine *machine;
    char *snapshot; /* UUID, or "" */
    GtkWidget *cancel_button, *clone_button, *fields, *work;
    GtkBox *area;
    GtkEntry *name, *folder;
    GtkToggleButton *full, *linked;
    GtkComboBox *states, *macs; /* with the words of the service's options as ids */
    GtkLabel *problem;
};

G_DEFINE_FINAL_TYPE(CloneMachine, clone_machine, GTK_TYPE_DIALOG)

/* NULL: there is none, and no room is kept for it. */
static void
show_problem(CloneMachine *clone, const char *problem)
{
    gtk_label_set_text(clone->problem, problem ? problem : "");
    gtk_widget_set_visible(GTK_WIDGET(clone->problem), problem != NULL);
}

/* Snapshots can be taken along where there are some, and disks of their own for them. */
static void
offer_states(CloneMachine *clone)
{
    const char *why_not = NULL;

    if (vitrine_machine_get_snapshot_count(clone->machine) == 0)
        why_not = _("The machine has no snapshots.");
    else if (!gtk_toggle_button_get_active(clone->full))
        why_not = _("A linked clone starts without snapshots.");
    gtk_widget_set_sensitive(GTK_WIDGET(clone->states), !why_not);
    gtk_widget_set_tooltip_text(GTK_WIDGET(clone->states), why_not);
}

static void
on_changed(CloneMachine *clone)
{
    g_autofree char *name = NULL;
    const char *problem = NULL;

    if (!clone->machine) /* being made */
        return;
    name = g_strstrip(g_strdup(gtk_entry_get_text(clone->name)));
    if (*name == '\0')
        problem = _("The name is missing.");
    else if (vitrine_client_find_machine(clone->client, name))
        problem = _("There is a machine of this name already.");
    else if (!g_path_is_absolute(gtk_entry_get_text(clone->folder)))
        problem = _("A folder is needed.");
    show_problem(clone, problem);
    gtk_widget_set_sensitive(clone->clone_button, problem == NULL);
    gtk_widget_set_tooltip_text(clone->clone_button, problem);
    offer_states(clone);
}

/* --- the work --- */

static void
set_working(CloneMachine *clone, gboolean working)
{
    gtk_widget_set_sensitive(clone->fields, !working);
    gtk_widget_set_sensitive(clone->clone_button, !working);
    gtk_widget_set_sensitive(clone->cancel_button, !working);
}

static void
fail(CloneMachine *clone, const GError *error)
{
    set_working(clone, FALSE);
    if (!g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        show_problem(clone, error->message);
}

static void
on_cloned(gpointer data, const char *made, const GError *error)
{
    if (error)
        fail(data, error);
    else
        gtk_widget_destroy(data);
}

static void
on_cloning(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(CloneMachine) clone = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_clone_finish(VITRINE_MACHINE(source), result, &error);

    if (!clone->machine) /* the dialog is gone */
        return;
    if (progress)
        widget_work_follow(WIDGET_WORK(clone->work), progress, on_cloned, clone);
    else
        fail(clone, error);
}

static void
begin(CloneMachine *clone, const char *snapshot)
{
    g_autofree char *name = g_strstrip(g_strdup(gtk_entry_get_text(clone->name)));
    const gboolean linked = gtk_toggle_button_get_active(clone->linked);
    GVariantBuilder options;

    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(
        &options, "{sv}", "mode",
        g_variant_new_string(linked ? "machine" : gtk_combo_box_get_active_id(clone->states)));
    g_variant_builder_add(&options, "{sv}", "snapshot", g_variant_new_string(snapshot));
    g_variant_builder_add(&options, "{sv}", "linked", g_variant_new_boolean(linked));
    g_variant_builder_add(&options, "{sv}", "folder",
                          g_variant_new_string(gtk_entry_get_text(clone->folder)));
    g_variant_builder_add(&options, "{sv}", "macs",
                          g_variant_new_string(gtk_combo_box_get_active_id(clone->macs)));
    vitrine_machine_clone_async(clone->machine, name, g_variant_builder_end(&options), NULL,
                                on_cloning, g_object_ref(clone));
}

/* --- the snapshot below a linked clone --- */

static void
on_base(gpointer data, const char *made, const GError *error)
{
    if (error)
        fail(data, error);
    else
        begin(data, made);
}

static void
on_base_begun(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(CloneMachine) clone = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_take_snapshot_finish(VITRINE_MACHINE(source), result, &error);

    if (!clone->machine)
        return;
    if (progress)
        widget_work_follow(WIDGET_WORK(clone->work), progress, on_base, clone);
    else
        fail(clone, error);
}

static void
take_base(CloneMachine *clone)
{
    g_autofree char *name = g_strdup_printf(_("Base of “%s”"), gtk_entry_get_text(clone->name));

    vitrine_machine_take_snapshot_async(clone->machine, name, NULL, NULL, on_base_begun,
                                        g_object_ref(clone));
}

static void
on_clone(GtkButton *button, CloneMachine *clone)
{
    const char *current = vitrine_machine_get_current_snapshot(clone->machine);
    const gboolean linked = gtk_toggle_button_get_active(clone->linked);

    set_working(clone, TRUE);
    show_problem(clone, NULL);
    if (!linked || *clone->snapshot != '\0')
        begin(clone, clone->snapshot);
    else if (*current != '\0' && !vitrine_machine_get_current_state_modified(clone->machine))
        begin(clone, current);
    else
        take_base(clone);
}

/* While the work goes on, its own button gives it up. */
static gboolean
on_delete(GtkWidget *widget, GdkEvent *event, CloneMachine *clone)
{
    return widget_work_is_busy(WIDGET_WORK(clone->work));
}

/* --- the class --- */

static void
clone_machine_dispose(GObject *object)
{
    CloneMachine *clone = CLONE_MACHINE(object);

    g_clear_object(&clone->client);
    g_clear_object(&clone->machine);
    g_clear_pointer(&clone->snapshot, g_free);
    G_OBJECT_CLASS(clone_machine_parent_class)->dispose(object);
}

static void
clone_machine_class_init(CloneMachineClass *class)
{
    static const WidgetChild children[] = {
        {"area", G_STRUCT_OFFSET(CloneMachine, area)},
        {"cancel_button", G_STRUCT_OFFSET(CloneMachine, cancel_button)},
        {"clone_button", G_STRUCT_OFFSET(CloneMachine, clone_button)},
        {"fields", G_STRUCT_OFFSET(CloneMachine, fields)},
        {"folder", G_STRUCT_OFFSET(CloneMachine, folder)},
        {"full", G_STRUCT_OFFSET(CloneMachine, full)},
        {"linked", G_STRUCT_OFFSET(CloneMachine, linked)},
        {"macs", G_STRUCT_OFFSET(CloneMachine, macs)},
        {"name", G_STRUCT_OFFSET(CloneMachine, name)},
        {"problem", G_STRUCT_OFFSET(CloneMachine, problem)},
        {"states", G_STRUCT_OFFSET(CloneMachine, states)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = clone_machine_dispose;
    widget_class_set_template(widget_class, "wizards/clone-machine.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(widget_class, on_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_clone);
}

static void
clone_machine_init(CloneMachine *clone)
{
    gtk_widget_init_template(GTK_WIDGET(clone));
    clone->work = widget_work_new();
    gtk_box_pack_end(clone->area, clone->work, FALSE, FALSE, 0);
    widget_folder_entry_setup(clone->folder, _("Folder of the clone"));
    g_signal_connect(clone, "delete-event", G_CALLBACK(on_delete), clone);
}

/* "Name clone", "Name clone 2" … */
static char *
free_name(VitrineClient *client, VitrineMachine *machine)
{
    const char *name = vitrine_machine_get_name(machine);
    char *clone = g_strdup_printf(_("%s clone"), name);

    for (unsigned i = 2; vitrine_client_find_machine(client, clone); i++) {
        g_free(clone);
        clone = g_strdup_printf(_("%s clone %u"), name, i);
    }
    return clone;
}

void
clone_machine_show(GtkWindow *parent, VitrineClient *client, VitrineMachine *machine,
                   const char *snapshot)
{
    CloneMachine *clone = g_object_new(CLONE_TYPE_MACHINE, "use-header-bar", 1, "transient-for",
                                       parent, "destroy-with-parent", TRUE, NULL);
    g_autofree char *name = free_name(client, machine), *folder = NULL;

    g_object_get(client, "machine-folder", &folder, NULL);
    clone->client = g_object_ref(client);
    clone->machine = g_object_ref(machine);
    clone->snapshot = g_strdup(snapshot);
    if (*snapshot == '\0') /* nothing follows the present */
        gtk_combo_box_text_remove(GTK_COMBO_BOX_TEXT(clone->states), 1);
    gtk_combo_box_set_active_id(clone->states, "machine");
    gtk_combo_box_set_active_id(clone->macs, "new");
    gtk_entry_set_text(clone->name, name);
    gtk_entry_set_text(clone->folder, folder);
    widget_window_set_default(clone->clone_button);
    on_changed(clone);
    gtk_widget_show(GTK_WIDGET(clone));
    gtk_widget_grab_focus(GTK_WIDGET(clone->name));
}
