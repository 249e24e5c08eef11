/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the person has chosen in the wizard, and its last page, which says so. */
#include "app/widgets/widget-format.h"
#include "app/wizards/new-machine/new-machine-dialog.h"

#include <glib/gi18n.h>
#include <math.h>

#define BYTES_PER_GB (1024.0 * 1024 * 1024)

NewMachinePlan *
new_machine_make_plan(NewMachineDialog *dialog)
{
    const VitrineOsType *type = new_machine_chosen_type(dialog);
    NewMachinePlan *plan = g_new0(NewMachinePlan, 1);

    plan->name = g_strdup(gtk_entry_get_text(dialog->name_entry));
    plan->folder = g_strdup(gtk_entry_get_text(dialog->folder_entry));
    plan->os_type = g_strdup(type ? type->id : "Other");
    plan->iso = gtk_file_chooser_get_filename(dialog->iso_chooser);
    plan->memory = (guint)gtk_adjustment_get_value(dialog->memory_adjustment);
    plan->cpus = (guint)gtk_adjustment_get_value(dialog->cpus_adjustment);
    plan->disk_size =
        (guint64)llround(gtk_adjustment_get_value(dialog->disk_adjustment) * BYTES_PER_GB);
    plan->disk_fixed = gtk_toggle_button_get_active(dialog->disk_fixed);
    plan->disk_file = gtk_file_chooser_get_filename(dialog->disk_chooser);
    plan->start = gtk_toggle_button_get_active(dialog->start_check);
    plan->disk = gtk_toggle_button_get_active(dialog->disk_new)        ? NEW_MACHINE_DISK_NEW
                 : gtk_toggle_button_get_active(dialog->disk_existing) ? NEW_MACHINE_DISK_EXISTING
                                                                       : NEW_MACHINE_DISK_NONE;
    return plan;
}

/* --- summary --- */
static void
add_summary_row(GtkGrid *grid, int row, const char *title, const char *value)
{
    GtkWidget *label = gtk_label_new(title), *text = gtk_label_new(value);

    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_widget_set_valign(label, GTK_ALIGN_START);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_label_set_xalign(GTK_LABEL(text), 0);
    gtk_label_set_line_wrap(GTK_LABEL(text), TRUE);
    gtk_label_set_line_wrap_mode(GTK_LABEL(text), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(GTK_LABEL(text), 52);
    gtk_grid_attach(grid, label, 0, row, 1, 1);
    gtk_grid_attach(grid, text, 1, row, 1, 1);
}

static char *
disk_summary(const NewMachinePlan *plan)
{
    g_autofree char *size = widget_megabytes(plan->disk_size / (1024 * 1024));

    if (plan->disk == NEW_MACHINE_DISK_NONE)
        return g_strdup(_("None"));
    if (plan->disk == NEW_MACHINE_DISK_EXISTING)
        return g_path_get_basename(plan->disk_file);
    return g_strdup_printf(plan->disk_fixed ? _("New, %s, allocated now") : _("New, up to %s"),
                           size);
}

void
new_machine_show_summary(NewMachineDialog *dialog)
{
    NewMachinePlan *plan = new_machine_make_plan(dialog);
    g_autofree char *disk = disk_summary(plan), *memory = widget_megabytes(plan->memory);
    g_autofree char *cpus = g_strdup_printf("%u", plan->cpus);
    g_autofree char *iso = plan->iso ? g_path_get_basename(plan->iso) : g_strdup(_("None"));
    g_autofree char *text =
        plan->iso
            ? g_strdup_printf(_("“%s” will be a computer with %s of memory that boots %s."),
                              plan->name, memory, iso)
            : g_strdup_printf(_("“%s” will be a computer with %s of memory."), plan->name, memory);
    g_autoptr(GList) old = gtk_container_get_children(GTK_CONTAINER(dialog->summary_grid));

    for (GList *item = old; item; item = item->next)
        gtk_widget_destroy(item->data);
    gtk_label_set_text(dialog->summary_text, text);
    add_summary_row(dialog->summary_grid, 0, _("System"), widget_os_name(plan->os_type));
    add_summary_row(dialog->summary_grid, 1, _("Memory"), memory);
    add_summary_row(dialog->summary_grid, 2, _("Processors"), cpus);
    add_summary_row(dialog->summary_grid, 3, _("Disk"), disk);
    add_summary_row(dialog->summary_grid, 4, _("Image"), iso);
    add_summary_row(dialog->summary_grid, 5, _("Folder"), plan->folder);
    gtk_widget_show_all(GTK_WIDGET(dialog->summary_grid));
    new_machine_plan_free(plan);
}
