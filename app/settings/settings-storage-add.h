/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Adding controllers, drives and media on the storage page. */
#pragma once

#include "app/settings/settings-private.h"

typedef struct _SettingsStorage SettingsStorage;

SettingsDialog *settings_storage_dialog(SettingsStorage *storage);
/* The buttons below the list. */
GtkWidget *settings_storage_add_bar(SettingsStorage *storage);
/* Asks for a file and puts it into the drive. button: offers the host's own drives, too, in a menu
 * there; NULL: only files. */
void settings_storage_choose_medium(SettingsStorage *storage, const VitrineAttachment *drive,
                                    GtkWidget *button);
