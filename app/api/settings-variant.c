/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineSettings as the a{sv} of the D-Bus interface. Scalars go under their property's name,
 * enumerations as words; lists as arrays of tuples in the order of vitrine-storage.h's records. */
#include "app/api/settings-private.h"

#define CONTROLLERS_TYPE "a(ssuubb)"
#define ATTACHMENTS_TYPE "a(suusssbbbbb)"
#define UARTS_TYPE "a(buusbss)"
#define LPTS_TYPE "a(buus)"
#define ADAPTERS_TYPE "aa{sv}"
#define USB_FILTERS_TYPE "aa{sv}"
#define MAX_RECORDS 1024

static GVariant *
scalar_to_variant(VitrineSettings *settings, const SettingRow *row)
{
    switch (row->kind) {
    case SETTING_STRING:
        return g_variant_new_string(vitrine_settings_get_string(settings, row->name));
    case SETTING_BOOL: return g_variant_new_boolean(vitrine_settings_get_bool(settings, row->name));
    case SETTING_UINT: return g_variant_new_uint32(vitrine_settings_get_uint(settings, row->name));
    case SETTING_INT64: return g_variant_new_int64(vitrine_settings_get_int64(settings, row->name));
    default:
        return g_variant_new_string(
            vitrine_nick(row->enum_type(), vitrine_settings_get_enum(settings, row->name)));
    }
}

static GVariant *
controllers_to_variant(VitrineSettings *settings)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(CONTROLLERS_TYPE));
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *c = g_ptr_array_index(controllers, i);
        g_variant_builder_add(&builder, "(ssuubb)", c->name,
                              vitrine_nick(VITRINE_TYPE_CONTROLLER_TYPE, c->type), c->port_count,
                              c->instance, c->host_io_cache, c->bootable);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *
attachments_to_variant(VitrineSettings *settings)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(ATTACHMENTS_TYPE));
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = g_ptr_array_index(attachments, i);
        g_variant_builder_add(&builder, "(suusssbbbbb)", a->controller, a->port, a->device,
                              vitrine_nick(VITRINE_TYPE_MEDIUM_KIND, a->kind), a->medium,
                              a->host_drive, a->passthrough, a->temp_eject, a->non_rotational,
                              a->discard, a->hot_pluggable);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *
uarts_to_variant(VitrineSettings *settings)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(UARTS_TYPE));
    for (guint i = 0; i < VITRINE_UART_COUNT; i++) {
        const VitrineUart *u = vitrine_settings_get_uart(settings, i);
        g_variant_builder_add(&builder, "(buusbss)", u->enabled, u->io_base, u->irq,
                              vitrine_nick(VITRINE_TYPE_UART_MODE, u->mode), u->server, u->path,
                              vitrine_nick(VITRINE_TYPE_UART_TYPE, u->type));
    }
    return g_variant_builder_end(&builder);
}

static GVariant *
adapters_to_variant(VitrineSettings *settings)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(ADAPTERS_TYPE));
    for (guint i = 0; i < VITRINE_ADAPTER_COUNT; i++)
        g_variant_builder_add_value(
            &builder, vitrine_adapter_to_variant(vitrine_settings_get_adapter(settings, i)));
    return g_variant_builder_end(&builder);
}

static GVariant *
lpts_to_variant(VitrineSettings *settings)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(LPTS_TYPE));
    for (guint i = 0; i < VITRINE_LPT_COUNT; i++) {
        const VitrineLpt *l = vitrine_settings_get_lpt(settings, i);
        g_variant_builder_add(&builder, "(buus)", l->enabled, l->io_base, l->irq, l->path);
    }
    return g_variant_builder_end(&builder);
}

GVariant *
vitrine_settings_to_variant(VitrineSettings *settings)
{
    GVariantBuilder builder;
    g_return_val_if_fail(VITRINE_IS_SETTINGS(settings), NULL);
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < SETTING_COUNT; i++) {
        const SettingRow *row = vitrine_settings_row(i);
        g_variant_builder_add(&builder, "{sv}", row->name, scalar_to_variant(settings, row));
    }
    g_variant_builder_add(&builder, "{sv}", "groups",
                          g_variant_new_strv(vitrine_settings_get_groups(settings), -1));
    g_variant_builder_add(&builder, "{sv}", "controllers", controllers_to_variant(settings));
    g_variant_builder_add(&builder, "{sv}", "attachments", attachments_to_variant(settings));
    g_variant_builder_add(&builder, "{sv}", "uarts", uarts_to_variant(settings));
    g_variant_builder_add(&builder, "{sv}", "lpts", lpts_to_variant(settings));
    g_variant_builder_add(&builder, "{sv}", "adapters", adapters_to_variant(settings));
    g_variant_builder_add(
        &builder, "{sv}", "usb-filters",
        vitrine_usb_filters_to_variant(vitrine_settings_get_usb_filters(settings)));
    return g_variant_builder_end(&builder);
}

