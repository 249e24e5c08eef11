/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What can be done with media. */
#include "app/media/media-private.h"
#include "app/widgets/widget-actions.h"
#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-new-disk.h"

#include <glib/gi18n.h>

#define GROUP "media"

enum { RESPONSE_KEEP = 1, RESPONSE_DELETE };

/* --- add, create, refresh --- */

static void
on_added(const char *medium, const GError *error, gpointer data)
{
    MediaWindow *window = data;

    if (medium)
        media_window_select(window, medium);
    else
        media_window_show_error(window, _("The image was not added"), error);
}

static void
on_add(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    MediaWindow *window = data;

    widget_medium_choose(GTK_WINDOW(window), media_window_get_client(window),
                         media_window_get_kind(window), on_added, g_object_ref(window),
                         g_object_unref);
}

static void
on_made(gpointer data, const char *medium)
{
    media_window_select(data, medium);
}

static void
on_create(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    MediaWindow *window = data;
    VitrineClient *client = media_window_get_client(window);
    g_autofree char *folder = NULL;

    g_object_get(client, "machine-folder", &folder, NULL);
    widget_new_disk_show(GTK_WINDOW(window), client, folder, _("New disk"), on_made,
                         G_OBJECT(window));
}

static void
on_copy(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    MediaWindow *window = data;

    widget_copy_disk_show(GTK_WINDOW(window), media_window_get_client(window),
                          media_window_get_medium(window), on_made, G_OBJECT(window));
}

static void
on_refreshed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_medium_refresh_finish(VITRINE_MEDIUM(source), result, &error))
        media_window_show_error(window, _("The image cannot be read"), error);
}

static void
on_refresh(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    vitrine_medium_refresh_async(media_window_get_medium(data), NULL, on_refreshed,
                                 g_object_ref(data));
}

/* --- remove --- */

typedef struct {
    MediaWindow *window;
    VitrineMedium *medium;
} Removal;

static void
on_closed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_medium_close_finish(VITRINE_MEDIUM(source), result, &error))
        media_window_show_error(window, _("The medium was not removed"), error);
}

static void
on_remove_response(GtkDialog *dialog, int response, gpointer data)
{
    Removal *removal = data;

    if (response == RESPONSE_KEEP || response == RESPONSE_DELETE)
        vitrine_medium_close_async(removal->medium, response == RESPONSE_DELETE, NULL, on_closed,
                                   g_object_ref(removal->window));
    gtk_widget_destroy(GTK_WIDGET(dialog));
    g_object_unref(removal->medium);
    g_object_unref(removal->window);
    g_free(removal);
}

static void
on_remove(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    MediaWindow *window = data;
    VitrineMedium *medium = media_window_get_medium(window);
    g_autofree char *file = vitrine_medium_dup_name(medium);
    g_autofree char *title = media_users_title(media_window_get_users(window), medium);
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Remove “%s”?"), title ? title : file);
    Removal *removal = g_new(Removal, 1);
    GtkWidget *delete;

    *removal = (Removal){g_object_ref(window), g_object_ref(medium)};
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog),
        _("It can leave the list and keep its file, so that it can be added again later. Or the "
          "file is deleted, with all that is in it; that cannot be undone."));
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL,
                           _("_Remove from list"), RESPONSE_KEEP, NULL);
    delete = gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Delete the file"), RESPONSE_DELETE);
    gtk_style_context_add_class(gtk_widget_get_style_context(delete), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_signal_connect(dialog, "response", G_CALLBACK(on_remove_response), removal);
    gtk_widget_show(dialog);
}

/* --- all of them --- */

/* The first of the reasons that holds; NULL: none. */
static const char *
why_not_change(VitrineMedium *medium, gboolean stood_on)
{
    if (!medium)
        return _("Select a medium");
    return stood_on ? _("Other images stand on it, such as those of snapshots") : NULL;
}

static const char *
why_no_work(MediaWindow *window, VitrineMedium *medium)
{
    if (!medium)
        return _("Select a medium");
    if (media_window_is_busy(window))
        return _("Something else is being done with a medium");
    return vitrine_medium_get_state(medium) == VITRINE_MEDIUM_STATE_CREATED
               ? NULL
               : _("The image is in use, or can't be read");
}

