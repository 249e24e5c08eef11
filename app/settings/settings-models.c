/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables from a controller's name to its model. */
#include "app/settings/settings-models.h"

struct _SettingsModels {
    GHashTable *before; /* keys of extra data */
    GHashTable *now;    /* names of controllers */
};

static GHashTable *
new_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

SettingsModels *
settings_models_new(VitrineSettings *settings, GHashTable *extra)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    SettingsModels *models = g_new(SettingsModels, 1);

    *models = (SettingsModels){new_table(), new_table()};
    for (guint i = 0; extra != NULL && i < controllers->len; i++) {
        const VitrineController *controller = controllers->pdata[i];
        g_autofree char *key = vitrine_controller_model_key(controller->name);
        const char *model = g_hash_table_lookup(extra, key);

        if (model == NULL)
            continue;
        g_hash_table_insert(models->before, g_steal_pointer(&key), g_strdup(model));
        settings_models_set(models, controller->name, model);
    }
    return models;
}

void
settings_models_free(SettingsModels *models)
{
    g_hash_table_unref(models->before);
    g_hash_table_unref(models->now);
    g_free(models);
}

const char *
settings_models_get(SettingsModels *models, const char *controller)
{
    const char *model = g_hash_table_lookup(models->now, controller);

    return model != NULL ? model : "";
}

void
settings_models_set(SettingsModels *models, const char *controller, const char *model)
{
    g_hash_table_insert(models->now, g_strdup(controller), g_strdup(model));
}

GHashTable *
settings_models_changes(SettingsModels *models, VitrineSettings *settings)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings);
    GHashTable *changes = new_table();
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, models->before);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_insert(changes, g_strdup(key), g_strdup(""));
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = controllers->pdata[i];
        char *name = vitrine_controller_model_key(controller->name);
        const char *before = g_hash_table_lookup(models->before, name);
        const char *model = settings_models_get(models, controller->name);

        if (g_strcmp0(before != NULL ? before : "", model) != 0)
            g_hash_table_replace(changes, name, g_strdup(model));
        else {
            g_hash_table_remove(changes, name);
            g_free(name);
        }
    }
    return changes;
}
