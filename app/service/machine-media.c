/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Gives a VM process the files of its drives as descriptors, and changes media of running and
 * resting machines. */
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/api/vitrine-vm-session.h"
#include "app/service/host-drives.h"
#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

#define IMAGES_TYPE "a(sssiba(si))"
#define MAX_CHAIN 300

static gboolean
add_file(GVariantBuilder *builder, GUnixFDList *fds, const char *id, const char *path,
         const char *format, gboolean read_only, gboolean shared, GError **error)
{
    int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = read_only ? -1 : open(path, O_RDWR | flags);
    gboolean may_write = fd >= 0;
    if (read_only)
        fd = open(path, O_RDONLY | flags);
    if (fd < 0) {
        file_error_set(error, errno, "The medium \"%s\" cannot be opened", path);
        return FALSE;
    }
    /* Travels with the descriptor, and guards against other configuration folders' machines. */
    if (!service_lock_image(fd, may_write && !shared, path, error)) {
        close(fd);
        return FALSE;
    }
    int index = g_unix_fd_list_append(fds, fd, error);
    close(fd);
    g_auto(GVariantBuilder) parts = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(si)"));
    if (index < 0 || !medium_add_parts(&parts, fds, path, may_write, TRUE, error))
        return FALSE;
    g_variant_builder_add(builder, "(sssiba(si))", id, path, format, index, !may_write, &parts);
    return TRUE;
}

static gboolean
is_writable_kind(const Medium *medium)
{
    return medium->record->kind != VITRINE_MEDIUM_KIND_DVD &&
           medium->record->type != VITRINE_MEDIUM_TYPE_READONLY;
}

/* NULL with error when the chain does not reach its base. Base first. */
static GPtrArray *
chain_of(Service *service, const char *id, GError **error)
{
    g_autoptr(GPtrArray) chain = g_ptr_array_new();
    Medium *medium = service_find_medium(service, id);
    for (; medium && chain->len < MAX_CHAIN; medium = medium_parent(medium))
        g_ptr_array_insert(chain, 0, medium);
    const Medium *base = chain->len ? chain->pdata[0] : NULL;
    if (base && *base->record->parent == '\0')
        return g_steal_pointer(&chain);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "The medium {%s}, or one below it, is not in the registry.", id);
    return NULL;
}

/* Two machines never write to one image; whose it is now is said by name. */
static gboolean
check_free(Machine *machine, Medium *medium, GError **error)
{
    Machine *user = medium_running_user(medium, machine);
    if (user == NULL || medium->record->type == VITRINE_MEDIUM_TYPE_SHAREABLE)
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                "The medium \"%s\" is in use by the machine \"%s\", which is running. Only "
                "shareable disks can be used by several machines at once.",
                medium->record->location, machine_name(user));
    return FALSE;
}

static gboolean
add_image(GVariantBuilder *builder, GUnixFDList *fds, Medium *medium, gboolean last, GError **error)
{
    const MediumRecord *record = medium->record;
    GStatBuf status;
    gboolean read_only = !last || !is_writable_kind(medium);
    if (record->kind == VITRINE_MEDIUM_KIND_FLOPPY && access(record->location, W_OK) < 0)
        read_only = TRUE; /* a write-protected disk */
    if (g_stat(record->location, &status) == 0 && S_ISDIR(status.st_mode)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "\"%s\" is a folder.",
                    record->location);
        return FALSE;
    }
    return add_file(builder, fds, record->id, record->location, record->format, read_only,
                    record->type == VITRINE_MEDIUM_TYPE_SHAREABLE, error);
}

/* Base first. Only the last is written to. */
static gboolean
add_chain(Machine *machine, GVariantBuilder *builder, GUnixFDList *fds, const char *id,
          GError **error)
{
    g_autoptr(GPtrArray) chain = chain_of(machine->service, id, error);
    if (chain == NULL)
        return FALSE;
    Medium *leaf = chain->pdata[chain->len - 1];
    if (is_writable_kind(leaf) && !check_free(machine, leaf, error))
        return FALSE;
    for (guint i = 0; i < chain->len; i++) {
        if (!add_image(builder, fds, chain->pdata[i], i + 1 == chain->len, error))
            return FALSE;
    }
    return TRUE;
}

