/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A grid of titles and values below the trees. */
#include "app/media/media-details.h"

#include <glib/gi18n.h>

#define DEPTH_MAX 300 /* of a chain of images */

enum { ROW_LOCATION, ROW_FORMAT, ROW_USED_BY, ROW_UUID, ROW_COUNT };

static const char *const titles[ROW_COUNT] = {
    [ROW_LOCATION] = N_("Location"),
    [ROW_FORMAT] = N_("Format"),
    [ROW_USED_BY] = N_("Used by"),
    [ROW_UUID] = N_("UUID"),
};

/* In the order of VitrineMediumType. */
static const char *const types[] = {
    [VITRINE_MEDIUM_TYPE_NORMAL] = N_("Normal"),
    [VITRINE_MEDIUM_TYPE_IMMUTABLE] = N_("Immutable: changes are dropped at each start"),
    [VITRINE_MEDIUM_TYPE_WRITETHROUGH] = N_("Write-through: not part of snapshots"),
    [VITRINE_MEDIUM_TYPE_SHAREABLE] = N_("Shareable: several machines at once"),
    [VITRINE_MEDIUM_TYPE_READONLY] = N_("Read-only"),
    [VITRINE_MEDIUM_TYPE_MULTI_ATTACH] = N_("Multi-attach: each machine has changes of its own"),
};

struct _MediaDetails {
    GtkGrid parent;
    VitrineClient *client;
    MediaUsers *users; /* the window's */
    VitrineMedium *medium;
    gulong handler;
    GtkLabel *values[ROW_COUNT];
    GtkLabel *problem;
    GtkEntry *description;
    GtkComboBox *type;
    GtkWidget *type_title;
    gboolean filling;
};

G_DEFINE_FINAL_TYPE(MediaDetails, media_details, GTK_TYPE_GRID)

static char *
format_text(VitrineMedium *medium)
{
    const char *variant = vitrine_medium_get_variant(medium);
    const char *parent = vitrine_medium_get_parent_id(medium);

    if (vitrine_medium_get_kind(medium) != VITRINE_MEDIUM_KIND_HARD_DISK &&
        g_strcmp0(vitrine_medium_get_format(medium), "RAW") == 0)
        return g_strdup(_("Image, byte for byte"));
    if (parent && *parent)
        return g_strdup_printf(_("%s, holds what differs from the image above it"),
                               vitrine_medium_get_format(medium));
    if (g_strcmp0(variant, "fixed,split") == 0)
        return g_strdup_printf(_("%s, allocated whole, in several files"),
                               vitrine_medium_get_format(medium));
    if (g_strcmp0(variant, "dynamic,split") == 0)
        return g_strdup_printf(_("%s, grows as it is used, in several files"),
                               vitrine_medium_get_format(medium));
    if (g_strcmp0(variant, "dynamic,stream") == 0)
        return g_strdup_printf(_("%s, compressed, for reading only"),
                               vitrine_medium_get_format(medium));
    if (g_strcmp0(variant, "fixed") == 0)
        return g_strdup_printf(_("%s, allocated whole"), vitrine_medium_get_format(medium));
    if (g_strcmp0(variant, "dynamic") == 0)
        return g_strdup_printf(_("%s, grows as it is used"), vitrine_medium_get_format(medium));
    return g_strdup(vitrine_medium_get_format(medium));
}

/* The image at the bottom of a chain, whose type all of it has. */
static VitrineMedium *
base_of(MediaDetails *details, VitrineMedium *medium)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) { /* from files: it may be a circle */
        const char *id = vitrine_medium_get_parent_id(medium);
        VitrineMedium *parent = id && *id ? vitrine_client_find_medium(details->client, id) : NULL;

        if (!parent)
            break;
        medium = parent;
    }
    return medium;
}

