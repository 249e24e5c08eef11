/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Creates what the wizard's plan says, step by step, without waiting: machine, disk, media,
 * settings, start. */
#include "app/wizards/new-machine/new-machine-private.h"

#include <glib/gi18n.h>

#define SECTOR 512u

typedef struct {
    VitrineClient *client;
    NewMachinePlan *plan;
    NewMachineProgress progress;
    gpointer progress_data;
    VitrineMachine *machine;
    VitrineProgress *disk_progress;
    char *disk_id, *iso_id; /* media, NULL: none */
} Creation;

void
new_machine_plan_free(NewMachinePlan *plan)
{
    g_free(plan->name);
    g_free(plan->folder);
    g_free(plan->os_type);
    g_free(plan->iso);
    g_free(plan->disk_file);
    g_free(plan);
}

static void
creation_free(gpointer data)
{
    Creation *creation = data;

    g_object_unref(creation->client);
    g_clear_object(&creation->machine);
    g_clear_object(&creation->disk_progress);
    g_free(creation->disk_id);
    g_free(creation->iso_id);
    new_machine_plan_free(creation->plan);
    g_free(creation);
}

static void
tell(Creation *creation, const char *what, double fraction)
{
    creation->progress(what, fraction, creation->progress_data);
}

/* --- failure: nothing half-made stays --- */
typedef struct {
    GTask *task;
    GError *error;
} Failure;

static void
on_undone(GObject *source, GAsyncResult *result, gpointer data)
{
    Failure *failure = data;

    vitrine_machine_unregister_finish(VITRINE_MACHINE(source), result, NULL);
    g_task_return_error(failure->task, failure->error);
    g_object_unref(failure->task);
    g_free(failure);
}

static void
fail(GTask *task, GError *error)
{
    Creation *creation = g_task_get_task_data(task);
    Failure *failure;

    if (!creation->machine) {
        g_task_return_error(task, error);
        g_object_unref(task);
        return;
    }
    failure = g_new(Failure, 1);
    *failure = (Failure){task, error};
    /* A disk that was there before is the person's: an error may come after it was attached. */
    vitrine_machine_unregister_async(creation->machine,
                                     creation->plan->disk != NEW_MACHINE_DISK_EXISTING, NULL,
                                     on_undone, failure);
}

/* --- last steps: settings, start --- */
static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;

    /* The machine is there even if it does not start. */
    if (vitrine_machine_launch_finish(VITRINE_MACHINE(source), result, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    GTask *task = data;
    Creation *creation = g_task_get_task_data(task);
    g_auto(GStrv) environment = NULL;
    GError *error = NULL;

    if (!vitrine_machine_save_settings_finish(VITRINE_MACHINE(source), result, &error)) {
        fail(task, error);
        return;
    }
    if (!creation->plan->start) {
        g_task_return_boolean(task, TRUE);
        g_object_unref(task);
        return;
    }
    tell(creation, _("Starting the machine…"), 1);
    environment = g_get_environ();
    vitrine_machine_launch_async(creation->machine, "gui", (const char *const *)environment,
                                 g_task_get_cancellable(task), on_started, task);
}

static gboolean
find_slot_at(VitrineSettings *settings, VitrineStorageBus bus, VitrineAttachment *slot)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);

    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        slot->controller = controller->name;
        if (vitrine_controller_bus(controller->type) == bus &&
            vitrine_settings_free_slot(settings, controller->name, &slot->port, &slot->device))
            return TRUE;
    }
    return FALSE;
}

/* Where the type's defaults have put a drive of that kind, else a free slot: a disk's is at the
 * SATA controller where the type has one. */
static gboolean
find_slot(VitrineSettings *settings, VitrineMediumKind kind, VitrineAttachment *slot)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = g_ptr_array_index(drives, i);
        if (drive->kind == kind && *drive->medium == '\0') {
            *slot = (VitrineAttachment){
                .controller = drive->controller, .port = drive->port, .device = drive->device};
            return TRUE;
        }
    }
    if (kind == VITRINE_MEDIUM_KIND_HARD_DISK &&
        find_slot_at(settings, VITRINE_STORAGE_BUS_SATA, slot))
        return TRUE;
    return find_slot_at(settings, VITRINE_STORAGE_BUS_IDE, slot);
}

static gboolean
attach(VitrineSettings *settings, VitrineMediumKind kind, const char *medium, GError **error)
{
    g_autoptr(VitrineAttachment) attachment = NULL;
    VitrineAttachment slot = {NULL};

    if (!medium)
        return TRUE;
    if (!find_slot(settings, kind, &slot)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_FAILED,
                    _("The machine has no free place for a drive."));
        return FALSE;
    }
    attachment = vitrine_attachment_new(slot.controller, slot.port, slot.device, kind, medium);
    vitrine_settings_put_attachment(settings, attachment);
    return TRUE;
}

static void
on_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    GTask *task = data;
    Creation *creation = g_task_get_task_data(task);
    GError *error = NULL;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, &error);

    if (!settings || !attach(settings, VITRINE_MEDIUM_KIND_HARD_DISK, creation->disk_id, &error) ||
        !attach(settings, VITRINE_MEDIUM_KIND_DVD, creation->iso_id, &error)) {
        fail(task, error);
        return;
    }
    vitrine_settings_set_uint(settings, "memory", creation->plan->memory);
    vitrine_settings_set_uint(settings, "cpus", creation->plan->cpus);
    if (creation->plan->cpus > 1)
        vitrine_settings_set_bool(settings, "ioapic", TRUE);
    vitrine_machine_save_settings_async(creation->machine, settings, g_task_get_cancellable(task),
                                        on_saved, task);
}

