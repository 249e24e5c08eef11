/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compares settings by their properties and records. */
#include "app/settings/settings-difference.h"

/* The console switches sound of a running machine, and keeps it. */
static gboolean
is_of_console(const SettingsDifference *of, const char *property)
{
    return of->live && (g_str_equal(property, "audio-in") || g_str_equal(property, "audio-out"));
}

static gboolean
differs(VitrineSettings *a, VitrineSettings *b, GParamSpec *property)
{
    g_auto(GValue) of_a = G_VALUE_INIT, of_b = G_VALUE_INIT;

    g_value_init(&of_a, property->value_type);
    g_value_init(&of_b, property->value_type);
    g_object_get_property(G_OBJECT(a), property->name, &of_a);
    g_object_get_property(G_OBJECT(b), property->name, &of_b);
    return g_param_values_cmp(property, &of_a, &of_b) != 0;
}

/* Puts the values that the person changed into settings; whether there are any. settings may be
 * NULL. */
static gboolean
put_values(const SettingsDifference *of, VitrineSettings *settings)
{
    guint count;
    g_autofree GParamSpec **properties =
        g_object_class_list_properties(G_OBJECT_GET_CLASS(of->edited), &count);
    gboolean found = FALSE;

    for (guint i = 0; i < count; i++) {
        g_auto(GValue) value = G_VALUE_INIT;

        if (is_of_console(of, properties[i]->name) || !differs(of->base, of->edited, properties[i]))
            continue;
        found = TRUE;
        g_value_init(&value, properties[i]->value_type);
        g_object_get_property(G_OBJECT(of->edited), properties[i]->name, &value);
        if (settings != NULL)
            g_object_set_property(G_OBJECT(settings), properties[i]->name, &value);
    }
    return found;
}

static gboolean
put_cards(const SettingsDifference *of, VitrineSettings *settings)
{
    gboolean found = FALSE;

    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        const VitrineAdapter *now = vitrine_settings_get_adapter(of->edited, slot);

        if (vitrine_adapter_equal(vitrine_settings_get_adapter(of->base, slot), now))
            continue;
        found = TRUE;
        if (settings != NULL)
            vitrine_settings_set_adapter(settings, slot, now);
    }
    return found;
}

static gboolean
put_filters(const SettingsDifference *of, VitrineSettings *settings)
{
    GPtrArray *now = vitrine_settings_get_usb_filters(of->edited);

    if (vitrine_usb_filters_equal(vitrine_settings_get_usb_filters(of->base), now))
        return FALSE;
    if (settings != NULL)
        vitrine_settings_set_usb_filters(settings, now);
    return TRUE;
}

gboolean
settings_difference_has_rest(const SettingsDifference *of)
{
    return put_values(of, NULL) || put_cards(of, NULL) || put_filters(of, NULL);
}

void
settings_difference_put(VitrineSettings *settings, gpointer data)
{
    put_values(data, settings);
    put_cards(data, settings);
    put_filters(data, settings);
}

gboolean
settings_difference_has(const SettingsDifference *of, const char *property)
{
    return differs(of->base, of->edited,
                   g_object_class_find_property(G_OBJECT_GET_CLASS(of->edited), property));
}

/* --- drives --- */
const VitrineAttachment *
settings_difference_place(VitrineSettings *settings, const VitrineAttachment *drive)
{
    return vitrine_settings_find_attachment(settings, drive->controller, drive->port,
                                            drive->device);
}

gboolean
settings_difference_same_medium(const VitrineAttachment *a, const VitrineAttachment *b)
{
    return g_str_equal(a->medium, b->medium) && g_str_equal(a->host_drive, b->host_drive);
}

gboolean
settings_difference_same_drive(const VitrineAttachment *a, const VitrineAttachment *b)
{
    return b != NULL && a->kind == b->kind &&
           (a->kind != VITRINE_MEDIUM_KIND_HARD_DISK || settings_difference_same_medium(a, b));
}
