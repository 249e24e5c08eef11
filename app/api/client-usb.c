/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Calls about the host's USB devices. */
#include "app/api/client-private.h"
#include "app/api/vitrine-usb-host.h"

static const RemoteCall devices_call = {VITRINE_SERVICE_PATH, "org.vitrine.Service",
                                        "GetUsbDevices", NULL};
static const RemoteCall filters_call = {VITRINE_SERVICE_PATH, "org.vitrine.Service",
                                        "GetUsbFilters", NULL};

/* Takes reply. */
static GPtrArray *
devices_from_reply(GVariant *reply)
{
    GPtrArray *devices;

    if (reply == NULL)
        return NULL;
    g_autoptr(GVariant) list = g_variant_get_child_value(reply, 0);
    devices = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_device_free);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(list, i);

        g_ptr_array_add(devices, vitrine_usb_device_from_variant(entry));
    }
    g_variant_unref(reply);
    return devices;
}

GPtrArray *
vitrine_client_load_usb_devices_sync(VitrineClient *client, GCancellable *cancellable,
                                     GError **error)
{
    return devices_from_reply(client_call_sync(client, &devices_call, NULL, cancellable, error));
}

void
vitrine_client_load_usb_devices_async(VitrineClient *client, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(client, client, &devices_call, cancellable, callback, user_data);
}

GPtrArray *
vitrine_client_load_usb_devices_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return devices_from_reply(client_call_finish(client, result, error));
}

/* Takes reply. */
static GPtrArray *
filters_from_reply(GVariant *reply)
{
    g_autoptr(GVariant) list = reply != NULL ? g_variant_get_child_value(reply, 0) : NULL;

    g_clear_pointer(&reply, g_variant_unref);
    return list != NULL ? vitrine_usb_filters_from_variant(list) : NULL;
}

GPtrArray *
vitrine_client_load_usb_filters_sync(VitrineClient *client, GCancellable *cancellable,
                                     GError **error)
{
    return filters_from_reply(client_call_sync(client, &filters_call, NULL, cancellable, error));
}

void
vitrine_client_load_usb_filters_async(VitrineClient *client, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(client, client, &filters_call, cancellable, callback, user_data);
}

GPtrArray *
vitrine_client_load_usb_filters_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return filters_from_reply(client_call_finish(client, result, error));
}

static RemoteCall
save_call(GPtrArray *filters)
{
    GVariant *list = vitrine_usb_filters_to_variant(filters);

    return (RemoteCall){VITRINE_SERVICE_PATH, "org.vitrine.Service", "SetUsbFilters",
                        g_variant_new_tuple(&list, 1)};
}

gboolean
vitrine_client_save_usb_filters_sync(VitrineClient *client, GPtrArray *filters,
                                     GCancellable *cancellable, GError **error)
{
    const RemoteCall call = save_call(filters);
    g_autoptr(GVariant) reply = client_call_sync(client, &call, NULL, cancellable, error);

    return reply != NULL;
}

void
vitrine_client_save_usb_filters_async(VitrineClient *client, GPtrArray *filters,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data)
{
    const RemoteCall call = save_call(filters);

    client_call_async(client, client, &call, cancellable, callback, user_data);
}

gboolean
vitrine_client_save_usb_filters_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(client, result, error);
}

/* --- machines --- */

/* capture: a file's absolute path, "" for none; NULL: the method has no such argument. */
static RemoteCall
device_call(VitrineMachine *machine, const char *method, const char *device, const char *capture)
{
    return (RemoteCall){machine_path(machine), "org.vitrine.Machine", method,
                        capture != NULL ? g_variant_new("(ss)", device, capture)
                                        : g_variant_new("(s)", device)};
}

static RemoteCall
attach_call(VitrineMachine *machine, const char *device, const char *capture)
{
    return device_call(machine, "AttachUsbDevice", device, capture != NULL ? capture : "");
}

gboolean
vitrine_machine_attach_usb_sync(VitrineMachine *machine, const char *device, const char *capture,
                                GCancellable *cancellable, GError **error)
{
    const RemoteCall call = attach_call(machine, device, capture);

    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

void
vitrine_machine_attach_usb_async(VitrineMachine *machine, const char *device, const char *capture,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
    const RemoteCall call = attach_call(machine, device, capture);

    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

gboolean
vitrine_machine_detach_usb_sync(VitrineMachine *machine, const char *device,
                                GCancellable *cancellable, GError **error)
{
    const RemoteCall call = device_call(machine, "DetachUsbDevice", device, NULL);

    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

void
vitrine_machine_detach_usb_async(VitrineMachine *machine, const char *device,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
    const RemoteCall call = device_call(machine, "DetachUsbDevice", device, NULL);

    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

gboolean
vitrine_machine_change_usb_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}
