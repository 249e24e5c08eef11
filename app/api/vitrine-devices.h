/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which devices machines can be made of, and their options: what settings pages offer for a device
 * that this library does not know. Values are set by extra data of the machine, below
 * VBoxInternal/Devices/<name>/<instance>/Config/<key>. */
#pragma once

#include "app/api/vitrine-client.h"

G_BEGIN_DECLS

typedef enum {
    VITRINE_OPTION_UINT,
    VITRINE_OPTION_BOOL,
    VITRINE_OPTION_STRING,
    VITRINE_OPTION_CHOICE,
} VitrineOptionType;

/**
 * VitrineDeviceOption:
 * @key: name in the configuration
 * @title: for people, in English
 * @type: what values it takes
 * @value: default of a UINT; 0 or 1 of a BOOL
 * @minimum: of a UINT
 * @maximum: of a UINT
 * @text: default of a STRING or a CHOICE
 * @choices: (array zero-terminated=1): of a CHOICE, else empty
 *
 * Read only.
 */
typedef struct {
    char *key;
    char *title;
    VitrineOptionType type;
    guint64 value;
    guint64 minimum;
    guint64 maximum;
    char *text;
    char **choices;
} VitrineDeviceOption;

#define VITRINE_TYPE_DEVICE_OPTION (vitrine_device_option_get_type())
GType vitrine_device_option_get_type(void);
VitrineDeviceOption *vitrine_device_option_ref(VitrineDeviceOption *option);
void vitrine_device_option_unref(VitrineDeviceOption *option);

/**
 * VitrineDevice:
 * @name: in the configuration
 * @title: for people, in English
 * @kind: chipset, firmware, graphics, input, storage, network, serial, sound, usb or other
 * @max_instances: that a machine can have
 * @module: it comes from a plug-in module
 * @options: (element-type VitrineDeviceOption): what can be set
 *
 * Read only.
 */
typedef struct {
    char *name;
    char *title;
    char *kind;
    guint max_instances;
    gboolean module;
    GPtrArray *options;
} VitrineDevice;

#define VITRINE_TYPE_DEVICE (vitrine_device_get_type())
GType vitrine_device_get_type(void);
VitrineDevice *vitrine_device_ref(VitrineDevice *device);
void vitrine_device_unref(VitrineDevice *device);
/**
 * vitrine_device_find_option:
 * @device: a device
 * @key: of an option
 *
 * Returns: (nullable) (transfer none): the option.
 */
VitrineDeviceOption *vitrine_device_find_option(VitrineDevice *device, const char *key);

/**
 * vitrine_device_get_audio_controller:
 * @device: a device
 * @controller: (out): the value of the setting "audio-controller" that chooses it
 *
 * Returns: whether the device is a sound card that settings can name.
 */
gboolean vitrine_device_get_audio_controller(VitrineDevice *device,
                                             VitrineAudioController *controller);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineDeviceOption, vitrine_device_option_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VitrineDevice, vitrine_device_unref)

/**
 * vitrine_client_load_devices_sync:
 *
 * The first call of all clients takes some time: a program is run for it.
 *
 * Returns: (transfer container) (element-type VitrineDevice): the devices, or %NULL with an error.
 */
GPtrArray *vitrine_client_load_devices_sync(VitrineClient *client, GCancellable *cancellable,
                                            GError **error);
void vitrine_client_load_devices_async(VitrineClient *client, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_client_load_devices_finish:
 *
 * Returns: (transfer container) (element-type VitrineDevice): as
 *   vitrine_client_load_devices_sync()
 */
GPtrArray *vitrine_client_load_devices_finish(VitrineClient *client, GAsyncResult *result,
                                              GError **error);

G_END_DECLS
