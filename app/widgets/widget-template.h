/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every class with a template does in its class_init. */
#pragma once

#include <gtk/gtk.h>

/* A widget of the template and the pointer in the instance that takes it. */
typedef struct {
    const char *id;
    gssize offset; /* G_STRUCT_OFFSET() in the instance */
} WidgetChild;

/* resource: below "/org/vitrine/Vitrine/". */
void widget_class_set_template(GtkWidgetClass *class, const char *resource,
                               const WidgetChild *children, guint count);
