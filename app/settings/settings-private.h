/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the settings dialog and its pages share. */
#pragma once

#include "app/settings/settings-dialog.h"
#include "app/widgets/widget-form.h"

#define SETTINGS_TYPE_DIALOG (settings_dialog_get_type())
G_DECLARE_FINAL_TYPE(SettingsDialog, settings_dialog, SETTINGS, DIALOG, GtkDialog)

VitrineClient *settings_dialog_get_client(SettingsDialog *dialog);
VitrineMachine *settings_dialog_get_machine(SettingsDialog *dialog);
/* The values being edited; nobody else sees them until Save. */
VitrineSettings *settings_dialog_get_settings(SettingsDialog *dialog);
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
/* A line for problems of a field. */
int settings_add_problem(GtkWidget *grid, int row, SettingsDialog *dialog, const char *field);