static gboolean
wrong(GError **error, const char *key)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "The setting \"%s\" has a value of the wrong kind.", key);
    return FALSE;
}

static const SettingRow *
find_row(const char *key)
{
    for (guint i = 0; i < SETTING_COUNT; i++) {
        if (g_str_equal(vitrine_settings_row(i)->name, key))
            return vitrine_settings_row(i);
    }
    return NULL;
}

static gboolean
apply_enum(VitrineSettings *settings, const SettingRow *row, GVariant *value, GError **error)
{
    int number = 0;
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) ||
        !vitrine_from_nick(row->enum_type(), g_variant_get_string(value, NULL), &number))
        return wrong(error, row->name);
    vitrine_settings_set_enum(settings, row->name, number);
    return TRUE;
}

static gboolean
apply_scalar(VitrineSettings *settings, const SettingRow *row, GVariant *value, GError **error)
{
    const GVariantType *types[] = {G_VARIANT_TYPE_STRING, G_VARIANT_TYPE_BOOLEAN,
                                   G_VARIANT_TYPE_UINT32, G_VARIANT_TYPE_INT64,
                                   G_VARIANT_TYPE_STRING};
    if (!g_variant_is_of_type(value, types[row->kind]))
        return wrong(error, row->name);
    switch (row->kind) {
    case SETTING_STRING:
        vitrine_settings_set_string(settings, row->name, g_variant_get_string(value, NULL));
        return TRUE;
    case SETTING_BOOL:
        vitrine_settings_set_bool(settings, row->name, g_variant_get_boolean(value));
        return TRUE;
    case SETTING_UINT:
        vitrine_settings_set_uint(settings, row->name, g_variant_get_uint32(value));
        return TRUE;
    case SETTING_INT64:
        vitrine_settings_set_int64(settings, row->name, g_variant_get_int64(value));
        return TRUE;
    default: return apply_enum(settings, row, value, error);
    }
}

static gboolean
apply_controllers(VitrineSettings *settings, GVariant *value, GError **error)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_controller_free);
    GVariantIter iter;
    const char *name, *type;
    guint ports, instance;
    gboolean cache, bootable;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "(&s&suubb)", &name, &type, &ports, &instance, &cache,
                               &bootable)) {
        int number;
        if (!vitrine_from_nick(VITRINE_TYPE_CONTROLLER_TYPE, type, &number))
            return wrong(error, "controllers");
        VitrineController *controller = vitrine_controller_new(name, number);
        controller->port_count = ports;
        controller->instance = instance;
        controller->host_io_cache = cache;
        controller->bootable = bootable;
        g_ptr_array_add(list, controller);
    }
    vitrine_settings_take_storage(settings, g_steal_pointer(&list), NULL);
    return TRUE;
}

static gboolean
apply_attachments(VitrineSettings *settings, GVariant *value, GError **error)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_attachment_free);
    GVariantIter iter;
    const char *controller, *kind, *medium, *host_drive;
    VitrineAttachment a;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "(&suu&s&s&sbbbbb)", &controller, &a.port, &a.device, &kind,
                               &medium, &host_drive, &a.passthrough, &a.temp_eject,
                               &a.non_rotational, &a.discard, &a.hot_pluggable)) {
        int number;
        if (!vitrine_from_nick(VITRINE_TYPE_MEDIUM_KIND, kind, &number))
            return wrong(error, "attachments");
        a.kind = number;
        a.controller = (char *)controller;
        a.medium = (char *)medium;
        a.host_drive = (char *)host_drive;
        g_ptr_array_add(list, vitrine_attachment_copy(&a));
    }
    vitrine_settings_take_storage(settings, NULL, g_steal_pointer(&list));
    return TRUE;
}

