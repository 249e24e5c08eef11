/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The window: a list for each kind, filled again when a network, a DHCP server or a machine's cards
 * have changed, and when the window is looked at again. */
#include "app/networks/networks-private.h"
#include "app/widgets/widget-empty.h"
#include "app/widgets/widget-template.h"
#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>

#define RELOAD_MS 50

/* A page of the stack, in the order of NetworksKind; columns without a title are not shown. */
static const struct {
    const char *name, *title, *empty, *note, *new_tooltip;
    const char *columns[NETWORKS_COLUMN_COUNT];
} kinds[NETWORKS_KINDS] = {
    [NETWORKS_HOST_ONLY] = {"host-only",
                            N_("Host-only"),
                            N_("No network device of the host is there for machines."),
                            N_("Machines reach the host through such a device, and each other."),
                            N_("Make a device of the host for machines"),
                            {[NETWORKS_COLUMN_NAME] = N_("Device"),
                             [NETWORKS_COLUMN_IPV4] = N_("IPv4"),
                             [NETWORKS_COLUMN_IPV6] = N_("IPv6"),
                             [NETWORKS_COLUMN_DHCP] = N_("DHCP"),
                             [NETWORKS_COLUMN_USED_BY] = N_("Used by")}},
    [NETWORKS_NAT] =
        {"nat",
         N_("NAT"),
         N_("No NAT networks yet."),
         N_("Machines reach each other and what the host reaches; nobody reaches them but through "
            "forwarded ports."),
         N_("Make a network with a way out through the host"),
         {[NETWORKS_COLUMN_NAME] = N_("Name"),
          [NETWORKS_COLUMN_IPV4] = N_("IPv4"),
          [NETWORKS_COLUMN_IPV6] = N_("IPv6"),
          [NETWORKS_COLUMN_DHCP] = N_("DHCP"),
          [NETWORKS_COLUMN_STATE] = N_("State"),
          [NETWORKS_COLUMN_USED_BY] = N_("Used by")}},
    [NETWORKS_INTERNAL] =
        {"internal",
         N_("Internal"),
         N_("No machine is on an internal network."),
         N_("Machines reach each other and nothing else. A network is there as soon as a machine's "
            "network card names it."),
         N_("Make a DHCP server for an internal network"),
         {[NETWORKS_COLUMN_NAME] = N_("Name"),
          [NETWORKS_COLUMN_DHCP] = N_("DHCP"),
          [NETWORKS_COLUMN_USED_BY] = N_("Used by")}},
};

struct _NetworksWindow {
    GtkWindow parent;
    VitrineClient *client;
    NetworksUsers *users;
    GtkStack *stack;
    GtkInfoBar *error_bar;
    GtkLabel *error_label, *note;
    GtkWidget *new_button, *start_button, *stop_button;
    GtkListStore *stores[NETWORKS_KINDS];
    GtkTreeView *views[NETWORKS_KINDS];
    GtkWidget *pages[NETWORKS_KINDS]; /* WidgetEmpty of the list */
    char *wanted;                     /* is selected as soon as it is there */
    guint reload;
};

G_DEFINE_FINAL_TYPE(NetworksWindow, networks_window, GTK_TYPE_WINDOW)

VitrineClient *
networks_window_get_client(NetworksWindow *window)
{
    return window->client;
}

NetworksKind
networks_window_get_kind(NetworksWindow *window)
{
    const char *name = gtk_stack_get_visible_child_name(window->stack);

    for (guint kind = 0; kind < NETWORKS_KINDS; kind++) {
        if (g_strcmp0(kinds[kind].name, name) == 0)
            return (NetworksKind)kind;
    }
    return NETWORKS_HOST_ONLY;
}

static char *
selected_of(NetworksWindow *window, guint kind, int column)
{
    GtkTreeModel *model;
    GtkTreeIter row;
    char *text = NULL;

    if (gtk_tree_selection_get_selected(gtk_tree_view_get_selection(window->views[kind]), &model,
                                        &row))
        gtk_tree_model_get(model, &row, column, &text, -1);
    return text;
}

char *
networks_window_get_selected(NetworksWindow *window, int column)
{
    return selected_of(window, networks_window_get_kind(window), column);
}

