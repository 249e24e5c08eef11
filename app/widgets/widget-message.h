/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The last word of a program whose window cannot be. */
#pragma once

#include <gtk/gtk.h>

/* Says on the standard error and in a dialog why the program ends; quits it when that was read. */
void widget_message_then_quit(GApplication *application, const char *title, const char *text);
