/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dialogs of controllers and drives. What is wrong is told below, and Apply waits for it. */
#include "app/settings/settings-storage-edit.h"

#include "app/settings/settings-storage-kinds.h"
#include "app/widgets/widget-drive.h"

#include <glib/gi18n.h>

#define EDITOR_DATA "editor"

typedef struct _Editor Editor;
struct _Editor {
    SettingsDialog *settings_dialog;
    char *controller;         /* its name before */
    VitrineAttachment *drive; /* NULL: about the controller */
    void (*apply)(Editor *editor);
    GtkWidget *dialog, *form, *button, *problem;
    GtkWidget *name, *kind, *ports, *cache; /* of a controller */
    GtkWidget *place, *hot_pluggable, *solid_state, *discard, *temporary,
        *passthrough;  /* of a drive */
    GPtrArray *places; /* VitrineAttachment, by the number in place */
};

static VitrineSettings *
settings_of(const Editor *editor)
{
    return settings_dialog_get_settings(editor->settings_dialog);
}

static void
editor_free(gpointer data)
{
    Editor *editor = data;

    g_object_unref(editor->settings_dialog);
    g_free(editor->controller);
    g_clear_pointer(&editor->drive, vitrine_attachment_free);
    g_clear_pointer(&editor->places, g_ptr_array_unref);
    g_free(editor);
}

static void
show_problem(Editor *editor, const char *problem)
{
    gtk_label_set_text(GTK_LABEL(editor->problem), problem ? problem : "");
    gtk_widget_set_visible(editor->problem, problem != NULL);
    gtk_widget_set_sensitive(editor->button, problem == NULL);
    gtk_widget_set_tooltip_text(editor->button, problem);
}

static void
on_response(GtkDialog *dialog, int response, Editor *editor)
{
    if (response == GTK_RESPONSE_OK)
        editor->apply(editor);
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

static Editor *
editor_new(SettingsStorage *storage, const char *title, void (*apply)(Editor *editor))
{
    Editor *editor = g_new0(Editor, 1);

    editor->settings_dialog = g_object_ref(settings_storage_dialog(storage));
    editor->apply = apply;
    editor->dialog = gtk_dialog_new_with_buttons(
        title, GTK_WINDOW(editor->settings_dialog),
        GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT | GTK_DIALOG_USE_HEADER_BAR, _("_Cancel"),
        GTK_RESPONSE_CANCEL, _("_Apply"), GTK_RESPONSE_OK, NULL);
    editor->button =
        gtk_dialog_get_widget_for_response(GTK_DIALOG(editor->dialog), GTK_RESPONSE_OK);
    editor->form = widget_form_new();
    gtk_window_set_resizable(GTK_WINDOW(editor->dialog), FALSE); /* as small as what is in it */
    gtk_dialog_set_default_response(GTK_DIALOG(editor->dialog), GTK_RESPONSE_OK);
    gtk_container_add(GTK_CONTAINER(gtk_dialog_get_content_area(GTK_DIALOG(editor->dialog))),
                      editor->form);
    g_object_set_data_full(G_OBJECT(editor->dialog), EDITOR_DATA, editor, editor_free);
    g_signal_connect(editor->dialog, "response", G_CALLBACK(on_response), editor);
    return editor;
}

static void
show_editor(Editor *editor, int row)
{
    editor->problem = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(editor->problem), 0);
    gtk_label_set_line_wrap(GTK_LABEL(editor->problem), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(editor->problem), 44);
    gtk_style_context_add_class(gtk_widget_get_style_context(editor->problem), "error");
    gtk_grid_attach(GTK_GRID(editor->form), editor->problem, 1, row, 1, 1);
    gtk_widget_show_all(editor->dialog);
    gtk_widget_hide(editor->problem);
}

static GtkWidget *
add_check(Editor *editor, int *row, const char *label, const char *tooltip, gboolean active)
{
    GtkWidget *check = gtk_check_button_new_with_mnemonic(label);

    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), active);
    gtk_widget_set_tooltip_text(check, tooltip);
    gtk_grid_attach(GTK_GRID(editor->form), check, 1, (*row)++, 1, 1);
    return check;
}

