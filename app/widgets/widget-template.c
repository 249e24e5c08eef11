/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Templates from resources, their children as a table. */
#include "app/widgets/widget-template.h"

void
widget_class_set_template(GtkWidgetClass *class, const char *resource, const WidgetChild *children,
                          guint count)
{
    g_autofree char *path = g_strconcat("/org/vitrine/Vitrine/", resource, NULL);

    gtk_widget_class_set_template_from_resource(class, path);
    for (guint i = 0; i < count; i++)
        gtk_widget_class_bind_template_child_full(class, children[i].id, FALSE, children[i].offset);
}