/* A floppy that the host may write to can be written; discs only by a guest's own commands. */
static gboolean
add_host_drive(GVariantBuilder *builder, GUnixFDList *fds, const VitrineAttachment *a,
               GError **error)
{
    gboolean writes =
        a->kind == VITRINE_MEDIUM_KIND_FLOPPY ? access(a->host_drive, W_OK) == 0 : a->passthrough;

    return host_drives_check(a->host_drive, a->kind, error) &&
           add_file(builder, fds, "", a->host_drive, VITRINE_IMAGE_HOST_DRIVE, !writes, FALSE,
                    error);
}

GVariant *
machine_open_images(Machine *machine, const VitrineAttachment *a, GUnixFDList *fds, GError **error)
{
    GVariantBuilder builder;
    gboolean done = TRUE;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(IMAGES_TYPE));
    if (*a->host_drive)
        done = add_host_drive(&builder, fds, a, error);
    else if (*a->medium)
        done = add_chain(machine, &builder, fds, a->medium, error);
    if (!done) {
        g_variant_builder_clear(&builder);
        return NULL;
    }
    return g_variant_builder_end(&builder);
}

static gboolean
on_open_attachment(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in,
                   const char *controller, guint port, guint device, Machine *machine)
{
    GError *error = NULL;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    const VitrineAttachment *a =
        machine->record
            ? vitrine_settings_find_attachment(machine->record->settings, controller, port, device)
            : NULL;
    if (machine->vm != g_dbus_method_invocation_get_connection(invocation))
        return service_refuse(invocation, VITRINE_ERROR_DENIED,
                              "This process does not have the machine.");
    if (a == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND,
                              "\"%s\" has no drive at port %u, device %u.", controller, port,
                              device);
    GVariant *images = machine_open_images(machine, a, fds, &error);
    if (images == NULL)
        return service_fail(invocation, error);
    vitrine_dbus_machine_complete_open_attachment(skeleton, invocation, fds, images);
    return TRUE;
}

/* The change that is under way in a running machine. */
typedef struct {
    Service *service;
    char *machine_id; /* it may be gone when the VM process answers */
    GDBusMethodInvocation *invocation;
    VitrineAttachment *attachment;
} Change;

static void
change_free(Change *change)
{
    g_free(change->machine_id);
    vitrine_attachment_free(change->attachment);
    g_free(change);
}

static gboolean
store_change(Machine *machine, const VitrineAttachment *attachment, GError **error)
{
    Medium *medium =
        *attachment->medium ? service_find_medium(machine->service, attachment->medium) : NULL;
    vitrine_settings_put_attachment(machine->record->settings, attachment);
    machine_note_ejected(machine, attachment, FALSE);
    if (medium)
        medium_adopt(medium, machine);
    gboolean saved = machine_save(machine, error) && service_save(machine->service, error);
    machine_publish(machine);
    media_publish_all(machine->service);
    return saved;
}

/* Takes change. */
static void
finish_change(Change *change)
{
    GError *error = NULL;
    Machine *machine = service_find_machine(change->service, change->machine_id);
    if (machine == NULL || machine->record == NULL)
        service_refuse(change->invocation, VITRINE_ERROR_NOT_FOUND, "The machine is gone.");
    else if (store_change(machine, change->attachment, &error))
        vitrine_dbus_machine_complete_change_medium(machine->skeleton, change->invocation);
    else
        service_fail(change->invocation, error);
    change_free(change);
}

static void
on_vm_changed(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Change *change = user_data;
    GError *error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);
    if (reply) {
        finish_change(change);
        return;
    }
    g_dbus_error_strip_remote_error(error);
    service_fail(change->invocation, error);
    change_free(change);
}

