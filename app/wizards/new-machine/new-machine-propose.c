/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The wizard's first page: what is on the image is recognised; system, name and hardware are
 * proposed from it unless the person has chosen. */
#include "app/widgets/widget-format.h"
#include "app/wizards/new-machine/new-machine-dialog.h"

#include <glib/gi18n.h>

#define MIB_PER_GB 1024.0

/* --- system --- */
const VitrineOsType *
new_machine_chosen_type(NewMachineDialog *dialog)
{
    return vitrine_os_type_find(gtk_combo_box_get_active_id(GTK_COMBO_BOX(dialog->version_combo)));
}

static void
propose_hardware(NewMachineDialog *dialog)
{
    const VitrineOsType *type = new_machine_chosen_type(dialog);
    g_autofree char *memory = NULL, *host = NULL, *note = NULL;

    if (!type)
        return;
    memory = widget_megabytes(type->memory);
    host = widget_megabytes(vitrine_host_memory());
    note = g_strdup_printf(_("%s is recommended for %s. This computer has %s."), memory,
                           type->description, host);
    gtk_label_set_text(dialog->memory_note, note);
    gtk_scale_clear_marks(dialog->memory_scale);
    gtk_scale_add_mark(dialog->memory_scale, type->memory, GTK_POS_BOTTOM, _("recommended"));
    if (dialog->hardware_touched)
        return;
    gtk_adjustment_set_value(dialog->memory_adjustment, type->memory);
    if (type->disk > 0)
        gtk_adjustment_set_value(dialog->disk_adjustment, type->disk / MIB_PER_GB);
}

static void
fill_versions(NewMachineDialog *dialog, const char *family)
{
    gtk_combo_box_text_remove_all(dialog->version_combo);
    for (guint i = 0; i < vitrine_os_type_count(); i++) {
        const VitrineOsType *type = vitrine_os_type_nth(i);
        if (g_strcmp0(type->family_id, family) == 0)
            gtk_combo_box_text_append(dialog->version_combo, type->id, type->description);
    }
}

static void
choose_type(NewMachineDialog *dialog, const VitrineOsType *type)
{
    dialog->filling = TRUE;
    gtk_combo_box_set_active_id(GTK_COMBO_BOX(dialog->family_combo), type->family_id);
    fill_versions(dialog, type->family_id);
    gtk_combo_box_set_active_id(GTK_COMBO_BOX(dialog->version_combo), type->id);
    dialog->filling = FALSE;
    propose_hardware(dialog);
}

void
new_machine_on_family_changed(GtkComboBox *combo, NewMachineDialog *dialog)
{
    if (dialog->filling)
        return;
    dialog->type_chosen = TRUE;
    fill_versions(dialog, gtk_combo_box_get_active_id(combo));
    gtk_combo_box_set_active(GTK_COMBO_BOX(dialog->version_combo), 0);
}

void
new_machine_on_version_changed(GtkComboBox *combo, NewMachineDialog *dialog)
{
    if (dialog->filling || !gtk_combo_box_get_active_id(combo))
        return;
    dialog->type_chosen = TRUE;
    propose_hardware(dialog);
}

static void
fill_families(NewMachineDialog *dialog)
{
    const char *last = NULL;

    for (guint i = 0; i < vitrine_os_type_count(); i++) {
        const VitrineOsType *type = vitrine_os_type_nth(i);
        if (g_strcmp0(type->family_id, last) != 0)
            gtk_combo_box_text_append(dialog->family_combo, type->family_id, type->family);
        last = type->family_id;
    }
}

void
new_machine_fill_types(NewMachineDialog *dialog)
{
    fill_families(dialog);
    choose_type(dialog, vitrine_os_type_find("Other"));
}

/* --- name --- */
/* A name that no machine has yet. */
static char *
free_name(NewMachineDialog *dialog, const char *wanted)
{
    char *name = g_strdup(wanted);

    for (unsigned i = 2; vitrine_client_find_machine(dialog->client, name); i++) {
        g_free(name);
        name = g_strdup_printf("%s %u", wanted, i);
    }
    return name;
}