/* NULL: nothing speaks against another type. */
static const char *
why_no_type(VitrineMedium *medium)
{
    const char *parent = vitrine_medium_get_parent_id(medium);
    const char *const *machines = vitrine_medium_get_machines(medium);
    const char *const *children = vitrine_medium_get_children(medium);

    if (parent && *parent)
        return _("Its type is that of the disk that it stands on.");
    return (machines && machines[0]) || (children && children[0])
               ? _("Release the disk to change its type.")
               : NULL;
}

/* Only disks have one that can be chosen. */
static void
show_type(MediaDetails *details)
{
    VitrineMedium *medium = details->medium;
    const gboolean disk =
        medium && vitrine_medium_get_kind(medium) == VITRINE_MEDIUM_KIND_HARD_DISK;
    const char *why_not = disk ? why_no_type(medium) : NULL;

    details->filling = TRUE;
    gtk_combo_box_set_active(
        details->type, disk ? (int)vitrine_medium_get_medium_type(base_of(details, medium)) : -1);
    details->filling = FALSE;
    gtk_widget_set_visible(GTK_WIDGET(details->type), disk);
    gtk_widget_set_visible(details->type_title, disk);
    gtk_widget_set_sensitive(GTK_WIDGET(details->type), disk && !why_not);
    gtk_widget_set_tooltip_text(GTK_WIDGET(details->type), why_not);
}

static void
show(MediaDetails *details)
{
    VitrineMedium *medium = details->medium;
    g_autofree char *format = medium ? format_text(medium) : NULL;
    g_autofree char *used_by = medium ? media_users_text(details->users, medium) : NULL;
    const char *problem = medium ? vitrine_medium_get_access_error(medium) : "";

    gtk_widget_set_visible(GTK_WIDGET(details), medium != NULL);
    gtk_label_set_text(details->values[ROW_LOCATION],
                       medium ? vitrine_medium_get_location(medium) : "");
    gtk_label_set_text(details->values[ROW_FORMAT], format);
    gtk_label_set_text(details->values[ROW_USED_BY],
                       used_by && *used_by == '\0' ? _("No machine") : used_by);
    gtk_label_set_text(details->values[ROW_UUID], medium ? vitrine_medium_get_id(medium) : "");
    gtk_label_set_text(details->problem, problem);
    gtk_widget_set_visible(GTK_WIDGET(details->problem), problem && *problem);
    show_type(details);
    if (!gtk_widget_has_focus(GTK_WIDGET(details->description)))
        gtk_entry_set_text(details->description,
                           medium ? vitrine_medium_get_description(medium) : "");
}

static void
show_problem(MediaDetails *details, const GError *error)
{
    if (!details->problem) /* gone */
        return;
    gtk_label_set_text(details->problem, error->message);
    gtk_widget_show(GTK_WIDGET(details->problem));
}

static void
on_typed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaDetails) details = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_medium_set_medium_type_finish(VITRINE_MEDIUM(source), result, &error))
        show_problem(details, error);
    if (details->problem)
        show_type(details);
}

static void
on_type(MediaDetails *details)
{
    const int type = gtk_combo_box_get_active(details->type);

    if (!details->filling && type >= 0)
        vitrine_medium_set_medium_type_async(details->medium, (VitrineMediumType)type, NULL,
                                             on_typed, g_object_ref(details));
}

static void
on_described(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaDetails) details = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_medium_set_description_finish(VITRINE_MEDIUM(source), result, &error))
        show_problem(details, error);
}

/* What was typed is kept when the entry is left, or with Enter. */
static void
keep_description(MediaDetails *details)
{
    const char *text = gtk_entry_get_text(details->description);

    if (details->medium && !g_str_equal(text, vitrine_medium_get_description(details->medium)))
        vitrine_medium_set_description_async(details->medium, text, NULL, on_described,
                                             g_object_ref(details));
}

static gboolean
on_focus_out(GtkWidget *entry, GdkEvent *event, MediaDetails *details)
{
    keep_description(details);
    return GDK_EVENT_PROPAGATE;
}

void
media_details_update(MediaDetails *details)
{
    show(details);
}

