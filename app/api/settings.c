/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineSettings: the scalar settings as GObject properties, made from settings-properties.def,
 * and the lists that are replaced as a whole. Controllers and attachments are in
 * settings-storage.c. */
#include "app/api/settings-private.h"

struct _VitrineSettings {
    GObject parent;
    GValue values[SETTING_COUNT];
    char **groups;
    GPtrArray *controllers;
    GPtrArray *attachments;
    VitrineUart *uarts[VITRINE_UART_COUNT];
    VitrineLpt *lpts[VITRINE_LPT_COUNT];
    VitrineAdapter *adapters[VITRINE_ADAPTER_COUNT];
    GPtrArray *usb_filters;
    GVariant *base; /* as the service has it */
    guint generation;
};

G_DEFINE_FINAL_TYPE(VitrineSettings, vitrine_settings, G_TYPE_OBJECT)

/* clang-format off */
static const SettingRow rows[SETTING_COUNT] = {
#define STRING(id, name_, text_, blurb_) \
    [SETTING_##id] = {.name = name_, .kind = SETTING_STRING, .text = text_, .blurb = blurb_},
#define BOOL(id, name_, number_, blurb_) \
    [SETTING_##id] = {.name = name_, .kind = SETTING_BOOL, .number = number_, .blurb = blurb_},
#define UINT(id, name_, min_, max_, number_, blurb_) \
    [SETTING_##id] = {.name = name_, .kind = SETTING_UINT, .minimum = min_, .maximum = max_, .number = number_, .blurb = blurb_},
#define INT64(id, name_, number_, blurb_) \
    [SETTING_##id] = {.name = name_, .kind = SETTING_INT64, .number = number_, .blurb = blurb_},
#define ENUM(id, name_, type_, number_, blurb_) \
    [SETTING_##id] = {.name = name_, .kind = SETTING_ENUM, .enum_type = type_, .number = number_, .blurb = blurb_},
#include "app/api/settings-properties.def"
};
/* clang-format on */

const SettingRow *
vitrine_settings_row(guint index)
{
    return &rows[index];
}

static GParamSpec *
make_pspec(const SettingRow *row)
{
    GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
    switch (row->kind) {
    case SETTING_STRING:
        return g_param_spec_string(row->name, row->name, row->blurb, row->text, flags);
    case SETTING_BOOL:
        return g_param_spec_boolean(row->name, row->name, row->blurb, row->number, flags);
    case SETTING_UINT: /* ranges are told by vitrine_settings_check(), not silently enforced */
        return g_param_spec_uint(row->name, row->name, row->blurb, 0, G_MAXUINT, (guint)row->number,
                                 flags);
    case SETTING_INT64:
        return g_param_spec_int64(row->name, row->name, row->blurb, G_MININT64, G_MAXINT64,
                                  row->number, flags);
    default:
        return g_param_spec_enum(row->name, row->name, row->blurb, row->enum_type(),
                                 (int)row->number, flags);
    }
}

static void
settings_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    g_value_copy(&VITRINE_SETTINGS(object)->values[id - 1], value);
}

static void
settings_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    GValue *mine = &VITRINE_SETTINGS(object)->values[id - 1];
    if (g_param_values_cmp(pspec, value, mine) == 0)
        return;
    g_value_copy(value, mine);
    if (G_VALUE_HOLDS_STRING(mine) && g_value_get_string(mine) == NULL)
        g_value_set_static_string(mine, "");
    g_object_notify_by_pspec(object, pspec);
}

static void
settings_finalize(GObject *object)
{
    VitrineSettings *settings = VITRINE_SETTINGS(object);
    for (guint i = 0; i < SETTING_COUNT; i++)
        g_value_unset(&settings->values[i]);
    g_strfreev(settings->groups);
    g_ptr_array_unref(settings->controllers);
    g_ptr_array_unref(settings->attachments);
    for (guint i = 0; i < VITRINE_UART_COUNT; i++)
        vitrine_uart_free(settings->uarts[i]);
    for (guint i = 0; i < VITRINE_LPT_COUNT; i++)
        vitrine_lpt_free(settings->lpts[i]);
    for (guint i = 0; i < VITRINE_ADAPTER_COUNT; i++)
        vitrine_adapter_free(settings->adapters[i]);
    g_ptr_array_unref(settings->usb_filters);
    g_clear_pointer(&settings->base, g_variant_unref);
    G_OBJECT_CLASS(vitrine_settings_parent_class)->finalize(object);
}

static void
vitrine_settings_class_init(VitrineSettingsClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    object_class->get_property = settings_get_property;
    object_class->set_property = settings_set_property;
    object_class->finalize = settings_finalize;
    for (guint i = 0; i < SETTING_COUNT; i++)
        g_object_class_install_property(object_class, i + 1, make_pspec(&rows[i]));
    g_signal_new("changed", VITRINE_TYPE_SETTINGS, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL,
                 NULL, NULL, G_TYPE_NONE, 0);
}

static void
vitrine_settings_init(VitrineSettings *settings)
{
    GObjectClass *class = G_OBJECT_GET_CLASS(settings);
    for (guint i = 0; i < SETTING_COUNT; i++) {
        GParamSpec *pspec = g_object_class_find_property(class, rows[i].name);
        g_value_init(&settings->values[i], G_PARAM_SPEC_VALUE_TYPE(pspec));
        g_param_value_set_default(pspec, &settings->values[i]);
    }
    settings->groups = g_strdupv((char *[]){"/", NULL});
    settings->controllers = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_controller_free);
    settings->attachments = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_attachment_free);
    for (guint i = 0; i < VITRINE_UART_COUNT; i++)
        settings->uarts[i] = vitrine_uart_new(i);
    for (guint i = 0; i < VITRINE_LPT_COUNT; i++)
        settings->lpts[i] = vitrine_lpt_new(i);
    for (guint i = 0; i < VITRINE_ADAPTER_COUNT; i++)
        settings->adapters[i] = vitrine_adapter_new();
    settings->usb_filters = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);
}