static void
propose_name(NewMachineDialog *dialog, const char *wanted)
{
    g_autofree char *name = NULL;

    if (dialog->name_typed)
        return;
    name = free_name(dialog, wanted);
    dialog->filling = TRUE;
    gtk_entry_set_text(dialog->name_entry, name);
    dialog->filling = FALSE;
    new_machine_update(dialog);
}

void
new_machine_on_name_changed(GtkEditable *entry, NewMachineDialog *dialog)
{
    const VitrineOsType *type;

    if (!dialog->filling) {
        dialog->name_typed = *gtk_entry_get_text(dialog->name_entry) != '\0';
        type = vitrine_os_type_guess(gtk_entry_get_text(dialog->name_entry));
        if (type && !dialog->type_chosen)
            choose_type(dialog, type);
    }
    new_machine_update(dialog);
}

/* --- recognition --- */
static void
show_recognised(NewMachineDialog *dialog, const char *icon, const char *text, gboolean busy)
{
    gtk_widget_set_visible(dialog->recognise_spinner, busy);
    g_object_set(dialog->recognise_spinner, "active", busy, NULL);
    gtk_widget_set_visible(GTK_WIDGET(dialog->recognise_icon), icon != NULL);
    if (icon)
        gtk_image_set_from_icon_name(dialog->recognise_icon, icon, GTK_ICON_SIZE_MENU);
    gtk_label_set_text(dialog->recognise_label, text);
}

static void
take_recognised(NewMachineDialog *dialog, const VitrineMediaInfo *info)
{
    const VitrineOsType *type = vitrine_os_type_find(info->os_type);
    g_autofree char *text = NULL;

    if (!type) {
        show_recognised(
            dialog, "dialog-information-symbolic",
            info->bootable
                ? _("The image can be booted, but its system is not known. Choose it below.")
                : _("This image cannot be booted."),
            FALSE);
        return;
    }
    text = g_strdup_printf(_("Recognised: %s"), *info->os_name ? info->os_name : type->description);
    show_recognised(dialog, "emblem-ok-symbolic", text, FALSE);
    if (!dialog->type_chosen)
        choose_type(dialog, type);
    propose_name(dialog, *info->os_name ? info->os_name : type->description);
}

static void
on_recognised(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(NewMachineDialog) dialog = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineMediaInfo) info =
        vitrine_client_recognize_media_finish(VITRINE_CLIENT(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (info)
        take_recognised(dialog, info);
    else
        show_recognised(dialog, "dialog-warning-symbolic", error->message, FALSE);
}

void
new_machine_on_iso_set(GtkFileChooserButton *button, NewMachineDialog *dialog)
{
    g_autofree char *path = gtk_file_chooser_get_filename(dialog->iso_chooser);
    g_autofree char *base = path ? g_path_get_basename(path) : NULL;
    const VitrineOsType *guess = vitrine_os_type_guess(base);
    char *dot = base ? strrchr(base, '.') : NULL;

    if (!path)
        return;
    if (dot)
        *dot = '\0';
    gtk_widget_set_sensitive(dialog->iso_clear, TRUE);
    propose_name(dialog, base);
    if (guess && !dialog->type_chosen)
        choose_type(dialog, guess);
    new_machine_restart_cancellable(dialog);
    show_recognised(dialog, NULL, _("Looking what is on it…"), TRUE);
    vitrine_client_recognize_media_async(dialog->client, path, dialog->cancel, on_recognised,
                                         g_object_ref(dialog));
    gtk_widget_grab_focus(GTK_WIDGET(dialog->next_button));
}

void
new_machine_on_iso_clear(GtkButton *button, NewMachineDialog *dialog)
{
    new_machine_restart_cancellable(dialog);
    gtk_file_chooser_unselect_all(dialog->iso_chooser);
    gtk_widget_set_sensitive(dialog->iso_clear, FALSE);
    show_recognised(dialog, NULL, "", FALSE);
}
