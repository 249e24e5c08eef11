/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Machines with snapshots, as far as media need them: see the header. */
#include "app/media/media-users.h"

#include <glib/gi18n.h>
#include <string.h>

/* A machine whose snapshots have media. */
typedef struct {
    VitrineSnapshot *root;     /* NULL: not known yet */
    VitrineSettings *settings; /* the present ones; NULL: not known yet */
} Known;

struct MediaUsers {
    VitrineClient *client;
    GCancellable *cancellable;
    GHashTable *machines; /* VitrineMachine -> Known */
    void (*changed)(gpointer);
    gpointer data;
};

static void
known_free(gpointer data)
{
    Known *known = data;

    g_clear_object(&known->root);
    g_clear_object(&known->settings);
    g_free(known);
}

/* --- asking --- */

static gboolean
is_gone(const GError *error)
{
    return g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED) ||
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
on_snapshots(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSnapshot) root =
        vitrine_machine_load_snapshots_finish(VITRINE_MACHINE(source), result, &error);
    MediaUsers *users = data;
    Known *known;

    if (is_gone(error)) /* so are the users */
        return;
    known = g_hash_table_lookup(users->machines, source);
    g_set_object(&known->root, root);
    users->changed(users->data);
}

static void
on_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, &error);
    MediaUsers *users = data;
    Known *known;

    if (is_gone(error))
        return;
    known = g_hash_table_lookup(users->machines, source);
    g_set_object(&known->settings, settings);
    users->changed(users->data);
}

static void
ask_snapshots(MediaUsers *users, VitrineMachine *machine)
{
    vitrine_machine_load_snapshots_async(machine, users->cancellable, on_snapshots, users);
}

static void
ask_settings(MediaUsers *users, VitrineMachine *machine)
{
    vitrine_machine_load_settings_async(machine, users->cancellable, on_settings, users);
}

static void
on_generation(VitrineMachine *machine, GParamSpec *property, MediaUsers *users)
{
    if (g_str_equal(property->name, "snapshots-generation"))
        ask_snapshots(users, machine);
    else
        ask_settings(users, machine);
}

/* What is known of a machine; when that is nothing yet, it is asked. */
static const Known *
look_up(MediaUsers *users, VitrineMachine *machine)
{
    Known *known = g_hash_table_lookup(users->machines, machine);

    if (known)
        return known;
    known = g_new0(Known, 1);
    g_hash_table_insert(users->machines, g_object_ref(machine), known);
    g_signal_connect(machine, "notify::snapshots-generation", G_CALLBACK(on_generation), users);
    g_signal_connect(machine, "notify::settings-generation", G_CALLBACK(on_generation), users);
    ask_snapshots(users, machine);
    ask_settings(users, machine);
    return known;
}

/* --- answers --- */

static gboolean
has_attached(VitrineSettings *settings, const char *medium)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = drives->pdata[i];

        if (g_ascii_strcasecmp(drive->medium, medium) == 0)
            return TRUE;
    }
    return FALSE;
}

/* The machine's snapshots that have the medium, by name; empty: none has. */
static GPtrArray *
snapshot_names(MediaUsers *users, VitrineMachine *machine, VitrineMedium *medium)
{
    const char *const *all = vitrine_medium_get_snapshots(medium);
    const char *id = vitrine_machine_get_id(machine);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; all && all[i]; i++) {
        const char *slash = strchr(all[i], '/');
        VitrineSnapshot *snapshot;

        if (!slash || strncmp(all[i], id, strlen(id)) != 0)
            continue;
        snapshot = vitrine_snapshot_find(look_up(users, machine)->root, slash + 1);
        g_ptr_array_add(names,
                        g_strdup(snapshot ? vitrine_snapshot_get_name(snapshot) : slash + 1));
    }
    return names;
}

/* Until its settings are known, a machine has what no snapshot of it has. */
static gboolean
is_attached_to(MediaUsers *users, VitrineMachine *machine, VitrineMedium *medium)
{
    g_autoptr(GPtrArray) names = snapshot_names(users, machine, medium);
    VitrineSettings *settings = names->len ? look_up(users, machine)->settings : NULL;

    return names->len == 0 || (settings && has_attached(settings, vitrine_medium_get_id(medium)));
}

gboolean
media_users_is_attached(MediaUsers *users, VitrineMedium *medium)
{
    const char *const *machines = vitrine_medium_get_machines(medium);

    for (guint i = 0; machines && machines[i]; i++) {
        VitrineMachine *machine = vitrine_client_find_machine(users->client, machines[i]);

        if (!machine || is_attached_to(users, machine, medium))
            return TRUE;
    }
    return FALSE;
}

static void
append_machine(GString *text, MediaUsers *users, VitrineMachine *machine, VitrineMedium *medium)
{
    g_autoptr(GPtrArray) names = snapshot_names(users, machine, medium);

    g_string_append(text, vitrine_machine_get_name(machine));
    for (guint i = 0; i < names->len; i++) {
        g_string_append(text, i ? ", " : " (");
        g_string_append_printf(text, _("“%s”"), (const char *)names->pdata[i]);
    }
    if (names->len)
        g_string_append_c(text, ')');
}

char *
media_users_text(MediaUsers *users, VitrineMedium *medium)
{
    const char *const *machines = vitrine_medium_get_machines(medium);
    GString *text = g_string_new(NULL);

    for (guint i = 0; machines && machines[i]; i++) {
        VitrineMachine *machine = vitrine_client_find_machine(users->client, machines[i]);

        if (text->len)
            g_string_append(text, ", ");
        if (machine)
            append_machine(text, users, machine, medium);
        else
            g_string_append(text, machines[i]);
    }
    return g_string_free(text, FALSE);
}

/* The service names images that it makes itself by their UUID in braces. */
static gboolean
is_nameless(VitrineMedium *medium)
{
    g_autofree char *name = vitrine_medium_dup_name(medium);
    const char *parent = vitrine_medium_get_parent_id(medium);

    return parent && *parent && *name == '{';
}

char *
media_users_title(MediaUsers *users, VitrineMedium *medium)
{
    const char *const *machines = vitrine_medium_get_machines(medium);
    VitrineMachine *machine =
        machines && machines[0] ? vitrine_client_find_machine(users->client, machines[0]) : NULL;
    g_autoptr(GPtrArray) names = NULL;

    if (!is_nameless(medium))
        return NULL;
    if (!machine)
        return g_strdup(_("Changes that no machine uses"));
    if (is_attached_to(users, machine, medium))
        return g_strdup(_("Current state"));
    names = snapshot_names(users, machine, medium);
    return g_strdup_printf(_("Snapshot “%s”"), (const char *)names->pdata[0]);
}

/* --- life --- */

MediaUsers *
media_users_new(VitrineClient *client, void (*changed)(gpointer), gpointer data)
{
    MediaUsers *users = g_new0(MediaUsers, 1);

    users->client = g_object_ref(client);
    users->cancellable = g_cancellable_new();
    users->machines = g_hash_table_new_full(NULL, NULL, g_object_unref, known_free);
    users->changed = changed;
    users->data = data;
    return users;
}

void
media_users_free(MediaUsers *users)
{
    GHashTableIter iter;
    gpointer machine;

    g_cancellable_cancel(users->cancellable);
    g_hash_table_iter_init(&iter, users->machines);
    while (g_hash_table_iter_next(&iter, &machine, NULL))
        g_signal_handlers_disconnect_by_data(machine, users);
    g_hash_table_unref(users->machines);
    g_object_unref(users->cancellable);
    g_object_unref(users->client);
    g_free(users);
}
