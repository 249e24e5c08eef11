/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The wizard's window, for the files that it is made of. */
#pragma once

#include "app/wizards/new-machine/new-machine-private.h"

#define NEW_MACHINE_TYPE_DIALOG (new_machine_dialog_get_type())
G_DECLARE_FINAL_TYPE(NewMachineDialog, new_machine_dialog, NEW_MACHINE, DIALOG, GtkDialog)

struct _NewMachineDialog {
    GtkDialog parent;
    VitrineClient *client;
    GCancellable *cancel; /* of recognition and creation */
    guint page;
    gboolean name_typed, type_chosen, hardware_touched; /* by the person: not proposed any more */
    gboolean filling;                                   /* the program changes widgets */

    GtkStack *stack;
    GtkButton *cancel_button, *next_button, *back_button;
    GtkInfoBar *error_bar;
    GtkLabel *error_label;
    GtkFileChooser *iso_chooser, *disk_chooser;
    GtkWidget *iso_clear, *recognise_spinner, *disk_new_box;
    GtkImage *recognise_icon;
    GtkLabel *recognise_label, *name_problem, *memory_note, *summary_text, *progress_label;
    GtkEntry *name_entry, *folder_entry;
    GtkComboBoxText *family_combo, *version_combo;
    GtkAdjustment *memory_adjustment, *cpus_adjustment, *disk_adjustment;
    GtkScale *memory_scale;
    GtkToggleButton *disk_new, *disk_existing, *disk_none, *disk_fixed, *start_check;
    GtkGrid *summary_grid;
    GtkProgressBar *progress_bar;
};

/* The page as it is: its problem, which buttons can be pressed. */
void new_machine_update(NewMachineDialog *dialog);

/* Gives up what is under way; the next work takes dialog->cancel. */
void new_machine_restart_cancellable(NewMachineDialog *dialog);

/* The system that is chosen; NULL while there is none. */
const VitrineOsType *new_machine_chosen_type(NewMachineDialog *dialog);

/* The lists of systems, with one that fits anything chosen. */
void new_machine_fill_types(NewMachineDialog *dialog);

/* Signals of the first page. */
void new_machine_on_family_changed(GtkComboBox *combo, NewMachineDialog *dialog);
void new_machine_on_version_changed(GtkComboBox *combo, NewMachineDialog *dialog);
void new_machine_on_name_changed(GtkEditable *entry, NewMachineDialog *dialog);
void new_machine_on_iso_set(GtkFileChooserButton *button, NewMachineDialog *dialog);
void new_machine_on_iso_clear(GtkButton *button, NewMachineDialog *dialog);

/* What is chosen on all pages; new_machine_plan_free() or the creation frees it. */
NewMachinePlan *new_machine_make_plan(NewMachineDialog *dialog);

/* Fills the last page. */
void new_machine_show_summary(NewMachineDialog *dialog);