VitrineSettings *
vitrine_settings_new(void)
{
    return g_object_new(VITRINE_TYPE_SETTINGS, NULL);
}

VitrineSettings *
vitrine_settings_copy(VitrineSettings *settings)
{
    g_return_val_if_fail(VITRINE_IS_SETTINGS(settings), NULL);
    VitrineSettings *copy = vitrine_settings_new();
    g_autoptr(GVariant) all = g_variant_ref_sink(vitrine_settings_to_variant(settings));
    vitrine_settings_apply_variant(copy, all, NULL);
    copy->base = settings->base ? g_variant_ref(settings->base) : NULL;
    copy->generation = settings->generation;
    return copy;
}

gboolean
vitrine_settings_equal(VitrineSettings *settings, VitrineSettings *other)
{
    g_autoptr(GVariant) mine = g_variant_ref_sink(vitrine_settings_to_variant(settings));
    g_autoptr(GVariant) others = g_variant_ref_sink(vitrine_settings_to_variant(other));
    return g_variant_equal(mine, others);
}

/* The value behind a property; NULL and a critical message for a name that isn't in the table. */
static GValue *
value_of(VitrineSettings *settings, const char *property)
{
    g_return_val_if_fail(VITRINE_IS_SETTINGS(settings), NULL);
    GParamSpec *pspec = g_object_class_find_property(G_OBJECT_GET_CLASS(settings), property);
    g_return_val_if_fail(pspec != NULL, NULL);
    return &settings->values[pspec->param_id - 1];
}

const char *
vitrine_settings_get_string(VitrineSettings *settings, const char *property)
{
    GValue *value = value_of(settings, property);
    g_return_val_if_fail(value && G_VALUE_HOLDS_STRING(value), "");
    return g_value_get_string(value);
}

guint
vitrine_settings_get_uint(VitrineSettings *settings, const char *property)
{
    GValue *value = value_of(settings, property);
    g_return_val_if_fail(value && G_VALUE_HOLDS_UINT(value), 0);
    return g_value_get_uint(value);
}

gint64
vitrine_settings_get_int64(VitrineSettings *settings, const char *property)
{
    GValue *value = value_of(settings, property);
    g_return_val_if_fail(value && G_VALUE_HOLDS_INT64(value), 0);
    return g_value_get_int64(value);
}

gboolean
vitrine_settings_get_bool(VitrineSettings *settings, const char *property)
{
    GValue *value = value_of(settings, property);
    g_return_val_if_fail(value && G_VALUE_HOLDS_BOOLEAN(value), FALSE);
    return g_value_get_boolean(value);
}

int
vitrine_settings_get_enum(VitrineSettings *settings, const char *property)
{
    GValue *value = value_of(settings, property);
    g_return_val_if_fail(value && G_VALUE_HOLDS_ENUM(value), 0);
    return g_value_get_enum(value);
}

void
vitrine_settings_set_string(VitrineSettings *settings, const char *property, const char *value)
{
    g_object_set(settings, property, value ? value : "", NULL);
}

void
vitrine_settings_set_uint(VitrineSettings *settings, const char *property, guint value)
{
    g_object_set(settings, property, value, NULL);
}

void
vitrine_settings_set_int64(VitrineSettings *settings, const char *property, gint64 value)
{
    g_object_set(settings, property, value, NULL);
}

void
vitrine_settings_set_bool(VitrineSettings *settings, const char *property, gboolean value)
{
    g_object_set(settings, property, value, NULL);
}

void
vitrine_settings_set_enum(VitrineSettings *settings, const char *property, int value)
{
    g_object_set(settings, property, value, NULL);
}

