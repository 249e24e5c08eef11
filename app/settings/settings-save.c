/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The steps of saving: a plan is made of the differences, and carried out one by one. */
#include "app/settings/settings-save.h"

#include "app/settings/settings-difference.h"
#include "app/widgets/widget-change.h"

#define CAP "cpu-execution-cap"

typedef struct _Save Save;
/* Starts a step, which ends in step_done(). Takes a reference of the task. */
typedef void (*StepStart)(GTask *task, const VitrineAttachment *drive);

typedef struct {
    StepStart start;
    VitrineAttachment *drive; /* NULL: it is not about one */
} Step;

struct _Save {
    SettingsDifference of;   /* its settings are owned */
    GHashTable *models;      /* keys of extra data that change, and their values */
    VitrineConsole *console; /* NULL: not needed so far */
    GQueue steps;
    Step *step; /* the one that is being done */
};

static void
step_free(gpointer data)
{
    Step *step = data;

    if (step->drive != NULL)
        vitrine_attachment_free(step->drive);
    g_free(step);
}

static void
save_free(gpointer data)
{
    Save *save = data;

    g_queue_clear_full(&save->steps, step_free);
    g_clear_pointer(&save->step, step_free);
    g_clear_object(&save->console);
    g_hash_table_unref(save->models);
    g_object_unref(save->of.base);
    g_object_unref(save->of.edited);
    g_free(save);
}

static void
next(GTask *task)
{
    Save *save = g_task_get_task_data(task);

    g_clear_pointer(&save->step, step_free);
    save->step = g_queue_pop_head(&save->steps);
    if (save->step == NULL) {
        g_task_return_boolean(task, TRUE);
        g_object_unref(task);
        return;
    }
    save->step->start(task, save->step->drive);
}

/* Takes error, NULL: the step is done. */
static void
step_done(GTask *task, GError *error)
{
    if (error == NULL) {
        next(task);
        return;
    }
    g_task_return_error(task, error);
    g_object_unref(task);
}

static VitrineMachine *
machine_of(GTask *task)
{
    return VITRINE_MACHINE(g_task_get_source_object(task));
}

/* --- all at once --- */
static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;

    vitrine_machine_save_settings_finish(VITRINE_MACHINE(source), result, &error);
    step_done(data, error);
}

static void
start_all(GTask *task, const VitrineAttachment *drive)
{
    Save *save = g_task_get_task_data(task);

    vitrine_machine_save_settings_async(machine_of(task), save->of.edited, NULL, on_saved, task);
}

/* --- extra data: one key after the other --- */
static void start_models(GTask *task, const VitrineAttachment *drive);

static void
on_model(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;

    if (vitrine_machine_set_extra_data_finish(VITRINE_MACHINE(source), result, &error))
        start_models(data, NULL);
    else
        step_done(data, error);
}

static void
start_models(GTask *task, const VitrineAttachment *drive)
{
    Save *save = g_task_get_task_data(task);
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, save->models);
    if (!g_hash_table_iter_next(&iter, &key, &value)) {
        step_done(task, NULL);
        return;
    }
    vitrine_machine_set_extra_data_async(machine_of(task), key, value, NULL, on_model, task);
    g_hash_table_iter_remove(&iter);
}

/* --- drives of a running machine --- */
static void
on_medium(GObject *source, GAsyncResult *result, gpointer data)
{
    Save *save = g_task_get_task_data(data);
    GError *error = NULL;

    if (vitrine_machine_change_medium_finish(VITRINE_MACHINE(source), result, &error))
        vitrine_settings_put_attachment(save->of.base, save->step->drive);
    step_done(data, error);
}

static void
start_medium(GTask *task, const VitrineAttachment *drive)
{
    g_autofree char *host = g_strconcat("host:", drive->host_drive, NULL);

    vitrine_machine_change_medium_async(machine_of(task), drive->controller, drive->port,
                                        drive->device, *drive->host_drive ? host : drive->medium,
                                        FALSE, NULL, on_medium, task);
}

static void
put_drive(VitrineSettings *settings, gpointer data)
{
    vitrine_settings_put_attachment(settings, data);
}

static void
drop_drive(VitrineSettings *settings, gpointer data)
{
    const VitrineAttachment *drive = data;

    vitrine_settings_remove_attachment(settings, drive->controller, drive->port, drive->device);
}

static void
on_come(GObject *source, GAsyncResult *result, gpointer data)
{
    Save *save = g_task_get_task_data(data);
    GError *error = NULL;

    if (widget_change_settings_finish(VITRINE_MACHINE(source), result, &error))
        put_drive(save->of.base, save->step->drive);
    step_done(data, error);
}

static void
start_come(GTask *task, const VitrineAttachment *drive)
{
    widget_change_settings_async(machine_of(task), put_drive, (gpointer)drive, on_come, task);
}

static void
on_gone(GObject *source, GAsyncResult *result, gpointer data)
{
    Save *save = g_task_get_task_data(data);
    GError *error = NULL;

    if (widget_change_settings_finish(VITRINE_MACHINE(source), result, &error))
        drop_drive(save->of.base, save->step->drive);
    step_done(data, error);
}

static void
start_go(GTask *task, const VitrineAttachment *drive)
{
    widget_change_settings_async(machine_of(task), drop_drive, (gpointer)drive, on_gone, task);
}

