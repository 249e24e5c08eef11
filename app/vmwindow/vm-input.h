/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VmInput: keys and pointer of a VM window. The host key (Right Ctrl unless configured) captures
 * and releases; with another key it makes a command of the window. Without an absolute device in
 * the guest a click captures the pointer; its movements are then relative. */
#pragma once

#include "app/vmwindow/vm-display.h"

G_BEGIN_DECLS

#define VM_TYPE_INPUT (vm_input_get_type())
G_DECLARE_FINAL_TYPE(VmInput, vm_input, VM, INPUT, GObject)

/* Signals: "captured" (gboolean keyboard, gboolean pointer): what is captured now;
 * "host-combo" (guint keyval) returns gboolean: the host key and this key were pressed. */

/* window: the toplevel that gets the keys. */
VmInput *vm_input_new(GtkWindow *window, VmDisplay *display);
/* NULL: input goes nowhere. */
void vm_input_set_console(VmInput *input, VitrineConsole *console);
void vm_input_set_host_key(VmInput *input, guint keyval);
guint vm_input_get_host_key(VmInput *input);
void vm_input_release(VmInput *input);
gboolean vm_input_get_captured(VmInput *input);
/* Sends a sequence of keys, evdev codes + 8, pressed in order and released in reverse; ended by 0.
 */
void vm_input_send_keys(VmInput *input, const guint *keycodes);

G_END_DECLS
