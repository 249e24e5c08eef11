/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineDevice, VitrineDeviceOption and the call that makes them. */
#include "app/api/client-private.h"

G_DEFINE_BOXED_TYPE(VitrineDeviceOption, vitrine_device_option, vitrine_device_option_ref,
                    vitrine_device_option_unref)
G_DEFINE_BOXED_TYPE(VitrineDevice, vitrine_device, vitrine_device_ref, vitrine_device_unref)

static void
option_clear(gpointer data)
{
    VitrineDeviceOption *option = data;
    g_free(option->key);
    g_free(option->title);
    g_free(option->text);
    g_strfreev(option->choices);
}

VitrineDeviceOption *
vitrine_device_option_ref(VitrineDeviceOption *option)
{
    return g_atomic_rc_box_acquire(option);
}

void
vitrine_device_option_unref(VitrineDeviceOption *option)
{
    g_atomic_rc_box_release_full(option, option_clear);
}

static void
device_clear(gpointer data)
{
    VitrineDevice *device = data;
    g_free(device->name);
    g_free(device->title);
    g_free(device->kind);
    g_ptr_array_unref(device->options);
}

VitrineDevice *
vitrine_device_ref(VitrineDevice *device)
{
    return g_atomic_rc_box_acquire(device);
}

void
vitrine_device_unref(VitrineDevice *device)
{
    g_atomic_rc_box_release_full(device, device_clear);
}

VitrineDeviceOption *
vitrine_device_find_option(VitrineDevice *device, const char *key)
{
    for (guint i = 0; i < device->options->len; i++) {
        VitrineDeviceOption *option = device->options->pdata[i];
        if (g_str_equal(option->key, key))
            return option;
    }
    return NULL;
}

gboolean
vitrine_device_get_audio_controller(VitrineDevice *device, VitrineAudioController *controller)
{
    int value;
    if (!g_str_equal(device->kind, "sound") ||
        !vitrine_from_nick(VITRINE_TYPE_AUDIO_CONTROLLER, device->name, &value))
        return FALSE;
    *controller = (VitrineAudioController)value;
    return TRUE;
}

static char *
take_text(GVariant *dictionary, const char *key)
{
    char *text = NULL;
    return g_variant_lookup(dictionary, key, "s", &text) ? text : g_strdup("");
}

static VitrineDeviceOption *
parse_option(GVariant *dictionary)
{
    VitrineDeviceOption *option = g_atomic_rc_box_new0(VitrineDeviceOption);
    g_autofree char *type = take_text(dictionary, "type");
    int kind;
    option->key = take_text(dictionary, "key");
    option->title = take_text(dictionary, "title");
    option->text = take_text(dictionary, "text");
    if (!vitrine_from_nick(VITRINE_TYPE_OPTION_TYPE, type, &kind))
        kind = VITRINE_OPTION_STRING; /* a text says everything */
    option->type = (VitrineOptionType)kind;
    g_variant_lookup(dictionary, "value", "t", &option->value);
    g_variant_lookup(dictionary, "minimum", "t", &option->minimum);
    g_variant_lookup(dictionary, "maximum", "t", &option->maximum);
    if (!g_variant_lookup(dictionary, "choices", "^as", &option->choices))
        option->choices = g_new0(char *, 1);
    return option;
}

static VitrineDevice *
parse_device(GVariant *dictionary)
{
    VitrineDevice *device = g_atomic_rc_box_new0(VitrineDevice);
    g_autoptr(GVariantIter) options = NULL;
    GVariant *option;
    device->name = take_text(dictionary, "name");
    device->title = take_text(dictionary, "title");
    device->kind = take_text(dictionary, "kind");
    g_variant_lookup(dictionary, "max-instances", "u", &device->max_instances);
    g_variant_lookup(dictionary, "module", "b", &device->module);
    device->options = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_device_option_unref);
    g_variant_lookup(dictionary, "options", "aa{sv}", &options);
    while (options && (option = g_variant_iter_next_value(options))) {
        g_ptr_array_add(device->options, parse_option(option));
        g_variant_unref(option);
    }
    return device;
}

/* Takes reply. */
static GPtrArray *
devices_from_reply(GVariant *reply)
{
    if (reply == NULL)
        return NULL;
    g_autoptr(GVariant) list = g_variant_get_child_value(reply, 0);
    GPtrArray *devices = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_device_unref);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) dictionary = g_variant_get_child_value(list, i);
        g_ptr_array_add(devices, parse_device(dictionary));
    }
    g_variant_unref(reply);
    return devices;
}

static const RemoteCall devices_call = {VITRINE_SERVICE_PATH, "org.vitrine.Service", "GetDevices",
                                        NULL};

GPtrArray *
vitrine_client_load_devices_sync(VitrineClient *client, GCancellable *cancellable, GError **error)
{
    return devices_from_reply(client_call_sync(client, &devices_call, NULL, cancellable, error));
}

void
vitrine_client_load_devices_async(VitrineClient *client, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(client, client, &devices_call, cancellable, callback, user_data);
}

GPtrArray *
vitrine_client_load_devices_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return devices_from_reply(client_call_finish(client, result, error));
}
