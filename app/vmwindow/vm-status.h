/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VmStatus: the status bar: what drives do, the engine and how busy it is, whether pointer and
 * keyboard are captured. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define VM_TYPE_STATUS (vm_status_get_type())
G_DECLARE_FINAL_TYPE(VmStatus, vm_status, VM, STATUS, GtkBox)

GtkWidget *vm_status_new(void);
/* NULL: nothing is shown as active. Asks the console ten times a second. */
void vm_status_set_console(VmStatus *status, VitrineConsole *console);
/* The drives of that kind and what is in them, a line for each; "": the machine has none. */
void vm_status_set_drives(VmStatus *status, VitrineMediumKind kind, const char *drives);
/* The network cards and what they are attached to, a line for each; "": the machine has none. */
void vm_status_set_network(VmStatus *status, const char *cards, GMenuModel *menu);
/* The sound card and what it may do; "": the machine has none. heard: its output is on. */
void vm_status_set_audio(VmStatus *status, const char *card, gboolean heard, GMenuModel *menu);
/* The host's USB devices that the machine has, a line for each, or a line that says that there are
 * none; "": it has no USB controller. */
void vm_status_set_usb(VmStatus *status, const char *devices, GMenuModel *menu);
/* Shown by the button of hard disks. */
void vm_status_set_disk_menu(VmStatus *status, GMenuModel *menu);
/* Shown by the buttons of optical and floppy drives. */
void vm_status_set_media_menus(VmStatus *status, GMenuModel *optical, GMenuModel *floppy);
void vm_status_set_captured(VmStatus *status, gboolean keyboard, gboolean pointer);
void vm_status_set_host_key(VmStatus *status, const char *name);

G_END_DECLS
