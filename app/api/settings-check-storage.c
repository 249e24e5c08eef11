/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The storage part of vitrine_settings_check(): controllers fit their bus and have names of their
 * own, attachments fit their controllers. */
#include <glib/gi18n.h>
#include <string.h>

#include "app/api/settings-private.h"

static void
check_controller(VitrineSettings *settings, guint index, GPtrArray *problems)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    const VitrineController *controller = g_ptr_array_index(controllers, index);
    VitrineStorageBus bus = vitrine_controller_bus(controller->type);
    const VitrineBusLimits *limits = vitrine_bus_limits(bus);
    g_autofree char *field = g_strdup_printf("controller:%s", controller->name);
    guint of_bus = 0;
    for (guint i = 0; i < index; i++) {
        const VitrineController *other = g_ptr_array_index(controllers, i);
        if (g_ascii_strcasecmp(other->name, controller->name) == 0)
            vitrine_problems_add(
                problems, field, VITRINE_ERROR_EXISTS, TRUE,
                g_strdup_printf(_("Two controllers are called \"%s\"."), controller->name));
        of_bus += vitrine_controller_bus(other->type) == bus;
    }
    if (*controller->name == '\0' || strchr(controller->name, '/'))
        vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE,
                             g_strdup(_("A controller needs a name without \"/\".")));
    if (of_bus >= limits->max_controllers)
        vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE,
                             g_strdup(_("A machine has at most one controller of this kind.")));
    if (controller->port_count < limits->min_ports || controller->port_count > limits->max_ports)
        vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE,
                             g_strdup_printf(_("The number of ports must be from %u to %u."),
                                             limits->min_ports, limits->max_ports));
    if (!vitrine_controller_is_built(controller->type))
        vitrine_problems_add(
            problems, field, VITRINE_ERROR_NOT_SUPPORTED, TRUE,
            g_strdup_printf(_("This version does not have the controller of \"%s\": use SATA."),
                            controller->name));
}

static void
check_medium(const VitrineAttachment *attachment, const char *field, GPtrArray *problems)
{
    gboolean empty = *attachment->medium == '\0' && *attachment->host_drive == '\0';
    if (attachment->kind == VITRINE_MEDIUM_KIND_HARD_DISK && *attachment->medium == '\0')
        vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE,
                             g_strdup(_("A hard disk needs an image: choose or create one.")));
    if (*attachment->medium && !g_uuid_string_is_valid(attachment->medium))
        vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE,
                             g_strdup(_("The medium is not identified.")));
    if (!empty && *attachment->medium && *attachment->host_drive)
        vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE,
                             g_strdup(_("A drive has either an image or a host drive.")));
}

static void
add_unserved(const VitrineController *controller, const VitrineAttachment *attachment, guint ports,
             const char *field, GPtrArray *problems)
{
    vitrine_problems_add(problems, field, VITRINE_ERROR_NOT_SUPPORTED, TRUE,
                         g_strdup_printf(_("In this version drives can be at ports 0 to %u of "
                                           "\"%s\", not at port %u."),
                                         ports - 1, controller->name, attachment->port));
}

/* The port is one of the controller's, and one that there is a device for. */
static void
check_place(const VitrineController *controller, const VitrineAttachment *attachment,
            const char *field, GPtrArray *problems)
{
    const VitrineBusLimits *limits = vitrine_bus_limits(vitrine_controller_bus(controller->type));

    if (attachment->port >= controller->port_count ||
        attachment->device >= limits->devices_per_port)
        vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE,
                             g_strdup_printf(_("\"%s\" has no port %u, device %u."),
                                             controller->name, attachment->port,
                                             attachment->device));
    else if (attachment->port >= limits->served_ports)
        add_unserved(controller, attachment, limits->served_ports, field, problems);
}

static void
check_attachment(VitrineSettings *settings, guint index, GPtrArray *problems)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    const VitrineAttachment *attachment = g_ptr_array_index(attachments, index);
    const VitrineController *controller =
        vitrine_settings_find_controller(settings, attachment->controller);
    g_autofree char *field = g_strdup_printf("attachment:%s:%u:%u", attachment->controller,
                                             attachment->port, attachment->device);
    if (controller == NULL) {
        vitrine_problems_add(
            problems, field, VITRINE_ERROR_NOT_FOUND, TRUE,
            g_strdup_printf(_("There is no controller \"%s\"."), attachment->controller));
        return;
    }
    VitrineStorageBus bus = vitrine_controller_bus(controller->type);
    check_place(controller, attachment, field, problems);
    if ((attachment->kind == VITRINE_MEDIUM_KIND_FLOPPY) != (bus == VITRINE_STORAGE_BUS_FLOPPY))
        vitrine_problems_add(
            problems, field, VITRINE_ERROR_INVALID, TRUE,
            g_strdup_printf(_("\"%s\" cannot serve this kind of drive."), controller->name));
    check_medium(attachment, field, problems);
    for (guint i = 0; i < index; i++) {
        const VitrineAttachment *other = g_ptr_array_index(attachments, i);
        if (other->port == attachment->port && other->device == attachment->device &&
            g_ascii_strcasecmp(other->controller, attachment->controller) == 0)
            vitrine_problems_add(problems, field, VITRINE_ERROR_EXISTS, TRUE,
                                 g_strdup(_("Two drives are in the same place.")));
        if (attachment->kind == VITRINE_MEDIUM_KIND_HARD_DISK && *attachment->medium &&
            g_ascii_strcasecmp(other->medium, attachment->medium) == 0)
            vitrine_problems_add(problems, field, VITRINE_ERROR_EXISTS, TRUE,
                                 g_strdup(_("This disk is attached twice.")));
    }
}

void
vitrine_settings_check_storage(VitrineSettings *settings, GPtrArray *problems)
{
    for (guint i = 0; i < vitrine_settings_get_controllers(settings)->len; i++)
        check_controller(settings, i, problems);
    for (guint i = 0; i < vitrine_settings_get_attachments(settings)->len; i++)
        check_attachment(settings, i, problems);
}

void
vitrine_settings_check_models(VitrineSettings *settings, VitrineModelLookup model,
                              gpointer user_data, GPtrArray *problems)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);

    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        const VitrineController *controller =
            vitrine_settings_find_controller(settings, a->controller);
        g_autofree char *field =
            g_strdup_printf("attachment:%s:%u:%u", a->controller, a->port, a->device);
        const char *name = controller ? model(user_data, controller->name) : NULL;
        guint ports = controller ? vitrine_controller_served_ports(controller->type, name) : 0;

        /* What its bus does not serve has been said. */
        if (controller && a->port >= ports &&
            ports < vitrine_controller_served_ports(controller->type, NULL))
            add_unserved(controller, a, ports, field, problems);
        if (controller && name && *name && a->kind != VITRINE_MEDIUM_KIND_HARD_DISK)
            vitrine_problems_add(
                problems, field, VITRINE_ERROR_INVALID, TRUE,
                g_strdup_printf(_("\"%s\" cannot serve this kind of drive."), controller->name));
    }
}