void
networks_window_show_error(NetworksWindow *window, const char *summary, const GError *error)
{
    g_autofree char *text = g_strdup_printf("%s. %s", summary, error->message);

    gtk_label_set_text(window->error_label, text);
    gtk_info_bar_set_revealed(window->error_bar, TRUE);
}

static void
on_error_closed(GtkInfoBar *bar, int response, NetworksWindow *window)
{
    gtk_info_bar_set_revealed(bar, FALSE);
}

/* --- selection --- */

static void
update(NetworksWindow *window)
{
    if (window->users != NULL) /* not going */
        networks_window_update_commands(window);
}

static void
on_kind_changed(NetworksWindow *window)
{
    const NetworksKind kind = networks_window_get_kind(window);
    g_autofree char *problem = NULL;

    if (window->users == NULL)
        return;
    if (kind == NETWORKS_HOST_ONLY)
        problem = vitrine_host_only_problem();
    gtk_label_set_text(window->note, problem != NULL ? problem : _(kinds[kind].note));
    gtk_widget_set_tooltip_text(window->new_button,
                                problem != NULL ? problem : _(kinds[kind].new_tooltip));
    gtk_widget_set_visible(window->start_button, kind == NETWORKS_NAT);
    gtk_widget_set_visible(window->stop_button, kind == NETWORKS_NAT);
    update(window);
}

static void
select_row(NetworksWindow *window, guint kind, const char *name)
{
    GtkTreeModel *model = GTK_TREE_MODEL(window->stores[kind]);
    GtkTreeIter row;
    GtkTreePath *path;

    if (!networks_rows_find(window->stores[kind], name, &row) &&
        !gtk_tree_model_get_iter_first(model, &row))
        return;
    path = gtk_tree_model_get_path(model, &row);
    gtk_tree_view_set_cursor(window->views[kind], path, NULL, FALSE);
    gtk_tree_path_free(path);
}

/* --- the lists --- */

static void
load(NetworksWindow *window, guint kind)
{
    GtkListStore *store = window->stores[kind];
    g_autofree char *selected = selected_of(window, kind, NETWORKS_COLUMN_NAME);
    GtkTreeIter row;

    networks_rows_fill(store, window->client, window->users, (NetworksKind)kind);
    widget_empty_show(window->pages[kind],
                      !gtk_tree_model_get_iter_first(GTK_TREE_MODEL(store), &row));
    if (window->wanted != NULL && kind == networks_window_get_kind(window) &&
        networks_rows_find(store, window->wanted, &row)) {
        g_free(selected);
        selected = g_steal_pointer(&window->wanted);
    }
    select_row(window, kind, selected);
}

static gboolean
on_reload(gpointer data)
{
    NetworksWindow *window = data;

    window->reload = 0;
    for (guint kind = 0; kind < NETWORKS_KINDS; kind++)
        load(window, kind);
    on_kind_changed(window);
    return G_SOURCE_REMOVE;
}

void
networks_window_reload(gpointer data)
{
    NetworksWindow *window = data;

    if (window->reload == 0)
        window->reload = g_timeout_add(RELOAD_MS, on_reload, window);
}

void
networks_window_select(gpointer data, const char *name)
{
    NetworksWindow *window = data;

    g_free(window->wanted);
    window->wanted = g_strdup(name);
    networks_window_reload(window);
}

static void
on_activated(NetworksWindow *window)
{
    networks_window_reload(window);
}

static void
on_row_activated(NetworksWindow *window)
{
    g_action_group_activate_action(gtk_widget_get_action_group(GTK_WIDGET(window), "networks"),
                                   "properties", NULL);
}

/* --- the pages --- */

static void
add_column(GtkTreeView *view, const char *title, int column)
{
    const gboolean wide = column == NETWORKS_COLUMN_NAME || column == NETWORKS_COLUMN_USED_BY;
    GtkTreeViewColumn *added = gtk_tree_view_column_new();
    GtkCellRenderer *text = gtk_cell_renderer_text_new();

    gtk_tree_view_column_set_title(added, title);
    gtk_tree_view_column_set_sort_column_id(added, column);
    g_object_set(text, "ellipsize", wide ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE, "ypad", 4,
                 "xpad", 6, NULL);
    gtk_tree_view_column_pack_start(added, text, TRUE);
    gtk_tree_view_column_add_attribute(added, text, "text", column);
    gtk_tree_view_column_set_expand(added, wide);
    gtk_tree_view_append_column(view, added);
}