void
media_details_set_medium(MediaDetails *details, VitrineMedium *medium)
{
    if (details->medium)
        g_clear_signal_handler(&details->handler, details->medium);
    g_set_object(&details->medium, medium);
    if (medium)
        details->handler = g_signal_connect_swapped(medium, "notify", G_CALLBACK(show), details);
    show(details);
}

/* --- the class --- */

static void
media_details_dispose(GObject *object)
{
    MediaDetails *details = MEDIA_DETAILS(object);

    if (details->medium)
        g_clear_signal_handler(&details->handler, details->medium);
    g_clear_object(&details->medium);
    g_clear_object(&details->client);
    details->problem = NULL;
    G_OBJECT_CLASS(media_details_parent_class)->dispose(object);
}

static void
media_details_class_init(MediaDetailsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = media_details_dispose;
}

static GtkWidget *
add_label(MediaDetails *details, const char *text, int column, int row)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_grid_attach(GTK_GRID(details), label, column, row, 1, 1);
    return label;
}

static GtkWidget *
add_title(MediaDetails *details, const char *text, int row)
{
    GtkWidget *label = add_label(details, NULL, 0, row);

    gtk_label_set_text_with_mnemonic(GTK_LABEL(label), text);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    return label;
}

static void
add_type(MediaDetails *details)
{
    GtkWidget *title = add_title(details, _("_Type"), ROW_COUNT);
    GtkWidget *type = gtk_combo_box_text_new();

    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(type), _(types[i]));
    gtk_label_set_mnemonic_widget(GTK_LABEL(title), type);
    gtk_widget_set_halign(type, GTK_ALIGN_START);
    gtk_grid_attach(GTK_GRID(details), type, 1, ROW_COUNT, 1, 1);
    g_signal_connect_swapped(type, "changed", G_CALLBACK(on_type), details);
    details->type = GTK_COMBO_BOX(type);
    details->type_title = title;
}

static void
media_details_init(MediaDetails *details)
{
    GtkWidget *title;

    gtk_grid_set_column_spacing(GTK_GRID(details), 12);
    gtk_grid_set_row_spacing(GTK_GRID(details), 6);
    for (int row = 0; row < ROW_COUNT; row++) {
        GtkWidget *value = add_label(details, NULL, 1, row);

        add_title(details, _(titles[row]), row);
        gtk_widget_set_hexpand(value, TRUE);
        gtk_label_set_ellipsize(GTK_LABEL(value), PANGO_ELLIPSIZE_MIDDLE);
        gtk_label_set_selectable(GTK_LABEL(value), TRUE);
        gtk_widget_set_can_focus(value, FALSE);
        details->values[row] = GTK_LABEL(value);
    }
    add_type(details);
    title = add_title(details, _("_Description"), ROW_COUNT + 1);
    details->description = GTK_ENTRY(gtk_entry_new());
    gtk_label_set_mnemonic_widget(GTK_LABEL(title), GTK_WIDGET(details->description));
    gtk_grid_attach(GTK_GRID(details), GTK_WIDGET(details->description), 1, ROW_COUNT + 1, 1, 1);
    g_signal_connect_swapped(details->description, "activate", G_CALLBACK(keep_description),
                             details);
    g_signal_connect(details->description, "focus-out-event", G_CALLBACK(on_focus_out), details);
    details->problem = GTK_LABEL(add_label(details, NULL, 1, ROW_COUNT + 2));
    gtk_label_set_line_wrap(details->problem, TRUE);
    gtk_label_set_selectable(details->problem, TRUE);
    gtk_style_context_add_class(gtk_widget_get_style_context(GTK_WIDGET(details->problem)),
                                "error");
    gtk_widget_set_no_show_all(GTK_WIDGET(details->problem), TRUE);
    gtk_widget_show_all(GTK_WIDGET(details));
}

GtkWidget *
media_details_new(VitrineClient *client, MediaUsers *users)
{
    MediaDetails *details = g_object_new(MEDIA_TYPE_DETAILS, NULL);

    details->client = g_object_ref(client);
    details->users = users;
    show(details);
    return GTK_WIDGET(details);
}
