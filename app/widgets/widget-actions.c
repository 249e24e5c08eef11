/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Parts of actions that several windows have. */
#include "app/widgets/widget-actions.h"

#include <glib/gi18n.h>

void
widget_action_enable(GActionMap *map, const char *name, gboolean enabled)
{
    g_simple_action_set_enabled(G_SIMPLE_ACTION(g_action_map_lookup_action(map, name)), enabled);
}

void
widget_about_show(GtkWindow *parent)
{
    gtk_show_about_dialog(parent, "program-name", "Vitrine", "version", VITRINE_VERSION,
                          "logo-icon-name", "org.vitrine.Vitrine", "license-type",
                          GTK_LICENSE_GPL_3_0, "comments",
                          _("Runs other operating systems in a window"), NULL);
}

void
widget_action_offer(GActionMap *map, const char *action, GtkWidget *button, const char *what,
                    const char *why_not)
{
    widget_action_enable(map, action, why_not == NULL);
    gtk_widget_set_tooltip_text(button, why_not ? why_not : what);
}
