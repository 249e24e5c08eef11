/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Name, time and description of a snapshot, and what differs from now, which is loaded. */
#include "app/snapshots/snapshots-details.h"

#include "app/snapshots/snapshots-difference.h"
#include "app/widgets/widget-picture.h"
#include "app/widgets/widget-template.h"

#include <glib/gi18n.h>

struct _SnapshotsDetails {
    GtkScrolledWindow parent;
    VitrineClient *client;
    VitrineMachine *machine;
    GCancellable *cancel; /* of what is loaded for the snapshot that is shown */
    GtkImage *picture;
    GtkLabel *name, *facts, *description, *difference_title, *difference;
    VitrineSettings *then; /* its settings; they wait for the present ones */
};

G_DEFINE_FINAL_TYPE(SnapshotsDetails, snapshots_details, GTK_TYPE_SCROLLED_WINDOW)

static void
on_now(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsDetails) details = data;
    g_autoptr(VitrineSettings) now =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, NULL);
    g_autofree char *text = NULL;

    if (!now || !details->then || details->machine != VITRINE_MACHINE(source))
        return;
    text = snapshots_difference(details->client, details->then, now);
    gtk_label_set_text(details->difference, *text ? text : _("Only what is on the disks"));
    gtk_widget_show(GTK_WIDGET(details->difference_title));
    gtk_widget_show(GTK_WIDGET(details->difference));
}

static void
on_then(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsDetails) details = data;
    g_autoptr(VitrineSettings) then =
        vitrine_machine_load_snapshot_settings_finish(VITRINE_MACHINE(source), result, NULL);

    if (!then || details->machine != VITRINE_MACHINE(source))
        return;
    g_set_object(&details->then, then);
    vitrine_machine_load_settings_async(details->machine, details->cancel, on_now,
                                        g_object_ref(details));
}

static void
on_picture(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(SnapshotsDetails) details = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) png =
        vitrine_machine_load_state_picture_finish(VITRINE_MACHINE(source), result, &error);
    cairo_surface_t *picture = png ? widget_picture_from_png(png) : NULL;

    if (!picture)
        return;
    gtk_image_set_from_surface(details->picture, picture);
    gtk_widget_show(GTK_WIDGET(details->picture));
    cairo_surface_destroy(picture);
}

static void
show_snapshot(SnapshotsDetails *details, VitrineSnapshot *snapshot)
{
    const char *description = vitrine_snapshot_get_description(snapshot);
    g_autoptr(GDateTime) taken =
        g_date_time_new_from_unix_local(vitrine_snapshot_get_time_stamp(snapshot));
    g_autofree char *when = taken ? g_date_time_format(taken, "%c") : g_strdup("");
    g_autofree char *facts = g_strdup_printf(vitrine_snapshot_get_online(snapshot)
                                                 ? _("Taken %s, while the machine ran")
                                                 : _("Taken %s, while the machine was off"),
                                             when);

    gtk_label_set_text(details->name, vitrine_snapshot_get_name(snapshot));
    gtk_label_set_text(details->facts, facts);
    gtk_label_set_text(details->description, description);
    gtk_widget_set_visible(GTK_WIDGET(details->description), *description != '\0');
    vitrine_machine_load_snapshot_settings_async(details->machine,
                                                 vitrine_snapshot_get_id(snapshot), details->cancel,
                                                 on_then, g_object_ref(details));
    if (vitrine_snapshot_get_online(snapshot))
        vitrine_machine_load_state_picture_async(details->machine,
                                                 vitrine_snapshot_get_id(snapshot), details->cancel,
                                                 on_picture, g_object_ref(details));
}

static void
show_current_state(SnapshotsDetails *details)
{
    const char *follows = vitrine_machine_get_current_snapshot_name(details->machine);
    g_autofree char *facts = NULL;

    if (*follows == '\0')
        facts = g_strdup(_("There are no snapshots yet. Take one before you try something: the "
                           "machine can go back to it later."));
    else if (vitrine_machine_get_current_state_modified(details->machine))
        facts = g_strdup_printf(_("Changed since “%s”."), follows);
    else
        facts = g_strdup_printf(_("As it was in “%s”."), follows);
    gtk_label_set_text(details->name, _("Current state"));
    gtk_label_set_text(details->facts, facts);
    gtk_widget_hide(GTK_WIDGET(details->description));
}

void
snapshots_details_show(SnapshotsDetails *details, VitrineMachine *machine,
                       VitrineSnapshot *snapshot)
{
    g_cancellable_cancel(details->cancel);
    g_clear_object(&details->cancel);
    g_clear_object(&details->then);
    g_set_object(&details->machine, machine);
    gtk_widget_hide(GTK_WIDGET(details->difference_title));
    gtk_widget_hide(GTK_WIDGET(details->difference));
    gtk_widget_hide(GTK_WIDGET(details->picture));
    gtk_widget_set_visible(gtk_bin_get_child(GTK_BIN(details)), machine != NULL);
    if (!machine)
        return;
    details->cancel = g_cancellable_new();
    if (snapshot)
        show_snapshot(details, snapshot);
    else
        show_current_state(details);
}

void
snapshots_details_set_client(SnapshotsDetails *details, VitrineClient *client)
{
    g_set_object(&details->client, client);
}

/* --- the class --- */

static void
snapshots_details_dispose(GObject *object)
{
    SnapshotsDetails *details = SNAPSHOTS_DETAILS(object);

    g_cancellable_cancel(details->cancel);
    g_clear_object(&details->cancel);
    g_clear_object(&details->then);
    g_clear_object(&details->machine);
    g_clear_object(&details->client);
    G_OBJECT_CLASS(snapshots_details_parent_class)->dispose(object);
}

static void
snapshots_details_class_init(SnapshotsDetailsClass *class)
{
    static const WidgetChild children[] = {
        {"picture", G_STRUCT_OFFSET(SnapshotsDetails, picture)},
        {"name", G_STRUCT_OFFSET(SnapshotsDetails, name)},
        {"facts", G_STRUCT_OFFSET(SnapshotsDetails, facts)},
        {"description", G_STRUCT_OFFSET(SnapshotsDetails, description)},
        {"difference_title", G_STRUCT_OFFSET(SnapshotsDetails, difference_title)},
        {"difference", G_STRUCT_OFFSET(SnapshotsDetails, difference)},
    };

    G_OBJECT_CLASS(class)->dispose = snapshots_details_dispose;
    widget_class_set_template(GTK_WIDGET_CLASS(class), "snapshots/snapshots-details.ui", children,
                              G_N_ELEMENTS(children));
}

static void
snapshots_details_init(SnapshotsDetails *details)
{
    gtk_widget_init_template(GTK_WIDGET(details));
}
