/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands of the VM window as a table, and what is made from it: menus and host-key
 * combinations. */
#pragma once

#include <gtk/gtk.h>

typedef enum { VM_MENU_MACHINE, VM_MENU_VIEW, VM_MENU_KEYBOARD, VM_MENU_HELP } VmMenu;

typedef struct {
    const char *action; /* "win." goes before it */
    VmMenu menu;
    guint section;
    const char *label; /* not translated */
    guint keyval;
    gboolean toggle;
} VmCommand;

const VmCommand *vm_commands(guint *count);
/* The menu bar. devices is the Devices menu, filled by the window as drives come and go. host_key:
 * its name. */
GMenuModel *vm_commands_menu_bar(GMenuModel *devices, const char *host_key);
/* The command of host key + keyval; NULL: none. */
const VmCommand *vm_commands_find_combo(guint keyval);
/* Keys of a "key-…" action for vm_input_send_keys(), ended by 0; NULL: another action. host_key:
 * its hardware code. */
const guint *vm_commands_keys(const char *action);
