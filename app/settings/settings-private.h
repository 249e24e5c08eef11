/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the settings dialog and its pages share. */
#pragma once

#include "app/settings/settings-dialog.h"
#include "app/settings/settings-lock.h"
#include "app/settings/settings-models.h"
#include "app/widgets/widget-form.h"

#define SETTINGS_TYPE_DIALOG (settings_dialog_get_type())
G_DECLARE_FINAL_TYPE(SettingsDialog, settings_dialog, SETTINGS, DIALOG, GtkDialog)

VitrineClient *settings_dialog_get_client(SettingsDialog *dialog);
VitrineMachine *settings_dialog_get_machine(SettingsDialog *dialog);
/* The values being edited; nobody else sees them until Save. */
VitrineSettings *settings_dialog_get_settings(SettingsDialog *dialog);
SettingsModels *settings_dialog_get_models(SettingsDialog *dialog);
/* Whether there was a drive in this place before the person changed anything. */
gboolean settings_dialog_had_drive(SettingsDialog *dialog, const char *controller, guint port,
                                   guint device);
/* In which state the machine is now. */
SettingsState settings_dialog_get_state(SettingsDialog *dialog);
/* Locks what cannot change now in a part of a page that was made after the page. */
void settings_dialog_lock(SettingsDialog *dialog, GtkWidget *place);
/* Problems of this field (as in VitrineProblem) are shown in the label, which is hidden while there
 * are none. */
void settings_dialog_watch_field(SettingsDialog *dialog, const char *field, GtkLabel *label);
void settings_dialog_show_error(SettingsDialog *dialog, const char *text);

/* A page: one row of settings-pages.def. */
typedef GtkWidget *(*SettingsPageNew)(SettingsDialog *dialog);
#define PAGE(name, title, constructor) GtkWidget *constructor(SettingsDialog *dialog);
#include "app/settings/settings-pages.def"
#undef PAGE

/* Parts of pages beside those of widget-form.h (settings-rows.c); each returns the row after. */

/* A check button bound to a boolean setting, over the whole width, with an explanation below or
 * NULL. */
int settings_add_check(GtkWidget *grid, int row, SettingsDialog *dialog, const char *property,
                       const char *label, const char *explanation);
/* The same that can be changed in these states of the machine, too (settings-lock.h). */
int settings_add_live_check(GtkWidget *grid, int row, SettingsDialog *dialog, const char *property,
                            const char *label, const char *explanation, guint states);
/* A grid for the controls of one device among several. */
GtkWidget *settings_grid_new(void);
/* A page with a tab for each of count devices. title: a format with %u, translated, for the number
 * from 1. */
typedef GtkWidget *(*SettingsTabNew)(SettingsDialog *dialog, guint slot);
GtkWidget *settings_tabs_new(SettingsDialog *dialog, guint count, const char *title,
                             SettingsTabNew constructor);
/* A line for problems of a field. */
int settings_add_problem(GtkWidget *grid, int row, SettingsDialog *dialog, const char *field);
