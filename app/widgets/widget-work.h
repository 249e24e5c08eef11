/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * WidgetWork: a line for long work of the service: what it does, how far it is, and a button that
 * gives it up. Hidden while there is none. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define WIDGET_TYPE_WORK (widget_work_get_type())
G_DECLARE_FINAL_TYPE(WidgetWork, widget_work, WIDGET, WORK, GtkBox)

/* Called once: made is what vitrine_progress_wait_sync() gives; or error is set,
 * VITRINE_ERROR_CANCELLED when the work was given up. */
typedef void (*WidgetWorkDone)(gpointer data, const char *made, const GError *error);

GtkWidget *widget_work_new(void);
/* Shows the progress until it ends; one at a time. Not called any more when the widget is gone. */
void widget_work_follow(WidgetWork *work, VitrineProgress *progress, WidgetWorkDone done,
                        gpointer data);
gboolean widget_work_is_busy(WidgetWork *work);