static gboolean
is_checked(GtkWidget *check)
{
    return gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(check));
}

/* --- a controller --- */
static const SettingsStorageKind *
chosen_kind(const Editor *editor)
{
    guint count;

    return settings_storage_kinds(&count) +
           MAX(gtk_combo_box_get_active(GTK_COMBO_BOX(editor->kind)), 0);
}

/* Another controller has the bus: there is one of each. */
static gboolean
is_taken(const Editor *editor, VitrineStorageBus bus)
{
    GPtrArray *controllers = vitrine_settings_get_controllers(settings_of(editor));

    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *other = controllers->pdata[i];

        if (g_ascii_strcasecmp(other->name, editor->controller) != 0 &&
            vitrine_controller_bus(other->type) == bus)
            return TRUE;
    }
    return FALSE;
}

/* Tried on a copy. */
static gboolean
fits(const Editor *editor, const SettingsStorageKind *kind)
{
    g_autoptr(VitrineSettings) copy = vitrine_settings_copy(settings_of(editor));
    g_autoptr(SettingsModels) models = settings_models_new(copy, NULL);

    return settings_storage_change_kind(copy, models, editor->controller, kind);
}

static guint
used_ports(const Editor *editor)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings_of(editor));
    guint used = 1;

    for (guint i = 0; i < drives->len; i++) {
        const VitrineAttachment *drive = drives->pdata[i];

        if (g_ascii_strcasecmp(drive->controller, editor->controller) == 0)
            used = MAX(used, drive->port + 1);
    }
    return used;
}

static const char *
controller_problem(const Editor *editor)
{
    const char *name = gtk_entry_get_text(GTK_ENTRY(editor->name));
    const SettingsStorageKind *kind = chosen_kind(editor);
    const VitrineController *present =
        vitrine_settings_find_controller(settings_of(editor), editor->controller);

    if (*name == '\0' || strchr(name, '/'))
        return _("A controller needs a name without \"/\".");
    if (g_ascii_strcasecmp(name, editor->controller) != 0 &&
        vitrine_settings_find_controller(settings_of(editor), name))
        return _("Another controller has this name.");
    if (is_taken(editor, vitrine_controller_bus(kind->type)))
        return _("The machine has a controller of this kind already.");
    if (!fits(editor, kind))
        return _("Not all of its drives have a place at a controller of this kind: remove those "
                 "that have none first.");
    if (vitrine_controller_bus(kind->type) == vitrine_controller_bus(present->type) &&
        gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(editor->ports)) < (int)used_ports(editor))
        return _("A drive is at one of the ports that would be taken away.");
    return NULL;
}

static void
on_controller_changed(GtkWidget *widget, Editor *editor)
{
    const VitrineBusLimits *limits =
        vitrine_bus_limits(vitrine_controller_bus(chosen_kind(editor)->type));

    gtk_spin_button_set_range(GTK_SPIN_BUTTON(editor->ports), limits->min_ports, limits->max_ports);
    gtk_widget_set_sensitive(editor->ports, limits->min_ports < limits->max_ports);
    show_problem(editor, controller_problem(editor));
}

static void
apply_controller(Editor *editor)
{
    VitrineSettings *settings = settings_of(editor);
    SettingsModels *models = settings_dialog_get_models(editor->settings_dialog);
    const SettingsStorageKind *kind = chosen_kind(editor);
    const char *name = gtk_entry_get_text(GTK_ENTRY(editor->name));
    g_autoptr(VitrineController) controller = NULL;

    if (!settings_storage_change_kind(settings, models, editor->controller, kind))
        return;
    controller =
        vitrine_controller_copy(vitrine_settings_find_controller(settings, editor->controller));
    controller->port_count =
        MAX(used_ports(editor),
            (guint)gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(editor->ports)));
    controller->host_io_cache = is_checked(editor->cache);
    vitrine_settings_put_controller(settings, controller);
    if (vitrine_settings_rename_controller(settings, editor->controller, name))
        settings_models_set(models, name, kind->model);
}