static void
add_page(NetworksWindow *window, guint kind)
{
    GtkWidget *view, *scroller = gtk_scrolled_window_new(NULL, NULL);

    window->stores[kind] = networks_rows_new();
    view = gtk_tree_view_new_with_model(GTK_TREE_MODEL(window->stores[kind]));
    window->views[kind] = GTK_TREE_VIEW(view);
    window->pages[kind] =
        widget_empty_new(scroller, "network-wired-symbolic", _(kinds[kind].empty), NULL);
    atk_object_set_name(gtk_widget_get_accessible(view), _(kinds[kind].title));
    gtk_tree_view_set_search_column(window->views[kind], NETWORKS_COLUMN_NAME);
    for (int column = 0; column < NETWORKS_COLUMN_COUNT; column++) {
        if (kinds[kind].columns[column] != NULL)
            add_column(window->views[kind], _(kinds[kind].columns[column]), column);
    }
    g_signal_connect_swapped(gtk_tree_view_get_selection(window->views[kind]), "changed",
                             G_CALLBACK(update), window);
    g_signal_connect_swapped(view, "row-activated", G_CALLBACK(on_row_activated), window);
    gtk_container_add(GTK_CONTAINER(scroller), view);
    gtk_widget_show_all(scroller);
    gtk_stack_add_titled(window->stack, window->pages[kind], kinds[kind].name,
                         _(kinds[kind].title));
}

/* --- the class --- */

static void
networks_window_dispose(GObject *object)
{
    NetworksWindow *window = NETWORKS_WINDOW(object);

    g_clear_pointer(&window->users, networks_users_free);
    g_clear_handle_id(&window->reload, g_source_remove);
    for (guint kind = 0; kind < NETWORKS_KINDS; kind++)
        g_clear_object(&window->stores[kind]);
    g_clear_pointer(&window->wanted, g_free);
    g_clear_object(&window->client);
    G_OBJECT_CLASS(networks_window_parent_class)->dispose(object);
}

static void
networks_window_class_init(NetworksWindowClass *class)
{
    static const WidgetChild children[] = {
        {"stack", G_STRUCT_OFFSET(NetworksWindow, stack)},
        {"error_bar", G_STRUCT_OFFSET(NetworksWindow, error_bar)},
        {"error_label", G_STRUCT_OFFSET(NetworksWindow, error_label)},
        {"note", G_STRUCT_OFFSET(NetworksWindow, note)},
        {"new_button", G_STRUCT_OFFSET(NetworksWindow, new_button)},
        {"start_button", G_STRUCT_OFFSET(NetworksWindow, start_button)},
        {"stop_button", G_STRUCT_OFFSET(NetworksWindow, stop_button)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = networks_window_dispose;
    widget_class_set_template(widget_class, "networks/networks-window.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(widget_class, on_error_closed);
    gtk_widget_class_bind_template_callback(widget_class, on_kind_changed);
}

static void
networks_window_init(NetworksWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    for (guint kind = 0; kind < NETWORKS_KINDS; kind++)
        add_page(window, kind);
}

GtkWidget *
networks_window_new(GtkWindow *parent, VitrineClient *client)
{
    NetworksWindow *window =
        g_object_new(NETWORKS_TYPE_WINDOW, "transient-for", parent, "type-hint",
                     GDK_WINDOW_TYPE_HINT_DIALOG, "destroy-with-parent", TRUE, NULL);

    window->client = g_object_ref(client);
    window->users = networks_users_new(client, networks_window_reload, window);
    networks_window_add_commands(window);
    widget_window_close_by_keys(GTK_WINDOW(window));
    g_signal_connect_object(client, "notify::nat-networks", G_CALLBACK(networks_window_reload),
                            window, G_CONNECT_SWAPPED);
    g_signal_connect_object(client, "notify::dhcp-servers", G_CALLBACK(networks_window_reload),
                            window, G_CONNECT_SWAPPED);
    g_signal_connect(window, "notify::is-active", G_CALLBACK(on_activated), NULL);
    on_reload(window);
    return GTK_WIDGET(window);
}