static gboolean
apply_uarts(VitrineSettings *settings, GVariant *value, GError **error)
{
    GVariantIter iter;
    const char *mode, *path, *type;
    VitrineUart u;
    guint slot = 0;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "(buu&sb&s&s)", &u.enabled, &u.io_base, &u.irq, &mode,
                               &u.server, &path, &type)) {
        int mode_number, type_number;
        if (slot == VITRINE_UART_COUNT ||
            !vitrine_from_nick(VITRINE_TYPE_UART_MODE, mode, &mode_number) ||
            !vitrine_from_nick(VITRINE_TYPE_UART_TYPE, type, &type_number))
            return wrong(error, "uarts");
        u.mode = mode_number;
        u.type = type_number;
        u.path = (char *)path;
        vitrine_settings_set_uart(settings, slot++, &u);
    }
    return TRUE;
}

static gboolean
apply_lpts(VitrineSettings *settings, GVariant *value, GError **error)
{
    GVariantIter iter;
    const char *path;
    VitrineLpt l;
    guint slot = 0;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "(buu&s)", &l.enabled, &l.io_base, &l.irq, &path)) {
        if (slot == VITRINE_LPT_COUNT)
            return wrong(error, "lpts");
        l.path = (char *)path;
        vitrine_settings_set_lpt(settings, slot++, &l);
    }
    return TRUE;
}

static gboolean
apply_adapters(VitrineSettings *settings, GVariant *value, GError **error)
{
    if (g_variant_n_children(value) > VITRINE_ADAPTER_COUNT)
        return wrong(error, "adapters");
    for (guint slot = 0; slot < g_variant_n_children(value); slot++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(value, slot);
        g_autoptr(VitrineAdapter) adapter = vitrine_adapter_from_variant(entry, error);

        if (adapter == NULL)
            return FALSE;
        vitrine_settings_set_adapter(settings, slot, adapter);
    }
    return TRUE;
}

static gboolean
apply_usb_filters(VitrineSettings *settings, GVariant *value, GError **error)
{
    g_autoptr(GPtrArray) filters = vitrine_usb_filters_from_variant(value);

    vitrine_settings_set_usb_filters(settings, filters);
    return TRUE;
}

static gboolean
apply_groups(VitrineSettings *settings, GVariant *value, GError **error)
{
    g_autofree const char **groups = g_variant_get_strv(value, NULL);
    vitrine_settings_set_groups(settings, groups);
    return TRUE;
}

static const struct {
    const char *key;
    const char *type;
    gboolean (*apply)(VitrineSettings *settings, GVariant *value, GError **error);
} lists[] = {
    {"groups", "as", apply_groups},
    {"controllers", CONTROLLERS_TYPE, apply_controllers},
    {"attachments", ATTACHMENTS_TYPE, apply_attachments},
    {"uarts", UARTS_TYPE, apply_uarts},
    {"lpts", LPTS_TYPE, apply_lpts},
    {"adapters", ADAPTERS_TYPE, apply_adapters},
    {"usb-filters", USB_FILTERS_TYPE, apply_usb_filters},
};

static gboolean
apply_key(VitrineSettings *settings, const char *key, GVariant *value, GError **error)
{
    const SettingRow *row = find_row(key);
    if (row)
        return apply_scalar(settings, row, value, error);
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (!g_str_equal(lists[i].key, key))
            continue;
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE(lists[i].type)) ||
            g_variant_n_children(value) > MAX_RECORDS)
            return wrong(error, key);
        return lists[i].apply(settings, value, error);
    }
    return TRUE; /* a key of a newer version */
}

static gboolean
apply_all(VitrineSettings *settings, GVariant *dictionary, GError **error)
{
    GVariantIter iter;
    const char *key;
    GVariant *boxed;
    g_variant_iter_init(&iter, dictionary);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &boxed)) {
        g_autoptr(GVariant) value = boxed;
        if (!apply_key(settings, key, value, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
vitrine_settings_apply_variant(VitrineSettings *settings, GVariant *dictionary, GError **error)
{
    g_autoptr(VitrineSettings) trial = NULL;
    g_return_val_if_fail(VITRINE_IS_SETTINGS(settings), FALSE);
    if (!g_variant_is_of_type(dictionary, G_VARIANT_TYPE_VARDICT))
        return wrong(error, "");
    /* First on a scratch object, so that a bad key leaves nothing half changed. */
    trial = vitrine_settings_new();
    if (!apply_all(trial, dictionary, error))
        return FALSE;
    return apply_all(settings, dictionary, error);
}
