/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a machine's window was like the last time: the original's keys in the machine's extra data.
 */
#include "app/vmwindow/vm-window-private.h"

#include "app/widgets/widget-geometry.h"

#define POSITION_DATA "GUI/LastNormalWindowPosition"

static gboolean
is_on(GHashTable *table, const char *key, gboolean otherwise)
{
    const char *value = g_hash_table_lookup(table, key);

    if (!value || *value == '\0')
        return otherwise;
    return !g_ascii_strcasecmp(value, "on") || !g_ascii_strcasecmp(value, "true") ||
           !g_ascii_strcasecmp(value, "yes") || g_str_equal(value, "1");
}

static void
on_geometry(const char *value, gpointer data)
{
    VmWindow *window = data;

    if (window->machine)
        vitrine_machine_set_extra_data_async(window->machine, POSITION_DATA, value, NULL, NULL,
                                             NULL);
}

void
vm_window_keep(VmWindow *window, const char *key, gboolean on)
{
    gboolean usual = g_str_equal(key, VM_WINDOW_STATUS_BAR_DATA);

    vitrine_machine_set_extra_data_async(window->machine, key,
                                         on == usual ? ""
                                         : on        ? "on"
                                                     : "off",
                                         NULL, NULL, NULL);
}

static void
apply(VmWindow *window, GHashTable *table)
{
    gboolean scaled = is_on(table, VM_WINDOW_SCALE_DATA, FALSE);

    /* Unscaled, the size is the guest's matter. */
    widget_geometry_restore(GTK_WINDOW(window), g_hash_table_lookup(table, POSITION_DATA), scaled);
    if (scaled)
        vm_window_set_scaled(window, TRUE);
    if (!is_on(table, VM_WINDOW_STATUS_BAR_DATA, TRUE))
        g_action_group_change_action_state(G_ACTION_GROUP(window), "status-bar",
                                           g_variant_new_boolean(FALSE));
    if (is_on(table, VM_WINDOW_FULLSCREEN_DATA, FALSE))
        vm_window_set_fullscreen(window, TRUE);
}

static void
on_extra_data(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GHashTable) table =
        vitrine_machine_load_extra_data_finish(VITRINE_MACHINE(source), result, NULL);

    if (window->ending)
        return;
    if (table)
        apply(window, table);
    widget_geometry_follow(GTK_WINDOW(window), on_geometry, window);
    gtk_window_present(GTK_WINDOW(window));
}

void
vm_window_remember(VmWindow *window)
{
    vitrine_machine_load_extra_data_async(window->machine, window->cancel, on_extra_data,
                                          g_object_ref(window));
}
