/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives that come and go while a machine runs. Manual, chapter "Virtual Storage", hot-plugging,
 * and VBoxManage, "storageattach --hotpluggable": SATA and virtio-scsi controllers take them, and
 * let go of those that are called hot-pluggable. One at a time; a disk on which a differencing
 * image would have to be made first needs the machine switched off. */
#include "app/service/machine.h"
#include "app/service/medium.h"

#define IMAGES_TYPE "a(sssiba(si))"

typedef struct {
    Service *service;
    char *machine_id; /* it may be gone when the VM process answers */
    VitrineSettings *after;
    GDBusMethodInvocation *invocation;
    MachineCommit commit;
} Plug;

static void
plug_free(Plug *plug)
{
    g_free(plug->machine_id);
    g_clear_object(&plug->after);
    g_free(plug);
}

static const VitrineAttachment *
same_place(VitrineSettings *settings, const VitrineAttachment *a)
{
    return vitrine_settings_find_attachment(settings, a->controller, a->port, a->device);
}

static gboolean
is_same(const VitrineAttachment *a, const VitrineAttachment *b)
{
    return b != NULL && a->kind == b->kind && g_str_equal(a->medium, b->medium) &&
           g_str_equal(a->host_drive, b->host_drive) && a->passthrough == b->passthrough &&
           a->temp_eject == b->temp_eject && a->non_rotational == b->non_rotational &&
           a->discard == b->discard && a->hot_pluggable == b->hot_pluggable;
}

/* Those of one that the other has not, or has otherwise. */
static GPtrArray *
differing(VitrineSettings *one, VitrineSettings *other)
{
    GPtrArray *all = vitrine_settings_get_attachments(one);
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; i < all->len; i++) {
        if (!is_same(all->pdata[i], same_place(other, all->pdata[i])))
            g_ptr_array_add(found, all->pdata[i]);
    }
    return found;
}

static gboolean
refuse(GError **error, const char *message)
{
    g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_STATE, message);
    return FALSE;
}

static gboolean
check_controller(VitrineSettings *settings, const VitrineAttachment *a, GError **error)
{
    const VitrineController *controller = vitrine_settings_find_controller(settings, a->controller);
    if (controller && vitrine_controller_hot_plugs(controller->type))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                "The controller \"%s\" does not support hot-plugging: its drives change only while "
                "the machine is powered off. SATA and virtio-scsi controllers can.",
                a->controller);
    return FALSE;
}

/* Whether it can be attached as it is. */
static gboolean
check_direct(Machine *machine, const VitrineAttachment *a, GError **error)
{
    Medium *medium = *a->medium ? service_find_medium(machine->service, a->medium) : NULL;
    if (medium == NULL || a->kind != VITRINE_MEDIUM_KIND_HARD_DISK)
        return TRUE;
    g_autoptr(GPtrArray) children = medium_children(medium);
    VitrineMediumType type = medium_type(medium);
    if (children->len == 0 && type != VITRINE_MEDIUM_TYPE_IMMUTABLE &&
        type != VITRINE_MEDIUM_TYPE_MULTI_ATTACH)
        return TRUE;
    return refuse(error, "This disk needs a differencing image, which can be made only while the "
                         "machine is powered off.");
}

/* The one drive that came or went. */
static gboolean
find_change(Machine *machine, VitrineSettings *after, GPtrArray *added, GPtrArray *removed,
            GError **error)
{
    const VitrineAttachment *a = added->len ? added->pdata[0] : removed->pdata[0];
    if (added->len + removed->len == 2 && same_place(after, removed->pdata[0]))
        return refuse(error,
                      "A drive and its properties cannot change while the machine runs. Take "
                      "the drive out first, if it is hot-pluggable.");
    if (added->len + removed->len != 1)
        return refuse(error, "Drives of a running machine come and go one at a time.");
    if (!check_controller(after, a, error))
        return FALSE;
    if (added->len)
        return check_direct(machine, a, error);
    if (a->hot_pluggable)
        return TRUE;
    g_set_error(
        error, VITRINE_ERROR, VITRINE_ERROR_STATE,
        "The drive at port %u of \"%s\" is not hot-pluggable. Power the machine off to take "
        "it out.",
        a->port, a->controller);
    return FALSE;
}

/* What came while the machine ran can go while it runs. */
static void
make_pluggable(VitrineSettings *after, const VitrineAttachment *added)
{
    g_autoptr(VitrineAttachment) attachment = vitrine_attachment_copy(added);
    attachment->hot_pluggable = TRUE;
    vitrine_settings_put_attachment(after, attachment);
}

/* The drive is there, or gone, whether the settings can be written or not: the message tells. */
static void
finish(Plug *plug)
{
    GError *error = NULL;
    Machine *machine = service_find_machine(plug->service, plug->machine_id);
    if (machine == NULL || machine->record == NULL)
        service_refuse(plug->invocation, VITRINE_ERROR_NOT_FOUND, "The machine is gone.");
    else if (plug->commit(machine, g_steal_pointer(&plug->after), &error))
        vitrine_dbus_machine_complete_save_settings(machine->skeleton, plug->invocation);
    else
        service_fail(plug->invocation, error);
    plug_free(plug);
}

static void
on_vm_done(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Plug *plug = user_data;
    GError *error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);
    if (reply) {
        finish(plug);
        return;
    }
    g_dbus_error_strip_remote_error(error);
    service_fail(plug->invocation, error);
    plug_free(plug);
}

static GVariant *
plug_call(Machine *machine, const VitrineAttachment *a, GUnixFDList *fds, GError **error)
{
    GVariant *images = machine_open_images(machine, a, fds, error);
    if (images == NULL)
        return NULL;
    return g_variant_new("(suusbb@" IMAGES_TYPE ")", a->controller, a->port, a->device,
                         vitrine_nick(VITRINE_TYPE_MEDIUM_KIND, a->kind), a->non_rotational,
                         a->discard, images);
}

static gboolean
send_to_vm(Machine *machine, Plug *plug, const VitrineAttachment *a, gboolean comes, GError **error)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GVariant *call = comes ? plug_call(machine, a, fds, error)
                           : g_variant_new("(suu)", a->controller, a->port, a->device);
    if (call == NULL)
        return FALSE;
    g_dbus_connection_call_with_unix_fd_list(
        machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
        comes ? "PlugDrive" : "UnplugDrive", call, NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds,
        NULL, on_vm_done, plug);
    return TRUE;
}

gboolean
machine_plug_drive(Machine *machine, VitrineSettings *after, GDBusMethodInvocation *invocation,
                   MachineCommit commit)
{
    GError *error = NULL;
    if (machine->vm == NULL)
        return FALSE;
    g_autoptr(GPtrArray) added = differing(after, machine->record->settings);
    g_autoptr(GPtrArray) removed = differing(machine->record->settings, after);
    if (added->len + removed->len == 0)
        return FALSE;
    Plug *plug = g_new0(Plug, 1);
    plug->service = machine->service;
    plug->machine_id = g_strdup(machine->id);
    plug->after = after;
    plug->invocation = invocation;
    plug->commit = commit;
    if (!find_change(machine, after, added, removed, &error) ||
        !send_to_vm(machine, plug, added->len ? added->pdata[0] : removed->pdata[0], added->len > 0,
                    &error)) {
        plug_free(plug);
        return service_fail(invocation, error);
    }
    if (added->len)
        make_pluggable(after, added->pdata[0]);
    return TRUE;
}