/* --- the rest: values, network cards, USB filters --- */
static void
on_rest(GObject *source, GAsyncResult *result, gpointer data)
{
    Save *save = g_task_get_task_data(data);
    GError *error = NULL;

    if (widget_change_settings_finish(VITRINE_MACHINE(source), result, &error))
        settings_difference_put(save->of.base, &save->of);
    step_done(data, error);
}

static void
start_rest(GTask *task, const VitrineAttachment *drive)
{
    Save *save = g_task_get_task_data(task);

    widget_change_settings_async(machine_of(task), settings_difference_put, &save->of, on_rest,
                                 task);
}

/* --- the console: what the running machine has to be told --- */
static void
on_console(GObject *source, GAsyncResult *result, gpointer data)
{
    Save *save = g_task_get_task_data(data);
    GError *error = NULL;

    save->console = vitrine_machine_open_console_finish(VITRINE_MACHINE(source), result, &error);
    step_done(data, error);
}

static void
start_console(GTask *task, const VitrineAttachment *drive)
{
    vitrine_machine_open_console_async(machine_of(task), NULL, on_console, task);
}

static void
take_switch(Save *save, const char *property)
{
    vitrine_settings_set_bool(save->of.base, property,
                              vitrine_settings_get_bool(save->of.edited, property));
}

static void
on_output(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;

    if (vitrine_console_set_audio_finish(VITRINE_CONSOLE(source), result, &error))
        take_switch(g_task_get_task_data(data), "audio-out");
    step_done(data, error);
}

static void
start_output(GTask *task, const VitrineAttachment *drive)
{
    Save *save = g_task_get_task_data(task);

    vitrine_console_set_audio_async(save->console, FALSE,
                                    vitrine_settings_get_bool(save->of.edited, "audio-out"), NULL,
                                    on_output, task);
}

static void
on_input(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;

    if (vitrine_console_set_audio_finish(VITRINE_CONSOLE(source), result, &error))
        take_switch(g_task_get_task_data(data), "audio-in");
    step_done(data, error);
}

static void
start_input(GTask *task, const VitrineAttachment *drive)
{
    Save *save = g_task_get_task_data(task);

    vitrine_console_set_audio_async(save->console, TRUE,
                                    vitrine_settings_get_bool(save->of.edited, "audio-in"), NULL,
                                    on_input, task);
}

static void
on_cap(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;

    vitrine_console_set_execution_cap_finish(VITRINE_CONSOLE(source), result, &error);
    step_done(data, error);
}

static void
start_cap(GTask *task, const VitrineAttachment *drive)
{
    Save *save = g_task_get_task_data(task);

    vitrine_console_set_execution_cap_async(
        save->console, vitrine_settings_get_uint(save->of.edited, CAP), NULL, on_cap, task);
}

/* --- the plan --- */
static void
add(Save *save, StepStart start, const VitrineAttachment *drive)
{
    Step *step = g_new(Step, 1);

    *step = (Step){start, drive != NULL ? vitrine_attachment_copy(drive) : NULL};
    g_queue_push_tail(&save->steps, step);
}

static void
plan_media(Save *save)
{
    GPtrArray *now = vitrine_settings_get_attachments(save->of.edited);

    for (guint i = 0; i < now->len; i++) {
        const VitrineAttachment *before = settings_difference_place(save->of.base, now->pdata[i]);

        if (settings_difference_same_drive(now->pdata[i], before) &&
            !settings_difference_same_medium(now->pdata[i], before))
            add(save, start_medium, now->pdata[i]);
    }
}

/* Those of one that the other has not. */
static void
plan_drives(Save *save, VitrineSettings *one, VitrineSettings *other, StepStart start)
{
    GPtrArray *drives = vitrine_settings_get_attachments(one);

    for (guint i = 0; i < drives->len; i++) {
        if (!settings_difference_same_drive(drives->pdata[i],
                                            settings_difference_place(other, drives->pdata[i])))
            add(save, start, drives->pdata[i]);
    }
}

static void
plan_console(Save *save)
{
    const gboolean output = settings_difference_has(&save->of, "audio-out"),
                   input = settings_difference_has(&save->of, "audio-in");
    const gboolean cap = settings_difference_has(&save->of, CAP);

    if (output || input || cap)
        add(save, start_console, NULL);
    if (output)
        add(save, start_output, NULL);
    if (input)
        add(save, start_input, NULL);
    if (cap)
        add(save, start_cap, NULL);
}

static void
plan(Save *save, gboolean saved)
{
    if (!save->of.live && !saved) {
        add(save, start_all, NULL);
        add(save, start_models, NULL);
        return;
    }
    plan_media(save);
    plan_drives(save, save->of.base, save->of.edited, start_go);
    plan_drives(save, save->of.edited, save->of.base, start_come);
    if (settings_difference_has_rest(&save->of))
        add(save, start_rest, NULL);
    if (save->of.live)
        plan_console(save);
}

void
settings_save_async(VitrineMachine *machine, VitrineSettings *base, VitrineSettings *edited,
                    SettingsModels *models, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(machine, NULL, callback, user_data);
    const VitrineMachineState state = vitrine_machine_get_state(machine);
    Save *save = g_new0(Save, 1);

    save->of.base = g_object_ref(base);
    save->of.edited = g_object_ref(edited);
    save->models = settings_models_changes(models, edited);
    save->of.live = vitrine_machine_state_is_online(state);
    g_task_set_task_data(task, save, save_free);
    plan(save,
         state == VITRINE_MACHINE_STATE_SAVED || state == VITRINE_MACHINE_STATE_ABORTED_SAVED);
    next(task);
}

gboolean
settings_save_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