static gboolean
send_to_vm(Machine *machine, Change *change, gboolean force, GError **error)
{
    const VitrineAttachment *a = change->attachment;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GVariant *images = machine_open_images(machine, a, fds, error);
    if (images == NULL)
        return FALSE;
    g_dbus_connection_call_with_unix_fd_list(
        machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess", "ChangeMedium",
        g_variant_new("(suub@" IMAGES_TYPE ")", a->controller, a->port, a->device, force, images),
        NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, on_vm_changed, change);
    return TRUE;
}

static VitrineAttachment *
changed_attachment(Machine *machine, const char *controller, guint port, guint device,
                   const char *medium, GError **error)
{
    const VitrineAttachment *old =
        vitrine_settings_find_attachment(machine->record->settings, controller, port, device);
    Medium *found = *medium ? service_find_medium(machine->service, medium) : NULL;
    gboolean host = g_str_has_prefix(medium, "host:");
    if (old == NULL || old->kind == VITRINE_MEDIUM_KIND_HARD_DISK) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "\"%s\" has no drive for removable media at port %u, device %u.", controller,
                    port, device);
        return NULL;
    }
    if (*medium && !host && (found == NULL || found->record->kind != old->kind)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                    "There is no medium {%s} for this kind of drive.", medium);
        return NULL;
    }
    if (host && !host_drives_check(medium + strlen("host:"), old->kind, error))
        return NULL;
    VitrineAttachment *attachment = vitrine_attachment_copy(old);
    g_free(attachment->medium);
    g_free(attachment->host_drive);
    attachment->medium = g_strdup(found ? found->record->id : "");
    attachment->host_drive = g_strdup(host ? medium + strlen("host:") : "");
    return attachment;
}

static gboolean
on_change_medium(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation,
                 const char *controller, guint port, guint device, const char *medium,
                 gboolean force, Machine *machine)
{
    GError *error = NULL;
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    VitrineAttachment *attachment =
        changed_attachment(machine, controller, port, device, medium, &error);
    if (attachment == NULL)
        return service_fail(invocation, error);
    Change *change = g_new0(Change, 1);
    change->service = machine->service;
    change->machine_id = g_strdup(machine->id);
    change->invocation = invocation;
    change->attachment = attachment;
    if (machine->vm == NULL) {
        finish_change(change);
    } else if (!send_to_vm(machine, change, force, &error)) {
        change_free(change);
        service_fail(invocation, error);
    }
    return TRUE;
}

/* What the guest took out is out of the settings, too, unless they say that it comes back. */
static gboolean
store_eject(Machine *machine, const VitrineAttachment *emptied, GError **error)
{
    if (!emptied->temp_eject)
        return store_change(machine, emptied, error);
    machine_note_ejected(machine, emptied, TRUE);
    machine_publish(machine);
    return TRUE;
}

static gboolean
on_ejected(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *controller,
           guint port, guint device, Machine *machine)
{
    GError *error = NULL;
    if (machine->vm != g_dbus_method_invocation_get_connection(invocation))
        return service_refuse(invocation, VITRINE_ERROR_DENIED,
                              "This process does not have the machine.");
    g_autoptr(VitrineAttachment) attachment =
        changed_attachment(machine, controller, port, device, "", &error);
    if (attachment == NULL || !store_eject(machine, attachment, &error))
        return service_fail(invocation, error);
    vitrine_dbus_machine_complete_medium_ejected(skeleton, invocation);
    return TRUE;
}

void
machine_connect_media(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-open-attachment", G_CALLBACK(on_open_attachment),
                     machine);
    g_signal_connect(machine->skeleton, "handle-change-medium", G_CALLBACK(on_change_medium),
                     machine);
    g_signal_connect(machine->skeleton, "handle-medium-ejected", G_CALLBACK(on_ejected), machine);
}
