/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, Storage: controllers with their drives in one list; each drive with its medium and a
 * menu to change it. */
#include "app/settings/settings-private.h"

#include "app/settings/settings-storage-add.h"
#include "app/settings/settings-storage-edit.h"
#include "app/settings/settings-storage-kinds.h"
#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-empty.h"
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

struct _SettingsStorage {
    SettingsDialog *dialog; /* owns us */
    VitrineSettings *settings;
    GtkListBox *list;
    gulong handler;
    guint idle;
};

SettingsDialog *
settings_storage_dialog(SettingsStorage *storage)
{
    return storage->dialog;
}

static void
storage_free(gpointer data)
{
    SettingsStorage *storage = data;

    g_clear_signal_handler(&storage->handler, storage->settings);
    g_clear_handle_id(&storage->idle, g_source_remove);
    g_object_unref(storage->settings);
    g_free(storage);
}

/* --- buttons of a row carry what they are about --- */
typedef struct {
    SettingsStorage *storage;
    VitrineAttachment *drive; /* NULL: about the controller */
    char *controller;
} RowTarget;

static void
row_target_free(gpointer data)
{
    RowTarget *target = data;

    if (target->drive)
        vitrine_attachment_free(target->drive);
    g_free(target->controller);
    g_free(target);
}

static void
on_remove(GtkButton *button, RowTarget *target)
{
    if (target->drive)
        vitrine_settings_remove_attachment(target->storage->settings, target->drive->controller,
                                           target->drive->port, target->drive->device);
    else
        vitrine_settings_remove_controller(target->storage->settings, target->controller);
}

static void
on_eject(GtkButton *button, RowTarget *target)
{
    g_autoptr(VitrineAttachment) drive = vitrine_attachment_copy(target->drive);

    g_free(drive->medium);
    drive->medium = g_strdup("");
    g_free(drive->host_drive);
    drive->host_drive = g_strdup("");
    vitrine_settings_put_attachment(target->storage->settings, drive);
}

static void
on_choose(GtkButton *button, RowTarget *target)
{
    settings_storage_choose_medium(target->storage, target->drive, GTK_WIDGET(button));
}

static void
on_edit(GtkButton *button, RowTarget *target)
{
    if (target->drive)
        settings_storage_edit_drive(target->storage, target->drive);
    else
        settings_storage_edit_controller(target->storage, target->controller);
}

static GtkWidget *
add_button(GtkBox *box, const char *icon, const char *name, GCallback callback, RowTarget *target)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);

    gtk_button_set_relief(GTK_BUTTON(button), GTK_RELIEF_NONE);
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    widget_set_name(button, name);
    g_signal_connect(button, "clicked", callback, target);
    gtk_box_pack_end(box, button, FALSE, FALSE, 0);
    return button;
}

static GtkBox *
add_row(SettingsStorage *storage, const char *icon, const char *title, const char *subtitle,
        int indent)
{
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *label = gtk_label_new(title);

    gtk_container_set_border_width(GTK_CONTAINER(box), 6);
    gtk_widget_set_margin_start(box, indent);
    gtk_box_pack_start(GTK_BOX(box), gtk_image_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON),
                       FALSE, FALSE, 6);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_MIDDLE);
    gtk_box_pack_start(GTK_BOX(texts), label, FALSE, FALSE, 0);
    if (subtitle) {
        GtkWidget *dim = widget_dim_label(subtitle);
        gtk_box_pack_start(GTK_BOX(texts), dim, FALSE, FALSE, 0);
    }
    gtk_widget_set_valign(texts, GTK_ALIGN_CENTER);
    gtk_box_pack_start(GTK_BOX(box), texts, TRUE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    gtk_container_add(GTK_CONTAINER(storage->list), row);
    return GTK_BOX(box);
}

static RowTarget *
target_new(SettingsStorage *storage, GtkBox *row, const char *controller,
           const VitrineAttachment *drive)
{
    RowTarget *target = g_new0(RowTarget, 1);

    target->storage = storage;
    target->controller = g_strdup(controller);
    target->drive = drive ? vitrine_attachment_copy(drive) : NULL;
    g_object_set_data_full(G_OBJECT(row), "target", target, row_target_free);
    return target;
}

/* Where it is, and what is special about it; the caller's. */
static char *
drive_subtitle(SettingsStorage *storage, const VitrineAttachment *drive)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *place = widget_drive_place(storage->settings, drive);

    g_string_append(text, place);
    if (drive->hot_pluggable)
        g_string_append_printf(text, ", %s", _("hot-pluggable"));
    if (drive->non_rotational)
        g_string_append_printf(text, ", %s", _("solid-state"));
    if (drive->passthrough && *drive->host_drive)
        g_string_append_printf(text, ", %s", _("passthrough"));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* What is in a drive changes always; a drive itself while the machine runs if it is hot-pluggable,
 * or is not there before Save. */