static const char *
why_no_resize(MediaWindow *window, VitrineMedium *medium, gboolean stood_on)
{
    const char *why = why_not_change(medium, stood_on);

    if (why)
        return why;
    return vitrine_medium_get_kind(medium) == VITRINE_MEDIUM_KIND_HARD_DISK
               ? why_no_work(window, medium)
               : _("Only disks can have another size");
}

static const char *
why_no_copy(MediaWindow *window, VitrineMedium *medium)
{
    return medium && vitrine_medium_get_kind(medium) != VITRINE_MEDIUM_KIND_HARD_DISK
               ? _("Only disks can be copied: the file of another image can be copied as it is")
               : why_no_work(window, medium);
}

static const char *
why_no_release(VitrineMedium *medium, gboolean attached, gboolean used)
{
    if (!medium)
        return _("Select a medium");
    if (attached)
        return NULL;
    return used ? _("Only a snapshot uses it: delete the snapshot instead")
                : _("No machine uses it");
}

static const char *
why_no_remove(VitrineMedium *medium, gboolean attached, gboolean used, gboolean stood_on)
{
    const char *why = why_not_change(medium, stood_on);

    if (why || !used)
        return why;
    return attached ? _("A machine uses it: release it first")
                    : _("A snapshot of a machine uses it");
}

void
media_window_update_commands(MediaWindow *window)
{
    GActionMap *map = G_ACTION_MAP(gtk_widget_get_action_group(GTK_WIDGET(window), GROUP));
    VitrineMedium *medium = media_window_get_medium(window);
    const char *const *machines = medium ? vitrine_medium_get_machines(medium) : NULL;
    const gboolean attached =
        medium && media_users_is_attached(media_window_get_users(window), medium);
    const char *const *children = medium ? vitrine_medium_get_children(medium) : NULL;
    const char *const *snapshots = medium ? vitrine_medium_get_snapshots(medium) : NULL;
    const gboolean used = (machines && machines[0]) || (snapshots && snapshots[0]);
    const gboolean stood_on = children && children[0];
    const gboolean disk =
        medium && vitrine_medium_get_kind(medium) == VITRINE_MEDIUM_KIND_HARD_DISK;
    const gboolean free = medium && !media_window_is_busy(window) &&
                          vitrine_medium_get_state(medium) == VITRINE_MEDIUM_STATE_CREATED;

    widget_action_offer(map, "release", media_window_get_button(window, MEDIA_BUTTON_RELEASE),
                        _("Take it out of the machines that use it"),
                        why_no_release(medium, attached, used));
    widget_action_offer(map, "remove", media_window_get_button(window, MEDIA_BUTTON_REMOVE),
                        _("Take it off the list, or delete its file"),
                        why_no_remove(medium, attached, used, stood_on));
    widget_action_enable(map, "refresh", medium != NULL);
    widget_action_offer(map, "copy", media_window_get_button(window, MEDIA_BUTTON_COPY),
                        _("A new disk with the same content"), why_no_copy(window, medium));
    widget_action_offer(map, "move", media_window_get_button(window, MEDIA_BUTTON_MOVE),
                        _("Its file into another folder"), why_no_work(window, medium));
    widget_action_offer(map, "resize", media_window_get_button(window, MEDIA_BUTTON_RESIZE),
                        _("More room for the guest"), why_no_resize(window, medium, stood_on));
    widget_action_enable(map, "compact", free && disk);
    widget_action_enable(map, "repair", medium && media_can_repair(medium));
}

void
media_window_add_commands(MediaWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "add", .activate = on_add},
        {.name = "compact", .activate = media_compact},
        {.name = "copy", .activate = on_copy},
        {.name = "create", .activate = on_create},
        {.name = "move", .activate = media_move},
        {.name = "refresh", .activate = on_refresh},
        {.name = "release", .activate = media_release},
        {.name = "remove", .activate = on_remove},
        {.name = "repair", .activate = media_repair},
        {.name = "resize", .activate = media_resize},
    };
    g_autoptr(GSimpleActionGroup) group = g_simple_action_group_new();

    g_action_map_add_action_entries(G_ACTION_MAP(group), entries, G_N_ELEMENTS(entries), window);
    gtk_widget_insert_action_group(GTK_WIDGET(window), GROUP, G_ACTION_GROUP(group));
}
