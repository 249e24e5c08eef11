/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading and changing a machine's settings and extra data for clients. A change is refused when it
 * brings in something wrong; what was wrong before stays as it is. */
#include "app/service/host-drives.h"
#include "app/service/machine-state.h"
#include "app/service/medium.h"
#include "app/service/usb.h"

static gboolean
on_get_settings(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    if (machine->record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    vitrine_dbus_machine_complete_get_settings(
        skeleton, invocation, vitrine_settings_to_variant(machine->record->settings),
        machine->generation);
    return TRUE;
}

static const char *
model_of(gpointer table, const char *controller)
{
    g_autofree char *key = vitrine_controller_model_key(controller);

    return g_hash_table_lookup(table, key);
}

GPtrArray *
machine_problems(Machine *machine, VitrineSettings *settings)
{
    g_autoptr(GHashTable) extra = settings_file_read_extra_data(machine->file);
    GPtrArray *problems = vitrine_settings_check(settings);

    vitrine_settings_check_models(settings, model_of, extra, problems);
    return problems;
}

static gboolean
had_problem(GPtrArray *problems, const VitrineProblem *problem)
{
    for (guint i = 0; i < problems->len; i++) {
        const VitrineProblem *old = problems->pdata[i];
        if (g_str_equal(old->field, problem->field) && old->code == problem->code &&
            g_str_equal(old->message, problem->message))
            return TRUE;
    }
    return FALSE;
}

static gboolean
check_new_problems(Machine *machine, VitrineSettings *after, GError **error)
{
    g_autoptr(GPtrArray) old = machine_problems(machine, machine->record->settings);
    g_autoptr(GPtrArray) now = machine_problems(machine, after);
    for (guint i = 0; i < now->len; i++) {
        const VitrineProblem *problem = now->pdata[i];
        if (!problem->fatal || had_problem(old, problem))
            continue;
        g_set_error(error, VITRINE_ERROR, problem->code, "%s", problem->message);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_name(Machine *machine, const char *name, GError **error)
{
    for (guint i = 0; i < machine->service->machines->len; i++) {
        Machine *other = machine->service->machines->pdata[i];
        if (other != machine && g_str_equal(machine_name(other), name)) {
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                        "Another machine is called \"%s\".", name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
is_exclusive(Medium *medium)
{
    VitrineMediumType type = medium_type(medium);
    if (*medium->record->parent) /* whatever its base is, it is written to itself */
        return TRUE;
    return type == VITRINE_MEDIUM_TYPE_NORMAL || type == VITRINE_MEDIUM_TYPE_WRITETHROUGH;
}

/* A drive of the host that it had already need not be there today. */
static gboolean
check_host_drive(Machine *machine, const VitrineAttachment *a, GError **error)
{
    const VitrineAttachment *before = vitrine_settings_find_attachment(
        machine->record->settings, a->controller, a->port, a->device);

    return *a->host_drive == '\0' || (before && g_str_equal(before->host_drive, a->host_drive)) ||
           host_drives_check(a->host_drive, a->kind, error);
}

/* Media must be known; a hard disk that another machine writes to cannot be in two. */
static gboolean
check_media(Machine *machine, VitrineSettings *after, GError **error)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(after);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        if (!check_host_drive(machine, a, error))
            return FALSE;
        if (*a->medium == '\0' || machine_uses_medium(machine, a->medium))
            continue;
        Medium *medium = service_find_medium(machine->service, a->medium);
        if (medium == NULL || medium->record->kind != a->kind) {
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                        "There is no medium {%s} for this kind of drive.", a->medium);
            return FALSE;
        }
        for (guint m = 0; m < machine->service->machines->len; m++) {
            Machine *other = machine->service->machines->pdata[m];
            if (other != machine && a->kind == VITRINE_MEDIUM_KIND_HARD_DISK &&
                is_exclusive(medium) && machine_uses_medium(other, a->medium)) {
                g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                            "The disk \"%s\" is attached to the machine \"%s\".",
                            medium->record->location, machine_name(other));
                return FALSE;
            }
        }
    }
    return TRUE;
}

static gboolean
is_live_key(const char *key)
{
    static const char *const live[] = {
        "description",       "groups",   "boot1",     "boot2",       "boot3", "boot4",
        "cpu-execution-cap", "audio-in", "audio-out", "usb-filters", NULL};
    return g_strv_contains(live, key);
}

/* machine_plug_drive() and machine_change_network() look what of them may change. */
static gboolean
is_looked_at_key(const char *key)
{
    return g_str_equal(key, "attachments") || g_str_equal(key, "adapters");
}

/* Nothing that the saved state is of. */
static gboolean
is_saved_key(const char *key)
{
    static const char *const outside[] = {"name", "frontend", "exec-engine", "usb-remotes", NULL};
    return is_live_key(key) || g_strv_contains(outside, key);
}

static gboolean
check_state(Machine *machine, GVariant *changes, GError **error)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;
    gboolean online = machine_is_online(machine);
    if (!online && *machine->record->state_file == '\0')
        return TRUE;
    g_variant_iter_init(&iter, changes);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
        if (online ? is_live_key(key) || is_looked_at_key(key) : is_saved_key(key))
            continue;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    online
                        ? "\"%s\" cannot change while the machine runs."
                        : "\"%s\" cannot change while the machine has a saved state: start it or "
                          "discard the state first.",
                    key);
        g_variant_unref(value);
        return FALSE;
    }
    return TRUE;
}

