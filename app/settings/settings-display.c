/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings, Display: video memory. */
#include "app/settings/settings-private.h"

#include <glib/gi18n.h>

GtkWidget *
settings_page_display(SettingsDialog *dialog)
{
    GtkAdjustment *adjustment = gtk_adjustment_new(16, 1, 256, 1, 16, 0);
    GtkWidget *grid = widget_form_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *spin = gtk_spin_button_new(adjustment, 1, 0);
    int row = 0;

    gtk_entry_set_activates_default(GTK_ENTRY(spin), TRUE);
    atk_object_set_name(gtk_widget_get_accessible(spin), _("Video memory in MB"));
    g_object_bind_property(settings_dialog_get_settings(dialog), "vram", adjustment, "value",
                           G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    gtk_box_pack_start(GTK_BOX(box), spin, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), gtk_label_new(_("MB")), FALSE, FALSE, 0);
    row = widget_form_add(grid, row, _("_Video memory"), box);
    row = settings_add_problem(grid, row, dialog, "vram");
    gtk_grid_attach(
        GTK_GRID(grid),
        widget_dim_label(_("Screens up to 2560 × 1600 pixels need 16 MB; the machine always has at "
                           "least that much.")),
        1, row, 1, 1);
    return grid;
}
