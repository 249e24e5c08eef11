/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The manager as an application: one window, the service behind it. */
#pragma once

#include <gtk/gtk.h>

/* Runs until the window is closed; returns the exit code. */
int manager_application_run(void);