static VitrineSettings *
changed_settings(Machine *machine, GVariant *changes, GError **error)
{
    g_autoptr(VitrineSettings) after = vitrine_settings_copy(machine->record->settings);
    if (!check_state(machine, changes, error) ||
        !vitrine_settings_apply_variant(after, changes, error) ||
        !check_new_problems(machine, after, error) ||
        !check_name(machine, vitrine_settings_get_string(after, "name"), error) ||
        !check_media(machine, after, error))
        return NULL;
    return g_steal_pointer(&after);
}

static void
adopt_media(Machine *machine, VitrineSettings *settings)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        Medium *medium = *a->medium ? service_find_medium(machine->service, a->medium) : NULL;
        if (medium)
            medium_adopt(medium, machine);
    }
}

/* On a failed write everything is as it was. Takes after. */
static gboolean
write_settings(Machine *machine, VitrineSettings *after, GError **error)
{
    VitrineSettings *before = machine->record->settings;
    const char *old_name = vitrine_settings_get_string(before, "name");
    const char *new_name = vitrine_settings_get_string(after, "name");
    if (!machine_rename_files(machine, old_name, new_name, error)) {
        g_object_unref(after);
        return FALSE;
    }
    machine->record->settings = after;
    machine_set_modified(machine);
    adopt_media(machine, after);
    if (!machine_save(machine, error)) {
        machine->record->settings = before;
        machine_rename_files(machine, new_name, old_name, NULL);
        g_object_unref(after);
        machine_load(machine);
        return FALSE;
    }
    g_object_unref(before);
    machine_publish(machine);
    media_publish_all(machine->service);
    return service_save(machine->service, error);
}

/* The same, and a machine whose folder is renamed is found by the next service. */
static gboolean
commit(Machine *machine, VitrineSettings *after, GError **error)
{
    Journal *journal;
    if (!machine_rename_begin(machine, machine_name(machine),
                              vitrine_settings_get_string(after, "name"), &journal, error)) {
        g_object_unref(after);
        return FALSE;
    }
    GPtrArray *filters = vitrine_settings_get_usb_filters(after);
    const gboolean filtered = !vitrine_usb_filters_equal(
        filters, vitrine_settings_get_usb_filters(machine->record->settings));
    gboolean done = write_settings(machine, after, error);
    if (done && filtered)
        usb_machine_filters(machine);
    journal_settle(journal);
    return done;
}

static gboolean
on_save_settings(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, GVariant *changes,
                 guint generation, Machine *machine)
{
    GError *error = NULL;
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    if (generation != 0 && generation != machine->generation)
        return service_refuse(invocation, VITRINE_ERROR_BUSY,
                              "Another program changed the settings of \"%s\" meanwhile.",
                              machine_name(machine));
    VitrineSettings *after = changed_settings(machine, changes, &error);
    if (after && machine_plug_drive(machine, after, invocation, commit))
        return TRUE;
    if (after && machine_change_network(machine, after, invocation, commit))
        return TRUE;
    if (after && machine_attach_indirectly(machine, after, invocation, commit))
        return TRUE;
    if (after == NULL || !commit(machine, after, &error))
        return service_fail(invocation, error);
    vitrine_dbus_machine_complete_save_settings(skeleton, invocation);
    return TRUE;
}

static gboolean
on_get_extra_data(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer key, value;
    if (machine->file == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    g_autoptr(GHashTable) table = settings_file_read_extra_data(machine->file);
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_variant_builder_add(&builder, "{ss}", key, value);
    vitrine_dbus_machine_complete_get_extra_data(skeleton, invocation,
                                                 g_variant_builder_end(&builder));
    return TRUE;
}

static gboolean
on_set_extra_data(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *key,
                  const char *value, Machine *machine)
{
    GError *error = NULL;
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    if (*key == '\0')
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "Extra data needs a key.");
    if (g_str_equal(key, "Vitrine/ExecEngine")) /* a setting, too: keep both alike */
        vitrine_settings_set_string(machine->record->settings, "exec-engine",
                                    *value ? value : "auto");
    if (g_str_equal(key, "Vitrine/CpuProfile"))
        vitrine_settings_set_string(machine->record->settings, "cpu-profile",
                                    *value ? value : "host");
    if (g_str_equal(key, "Vitrine/UsbRemotes"))
        vitrine_settings_set_string(machine->record->settings, "usb-remotes", value);
    settings_file_set_extra_data(machine->file, key, value);
    if (!machine_save(machine, &error))
        return service_fail(invocation, error);
    vitrine_dbus_service_emit_extra_data_changed(machine->service->skeleton, machine->id, key,
                                                 value);
    vitrine_dbus_machine_complete_set_extra_data(skeleton, invocation);
    return TRUE;
}

static gboolean
on_refresh(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    if (machine_is_online(machine))
        return service_refuse(invocation, VITRINE_ERROR_STATE,
                              "The settings of a running machine are not read again.");
    machine_load(machine);
    machine_find_leftovers(machine);
    media_publish_all(machine->service);
    vitrine_dbus_machine_complete_refresh(skeleton, invocation);
    return TRUE;
}

void
machine_connect_settings(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-get-settings", G_CALLBACK(on_get_settings),
                     machine);
    g_signal_connect(machine->skeleton, "handle-save-settings", G_CALLBACK(on_save_settings),
                     machine);
    g_signal_connect(machine->skeleton, "handle-get-extra-data", G_CALLBACK(on_get_extra_data),
                     machine);
    g_signal_connect(machine->skeleton, "handle-set-extra-data", G_CALLBACK(on_set_extra_data),
                     machine);
    g_signal_connect(machine->skeleton, "handle-refresh", G_CALLBACK(on_refresh), machine);
}
