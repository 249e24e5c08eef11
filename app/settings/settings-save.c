/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The steps of saving: a plan is made of the differences, and carried out one by one. */
#include "app/settings/settings-save.h"

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
    VitrineSettings *base, *edited;
    GHashTable *models; /* keys of extra data that change, and their values */
    gboolean live;
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
    g_object_unref(save->base);
    g_object_unref(save->edited);
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

    vitrine_machine_save_settings_async(machine_of(task), save->edited, NULL, on_saved, task);
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
        vitrine_settings_put_attachment(save->base, save->step->drive);
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
        put_drive(save->base, save->step->drive);
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
        drop_drive(save->base, save->step->drive);
    step_done(data, error);
}

static void
start_go(GTask *task, const VitrineAttachment *drive)
{
    widget_change_settings_async(machine_of(task), drop_drive, (gpointer)drive, on_gone, task);
}

/* --- the rest: values, network cards, USB filters --- */

/* The console switches sound of a running machine, and keeps it. */
static gboolean
is_of_console(const Save *save, const char *property)
{
    return save->live && (g_str_equal(property, "audio-in") || g_str_equal(property, "audio-out"));
}

static gboolean
differs(VitrineSettings *a, VitrineSettings *b, GParamSpec *property)
{
    g_auto(GValue) of_a = G_VALUE_INIT, of_b = G_VALUE_INIT;

    g_value_init(&of_a, property->value_type);
    g_value_init(&of_b, property->value_type);
    g_object_get_property(G_OBJECT(a), property->name, &of_a);
    g_object_get_property(G_OBJECT(b), property->name, &of_b);
    return g_param_values_cmp(property, &of_a, &of_b) != 0;
}

/* Puts the values that the person changed into settings; whether there are any. settings may be
 * NULL. */
static gboolean
put_values(const Save *save, VitrineSettings *settings)
{
    guint count;
    g_autofree GParamSpec **properties =
        g_object_class_list_properties(G_OBJECT_GET_CLASS(save->edited), &count);
    gboolean found = FALSE;

    for (guint i = 0; i < count; i++) {
        g_auto(GValue) value = G_VALUE_INIT;

        if (is_of_console(save, properties[i]->name) ||
            !differs(save->base, save->edited, properties[i]))
            continue;
        found = TRUE;
        g_value_init(&value, properties[i]->value_type);
        g_object_get_property(G_OBJECT(save->edited), properties[i]->name, &value);
        if (settings != NULL)
            g_object_set_property(G_OBJECT(settings), properties[i]->name, &value);
    }
    return found;
}

static gboolean
put_cards(const Save *save, VitrineSettings *settings)
{
    gboolean found = FALSE;

    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        const VitrineAdapter *now = vitrine_settings_get_adapter(save->edited, slot);

        if (vitrine_adapter_equal(vitrine_settings_get_adapter(save->base, slot), now))
            continue;
        found = TRUE;
        if (settings != NULL)
            vitrine_settings_set_adapter(settings, slot, now);
    }
    return found;
}

static gboolean
put_filters(const Save *save, VitrineSettings *settings)
{
    GPtrArray *now = vitrine_settings_get_usb_filters(save->edited);

    if (vitrine_usb_filters_equal(vitrine_settings_get_usb_filters(save->base), now))
        return FALSE;
    if (settings != NULL)
        vitrine_settings_set_usb_filters(settings, now);
    return TRUE;
}

static gboolean
has_rest(const Save *save)
{
    return put_values(save, NULL) || put_cards(save, NULL) || put_filters(save, NULL);
}

static void
put_rest(VitrineSettings *settings, gpointer data)
{
    put_values(data, settings);
    put_cards(data, settings);
    put_filters(data, settings);
}

static void
on_rest(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;

    if (widget_change_settings_finish(VITRINE_MACHINE(source), result, &error))
        put_rest(((Save *)g_task_get_task_data(data))->base, g_task_get_task_data(data));
    step_done(data, error);
}

static void
start_rest(GTask *task, const VitrineAttachment *drive)
{
    widget_change_settings_async(machine_of(task), put_rest, g_task_get_task_data(task), on_rest,
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
    vitrine_settings_set_bool(save->base, property,
                              vitrine_settings_get_bool(save->edited, property));
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
                                    vitrine_settings_get_bool(save->edited, "audio-out"), NULL,
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
                                    vitrine_settings_get_bool(save->edited, "audio-in"), NULL,
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
        save->console, vitrine_settings_get_uint(save->edited, CAP), NULL, on_cap, task);
}

/* --- the plan --- */
static void
add(Save *save, StepStart start, const VitrineAttachment *drive)
{
    Step *step = g_new(Step, 1);

    *step = (Step){start, drive != NULL ? vitrine_attachment_copy(drive) : NULL};
    g_queue_push_tail(&save->steps, step);
}

static const VitrineAttachment *
same_place(VitrineSettings *settings, const VitrineAttachment *drive)
{
    return vitrine_settings_find_attachment(settings, drive->controller, drive->port,
                                            drive->device);
}

static gboolean
has_same_medium(const VitrineAttachment *a, const VitrineAttachment *b)
{
    return g_str_equal(a->medium, b->medium) && g_str_equal(a->host_drive, b->host_drive);
}

/* A disk is one with its drive; what is in other drives comes and goes. */
static gboolean
is_same_drive(const VitrineAttachment *a, const VitrineAttachment *b)
{
    return b != NULL && a->kind == b->kind &&
           (a->kind != VITRINE_MEDIUM_KIND_HARD_DISK || has_same_medium(a, b));
}

static void
plan_media(Save *save)
{
    GPtrArray *now = vitrine_settings_get_attachments(save->edited);

    for (guint i = 0; i < now->len; i++) {
        const VitrineAttachment *before = same_place(save->base, now->pdata[i]);

        if (is_same_drive(now->pdata[i], before) && !has_same_medium(now->pdata[i], before))
            add(save, start_medium, now->pdata[i]);
    }
}

/* Those of one that the other has not. */
static void
plan_drives(Save *save, VitrineSettings *one, VitrineSettings *other, StepStart start)
{
    GPtrArray *drives = vitrine_settings_get_attachments(one);

    for (guint i = 0; i < drives->len; i++) {
        if (!is_same_drive(drives->pdata[i], same_place(other, drives->pdata[i])))
            add(save, start, drives->pdata[i]);
    }
}

static gboolean
has_changed(const Save *save, const char *property)
{
    return differs(save->base, save->edited,
                   g_object_class_find_property(G_OBJECT_GET_CLASS(save->edited), property));
}

static void
plan_console(Save *save)
{
    const gboolean output = has_changed(save, "audio-out"), input = has_changed(save, "audio-in");
    const gboolean cap = has_changed(save, CAP);

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
    if (!save->live && !saved) {
        add(save, start_all, NULL);
        add(save, start_models, NULL);
        return;
    }
    plan_media(save);
    plan_drives(save, save->base, save->edited, start_go);
    plan_drives(save, save->edited, save->base, start_come);
    if (has_rest(save))
        add(save, start_rest, NULL);
    if (save->live)
        plan_console(save);
}

void
settings_save_async(VitrineMachine *machine, VitrineSettings *base, VitrineSettings *edited,
                    SettingsModels *models, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(machine, NULL, callback, user_data);
    const VitrineMachineState state = vitrine_machine_get_state(machine);
    Save *save = g_new0(Save, 1);

    save->base = g_object_ref(base);
    save->edited = g_object_ref(edited);
    save->models = settings_models_changes(models, edited);
    save->live = vitrine_machine_state_is_online(state);
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
