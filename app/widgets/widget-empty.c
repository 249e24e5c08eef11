/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The empty state that all lists have. */
#include "app/widgets/widget-empty.h"

#include "app/widgets/widget-form.h"

#define ICON_PIXELS 48
#define PAGE_LIST "list"
#define PAGE_EMPTY "empty"

static void
centre(GtkWidget *label)
{
    gtk_label_set_xalign(GTK_LABEL(label), 0.5);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
}

GtkWidget *
widget_empty_page_new(const char *icon, const char *title, const char *text)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *image = gtk_image_new_from_icon_name(icon, GTK_ICON_SIZE_DIALOG);
    GtkWidget *label = gtk_label_new(title);

    gtk_image_set_pixel_size(GTK_IMAGE(image), ICON_PIXELS);
    gtk_style_context_add_class(gtk_widget_get_style_context(image), "dim-label");
    centre(label);
    gtk_box_pack_start(GTK_BOX(box), image, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), label, FALSE, FALSE, 0);
    if (text) {
        GtkWidget *more = widget_dim_label(text);

        centre(more);
        gtk_box_pack_start(GTK_BOX(box), more, FALSE, FALSE, 0);
    }
    g_object_set(box, "halign", GTK_ALIGN_CENTER, "valign", GTK_ALIGN_CENTER, "margin", 18, NULL);
    gtk_widget_show_all(box);
    return box;
}

GtkWidget *
widget_empty_new(GtkWidget *list, const char *icon, const char *title, const char *text)
{
    GtkWidget *stack = gtk_stack_new();

    gtk_stack_add_named(GTK_STACK(stack), list, PAGE_LIST);
    gtk_stack_add_named(GTK_STACK(stack), widget_empty_page_new(icon, title, text), PAGE_EMPTY);
    gtk_widget_show(list);
    gtk_widget_show(stack);
    return stack;
}

void
widget_empty_show(GtkWidget *stack, gboolean is_empty)
{
    gtk_stack_set_visible_child_name(GTK_STACK(stack), is_empty ? PAGE_EMPTY : PAGE_LIST);
}
