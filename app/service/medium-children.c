/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Differencing images for a machine's disks: planned, made by workers, then registered and attached
 * in the moment in which the settings are saved. */
#include <string.h>

#include "app/service/machine.h"
#include "app/service/medium.h"

GPtrArray *
children_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)medium_record_free);
}

gboolean
medium_takes_children(Medium *medium)
{
    VitrineMediumType type = medium_type(medium);
    return medium->record->kind == VITRINE_MEDIUM_KIND_HARD_DISK &&
           (type == VITRINE_MEDIUM_TYPE_NORMAL || type == VITRINE_MEDIUM_TYPE_IMMUTABLE ||
            type == VITRINE_MEDIUM_TYPE_MULTI_ATTACH);
}

void
children_plan(Machine *machine, VitrineSettings *settings, GPtrArray *children)
{
    g_autofree char *folder = machine_snapshot_folder(machine);
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        Medium *medium = *a->medium ? service_find_medium(machine->service, a->medium) : NULL;
        if (a->kind != VITRINE_MEDIUM_KIND_HARD_DISK || medium == NULL ||
            !medium_takes_children(medium))
            continue;
        MediumRecord *child = medium_new_child_record(medium, folder);
        child->auto_reset = medium_type(medium) == VITRINE_MEDIUM_TYPE_IMMUTABLE &&
                            (*medium->record->parent == '\0' || medium->record->auto_reset);
        g_ptr_array_add(children, child);
    }
}

void
children_add_jobs(GPtrArray *children, Service *service, Task *task, Journal *journal,
                  TaskMode mode)
{
    for (guint i = 0; i < children->len; i++) {
        const MediumRecord *child = children->pdata[i];
        g_autofree char *folder = g_path_get_dirname(child->location);
        journal_add_file(journal, child->location);
        journal_add_folder(journal, folder);
        task_add_job(task, "create-child", 1.0);
        task_add_file(task, child->location, TASK_CREATE);
        task_add_word(task, child->format);
        task_add_word(task, child->id);
        task_add_image(task, service_find_medium(service, child->parent), mode);
    }
}

gboolean
children_register(GPtrArray *children, Machine *machine, GError **error)
{
    for (guint i = 0; i < children->len; i++) {
        const MediumRecord *child = children->pdata[i];
        if (service_find_medium(machine->service, child->parent) == NULL) {
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                        "The medium {%s} has gone meanwhile.", child->parent);
            return FALSE;
        }
    }
    for (guint i = 0; i < children->len; i++) {
        const MediumRecord *child = children->pdata[i];
        settings_sync_folder(child->location);
        medium_adopt(medium_add(machine->service, medium_record_copy(child)), machine);
    }
    return TRUE;
}

void
children_unregister(GPtrArray *children, Service *service)
{
    for (guint i = 0; i < children->len; i++) {
        const MediumRecord *child = children->pdata[i];
        Medium *medium = service_find_medium(service, child->id);
        if (medium)
            medium_remove(medium);
    }
}

void
children_attach(GPtrArray *children, VitrineSettings *settings)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++) {
        VitrineAttachment *a = attachments->pdata[i];
        for (guint k = 0; k < children->len; k++) {
            const MediumRecord *child = children->pdata[k];
            if (!g_str_equal(a->medium, child->parent))
                continue;
            g_free(a->medium);
            a->medium = g_strdup(child->id);
            break;
        }
    }
}

void
children_move_auto_reset(GPtrArray *children, Service *service, gboolean back)
{
    for (guint i = 0; i < children->len; i++) {
        const MediumRecord *child = children->pdata[i];
        Medium *parent = service_find_medium(service, child->parent);
        if (*parent->record->parent && child->auto_reset)
            parent->record->auto_reset = back;
    }
}
