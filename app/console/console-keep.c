/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is changed while the machine runs and holds the next time, too: written to its settings. */
#include "app/console/console-private.h"

#define TRIES 10 /* when others change settings at the same time */

typedef struct {
    char *property;
    guint value, tries;
} Keep;

static void on_loaded(GObject *source, GAsyncResult *result, gpointer data);

static void
keep_free(Keep *keep)
{
    g_free(keep->property);
    g_free(keep);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keep, keep_free)

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(Keep) keep = data;
    g_autoptr(GError) error = NULL;

    if (vitrine_machine_save_settings_finish(VITRINE_MACHINE(source), result, &error))
        return;
    if (g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_BUSY) && ++keep->tries < TRIES)
        vitrine_machine_load_settings_async(VITRINE_MACHINE(source), NULL, on_loaded,
                                            g_steal_pointer(&keep));
    else
        g_warning("%s is not kept in the settings: %s", keep->property, error->message);
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(Keep) keep = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, &error);
    GParamSpec *spec;

    if (settings == NULL) {
        g_warning("%s is not kept in the settings: %s", keep->property, error->message);
        return;
    }
    spec = g_object_class_find_property(G_OBJECT_GET_CLASS(settings), keep->property);
    if (G_IS_PARAM_SPEC_BOOLEAN(spec))
        vitrine_settings_set_bool(settings, keep->property, keep->value);
    else
        vitrine_settings_set_uint(settings, keep->property, keep->value);
    vitrine_machine_save_settings_async(VITRINE_MACHINE(source), settings, NULL, on_saved,
                                        g_steal_pointer(&keep));
}

void
console_keep_setting(Console *console, const char *property, guint value)
{
    Keep *keep = g_new0(Keep, 1);

    keep->property = g_strdup(property);
    keep->value = value;
    vitrine_machine_load_settings_async(console->machine, NULL, on_loaded, keep);
}
