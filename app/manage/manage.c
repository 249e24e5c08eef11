/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands share: the connection, machines, media, output. */
#include "app/manage/manage.h"

#include <stdarg.h>
#include <stdio.h>

#define OFFLINE_SECONDS 20

VitrineClient *
manage_client(Manage *manage, GError **error)
{
    if (manage->client == NULL)
        manage->client = vitrine_client_new_sync(NULL, NULL, error);
    if (manage->client && *vitrine_client_get_damage(manage->client)) {
        g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
                            vitrine_client_get_damage(manage->client));
        return NULL;
    }
    return manage->client;
}

void
manage_print(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
}

char *
manage_escape(const char *text)
{
    GString *escaped = g_string_new(NULL);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(escaped, '\\');
        g_string_append_c(escaped, *text);
    }
    return g_string_free(escaped, FALSE);
}

void
manage_show_percent(guint *shown, guint percent)
{
    for (; *shown <= MIN(percent / 10, 10); (*shown)++)
        fprintf(stderr, *shown < 10 ? "%u%%..." : "%u%%\n", *shown * 10);
    fflush(stderr);
}

char *
manage_absolute_path(const char *path)
{
    return g_canonicalize_filename(path, NULL);
}

VitrineMachine *
manage_machine(Manage *manage, const char *name, GError **error)
{
    VitrineClient *client = manage_client(manage, error);
    if (client == NULL)
        return NULL;
    VitrineMachine *machine = vitrine_client_find_machine(client, name);
    if (machine == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "Could not find a registered machine named '%s'", name);
    return machine;
}

VitrineSettings *
manage_settings(Manage *manage, const char *name, VitrineMachine **machine, GError **error)
{
    *machine = manage_machine(manage, name, error);
    return *machine ? vitrine_machine_load_settings_sync(*machine, NULL, error) : NULL;
}

const char *
manage_os_type(const char *name, GError **error)
{
    const VitrineOsType *type = vitrine_os_type_find(name);
    for (guint i = 0; type == NULL && i < vitrine_os_type_count(); i++) {
        const VitrineOsType *candidate = vitrine_os_type_nth(i);
        if (g_ascii_strcasecmp(candidate->description, name) == 0)
            type = candidate;
    }
    if (type == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "Guest OS type '%s' is invalid; list ostypes names all.", name);
    return type ? type->id : NULL;
}

VitrineConsole *
manage_console(VitrineMachine *machine, GError **error)
{
    if (!vitrine_machine_get_console_available(machine)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "Machine '%s' is not currently running.", vitrine_machine_get_name(machine));
        return NULL;
    }
    return vitrine_machine_open_console_sync(machine, NULL, error);
}

static gboolean
on_deadline(gpointer data)
{
    *(bool *)data = true;
    return G_SOURCE_REMOVE;
}

bool
manage_wait_offline(VitrineMachine *machine, GError **error)
{
    bool late = false;
    guint source = g_timeout_add_seconds(OFFLINE_SECONDS, on_deadline, &late);
    while (!late && vitrine_machine_state_is_online(vitrine_machine_get_state(machine)))
        g_main_context_iteration(NULL, TRUE);
    if (!late) {
        g_source_remove(source);
        return true;
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE, "The process of '%s' does not end.",
                vitrine_machine_get_name(machine));
    return false;
}

char *
manage_medium(Manage *manage, const char *location, VitrineMediumKind kind, bool *opened,
              GError **error)
{
    VitrineClient *client = manage_client(manage, error);
    g_autofree char *path = manage_absolute_path(location);
    if (client == NULL)
        return NULL;
    VitrineMedium *medium = vitrine_client_find_medium(client, location);
    if (medium == NULL)
        medium = vitrine_client_find_medium(client, path);
    if (opened)
        *opened = medium == NULL;
    if (medium)
        return g_strdup(vitrine_medium_get_id(medium));
    return vitrine_client_open_medium_sync(client, path, kind, NULL, error);
}
