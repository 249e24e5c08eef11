/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Optical and floppy drives of the host: the record, and asking the service for it. */
#include "app/api/vitrine-host-drive.h"

#include "app/api/client-private.h"
#include "app/api/record.h"

static const RemoteCall drives_call = {VITRINE_SERVICE_PATH, "org.vitrine.Service", "GetHostDrives",
                                       NULL};

static const RecordType drive_record = {sizeof(VitrineHostDrive),
                                        3,
                                        {G_STRUCT_OFFSET(VitrineHostDrive, path),
                                         G_STRUCT_OFFSET(VitrineHostDrive, vendor),
                                         G_STRUCT_OFFSET(VitrineHostDrive, model)}};

G_DEFINE_BOXED_TYPE(VitrineHostDrive, vitrine_host_drive, vitrine_host_drive_copy,
                    vitrine_host_drive_free)

VitrineHostDrive *
vitrine_host_drive_new(VitrineMediumKind kind, const char *path, const char *vendor,
                       const char *model)
{
    VitrineHostDrive *drive = g_new0(VitrineHostDrive, 1);

    drive->kind = kind;
    drive->path = g_strdup(path);
    drive->vendor = g_strdup(vendor);
    drive->model = g_strdup(model);
    return drive;
}

VitrineHostDrive *
vitrine_host_drive_copy(const VitrineHostDrive *drive)
{
    return record_copy(&drive_record, drive);
}

void
vitrine_host_drive_free(VitrineHostDrive *drive)
{
    record_free(&drive_record, drive);
}

char *
vitrine_host_drive_get_title(const VitrineHostDrive *drive)
{
    g_autofree char *name = g_path_get_basename(drive->path);
    g_autofree char *names = g_strconcat(drive->vendor, " ", drive->model, NULL);

    g_strstrip(names);
    return *names ? g_strdup_printf("%s (%s)", names, name) : g_steal_pointer(&name);
}

/* Version 5 of RFC 4122, in a name space of our own. */
char *
vitrine_host_drive_get_id(const VitrineHostDrive *drive)
{
    g_autofree char *name = g_strconcat("vitrine host drive ", drive->path, NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA1, name, -1);

    return g_strdup_printf("%.8s-%.4s-5%.3s-a%.3s-%.12s", hash, hash + 8, hash + 12, hash + 15,
                           hash + 18);
}

/* --- the call --- */

/* Takes reply. */
static GPtrArray *
drives_from_reply(GVariant *reply)
{
    const char *kind, *path, *vendor, *model;
    g_autoptr(GVariantIter) list = NULL;
    GPtrArray *drives;

    if (reply == NULL)
        return NULL;
    drives = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_host_drive_free);
    g_variant_get(reply, "(a(ssss))", &list);
    while (g_variant_iter_next(list, "(&s&s&s&s)", &kind, &path, &vendor, &model)) {
        int value;

        if (vitrine_from_nick(VITRINE_TYPE_MEDIUM_KIND, kind, &value))
            g_ptr_array_add(drives,
                            vitrine_host_drive_new((VitrineMediumKind)value, path, vendor, model));
    }
    g_variant_unref(reply);
    return drives;
}

GPtrArray *
vitrine_client_load_host_drives_sync(VitrineClient *client, GCancellable *cancellable,
                                     GError **error)
{
    return drives_from_reply(client_call_sync(client, &drives_call, NULL, cancellable, error));
}

void
vitrine_client_load_host_drives_async(VitrineClient *client, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(client, client, &drives_call, cancellable, callback, user_data);
}

GPtrArray *
vitrine_client_load_host_drives_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return drives_from_reply(client_call_finish(client, result, error));
}
