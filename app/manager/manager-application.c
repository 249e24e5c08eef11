/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The manager's application: actions of the whole program, accelerators, the connection to the
 * service. Where there is a session bus a second start shows the first one's window. */
#include "app/manager/manager-application.h"

#include "app/manager/manager-window.h"
#include "app/preferences/preferences.h"
#include "app/widgets/widget-actions.h"
#include "app/widgets/widget-preferences.h"

#include <glib/gi18n.h>

typedef struct {
    GtkApplication *application;
    ManagerWindow *window;
    VitrineClient *client;
} Manager;

static void
on_client(GObject *source, GAsyncResult *result, gpointer data)
{
    Manager *manager = data;
    g_autoptr(GError) error = NULL;
    VitrineClient *client = vitrine_client_new_finish(result, &error);

    if (!manager->window)
        g_clear_object(&client);
    else if (client) {
        manager->client = client;
        widget_preferences_apply(client);
        manager_window_set_client(manager->window, client);
    } else
        manager_window_set_failed(manager->window, error);
}

static void
connect_service(Manager *manager)
{
    vitrine_client_new_async(NULL, NULL, on_client, manager);
}

static void
on_reconnect(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    connect_service(data);
}

static void
on_preferences(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Manager *manager = data;

    if (manager->client)
        preferences_show(GTK_WINDOW(manager->window), manager->client);
}

static void
on_about(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Manager *manager = data;

    widget_about_show(GTK_WINDOW(manager->window));
}

static void
on_quit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    Manager *manager = data;

    if (manager->window)
        gtk_window_close(GTK_WINDOW(manager->window));
}

static void
add_accelerators(GtkApplication *application)
{
    static const struct {
        const char *action;
        const char *keys[3];
    } rows[] = {
        {"app.preferences", {"<Primary>comma", "<Primary>g"}},
        {"app.quit", {"<Primary>q"}},
        {"win.add", {"<Primary>a"}},
        {"win.discard", {"<Primary>j"}},
        {"win.move-down", {"<Alt>Down"}},
        {"win.move-up", {"<Alt>Up"}},
        {"win.new", {"<Primary>n"}},
        {"win.new-group", {"<Primary>u"}},
        {"win.rename-group", {"F2"}},
        {"win.remove", {"<Primary>r", "Delete"}},
        {"win.search", {"<Primary>f"}},
        {"win.settings", {"<Primary>s"}},
        {"win.show-help-overlay", {"<Primary>question"}},
        {"win.show-log", {"<Primary>l"}},
        {"win.media", {"<Primary>d"}},
        {"win.networks", {"<Primary>h"}},
        {"win.clone", {"<Primary>o"}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        gtk_application_set_accels_for_action(application, rows[i].action, rows[i].keys);
}

static void
on_startup(GtkApplication *application, Manager *manager)
{
    static const GActionEntry entries[] = {
        {.name = "about", .activate = on_about},
        {.name = "preferences", .activate = on_preferences},
        {.name = "quit", .activate = on_quit},
        {.name = "reconnect", .activate = on_reconnect},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(application), entries, G_N_ELEMENTS(entries),
                                    manager);
    add_accelerators(application);
}

static void
add_help_overlay(ManagerWindow *window)
{
    g_autoptr(GtkBuilder) builder =
        gtk_builder_new_from_resource("/org/vitrine/Vitrine/manager/help-overlay.ui");

    gtk_application_window_set_help_overlay(
        GTK_APPLICATION_WINDOW(window),
        GTK_SHORTCUTS_WINDOW(gtk_builder_get_object(builder, "help_overlay")));
}

/* The machines come when the window is on the screen. */
static gboolean
on_shown(gpointer data)
{
    Manager *manager = data;

    if (manager->window)
        manager_window_set_client(manager->window, manager->client);
    return G_SOURCE_REMOVE;
}

static void
open_window(Manager *manager)
{
    manager->window = manager_window_new(manager->application);
    g_object_add_weak_pointer(G_OBJECT(manager->window), (gpointer *)&manager->window);
    add_help_overlay(manager->window);
    if (!manager->client) {
        connect_service(manager);
        return;
    }
    manager_window_restore(manager->window, manager->client);
    g_idle_add_full(G_PRIORITY_LOW, on_shown, manager, NULL);
}

static void
on_activate(GtkApplication *application, Manager *manager)
{
    if (!manager->window)
        open_window(manager);
    gtk_window_present(GTK_WINDOW(manager->window));
}

int
manager_application_run(void)
{
    g_autoptr(GtkApplication) application =
        gtk_application_new("org.vitrine.Vitrine", G_APPLICATION_DEFAULT_FLAGS);
    Manager manager = {.application = application};
    int status;

    /* Language and place of the window have to be known before it is made; a service that does not
     * answer is tried again, and told of, by the window. */
    manager.client = vitrine_client_new_sync(NULL, NULL, NULL);
    if (manager.client)
        widget_preferences_apply(manager.client);
    g_signal_connect(application, "startup", G_CALLBACK(on_startup), &manager);
    g_signal_connect(application, "activate", G_CALLBACK(on_activate), &manager);
    status = g_application_run(G_APPLICATION(application), 0, NULL);
    g_clear_object(&manager.client);
    return status;
}
