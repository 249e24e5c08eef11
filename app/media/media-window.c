/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The window: a tree for each kind, filled again when the service says that media changed. */
#include "app/media/media-details.h"
#include "app/media/media-private.h"
#include "app/media/media-tree.h"
#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-empty.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-window.h"
#include "app/widgets/widget-work.h"

#include <glib/gi18n.h>

#define RELOAD_MS 100

/* A page of the stack, in the order of VitrineMediumKind. */
static const struct {
    const char *name, *title, *empty, *invitation;
} kinds[] = {
    [VITRINE_MEDIUM_KIND_HARD_DISK] = {"disks", N_("Disks"), N_("No disk images are known yet."),
                                       N_("Make a new disk, or add an image that is there "
                                          "already. Disks of machines appear by themselves.")},
    [VITRINE_MEDIUM_KIND_DVD] = {"optical", N_("Optical"), N_("No optical images are known yet."),
                                 N_("Add an image, usually a file that ends in .iso. What is put "
                                    "into a machine's drive appears by itself.")},
    [VITRINE_MEDIUM_KIND_FLOPPY] = {"floppy", N_("Floppy"), N_("No floppy images are known yet."),
                                    N_("Add an image of a floppy disk. What is put into a "
                                       "machine's drive appears by itself.")},
};

#define KINDS G_N_ELEMENTS(kinds)

struct _MediaWindow {
    GtkWindow parent;
    VitrineClient *client;
    MediaUsers *users;
    GtkStack *stack;
    GtkInfoBar *error_bar;
    GtkLabel *error_label;
    GtkBox *details_place;
    MediaDetails *details;
    GtkTreeStore *stores[KINDS];
    GtkTreeView *views[KINDS];
    GtkWidget *pages[KINDS]; /* WidgetEmpty of the tree */
    GtkWidget *work;
    GtkWidget *buttons[MEDIA_BUTTON_COUNT];
    VitrineMedium *medium;
    char *wanted; /* UUID of what is to be selected once it is there; NULL: nothing */
    guint reload;
    gboolean filling; /* rows come and go: what is selected meanwhile means nothing */
};

G_DEFINE_FINAL_TYPE(MediaWindow, media_window, GTK_TYPE_WINDOW)

VitrineClient *
media_window_get_client(MediaWindow *window)
{
    return window->client;
}

MediaUsers *
media_window_get_users(MediaWindow *window)
{
    return window->users;
}

VitrineMediumKind
media_window_get_kind(MediaWindow *window)
{
    const char *name = gtk_stack_get_visible_child_name(window->stack);

    for (guint kind = 0; kind < KINDS; kind++) {
        if (g_strcmp0(kinds[kind].name, name) == 0)
            return (VitrineMediumKind)kind;
    }
    return VITRINE_MEDIUM_KIND_HARD_DISK;
}

VitrineMedium *
media_window_get_medium(MediaWindow *window)
{
    return window->medium;
}

GtkWidget *
media_window_get_button(MediaWindow *window, MediaButton button)
{
    return window->buttons[button];
}

void
media_window_show_error(MediaWindow *window, const char *summary, const GError *error)
{
    g_autofree char *text = g_strdup_printf("%s. %s", summary, error->message);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    gtk_label_set_text(window->error_label, text);
    gtk_info_bar_set_revealed(window->error_bar, TRUE);
}