static void
add_kinds(Editor *editor, const VitrineController *controller)
{
    const SettingsStorageKind *present =
        settings_storage_kind_of(settings_dialog_get_models(editor->settings_dialog), controller);
    guint count;
    const SettingsStorageKind *kinds = settings_storage_kinds(&count);

    editor->kind = gtk_combo_box_text_new();
    for (guint i = 0; i < count; i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(editor->kind), _(kinds[i].title));
        if (&kinds[i] == present)
            gtk_combo_box_set_active(GTK_COMBO_BOX(editor->kind), (int)i);
    }
}

void
settings_storage_edit_controller(SettingsStorage *storage, const char *name)
{
    Editor *editor = editor_new(storage, _("Controller"), apply_controller);
    const VitrineController *controller =
        vitrine_settings_find_controller(settings_of(editor), name);
    int row = 0;

    editor->controller = g_strdup(controller->name);
    editor->name = gtk_entry_new();
    gtk_entry_set_text(GTK_ENTRY(editor->name), controller->name);
    gtk_entry_set_activates_default(GTK_ENTRY(editor->name), TRUE);
    add_kinds(editor, controller);
    editor->ports = gtk_spin_button_new_with_range(1, 1, 1);
    row = widget_form_add(editor->form, row, _("_Name"), editor->name);
    row = widget_form_add(editor->form, row, _("_Type"), editor->kind);
    row = widget_form_add(editor->form, row, _("_Ports"), editor->ports);
    editor->cache = add_check(editor, &row, _("Use the host's I/O _cache"),
                              _("Faster for repeated reading; what the guest has written is safe "
                                "only when the host has written it."),
                              controller->host_io_cache);
    show_editor(editor, row);
    on_controller_changed(NULL, editor);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(editor->ports), controller->port_count);
    show_problem(editor, controller_problem(editor));
    g_signal_connect(editor->name, "changed", G_CALLBACK(on_controller_changed), editor);
    g_signal_connect(editor->kind, "changed", G_CALLBACK(on_controller_changed), editor);
    g_signal_connect(editor->ports, "value-changed", G_CALLBACK(on_controller_changed), editor);
}

/* --- a drive --- */
static const VitrineAttachment *
chosen_place(const Editor *editor)
{
    return editor->places->pdata[MAX(gtk_combo_box_get_active(GTK_COMBO_BOX(editor->place)), 0)];
}

static gboolean
can_plug(const Editor *editor)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(settings_of(editor), chosen_place(editor)->controller);

    return settings_storage_hot_plugs(settings_dialog_get_models(editor->settings_dialog),
                                      controller);
}

static void
on_place_changed(GtkComboBox *combo, Editor *editor)
{
    const VitrineController *controller =
        vitrine_settings_find_controller(settings_of(editor), chosen_place(editor)->controller);
    const gboolean passes = vitrine_controller_passes_commands(controller->type);

    gtk_widget_set_visible(editor->hot_pluggable, can_plug(editor));
    if (editor->passthrough == NULL)
        return;
    gtk_widget_set_sensitive(editor->passthrough, passes);
    gtk_widget_set_tooltip_text(
        editor->passthrough,
        passes ? _("The guest's commands reach the host's drive, so that it can write discs and "
                   "play audio CDs. No other machine can use the drive then.")
               : _("Only SATA, SAS, SCSI and VirtIO controllers pass commands on: choose another "
                   "place for the drive."));
}

static void
apply_drive(Editor *editor)
{
    VitrineSettings *settings = settings_of(editor);
    const VitrineAttachment *place = chosen_place(editor);
    g_autoptr(VitrineAttachment) drive = vitrine_attachment_copy(editor->drive);

    vitrine_settings_remove_attachment(settings, drive->controller, drive->port, drive->device);
    g_free(drive->controller);
    drive->controller = g_strdup(place->controller);
    drive->port = place->port;
    drive->device = place->device;
    drive->hot_pluggable = can_plug(editor) && is_checked(editor->hot_pluggable);
    if (editor->solid_state) {
        drive->non_rotational = is_checked(editor->solid_state);
        drive->discard = is_checked(editor->discard);
    }
    if (editor->temporary)
        drive->temp_eject = is_checked(editor->temporary);
    if (editor->passthrough)
        drive->passthrough =
            gtk_widget_get_sensitive(editor->passthrough) && is_checked(editor->passthrough);
    vitrine_settings_put_attachment(settings, drive);
}

