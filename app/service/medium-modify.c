/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a medium is registered as: description, type, properties, location. The image file is not
 * touched. */
#include <glib/gstdio.h>
#include <string.h>

#include "app/service/machine.h"
#include "app/service/medium.h"

/* The record as it was, until the change is saved. */
static gboolean
save_or_undo(Medium *medium, MediumRecord *before, GError **error)
{
    if (medium_save(medium, error)) {
        medium_record_free(before);
        media_publish_all(medium->service);
        return TRUE;
    }
    g_autofree char *id = medium->record->id; /* the table of media has it as its key */
    medium->record->id = NULL;
    medium_record_free(medium->record);
    g_free(before->id);
    before->id = g_steal_pointer(&id);
    medium->record = before;
    return FALSE;
}

static gboolean
on_set_description(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation,
                   const char *description, Medium *medium)
{
    GError *error = NULL;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    MediumRecord *before = medium_record_copy(medium->record);
    g_free(medium->record->description);
    medium->record->description = g_strdup(description);
    if (!save_or_undo(medium, before, &error))
        return service_fail(invocation, error);
    vitrine_dbus_medium_complete_set_description(skeleton, invocation);
    return TRUE;
}

/* The type says how attachments work, so nothing may be attached or stand on it. */
static gboolean
check_type(Medium *medium, VitrineMediumType type, GError **error)
{
    const MediumRecord *record = medium->record;
    g_autoptr(GPtrArray) children = medium_children(medium);
    Machine *user = medium_user(medium, NULL);
    if (record->kind != VITRINE_MEDIUM_KIND_HARD_DISK)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "Only disks have a type; \"%s\" is none.", record->location);
    else if (*record->parent)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "\"%s\" is a differencing image: its type is that of its base.",
                    record->location);
    else if (children->len)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The type of \"%s\" cannot change: %u differencing images stand on it.",
                    record->location, children->len);
    else if (user)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The type of \"%s\" cannot change while it is attached to the machine \"%s\".",
                    record->location, machine_name(user));
    else if (type == VITRINE_MEDIUM_TYPE_SHAREABLE &&
             !g_str_has_prefix(vitrine_dbus_medium_get_variant(medium->skeleton), "fixed"))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "Only disks of fixed size can be shared; \"%s\" grows.", record->location);
    else
        return TRUE;
    return FALSE;
}

typedef struct {
    Service *service;
    char *id;
    VitrineMediumType type;
    GDBusMethodInvocation *invocation;
} TypeChange;

/* The variant is known now. */
static void
on_type_refreshed(gpointer user_data)
{
    TypeChange *change = user_data;
    GError *error = NULL;
    Medium *medium = service_find_medium(change->service, change->id);
    if (medium == NULL) {
        service_refuse(change->invocation, VITRINE_ERROR_NOT_FOUND, "The medium is gone.");
    } else if (medium->record->type != change->type && !check_type(medium, change->type, &error)) {
        service_fail(change->invocation, error);
    } else {
        MediumRecord *before = medium_record_copy(medium->record);
        medium->record->type = change->type;
        if (save_or_undo(medium, before, &error))
            vitrine_dbus_medium_complete_set_medium_type(medium->skeleton, change->invocation);
        else
            service_fail(change->invocation, error);
    }
    g_free(change->id);
    g_free(change);
}

static gboolean
on_set_type(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation, const char *word,
            Medium *medium)
{
    int type = 0;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    if (!vitrine_from_nick(VITRINE_TYPE_MEDIUM_TYPE, word, &type))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "There is no type \"%s\".", word);
    TypeChange *change = g_new0(TypeChange, 1);
    change->service = medium->service;
    change->id = g_strdup(medium->record->id);
    change->type = (VitrineMediumType)type;
    change->invocation = invocation;
    medium_refresh(medium, on_type_refreshed, change);
    return TRUE;
}

static gboolean
on_set_auto_reset(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation,
                  gboolean auto_reset, Medium *medium)
{
    GError *error = NULL;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    if (*medium->record->parent == '\0')
        return service_refuse(invocation, VITRINE_ERROR_INVALID,
                              "\"%s\" is no differencing image, so there is nothing to reset.",
                              medium->record->location);
    MediumRecord *before = medium_record_copy(medium->record);
    medium->record->auto_reset = auto_reset;
    if (!save_or_undo(medium, before, &error))
        return service_fail(invocation, error);
    vitrine_dbus_medium_complete_set_auto_reset(skeleton, invocation);
    return TRUE;
}

static gboolean
on_set_property(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation, const char *name,
                const char *value, Medium *medium)
{
    GError *error = NULL;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    if (*name == '\0')
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "A property needs a name.");
    MediumRecord *before = medium_record_copy(medium->record);
    if (*value)
        g_hash_table_insert(medium->record->properties, g_strdup(name), g_strdup(value));
    else
        g_hash_table_remove(medium->record->properties, name);
    if (!save_or_undo(medium, before, &error))
        return service_fail(invocation, error);
    vitrine_dbus_medium_complete_set_property(skeleton, invocation);
    return TRUE;
}

static gboolean
check_location(Medium *medium, const char *location, GError **error)
{
    Medium *other = service_find_medium_at(medium->service, location);
    Machine *user = medium_running_user(medium, NULL);
    if (!g_path_is_absolute(location))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "Say the whole path of the medium.");
    else if (other && other != medium)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "\"%s\" is registered already, as {%s}.", location, other->record->id);
    else if (user)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "\"%s\" is in use by the machine \"%s\", which is running.",
                    medium->record->location, machine_name(user));
    else
        return TRUE;
    return FALSE;
}

static gboolean
on_set_location(VitrineDBusMedium *skeleton, GDBusMethodInvocation *invocation,
                const char *location, Medium *medium)
{
    GError *error = NULL;
    if (!service_allow_change(medium->service, invocation))
        return TRUE;
    if (!check_location(medium, location, &error))
        return service_fail(invocation, error);
    MediumRecord *before = medium_record_copy(medium->record);
    g_free(medium->record->location);
    medium->record->location = g_strdup(location);
    if (!save_or_undo(medium, before, &error))
        return service_fail(invocation, error);
    vitrine_dbus_medium_complete_set_location(skeleton, invocation);
    return TRUE;
}

void
medium_connect_modify(Medium *medium)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-set-description", G_CALLBACK(on_set_description)},
        {"handle-set-medium-type", G_CALLBACK(on_set_type)},
        {"handle-set-auto-reset", G_CALLBACK(on_set_auto_reset)},
        {"handle-set-property", G_CALLBACK(on_set_property)},
        {"handle-set-location", G_CALLBACK(on_set_location)},
    };
    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(medium->skeleton, handlers[i].signal, handlers[i].handler, medium);
}