static void
open_live(SettingsStorage *storage, const VitrineAttachment *drive, GtkWidget *remove,
          GtkWidget *choose, GtkWidget *eject)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(storage->settings, drive->controller);
    const gboolean is_new =
        !settings_dialog_had_drive(storage->dialog, drive->controller, drive->port, drive->device);

    if (controller &&
        settings_storage_hot_plugs(settings_dialog_get_models(storage->dialog), controller) &&
        (drive->hot_pluggable || is_new))
        settings_lock_open(remove, SETTINGS_RUNNING);
    if (drive->kind != VITRINE_MEDIUM_KIND_HARD_DISK)
        settings_lock_open(choose, is_new ? SETTINGS_RUNNING : SETTINGS_ALWAYS);
    if (eject)
        settings_lock_open(eject, SETTINGS_ALWAYS);
}

static void
add_drive_row(SettingsStorage *storage, const VitrineAttachment *drive)
{
    VitrineClient *client = settings_dialog_get_client(storage->dialog);
    g_autofree char *title = widget_drive_medium(client, drive);
    g_autofree char *place = drive_subtitle(storage, drive);
    GtkBox *row = add_row(storage, widget_drive_icon(drive->kind), title, place, 24);
    RowTarget *target = target_new(storage, row, drive->controller, drive);
    GtkWidget *remove, *choose, *eject = NULL;

    remove = add_button(row, "list-remove-symbolic", _("Remove the drive"), G_CALLBACK(on_remove),
                        target);
    add_button(row, "document-edit-symbolic", _("Change the drive…"), G_CALLBACK(on_edit), target);
    if (drive->kind != VITRINE_MEDIUM_KIND_HARD_DISK && (*drive->medium || *drive->host_drive))
        eject = add_button(row, "media-eject-symbolic", _("Take the medium out"),
                           G_CALLBACK(on_eject), target);
    choose = add_button(row, "document-open-symbolic", _("Choose a medium…"), G_CALLBACK(on_choose),
                        target);
    open_live(storage, drive, remove, choose, eject);
}

static void
add_controller_row(SettingsStorage *storage, const VitrineController *controller)
{
    SettingsModels *models = settings_dialog_get_models(storage->dialog);
    g_autofree char *upper =
        g_ascii_strup(vitrine_nick(VITRINE_TYPE_CONTROLLER_TYPE, (int)controller->type), -1);
    GtkBox *row = add_row(storage, "drive-multidisk-symbolic", controller->name,
                          vitrine_controller_is_built(controller->type)
                              ? _(settings_storage_kind_of(models, controller)->title)
                              : upper,
                          0);
    RowTarget *target = target_new(storage, row, controller->name, NULL);

    add_button(row, "list-remove-symbolic", _("Remove the controller and its drives"),
               G_CALLBACK(on_remove), target);
    add_button(row, "document-edit-symbolic", _("Change the controller…"), G_CALLBACK(on_edit),
               target);
}

static void
refill(SettingsStorage *storage)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(storage->settings);
    GPtrArray *drives = vitrine_settings_get_attachments(storage->settings);
    g_autoptr(GList) rows = gtk_container_get_children(GTK_CONTAINER(storage->list));

    for (GList *item = rows; item; item = item->next)
        gtk_widget_destroy(item->data);
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = g_ptr_array_index(controllers, i);
        add_controller_row(storage, controller);
        for (guint j = 0; j < drives->len; j++) {
            const VitrineAttachment *drive = g_ptr_array_index(drives, j);
            if (g_ascii_strcasecmp(drive->controller, controller->name) == 0)
                add_drive_row(storage, drive);
        }
    }
    gtk_widget_show_all(GTK_WIDGET(storage->list));
    settings_dialog_lock(storage->dialog, GTK_WIDGET(storage->list));
}

/* The change may come from a button of a row that goes away. */
static gboolean
refill_later(gpointer data)
{
    SettingsStorage *storage = data;

    storage->idle = 0;
    refill(storage);
    return G_SOURCE_REMOVE;
}

static void
on_changed(VitrineSettings *settings, SettingsStorage *storage)
{
    if (!storage->idle)
        storage->idle = g_idle_add_full(G_PRIORITY_HIGH_IDLE, refill_later, storage, NULL);
}

GtkWidget *
settings_page_storage(SettingsDialog *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12),
              *scroller = gtk_scrolled_window_new(NULL, NULL);
    SettingsStorage *storage = g_new0(SettingsStorage, 1);
    GtkWidget *placeholder =
        widget_empty_page_new(widget_drive_icon(VITRINE_MEDIUM_KIND_HARD_DISK),
                              _("No controllers. Add one to attach drives."), NULL);

    storage->dialog = dialog;
    storage->settings = g_object_ref(settings_dialog_get_settings(dialog));
    storage->list = GTK_LIST_BOX(gtk_list_box_new());
    gtk_list_box_set_selection_mode(storage->list, GTK_SELECTION_NONE);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(storage->list)),
                        _("Controllers and drives"));
    gtk_list_box_set_placeholder(storage->list, placeholder);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(scroller), GTK_WIDGET(storage->list));
    gtk_container_set_border_width(GTK_CONTAINER(box), 18);
    gtk_box_pack_start(GTK_BOX(box), scroller, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), settings_storage_add_bar(storage), FALSE, FALSE, 0);
    storage->handler =
        g_signal_connect(storage->settings, "changed::storage", G_CALLBACK(on_changed), storage);
    g_object_set_data_full(G_OBJECT(box), "storage", storage, storage_free);
    refill(storage);
    return box;
}