static void
add_place(Editor *editor, VitrineAttachment *place)
{
    g_autofree char *where = widget_drive_place(settings_of(editor), place);
    g_autofree char *text = g_strdup_printf("%s – %s", place->controller, where);

    gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(editor->place), text);
    g_ptr_array_add(editor->places, place);
}

/* The free places of a controller, and the drive's own. */
static void
add_places_of(Editor *editor, const VitrineController *controller)
{
    const VitrineBusLimits *limits = vitrine_bus_limits(vitrine_controller_bus(controller->type));
    const VitrineAttachment *drive = editor->drive;

    for (guint port = 0; port < controller->port_count; port++) {
        for (guint device = 0; device < limits->devices_per_port; device++) {
            const VitrineAttachment *other = vitrine_settings_find_attachment(
                settings_of(editor), controller->name, port, device);
            const gboolean own = g_ascii_strcasecmp(controller->name, drive->controller) == 0 &&
                                 port == drive->port && device == drive->device;

            if (other && !own)
                continue;
            add_place(editor,
                      vitrine_attachment_new(controller->name, port, device, drive->kind, ""));
            if (own)
                gtk_combo_box_set_active(GTK_COMBO_BOX(editor->place),
                                         (int)editor->places->len - 1);
        }
    }
}

static void
add_places(Editor *editor)
{
    SettingsModels *models = settings_dialog_get_models(editor->settings_dialog);
    GPtrArray *controllers = vitrine_settings_get_controllers(settings_of(editor));

    editor->place = gtk_combo_box_text_new();
    editor->places = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_attachment_free);
    for (guint i = 0; i < controllers->len; i++) {
        const VitrineController *controller = controllers->pdata[i];

        if (g_ascii_strcasecmp(controller->name, editor->drive->controller) == 0 ||
            settings_storage_kind_takes(settings_storage_kind_of(models, controller),
                                        editor->drive->kind))
            add_places_of(editor, controller);
    }
}

static void
add_disk_checks(Editor *editor, int *row)
{
    editor->solid_state =
        add_check(editor, row, _("_Solid-state"),
                  _("The guest sees a disk without moving parts, and orders its work for that."),
                  editor->drive->non_rotational);
    editor->discard = add_check(editor, row, _("_Give unused space back"),
                                _("The image shrinks where the guest says that blocks are not "
                                  "used any more."),
                                editor->drive->discard);
}

void
settings_storage_edit_drive(SettingsStorage *storage, const VitrineAttachment *drive)
{
    Editor *editor = editor_new(storage, _("Drive"), apply_drive);
    int row = 0;

    editor->drive = vitrine_attachment_copy(drive);
    add_places(editor);
    row = widget_form_add(editor->form, row, _("_Place"), editor->place);
    if (drive->kind == VITRINE_MEDIUM_KIND_HARD_DISK)
        add_disk_checks(editor, &row);
    if (drive->kind == VITRINE_MEDIUM_KIND_DVD)
        editor->temporary = add_check(editor, &row, _("_Live medium"),
                                      _("When the guest ejects it, it is there again at the next "
                                        "start."),
                                      drive->temp_eject);
    if (drive->kind == VITRINE_MEDIUM_KIND_DVD && *drive->host_drive)
        editor->passthrough = add_check(editor, &row, _("_Passthrough"), NULL, drive->passthrough);
    editor->hot_pluggable =
        add_check(editor, &row, _("_Hot-pluggable"),
                  _("The drive can be taken out while the machine runs."), drive->hot_pluggable);
    show_editor(editor, row);
    on_place_changed(NULL, editor);
    g_signal_connect(editor->place, "changed", G_CALLBACK(on_place_changed), editor);
}
