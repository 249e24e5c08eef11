/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a controller and a drive are, each in a small dialog. Manual, chapter "Storage settings". */
#pragma once

#include "app/settings/settings-storage-add.h"

/* Name, kind, ports, host cache of the controller of this name. */
void settings_storage_edit_controller(SettingsStorage *storage, const char *name);
/* Place, hot-plugging, solid-state; of optical drives, what becomes of an eject. */
void settings_storage_edit_drive(SettingsStorage *storage, const VitrineAttachment *drive);
