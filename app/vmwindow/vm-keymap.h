/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a key on the host's keyboard to scan code set 1. */
#pragma once

#include <gdk/gdk.h>

/* Fills codes (up to 8 bytes) for a press or a release of the key with this hardware keycode (X11
 * and Wayland: evdev code + 8). Returns the number of bytes; 0 for a key that a PC keyboard does
 * not have. */
guint vm_keymap_scancodes(guint hardware_keycode, gboolean press, guint8 codes[8]);
