/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Storage controllers and attachments of VitrineSettings. Names of controllers are compared without
 * case, as users type them on command lines. */
#include "app/api/settings-private.h"

static gboolean
same_name(const char *a, const char *b)
{
    g_autofree char *folded_a = g_utf8_casefold(a, -1);
    g_autofree char *folded_b = g_utf8_casefold(b, -1);
    return g_str_equal(folded_a, folded_b);
}

static gboolean
find_controller(VitrineSettings *settings, const char *name, guint *index)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        if (same_name(controller->name, name)) {
            *index = i;
            return TRUE;
        }
    }
    return FALSE;
}

const VitrineController *
vitrine_settings_find_controller(VitrineSettings *settings, const char *name)
{
    guint index;
    if (name == NULL || !find_controller(settings, name, &index))
        return NULL;
    return g_ptr_array_index(vitrine_settings_get_controllers(settings), index);
}

static gboolean
find_attachment(VitrineSettings *settings, const char *controller, guint port, guint device,
                guint *index)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *attachment = g_ptr_array_index(attachments, i);
        if (attachment->port == port && attachment->device == device &&
            same_name(attachment->controller, controller)) {
            *index = i;
            return TRUE;
        }
    }
    return FALSE;
}

const VitrineAttachment *
vitrine_settings_find_attachment(VitrineSettings *settings, const char *controller, guint port,
                                 guint device)
{
    guint index;
    if (controller == NULL || !find_attachment(settings, controller, port, device, &index))
        return NULL;
    return g_ptr_array_index(vitrine_settings_get_attachments(settings), index);
}

static int
compare_attachments(gconstpointer a, gconstpointer b)
{
    const VitrineAttachment *x = *(const VitrineAttachment *const *)a;
    const VitrineAttachment *y = *(const VitrineAttachment *const *)b;
    int order = g_strcmp0(x->controller, y->controller);
    if (order == 0)
        order = x->port != y->port ? (x->port < y->port ? -1 : 1) : (int)x->device - (int)y->device;
    return order;
}

void
vitrine_settings_put_controller(VitrineSettings *settings, const VitrineController *controller)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    VitrineController *copy = vitrine_controller_copy(controller);
    guint index;
    if (find_controller(settings, controller->name, &index)) {
        vitrine_controller_free(controllers->pdata[index]);
        controllers->pdata[index] = copy;
    } else {
        g_ptr_array_add(controllers, copy);
    }
    vitrine_settings_emit_changed(settings, "storage");
}

gboolean
vitrine_settings_remove_controller(VitrineSettings *settings, const char *name)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    guint index;
    if (!find_controller(settings, name, &index))
        return FALSE;
    for (guint i = attachments->len; i > 0; i--) {
        const VitrineAttachment *attachment = g_ptr_array_index(attachments, i - 1);
        if (same_name(attachment->controller, name))
            g_ptr_array_remove_index(attachments, i - 1);
    }
    g_ptr_array_remove_index(vitrine_settings_get_controllers(settings), index);
    vitrine_settings_emit_changed(settings, "storage");
    return TRUE;
}

gboolean
vitrine_settings_rename_controller(VitrineSettings *settings, const char *name,
                                   const char *new_name)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    guint index, other;
    if (!find_controller(settings, name, &index))
        return FALSE;
    if (find_controller(settings, new_name, &other) && other != index)
        return FALSE;
    VitrineController *controller =
        g_ptr_array_index(vitrine_settings_get_controllers(settings), index);
    for (guint i = 0; i < attachments->len; i++) {
        VitrineAttachment *attachment = g_ptr_array_index(attachments, i);
        if (!same_name(attachment->controller, controller->name))
            continue;
        g_free(attachment->controller);
        attachment->controller = g_strdup(new_name);
    }
    g_free(controller->name);
    controller->name = g_strdup(new_name);
    g_ptr_array_sort(attachments, compare_attachments);
    vitrine_settings_emit_changed(settings, "storage");
    return TRUE;
}

void
vitrine_settings_put_attachment(VitrineSettings *settings, const VitrineAttachment *attachment)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    VitrineAttachment *copy = vitrine_attachment_copy(attachment);
    const VitrineController *controller =
        vitrine_settings_find_controller(settings, attachment->controller);
    guint index;
    if (controller) { /* the spelling of the controller's own record */
        g_free(copy->controller);
        copy->controller = g_strdup(controller->name);
    }
    if (find_attachment(settings, copy->controller, copy->port, copy->device, &index)) {
        vitrine_attachment_free(attachments->pdata[index]);
        attachments->pdata[index] = copy;
    } else {
        g_ptr_array_add(attachments, copy);
        g_ptr_array_sort(attachments, compare_attachments);
    }
    vitrine_settings_emit_changed(settings, "storage");
}

gboolean
vitrine_settings_remove_attachment(VitrineSettings *settings, const char *controller, guint port,
                                   guint device)
{
    guint index;
    if (!find_attachment(settings, controller, port, device, &index))
        return FALSE;
    g_ptr_array_remove_index(vitrine_settings_get_attachments(settings), index);
    vitrine_settings_emit_changed(settings, "storage");
    return TRUE;
}

gboolean
vitrine_settings_free_slot(VitrineSettings *settings, const char *controller, guint *port,
                           guint *device)
{
    const VitrineController *found = vitrine_settings_find_controller(settings, controller);
    if (found == NULL)
        return FALSE;
    const VitrineBusLimits *limits = vitrine_bus_limits(vitrine_controller_bus(found->type));
    for (guint p = 0; p < limits->served_ports; p++) {
        for (guint d = 0; d < limits->devices_per_port; d++) {
            guint index;
            if (!find_attachment(settings, found->name, p, d, &index)) {
                *port = p;
                *device = d;
                return TRUE;
            }
        }
    }
    return FALSE;
}