const char *const *
vitrine_settings_get_groups(VitrineSettings *settings)
{
    return (const char *const *)settings->groups;
}

void
vitrine_settings_set_groups(VitrineSettings *settings, const char *const *groups)
{
    const char *const none[] = {"/", NULL};
    if (groups == NULL || groups[0] == NULL)
        groups = none;
    if (g_strv_equal((const char *const *)settings->groups, groups))
        return;
    char **copy = g_strdupv((char **)groups);
    g_strfreev(settings->groups);
    settings->groups = copy;
    vitrine_settings_emit_changed(settings, "groups");
}

GPtrArray *
vitrine_settings_get_controllers(VitrineSettings *settings)
{
    return settings->controllers;
}

GPtrArray *
vitrine_settings_get_attachments(VitrineSettings *settings)
{
    return settings->attachments;
}

void
vitrine_settings_take_storage(VitrineSettings *settings, GPtrArray *controllers,
                              GPtrArray *attachments)
{
    if (controllers) {
        g_ptr_array_unref(settings->controllers);
        settings->controllers = controllers;
    }
    if (attachments) {
        g_ptr_array_unref(settings->attachments);
        settings->attachments = attachments;
    }
    vitrine_settings_emit_changed(settings, "storage");
}

const VitrineUart *
vitrine_settings_get_uart(VitrineSettings *settings, guint slot)
{
    return settings->uarts[MIN(slot, VITRINE_UART_COUNT - 1)];
}

void
vitrine_settings_set_uart(VitrineSettings *settings, guint slot, const VitrineUart *uart)
{
    g_return_if_fail(slot < VITRINE_UART_COUNT);
    VitrineUart *copy = vitrine_uart_copy(uart);
    vitrine_uart_free(settings->uarts[slot]);
    settings->uarts[slot] = copy;
    vitrine_settings_emit_changed(settings, "uarts");
}

const VitrineAdapter *
vitrine_settings_get_adapter(VitrineSettings *settings, guint slot)
{
    return settings->adapters[MIN(slot, VITRINE_ADAPTER_COUNT - 1)];
}

void
vitrine_settings_set_adapter(VitrineSettings *settings, guint slot, const VitrineAdapter *adapter)
{
    g_return_if_fail(slot < VITRINE_ADAPTER_COUNT);
    VitrineAdapter *copy = vitrine_adapter_copy(adapter);
    vitrine_adapter_free(settings->adapters[slot]);
    settings->adapters[slot] = copy;
    vitrine_settings_emit_changed(settings, "adapters");
}

GPtrArray *
vitrine_settings_get_usb_filters(VitrineSettings *settings)
{
    return settings->usb_filters;
}

void
vitrine_settings_set_usb_filters(VitrineSettings *settings, GPtrArray *filters)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);

    for (guint i = 0; i < filters->len; i++)
        g_ptr_array_add(copy, vitrine_usb_filter_copy(filters->pdata[i]));
    g_ptr_array_unref(settings->usb_filters);
    settings->usb_filters = copy;
    vitrine_settings_emit_changed(settings, "usb-filters");
}

const VitrineLpt *
vitrine_settings_get_lpt(VitrineSettings *settings, guint slot)
{
    return settings->lpts[MIN(slot, VITRINE_LPT_COUNT - 1)];
}

void
vitrine_settings_set_lpt(VitrineSettings *settings, guint slot, const VitrineLpt *lpt)
{
    g_return_if_fail(slot < VITRINE_LPT_COUNT);
    VitrineLpt *copy = vitrine_lpt_copy(lpt);
    vitrine_lpt_free(settings->lpts[slot]);
    settings->lpts[slot] = copy;
    vitrine_settings_emit_changed(settings, "lpts");
}

void
vitrine_settings_emit_changed(VitrineSettings *settings, const char *detail)
{
    g_autofree char *name = g_strconcat("changed::", detail, NULL);
    g_signal_emit_by_name(settings, name);
}

void
vitrine_settings_set_base(VitrineSettings *settings, guint generation)
{
    g_clear_pointer(&settings->base, g_variant_unref);
    settings->base = g_variant_ref_sink(vitrine_settings_to_variant(settings));
    settings->generation = generation;
}

guint
vitrine_settings_get_generation(VitrineSettings *settings)
{
    return settings->generation;
}

GVariant *
vitrine_settings_changes(VitrineSettings *settings)
{
    g_autoptr(GVariant) now = g_variant_ref_sink(vitrine_settings_to_variant(settings));
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    GVariantIter iter;
    const char *key;
    GVariant *value;
    g_variant_iter_init(&iter, now);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
        g_autoptr(GVariant) old =
            settings->base ? g_variant_lookup_value(settings->base, key, NULL) : NULL;
        if (old == NULL || !g_variant_equal(old, value))
            g_variant_builder_add(&builder, "{sv}", key, value);
    }
    return g_variant_builder_end(&builder);
}