static void
on_work_done(gpointer data, const char *made, const GError *error)
{
    MediaWindow *window = data;

    if (error && !g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        media_window_show_error(window, _("The work on the medium failed"), error);
    media_window_update_commands(window);
}

void
media_window_follow(MediaWindow *window, VitrineProgress *progress, const GError *error,
                    const char *summary)
{
    if (!window->details) /* gone */
        return;
    if (progress)
        widget_work_follow(WIDGET_WORK(window->work), progress, on_work_done, window);
    else
        media_window_show_error(window, summary, error);
    media_window_update_commands(window);
}

gboolean
media_window_is_busy(MediaWindow *window)
{
    return widget_work_is_busy(WIDGET_WORK(window->work));
}

static void
on_error_closed(GtkInfoBar *bar, int response, MediaWindow *window)
{
    gtk_info_bar_set_revealed(bar, FALSE);
}

/* --- selection --- */

static void
update_selected(MediaWindow *window)
{
    GtkTreeSelection *selection;
    g_autoptr(VitrineMedium) medium = NULL;
    GtkTreeModel *model;
    GtkTreeIter row;

    if (!window->details || window->filling) /* or being made, or going */
        return;
    selection = gtk_tree_view_get_selection(window->views[media_window_get_kind(window)]);
    if (gtk_tree_selection_get_selected(selection, &model, &row))
        gtk_tree_model_get(model, &row, MEDIA_COLUMN_MEDIUM, &medium, -1);
    g_set_object(&window->medium, medium);
    media_details_set_medium(window->details, medium);
    media_window_update_commands(window);
}

static void
on_kind_changed(MediaWindow *window)
{
    update_selected(window);
}

/* What was asked for is shown once, when it is there. */
static void
select_wanted(MediaWindow *window)
{
    VitrineMedium *medium =
        window->wanted ? vitrine_client_find_medium(window->client, window->wanted) : NULL;
    const guint kind = medium ? vitrine_medium_get_kind(medium) : 0;
    GtkTreeIter row;

    if (!medium || kind >= KINDS || !media_tree_find(window->stores[kind], window->wanted, &row))
        return;
    g_clear_pointer(&window->wanted, g_free);
    gtk_stack_set_visible_child_name(window->stack, kinds[kind].name);
    media_tree_select(window->views[kind], &row);
}

void
media_window_select(MediaWindow *window, const char *id)
{
    g_free(window->wanted);
    window->wanted = g_strdup(id);
    select_wanted(window);
}

/* --- what the service says --- */

static void
load(MediaWindow *window)
{
    window->filling = TRUE;
    for (guint kind = 0; kind < KINDS; kind++) {
        GtkTreeModel *model = GTK_TREE_MODEL(window->stores[kind]);
        MediaTreeMarks *marks = media_tree_mark(window->views[kind]);
        GtkTreeIter first;

        media_tree_fill(window->stores[kind], window->client, window->users,
                        (VitrineMediumKind)kind);
        widget_empty_show(window->pages[kind], !gtk_tree_model_get_iter_first(model, &first));
        media_tree_return(window->views[kind], marks);
    }
    select_wanted(window);
    window->filling = FALSE;
    update_selected(window);
    media_details_update(window->details);
}

static gboolean
on_reload(gpointer data)
{
    MediaWindow *window = data;

    window->reload = 0;
    load(window);
    return G_SOURCE_REMOVE;
}

static void
reload_later(gpointer data)
{
    MediaWindow *window = data;

    if (!window->reload)
        window->reload = g_timeout_add(RELOAD_MS, on_reload, window);
}

static void
follow_medium(MediaWindow *window, VitrineMedium *medium)
{
    g_signal_connect_object(medium, "notify", G_CALLBACK(reload_later), window, G_CONNECT_SWAPPED);
}

static void
on_medium_added(VitrineClient *client, VitrineMedium *medium, MediaWindow *window)
{
    follow_medium(window, medium);
    reload_later(window);
}

static void
on_medium_removed(VitrineClient *client, VitrineMedium *medium, MediaWindow *window)
{
    reload_later(window);
}

static void
follow_client(MediaWindow *window)
{
    GListModel *media = vitrine_client_get_media(window->client);

    for (guint i = 0; i < g_list_model_get_n_items(media); i++) {
        g_autoptr(VitrineMedium) medium = g_list_model_get_item(media, i);
        follow_medium(window, medium);
        vitrine_medium_refresh_async(medium, NULL, NULL, NULL);
    }
    g_signal_connect_object(window->client, "medium-added", G_CALLBACK(on_medium_added), window, 0);
    g_signal_connect_object(window->client, "medium-removed", G_CALLBACK(on_medium_removed), window,
                            0);
}

/* --- the pages --- */

static void
add_column(GtkTreeView *view, const char *title, int column, gboolean expand)
{
    GtkTreeViewColumn *added = gtk_tree_view_column_new();
    GtkCellRenderer *text = gtk_cell_renderer_text_new();

    gtk_tree_view_column_set_title(added, title);
    if (column == MEDIA_COLUMN_NAME) {
        GtkCellRenderer *icon = gtk_cell_renderer_pixbuf_new();
        gtk_tree_view_column_pack_start(added, icon, FALSE);
        gtk_tree_view_column_add_attribute(added, icon, "icon-name", MEDIA_COLUMN_ICON);
        gtk_tree_view_column_set_spacing(added, 6);
    }
    g_object_set(text, "ellipsize", expand ? PANGO_ELLIPSIZE_MIDDLE : PANGO_ELLIPSIZE_NONE, "ypad",
                 4, "xpad", 6, NULL);
    gtk_tree_view_column_pack_start(added, text, TRUE);
    gtk_tree_view_column_add_attribute(added, text, "text", column);
    gtk_tree_view_column_set_expand(added, expand);
    gtk_tree_view_append_column(view, added);
}

static void
add_page(MediaWindow *window, guint kind)
{
    GtkWidget *view, *scroller = gtk_scrolled_window_new(NULL, NULL);

    window->stores[kind] = media_tree_new();
    view = gtk_tree_view_new_with_model(GTK_TREE_MODEL(window->stores[kind]));
    window->views[kind] = GTK_TREE_VIEW(view);
    window->pages[kind] = widget_empty_new(scroller, widget_drive_icon((VitrineMediumKind)kind),
                                           _(kinds[kind].empty), _(kinds[kind].invitation));
    atk_object_set_name(gtk_widget_get_accessible(view), _(kinds[kind].title));
    gtk_tree_view_set_search_column(window->views[kind], MEDIA_COLUMN_NAME);
    add_column(window->views[kind], _("Name"), MEDIA_COLUMN_NAME, TRUE);
    add_column(window->views[kind], _("Size"), MEDIA_COLUMN_SIZE, FALSE);
    add_column(window->views[kind], _("On the host"), MEDIA_COLUMN_FILE_SIZE, FALSE);
    add_column(window->views[kind], _("Used by"), MEDIA_COLUMN_USED_BY, TRUE);
    g_signal_connect_swapped(gtk_tree_view_get_selection(window->views[kind]), "changed",
                             G_CALLBACK(update_selected), window);
    gtk_container_add(GTK_CONTAINER(scroller), view);
    gtk_widget_show_all(scroller);
    gtk_stack_add_titled(window->stack, window->pages[kind], kinds[kind].name,
                         _(kinds[kind].title));
}

/* --- the class --- */

static void
media_window_dispose(GObject *object)
{
    MediaWindow *window = MEDIA_WINDOW(object);

    window->details = NULL;
    g_clear_pointer(&window->users, media_users_free);
    g_clear_handle_id(&window->reload, g_source_remove);
    g_clear_object(&window->medium);
    g_clear_pointer(&window->wanted, g_free);
    for (guint kind = 0; kind < KINDS; kind++)
        g_clear_object(&window->stores[kind]);
    g_clear_object(&window->client);
    G_OBJECT_CLASS(media_window_parent_class)->dispose(object);
}

static void
media_window_class_init(MediaWindowClass *class)
{
    static const WidgetChild children[] = {
        {"stack", G_STRUCT_OFFSET(MediaWindow, stack)},
        {"error_bar", G_STRUCT_OFFSET(MediaWindow, error_bar)},
        {"error_label", G_STRUCT_OFFSET(MediaWindow, error_label)},
        {"details_place", G_STRUCT_OFFSET(MediaWindow, details_place)},
        {"copy_button", G_STRUCT_OFFSET(MediaWindow, buttons[MEDIA_BUTTON_COPY])},
        {"move_button", G_STRUCT_OFFSET(MediaWindow, buttons[MEDIA_BUTTON_MOVE])},
        {"release_button", G_STRUCT_OFFSET(MediaWindow, buttons[MEDIA_BUTTON_RELEASE])},
        {"remove_button", G_STRUCT_OFFSET(MediaWindow, buttons[MEDIA_BUTTON_REMOVE])},
        {"resize_button", G_STRUCT_OFFSET(MediaWindow, buttons[MEDIA_BUTTON_RESIZE])},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = media_window_dispose;
    widget_class_set_template(widget_class, "media/media-window.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(widget_class, on_error_closed);
    gtk_widget_class_bind_template_callback(widget_class, on_kind_changed);
}

static void
media_window_init(MediaWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    for (guint kind = 0; kind < KINDS; kind++)
        add_page(window, kind);
}

GtkWidget *
media_window_new(GtkWindow *parent, VitrineClient *client)
{
    MediaWindow *window =
        g_object_new(MEDIA_TYPE_WINDOW, "transient-for", parent, "type-hint",
                     GDK_WINDOW_TYPE_HINT_DIALOG, "destroy-with-parent", TRUE, NULL);
    GtkWidget *details;

    window->client = g_object_ref(client);
    window->users = media_users_new(client, reload_later, window);
    details = media_details_new(client, window->users);
    window->work = widget_work_new();
    gtk_box_pack_start(window->details_place, details, FALSE, FALSE, 0);
    gtk_box_pack_start(window->details_place, window->work, FALSE, FALSE, 0);
    window->details = MEDIA_DETAILS(details);
    media_window_add_commands(window);
    widget_window_close_by_keys(GTK_WINDOW(window));
    follow_client(window);
    load(window);
    return GTK_WIDGET(window);
}