/* --- media --- */
static void
load_settings(GTask *task)
{
    Creation *creation = g_task_get_task_data(task);

    vitrine_machine_load_settings_async(creation->machine, g_task_get_cancellable(task),
                                        on_settings, task);
}

/* A medium is there, or is not; then what comes after it. */
static void
go_on(GTask *task, const char *medium, GError *error, void (*next)(GTask *task))
{
    if (medium)
        next(task);
    else
        fail(task, error);
}

static void
on_iso_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    Creation *creation = g_task_get_task_data(data);
    GError *error = NULL;

    creation->iso_id = vitrine_client_open_medium_finish(VITRINE_CLIENT(source), result, &error);
    go_on(data, creation->iso_id, error, load_settings);
}

static void
open_iso(GTask *task)
{
    Creation *creation = g_task_get_task_data(task);

    if (creation->plan->iso)
        vitrine_client_open_medium_async(creation->client, creation->plan->iso,
                                         VITRINE_MEDIUM_KIND_DVD, g_task_get_cancellable(task),
                                         on_iso_opened, task);
    else
        load_settings(task);
}

static void
on_disk_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    Creation *creation = g_task_get_task_data(data);
    GError *error = NULL;

    creation->disk_id = vitrine_client_open_medium_finish(VITRINE_CLIENT(source), result, &error);
    go_on(data, creation->disk_id, error, open_iso);
}

static void
on_disk_made(GObject *source, GAsyncResult *result, gpointer data)
{
    Creation *creation = g_task_get_task_data(data);
    GError *error = NULL;

    creation->disk_id = vitrine_progress_wait_finish(VITRINE_PROGRESS(source), result, &error);
    go_on(data, creation->disk_id, error, open_iso);
}

static void
on_disk_percent(VitrineProgress *progress, GParamSpec *property, GTask *task)
{
    tell(g_task_get_task_data(task), _("Creating the disk…"),
         vitrine_progress_get_percent(progress) / 100.0);
}

static void
on_cancelled(GCancellable *cancellable, gpointer progress)
{
    vitrine_progress_cancel(progress);
}

static void
on_disk_begun(GObject *source, GAsyncResult *result, gpointer data)
{
    GTask *task = data;
    Creation *creation = g_task_get_task_data(task);
    GCancellable *cancellable = g_task_get_cancellable(task);
    GError *error = NULL;

    creation->disk_progress =
        vitrine_client_create_medium_finish(VITRINE_CLIENT(source), result, &error);
    if (!creation->disk_progress) {
        fail(task, error);
        return;
    }
    g_signal_connect_object(creation->disk_progress, "notify::percent", G_CALLBACK(on_disk_percent),
                            task, 0);
    if (cancellable)
        g_signal_connect_object(cancellable, "cancelled", G_CALLBACK(on_cancelled),
                                creation->disk_progress, 0);
    vitrine_progress_wait_async(creation->disk_progress, NULL, on_disk_made, task);
}

static void
make_disk(GTask *task)
{
    Creation *creation = g_task_get_task_data(task);
    const NewMachinePlan *plan = creation->plan;
    g_autofree char *folder =
        g_path_get_dirname(vitrine_machine_get_settings_file(creation->machine));
    g_autofree char *file = g_strconcat(plan->name, ".vdi", NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);

    tell(creation, _("Creating the disk…"), 0);
    vitrine_client_create_medium_async(creation->client, path, VITRINE_MEDIUM_KIND_HARD_DISK, "VDI",
                                       plan->disk_fixed ? "fixed" : "dynamic",
                                       plan->disk_size / SECTOR * SECTOR, NULL,
                                       g_task_get_cancellable(task), on_disk_begun, task);
}

/* --- the machine --- */
static void
on_machine_made(GObject *source, GAsyncResult *result, gpointer data)
{
    GTask *task = data;
    Creation *creation = g_task_get_task_data(task);
    GError *error = NULL;
    g_autofree char *id =
        vitrine_client_create_machine_finish(VITRINE_CLIENT(source), result, NULL, &error);
    VitrineMachine *machine = id ? vitrine_client_find_machine(creation->client, id) : NULL;

    if (!machine) {
        if (!error)
            error = g_error_new(VITRINE_ERROR, VITRINE_ERROR_FAILED,
                                _("The new machine is not in the list."));
        fail(task, error);
        return;
    }
    creation->machine = g_object_ref(machine);
    if (creation->plan->disk == NEW_MACHINE_DISK_NEW)
        make_disk(task);
    else if (creation->plan->disk == NEW_MACHINE_DISK_EXISTING)
        vitrine_client_open_medium_async(creation->client, creation->plan->disk_file,
                                         VITRINE_MEDIUM_KIND_HARD_DISK,
                                         g_task_get_cancellable(task), on_disk_opened, task);
    else
        open_iso(task);
}

void
new_machine_create_async(VitrineClient *client, NewMachinePlan *plan, NewMachineProgress progress,
                         gpointer progress_data, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(NULL, cancellable, callback, user_data);
    Creation *creation = g_new0(Creation, 1);
    GVariantBuilder options;

    creation->client = g_object_ref(client);
    creation->plan = plan;
    creation->progress = progress;
    creation->progress_data = progress_data;
    g_task_set_task_data(task, creation, creation_free);
    g_task_set_check_cancellable(task, FALSE);
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "os-type", g_variant_new_string(plan->os_type));
    if (plan->folder)
        g_variant_builder_add(&options, "{sv}", "folder", g_variant_new_string(plan->folder));
    g_variant_builder_add(&options, "{sv}", "defaults", g_variant_new_boolean(TRUE));
    tell(creation, _("Creating the machine…"), 0);
    vitrine_client_create_machine_async(client, plan->name, g_variant_builder_end(&options),
                                        cancellable, on_machine_made, task);
}

gboolean
new_machine_create_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
