/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VirtualBox.xml: the list of machines and the system properties. */
#pragma once

#include "app/service/settings/settings-file.h"

typedef struct {
    char *id;  /* lower case, without braces */
    char *src; /* absolute path of the .vbox file */
} MachineEntry;

void machine_entry_free(MachineEntry *entry);

/* (element-type MachineEntry): in the file's order. Entries without uuid or src are left out. */
GPtrArray *global_file_read_machines(SettingsFile *file);
void global_file_add_machine(SettingsFile *file, const char *id, const char *src);
void global_file_remove_machine(SettingsFile *file, const char *id);

/* (element-type VitrineUsbFilter): the global filters of USB devices. */
GPtrArray *global_file_read_usb_filters(SettingsFile *file);
void global_file_write_usb_filters(SettingsFile *file, GPtrArray *filters);

/* a{sv}, floating: the system properties under VitrineClient's names, defaults filled in. */
GVariant *global_file_read_properties(SettingsFile *file);
/* FALSE with VITRINE_ERROR_NOT_FOUND or _INVALID for another name or type. */
gboolean global_file_set_property(SettingsFile *file, const char *name, GVariant *value,
                                  GError **error);
