/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The record of a filter of USB devices, its form on the wire (a dictionary, so that a newer
 * version may have more), and what its fields may say. Manual, chapter "USB settings". */
#include <glib/gi18n.h>
#include <string.h>

#include "app/api/record.h"
#include "app/api/settings-private.h"

#define NUMBER "(0[xX])?[0-9a-fA-F]{1,4}"
#define RANGE "(" NUMBER "(-(" NUMBER ")?)?|-" NUMBER ")"
#define NUMBERS "^(int:)?\\s*" RANGE "\\s*([,|]\\s*" RANGE "\\s*)*$"
#define TEXT_MAX 1024

#define OFFSET(field) G_STRUCT_OFFSET(VitrineUsbFilter, field)
/* clang-format off */
static const struct {
    const char *key;
    gsize offset;
} fields[] = {
    {"name", OFFSET(name)},
#define TEXT(field, key, attribute) {key, OFFSET(field)},
#include "app/api/usb-filter-fields.def"
#undef TEXT
};
static const RecordType filter_record = {
    sizeof(VitrineUsbFilter),
    G_N_ELEMENTS(fields),
    {
        OFFSET(name),
#define TEXT(field, key, attribute) OFFSET(field),
#include "app/api/usb-filter-fields.def"
#undef TEXT
    },
};
/* clang-format on */

G_DEFINE_BOXED_TYPE(VitrineUsbFilter, vitrine_usb_filter, vitrine_usb_filter_copy,
                    vitrine_usb_filter_free)

static char **
text_at(const VitrineUsbFilter *filter, const char *key)
{
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (g_str_equal(fields[i].key, key))
            return (char **)((char *)filter + fields[i].offset);
    }
    return NULL;
}

const char *
vitrine_usb_filter_get_text(const VitrineUsbFilter *filter, const char *key)
{
    char **text = text_at(filter, key);

    return text != NULL ? *text : NULL;
}

gboolean
vitrine_usb_filter_set_text(VitrineUsbFilter *filter, const char *key, const char *text)
{
    char **place = text_at(filter, key);
    char *copy;

    if (place == NULL)
        return FALSE;
    copy = g_strdup(text != NULL ? text : "");
    g_free(*place);
    *place = copy;
    return TRUE;
}

VitrineUsbFilter *
vitrine_usb_filter_new(const char *name)
{
    VitrineUsbFilter *filter = g_new0(VitrineUsbFilter, 1);

    filter->active = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        vitrine_usb_filter_set_text(filter, fields[i].key, i == 0 ? name : "");
    return filter;
}

static void
take_text(char **place, char *text)
{
    g_free(*place);
    *place = text;
}

VitrineUsbFilter *
vitrine_usb_filter_new_for_device(const VitrineUsbDevice *device)
{
    g_autofree char *title = vitrine_usb_device_get_title(device);
    VitrineUsbFilter *filter = vitrine_usb_filter_new(title);

    take_text(&filter->vendor_id, g_strdup_printf("%04x", device->vendor_id));
    take_text(&filter->product_id, g_strdup_printf("%04x", device->product_id));
    take_text(&filter->revision, g_strdup_printf("%04x", device->revision));
    take_text(&filter->manufacturer, g_strdup(device->manufacturer));
    take_text(&filter->product, g_strdup(device->product));
    take_text(&filter->serial_number, g_strdup(device->serial));
    take_text(&filter->remote, g_strdup("0"));
    return filter;
}

VitrineUsbFilter *
vitrine_usb_filter_copy(const VitrineUsbFilter *filter)
{
    return record_copy(&filter_record, filter);
}

void
vitrine_usb_filter_free(VitrineUsbFilter *filter)
{
    record_free(&filter_record, filter);
}

/* --- the wire --- */
GVariant *
vitrine_usb_filter_to_variant(const VitrineUsbFilter *filter)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "active", g_variant_new_boolean(filter->active));
    g_variant_builder_add(
        &builder, "{sv}", "action",
        g_variant_new_string(vitrine_nick(VITRINE_TYPE_USB_ACTION, filter->action)));
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        g_variant_builder_add(
            &builder, "{sv}", fields[i].key,
            g_variant_new_string(vitrine_usb_filter_get_text(filter, fields[i].key)));
    return g_variant_builder_end(&builder);
}

VitrineUsbFilter *
vitrine_usb_filter_from_variant(GVariant *value)
{
    VitrineUsbFilter *filter = vitrine_usb_filter_new("");
    const char *text;
    int action;

    g_variant_lookup(value, "active", "b", &filter->active);
    if (g_variant_lookup(value, "action", "&s", &text) &&
        vitrine_from_nick(VITRINE_TYPE_USB_ACTION, text, &action))
        filter->action = (VitrineUsbAction)action;
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (g_variant_lookup(value, fields[i].key, "&s", &text))
            vitrine_usb_filter_set_text(filter, fields[i].key, text);
    }
    return filter;
}

GVariant *
vitrine_usb_filters_to_variant(GPtrArray *filters)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < filters->len; i++)
        g_variant_builder_add_value(&builder, vitrine_usb_filter_to_variant(filters->pdata[i]));
    return g_variant_builder_end(&builder);
}

GPtrArray *
vitrine_usb_filters_from_variant(GVariant *list)
{
    GPtrArray *filters = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);

    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(list, i);

        g_ptr_array_add(filters, vitrine_usb_filter_from_variant(entry));
    }
    return filters;
}

gboolean
vitrine_usb_filters_equal(GPtrArray *a, GPtrArray *b)
{
    g_autoptr(GVariant) left = g_variant_ref_sink(vitrine_usb_filters_to_variant(a));
    g_autoptr(GVariant) right = g_variant_ref_sink(vitrine_usb_filters_to_variant(b));

    return g_variant_equal(left, right);
}

/* --- what may stand in it --- */
static gboolean
is_one_of(const char *key, const char *const *keys)
{
    return g_strv_contains(keys, key);
}

char *
vitrine_usb_filter_field_problem(const char *key, const char *text)
{
    static const char *const numbers[] = {"vendorid", "productid", "revision", "port", NULL};
    static const char *const truths[] = {"0", "1", "yes", "no", "true", "false", NULL};
    g_autofree char *lower = g_ascii_strdown(text, -1);

    if (strlen(text) > TEXT_MAX)
        return g_strdup(_("This is too long."));
    if (*text == '\0')
        return NULL;
    if (is_one_of(key, numbers) && !g_regex_match_simple(NUMBERS, text, 0, 0))
        return g_strdup_printf(
            _("“%s” is no number of up to four digits: write it as 04a9, 1000-1fff or 04a9,04b0."),
            text);
    if (g_str_equal(key, "remote") && !is_one_of(lower, truths))
        return g_strdup_printf(_("“%s” is neither yes nor no."), text);
    return NULL;
}

void
vitrine_settings_check_usb(VitrineSettings *settings, GPtrArray *problems)
{
    GPtrArray *filters = vitrine_settings_get_usb_filters(settings);

    for (guint i = 0; i < filters->len; i++) {
        for (guint f = 0; f < G_N_ELEMENTS(fields); f++) {
            const char *key = fields[f].key;
            g_autofree char *field = g_strdup_printf("usb-filter:%u:%s", i, key);
            char *problem = vitrine_usb_filter_field_problem(
                key, vitrine_usb_filter_get_text(filters->pdata[i], key));

            if (problem != NULL)
                vitrine_problems_add(problems, field, VITRINE_ERROR_INVALID, TRUE, problem);
        }
    }
}
