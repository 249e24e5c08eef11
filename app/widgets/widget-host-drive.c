/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * See the header. The menu is made anew each time: drives at USB come and go. It is not attached to
 * the button, below which assistive technologies do not look for it. */
#include "app/widgets/widget-host-drive.h"

#include <glib/gi18n.h>

#define PATH_DATA "host-drive"
#define QUESTION_DATA "host-drive-question"

typedef struct {
    GtkWidget *button;
    VitrineMediumKind kind;
    WidgetHostDriveChosen chosen;
    gpointer data;
    GDestroyNotify free_data;
} Question;

static void
question_free(gpointer data)
{
    Question *question = data;

    question->free_data(question->data);
    g_object_unref(question->button);
    g_free(question);
}

char *
widget_host_drive_label(const VitrineHostDrive *drive)
{
    g_autofree char *title = vitrine_host_drive_get_title(drive);

    return g_strdup_printf(_("Host drive “%s”"), title);
}

static void
on_item(GtkMenuItem *item, Question *question)
{
    question->chosen(g_object_get_data(G_OBJECT(item), PATH_DATA), question->data);
}

static void
add_item(GtkWidget *menu, const char *label, const char *path, Question *question)
{
    GtkWidget *item = gtk_menu_item_new_with_mnemonic(label);

    g_object_set_data_full(G_OBJECT(item), PATH_DATA, g_strdup(path), g_free);
    g_signal_connect(item, "activate", G_CALLBACK(on_item), question);
    gtk_menu_shell_append(GTK_MENU_SHELL(menu), item);
}

static gboolean
destroy_later(gpointer menu)
{
    gtk_widget_destroy(menu);
    return G_SOURCE_REMOVE;
}

/* An item is activated after its menu was hidden. */
static void
on_hide(GtkWidget *menu)
{
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, destroy_later, g_object_ref(menu), g_object_unref);
}

/* Takes question. */
static void
show_menu(Question *question, GPtrArray *drives)
{
    GtkWidget *menu = gtk_menu_new();

    g_object_set_data_full(G_OBJECT(menu), QUESTION_DATA, question, question_free);
    add_item(menu, _("_Choose a file…"), NULL, question);
    for (guint i = 0; i < drives->len; i++) {
        const VitrineHostDrive *drive = drives->pdata[i];
        g_autofree char *label = widget_host_drive_label(drive);
        g_auto(GStrv) parts = g_strsplit(label, "_", -1);
        g_autofree char *plain = g_strjoinv("__", parts);

        if (drive->kind == question->kind)
            add_item(menu, plain, drive->path, question);
    }
    g_signal_connect(menu, "hide", G_CALLBACK(on_hide), NULL);
    gtk_widget_show_all(menu);
    gtk_menu_popup_at_widget(GTK_MENU(menu), question->button, GDK_GRAVITY_SOUTH_WEST,
                             GDK_GRAVITY_NORTH_WEST, NULL);
}

static gboolean
has_kind(GPtrArray *drives, VitrineMediumKind kind)
{
    for (guint i = 0; drives != NULL && i < drives->len; i++) {
        if (((const VitrineHostDrive *)drives->pdata[i])->kind == kind)
            return TRUE;
    }
    return FALSE;
}

static void
on_drives(GObject *source, GAsyncResult *result, gpointer data)
{
    Question *question = data;
    g_autoptr(GPtrArray) drives =
        vitrine_client_load_host_drives_finish(VITRINE_CLIENT(source), result, NULL);

    if (gtk_widget_get_toplevel(question->button) == question->button) {
        question_free(question); /* the window is gone */
    } else if (has_kind(drives, question->kind)) {
        show_menu(question, drives);
    } else {
        question->chosen(NULL, question->data);
        question_free(question);
    }
}

void
widget_host_drive_ask(GtkWidget *button, VitrineClient *client, VitrineMediumKind kind,
                      WidgetHostDriveChosen chosen, gpointer data, GDestroyNotify free_data)
{
    Question *question = g_new(Question, 1);

    *question = (Question){g_object_ref(button), kind, chosen, data, free_data};
    vitrine_client_load_host_drives_async(client, NULL, on_drives, question);
}
