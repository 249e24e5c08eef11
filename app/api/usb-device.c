/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The record of a USB device of the host, its form on the wire, and what people are told of it. */
#include <glib/gi18n.h>

#include "app/api/record.h"
#include "app/api/vitrine.h"

#define OFFSET(field) G_STRUCT_OFFSET(VitrineUsbDevice, field)
/* clang-format off */
#define UINT(field, key)
#define ENUM(field, key, type)
#define TEXT(field, key) OFFSET(field),
static const RecordType device_record = {
    sizeof(VitrineUsbDevice),
    8,
    {
#include "app/api/usb-device-fields.def"
    },
};
#undef UINT
#undef ENUM
#undef TEXT

#define UINT(field, key) {key, OFFSET(field), FALSE, NULL},
#define ENUM(field, key, type) {key, OFFSET(field), FALSE, vitrine_##type##_get_type},
#define TEXT(field, key) {key, OFFSET(field), TRUE, NULL},
static const struct Field {
    const char *key;
    gsize offset;
    gboolean is_text;
    GType (*type)(void); /* of an enumeration */
} fields[] = {
#include "app/api/usb-device-fields.def"
};
#undef UINT
#undef ENUM
#undef TEXT
/* clang-format on */

G_DEFINE_BOXED_TYPE(VitrineUsbDevice, vitrine_usb_device, vitrine_usb_device_copy,
                    vitrine_usb_device_free)

VitrineUsbDevice *
vitrine_usb_device_copy(const VitrineUsbDevice *device)
{
    return record_copy(&device_record, device);
}

void
vitrine_usb_device_free(VitrineUsbDevice *device)
{
    record_free(&device_record, device);
}

VitrineUsbDevice *
vitrine_usb_device_new(void)
{
    VitrineUsbDevice *device = g_new0(VitrineUsbDevice, 1);

    for (guint i = 0; i < device_record.count; i++)
        G_STRUCT_MEMBER(char *, device, device_record.texts[i]) = g_strdup("");
    return device;
}

/* --- the wire --- */
static GVariant *
field_value(const VitrineUsbDevice *device, const struct Field *field)
{
    if (field->is_text)
        return g_variant_new_string(G_STRUCT_MEMBER(char *, device, field->offset));
    if (field->type != NULL)
        return g_variant_new_string(
            vitrine_nick(field->type(), G_STRUCT_MEMBER(int, device, field->offset)));
    return g_variant_new_uint32(G_STRUCT_MEMBER(guint, device, field->offset));
}

GVariant *
vitrine_usb_device_to_variant(const VitrineUsbDevice *device)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        g_variant_builder_add(&builder, "{sv}", fields[i].key, field_value(device, &fields[i]));
    return g_variant_builder_end(&builder);
}

static void
take_field(VitrineUsbDevice *device, const struct Field *field, GVariant *dictionary)
{
    const char *text;

    if (!field->is_text && field->type == NULL)
        g_variant_lookup(dictionary, field->key, "u",
                         &G_STRUCT_MEMBER(guint, device, field->offset));
    else if (!g_variant_lookup(dictionary, field->key, "&s", &text))
        return;
    else if (field->type != NULL)
        vitrine_from_nick(field->type(), text, &G_STRUCT_MEMBER(int, device, field->offset));
    else {
        g_free(G_STRUCT_MEMBER(char *, device, field->offset));
        G_STRUCT_MEMBER(char *, device, field->offset) = g_strdup(text);
    }
}

VitrineUsbDevice *
vitrine_usb_device_from_variant(GVariant *value)
{
    VitrineUsbDevice *device = vitrine_usb_device_new();

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        take_field(device, &fields[i], value);
    return device;
}

/* --- for people --- */
char *
vitrine_usb_device_get_title(const VitrineUsbDevice *device)
{
    const gboolean named = *device->manufacturer != '\0' || *device->product != '\0';
    g_autofree char *names = g_strconcat(device->manufacturer, " ", device->product, NULL);

    if (!named)
        return g_strdup_printf(_("Unknown device %04X:%04X [%04X]"), device->vendor_id,
                               device->product_id, device->revision);
    return g_strdup_printf("%s [%04X]", g_strstrip(names), device->revision);
}

static char *
explain_permission(const VitrineUsbDevice *device)
{
    if (*device->group != '\0')
        return g_strdup_printf(
            _("You may not use this device. Members of the group “%s” may: have an administrator "
              "add you to it (usermod -aG %s USER), then log in again."),
            device->group, device->group);
    return g_strdup_printf(
        _("You may not use this device. An administrator can allow it by a file "
          "/etc/udev/rules.d/60-vitrine.rules with the line SUBSYSTEM==\"usb\", "
          "ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"%04x\", TAG+=\"uaccess\". Plug the device "
          "in again afterwards."),
        device->vendor_id, device->product_id);
}

char *
vitrine_usb_device_explain(const VitrineUsbDevice *device, const char *machine)
{
    switch (device->problem) {
    case VITRINE_USB_PROBLEM_PERMISSION: return explain_permission(device);
    case VITRINE_USB_PROBLEM_PROGRAM:
        return g_strdup(_("Another program of the host uses this device. Close that and try "
                          "again."));
    case VITRINE_USB_PROBLEM_MACHINE:
        return g_strdup_printf(_("The machine “%s” has this device. Take it away there first."),
                               machine != NULL ? machine : device->machine);
    case VITRINE_USB_PROBLEM_IGNORED:
        return g_strdup(_("A global USB filter keeps this device for the host. Remove that filter "
                          "(usbfilter remove --target global) to give the device away."));
    case VITRINE_USB_PROBLEM_NONE: break;
    }
    return NULL;
}
