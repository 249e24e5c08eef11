/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMachine: a view of a registered machine. Its calls are in machine-calls.c. */
#include "app/api/client-private.h"

struct _VitrineMachine {
    GObject parent;
    VitrineClient *client; /* weak: the client owns its machines */
    char *id;
    char *path;
    Cache *cache;
    char **groups, **leftovers, **ejected, **remote_usb;
};

G_DEFINE_FINAL_TYPE(VitrineMachine, vitrine_machine, G_TYPE_OBJECT)

#define PROPERTIES "app/api/machine-properties.def"
#define OBJECT VitrineMachine
#define GETTER_NAME(getter) vitrine_machine_get_##getter

static const CacheField fields[] = {
#include "app/api/properties-fields.def"
};

enum { PROP_CONSOLE_AVAILABLE = G_N_ELEMENTS(fields) + 1 };

static void
machine_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    VitrineMachine *machine = VITRINE_MACHINE(object);
    if (id == PROP_CONSOLE_AVAILABLE)
        g_value_set_boolean(value, vitrine_machine_get_console_available(machine));
    else
        cache_get_property(machine->cache, &fields[id - 1], value);
}

static void
machine_finalize(GObject *object)
{
    VitrineMachine *machine = VITRINE_MACHINE(object);
    g_clear_weak_pointer(&machine->client);
    g_free(machine->id);
    g_free(machine->path);
    g_strfreev(machine->groups);
    g_strfreev(machine->leftovers);
    g_strfreev(machine->ejected);
    g_strfreev(machine->remote_usb);
    g_hash_table_unref(machine->cache);
    G_OBJECT_CLASS(vitrine_machine_parent_class)->finalize(object);
}

static void
vitrine_machine_class_init(VitrineMachineClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    object_class->get_property = machine_get_property;
    object_class->finalize = machine_finalize;
    cache_install(object_class, fields, G_N_ELEMENTS(fields));
    g_object_class_install_property(object_class, PROP_CONSOLE_AVAILABLE,
                                    g_param_spec_boolean("console-available", "console-available",
                                                         "A VM process offers its console", FALSE,
                                                         G_PARAM_READABLE));
    g_signal_new("extra-data-changed", VITRINE_TYPE_MACHINE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                 G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}

static void
vitrine_machine_init(VitrineMachine *machine)
{
    machine->cache = cache_new();
    machine->groups = g_strdupv((char *[]){"/", NULL});
    machine->leftovers = g_new0(char *, 1);
    machine->ejected = g_new0(char *, 1);
    machine->remote_usb = g_new0(char *, 1);
}

static void
take_strings(GVariant *properties, const char *key, char ***field)
{
    char **texts = NULL;
    if (g_variant_lookup(properties, key, "^as", &texts)) {
        g_strfreev(*field);
        *field = texts;
    }
}

void
machine_update(VitrineMachine *machine, GVariant *properties)
{
    static const CacheField address = {"ConsoleAddress", "console-available", 's', NULL};
    take_strings(properties, "Groups", &machine->groups);
    take_strings(properties, "LeftoverStates", &machine->leftovers);
    take_strings(properties, "EjectedDrives", &machine->ejected);
    take_strings(properties, "RemoteUsb", &machine->remote_usb);
    g_object_freeze_notify(G_OBJECT(machine));
    cache_update(machine->cache, G_OBJECT(machine), fields, G_N_ELEMENTS(fields), properties);
    cache_update(machine->cache, G_OBJECT(machine), &address, 1, properties);
    g_object_thaw_notify(G_OBJECT(machine));
}

VitrineMachine *
machine_new(VitrineClient *client, const char *id, GVariant *properties)
{
    VitrineMachine *machine = g_object_new(VITRINE_TYPE_MACHINE, NULL);
    g_set_weak_pointer(&machine->client, client);
    machine->id = g_strdup(id);
    machine->path = vitrine_object_path(VITRINE_MACHINE_PREFIX, id);
    machine_update(machine, properties);
    return machine;
}

VitrineClient *
machine_client(VitrineMachine *machine)
{
    return machine->client;
}

const char *
machine_path(VitrineMachine *machine)
{
    return machine->path;
}

const char *
vitrine_machine_get_id(VitrineMachine *machine)
{
    return machine->id;
}

#include "app/api/properties-getters.def"

const char *const *
vitrine_machine_get_groups(VitrineMachine *machine)
{
    return (const char *const *)machine->groups;
}

const char *const *
vitrine_machine_get_leftover_states(VitrineMachine *machine)
{
    return (const char *const *)machine->leftovers;
}

gboolean
vitrine_machine_has_ejected(VitrineMachine *machine, const VitrineAttachment *drive)
{
    g_autofree char *place = vitrine_attachment_place(drive);
    return g_strv_contains((const char *const *)machine->ejected, place);
}

const char *const *
vitrine_machine_get_remote_usb(VitrineMachine *machine)
{
    return (const char *const *)machine->remote_usb;
}

gboolean
vitrine_machine_get_console_available(VitrineMachine *machine)
{
    return *cache_string(machine->cache, "ConsoleAddress") != '\0';
}

static gboolean
check_console(VitrineMachine *machine, GError **error)
{
    if (vitrine_machine_get_console_available(machine))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE, "The machine \"%s\" does not run.",
                vitrine_machine_get_name(machine));
    return FALSE;
}

VitrineConsole *
vitrine_machine_open_console_sync(VitrineMachine *machine, GCancellable *cancellable,
                                  GError **error)
{
    if (!check_console(machine, error))
        return NULL;
    return console_open_sync(cache_string(machine->cache, "ConsoleAddress"), machine->id,
                             cancellable, error);
}

void
vitrine_machine_open_console_async(VitrineMachine *machine, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    if (check_console(machine, &error))
        console_open_async(machine, cache_string(machine->cache, "ConsoleAddress"), machine->id,
                           cancellable, callback, user_data);
    else
        g_task_report_error(machine, callback, user_data, vitrine_machine_open_console_async,
                            g_steal_pointer(&error));
}

VitrineConsole *
vitrine_machine_open_console_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
