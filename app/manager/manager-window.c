/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The manager's window: follows the client's list of machines. */
#include "app/manager/machine-row.h"
#include "app/manager/manager-details.h"
#include "app/manager/manager-private.h"

#include <glib/gi18n.h>

#define POSITION_DATA "GUI/LastSelectorWindowPosition"
#define SELECTION_DATA "GUI/LastVMSelected"

struct _ManagerWindow {
    GtkApplicationWindow parent;
    VitrineClient *client;
    GtkStack *stack;
    GtkInfoBar *error_bar;
    GtkLabel *error_label, *failed_label;
    GtkPaned *paned;
    GtkSearchBar *search_bar;
    GtkSearchEntry *search_entry;
    GtkListBox *list;
    GtkScrolledWindow *details_place;
    GtkButton *start_button;
    GMenuModel *machine_menu;
    ManagerDetails *details;
    gulong state_handler; /* of the selected machine */
    VitrineMachine *selected;
};

G_DEFINE_FINAL_TYPE(ManagerWindow, manager_window, GTK_TYPE_APPLICATION_WINDOW)

VitrineClient *
manager_window_get_client(ManagerWindow *window)
{
    return window->client;
}

VitrineMachine *
manager_window_get_machine(ManagerWindow *window)
{
    return window->selected;
}

void
manager_window_show_error(ManagerWindow *window, const char *summary, const GError *error)
{
    g_autofree char *text = NULL;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    text = g_strdup_printf("%s. %s", summary, error->message);
    gtk_label_set_text(window->error_label, text);
    gtk_info_bar_set_revealed(window->error_bar, TRUE);
}

static void
on_error_closed(GtkInfoBar *bar, int response, ManagerWindow *window)
{
    gtk_info_bar_set_revealed(bar, FALSE);
}

/* --- selection --- */
static void
on_machine_notify(VitrineMachine *machine, GParamSpec *property, ManagerWindow *window)
{
    manager_window_update_actions(window);
}

static void
select_machine(ManagerWindow *window, VitrineMachine *machine)
{
    if (window->selected == machine)
        return;
    if (window->selected)
        g_clear_signal_handler(&window->state_handler, window->selected);
    g_set_object(&window->selected, machine);
    if (machine)
        window->state_handler =
            g_signal_connect(machine, "notify", G_CALLBACK(on_machine_notify), window);
    if (window->details)
        manager_details_set_machine(window->details, machine);
    gtk_widget_set_visible(GTK_WIDGET(window->details_place), machine != NULL);
    manager_window_update_actions(window);
}

static void
on_row_selected(GtkListBox *list, GtkListBoxRow *row, ManagerWindow *window)
{
    VitrineMachine *machine = row ? machine_row_get_machine(MACHINE_ROW(row)) : NULL;

    select_machine(window, machine);
    if (machine && window->client)
        vitrine_client_set_extra_data_async(window->client, SELECTION_DATA,
                                            vitrine_machine_get_id(machine), NULL, NULL, NULL);
}

static void
on_row_activated(GtkListBox *list, GtkListBoxRow *row, ManagerWindow *window)
{
    g_action_group_activate_action(G_ACTION_GROUP(window), "start", NULL);
}

static void
show_machine_menu(ManagerWindow *window, const GdkEvent *event)
{
    GtkWidget *menu = gtk_menu_new_from_model(window->machine_menu);

    gtk_menu_attach_to_widget(GTK_MENU(menu), GTK_WIDGET(window->list), NULL);
    g_signal_connect(menu, "selection-done", G_CALLBACK(gtk_widget_destroy), NULL);
    if (event)
        gtk_menu_popup_at_pointer(GTK_MENU(menu), event);
    else
        gtk_menu_popup_at_widget(GTK_MENU(menu),
                                 GTK_WIDGET(gtk_list_box_get_selected_row(window->list)),
                                 GDK_GRAVITY_SOUTH_WEST, GDK_GRAVITY_NORTH_WEST, NULL);
}

static gboolean
on_list_button(GtkWidget *list, GdkEventButton *event, ManagerWindow *window)
{
    GtkListBoxRow *row = gtk_list_box_get_row_at_y(window->list, (int)event->y);

    if (!row || !gdk_event_triggers_context_menu((GdkEvent *)event))
        return GDK_EVENT_PROPAGATE;
    gtk_list_box_select_row(window->list, row);
    show_machine_menu(window, (GdkEvent *)event);
    return GDK_EVENT_STOP;
}

static gboolean
on_list_popup(GtkWidget *list, ManagerWindow *window)
{
    if (!gtk_list_box_get_selected_row(window->list))
        return FALSE;
    show_machine_menu(window, NULL);
    return TRUE;
}

/* --- the list --- */
static gboolean
filter(GtkListBoxRow *row, gpointer data)
{
    ManagerWindow *window = data;
    const char *search = gtk_entry_get_text(GTK_ENTRY(window->search_entry));

    return *search == '\0' || machine_row_matches(MACHINE_ROW(row), search);
}

static int
order(GtkListBoxRow *a, GtkListBoxRow *b, gpointer data)
{
    return g_utf8_collate(vitrine_machine_get_name(machine_row_get_machine(MACHINE_ROW(a))),
                          vitrine_machine_get_name(machine_row_get_machine(MACHINE_ROW(b))));
}

static void
on_search_changed(GtkSearchEntry *entry, ManagerWindow *window)
{
    gtk_list_box_invalidate_filter(window->list);
}

void
manager_window_toggle_search(ManagerWindow *window)
{
    gtk_search_bar_set_search_mode(window->search_bar,
                                   !gtk_search_bar_get_search_mode(window->search_bar));
}

static void
show_page(ManagerWindow *window)
{
    guint count = g_list_model_get_n_items(vitrine_client_get_machines(window->client));

    gtk_stack_set_visible_child_name(window->stack, count ? "machines" : "empty");
    manager_window_update_actions(window);
}

static GtkListBoxRow *
find_row(ManagerWindow *window, VitrineMachine *machine)
{
    g_autoptr(GList) rows = gtk_container_get_children(GTK_CONTAINER(window->list));

    for (GList *item = rows; item; item = item->next) {
        if (machine_row_get_machine(MACHINE_ROW(item->data)) == machine)
            return item->data;
    }
    return NULL;
}

static void
on_machine_added(VitrineClient *client, VitrineMachine *machine, ManagerWindow *window)
{
    GtkWidget *row = machine_row_new(machine);

    gtk_container_add(GTK_CONTAINER(window->list), row);
    gtk_list_box_select_row(window->list, GTK_LIST_BOX_ROW(row));
    show_page(window);
}

static void
on_machine_removed(VitrineClient *client, VitrineMachine *machine, ManagerWindow *window)
{
    GtkListBoxRow *row = find_row(window, machine), *next;
    int index = row ? gtk_list_box_row_get_index(row) : -1;

    if (row)
        gtk_widget_destroy(GTK_WIDGET(row));
    if (window->selected == machine) {
        select_machine(window, NULL);
        next = gtk_list_box_get_row_at_index(window->list, MAX(index - 1, 0));
        gtk_list_box_select_row(window->list, next);
    }
    show_page(window);
}

static void
fill_list(ManagerWindow *window)
{
    GListModel *machines = vitrine_client_get_machines(window->client);
    const char *last = vitrine_client_get_extra_data(window->client, SELECTION_DATA);
    GtkListBoxRow *wanted = NULL;

    for (guint i = 0; i < g_list_model_get_n_items(machines); i++) {
        g_autoptr(VitrineMachine) machine = g_list_model_get_item(machines, i);
        GtkWidget *row = machine_row_new(machine);
        gtk_container_add(GTK_CONTAINER(window->list), row);
        if (g_strcmp0(vitrine_machine_get_id(machine), last) == 0)
            wanted = GTK_LIST_BOX_ROW(row);
    }
    if (!wanted)
        wanted = gtk_list_box_get_row_at_index(window->list, 0);
    gtk_list_box_select_row(window->list, wanted);
}

/* --- size --- */
static void
restore_size(ManagerWindow *window)
{
    const char *value = vitrine_client_get_extra_data(window->client, POSITION_DATA);
    int x, y, width, height;

    if (value && sscanf(value, "%d,%d,%d,%d", &x, &y, &width, &height) == 4 && width >= 400 &&
        width <= 8192 && height >= 300 && height <= 8192)
        gtk_window_resize(GTK_WINDOW(window), width, height);
}

static gboolean
manager_window_delete_event(GtkWidget *widget, GdkEventAny *event)
{
    ManagerWindow *window = MANAGER_WINDOW(widget);
    int x, y, width, height;
    g_autofree char *value = NULL;

    if (!window->client)
        return GDK_EVENT_PROPAGATE;
    gtk_window_get_position(GTK_WINDOW(window), &x, &y);
    gtk_window_get_size(GTK_WINDOW(window), &width, &height);
    value = g_strdup_printf("%d,%d,%d,%d", x, y, width, height);
    vitrine_client_set_extra_data_sync(window->client, POSITION_DATA, value, NULL, NULL);
    return GDK_EVENT_PROPAGATE;
}

/* --- the service --- */
void
manager_window_set_client(ManagerWindow *window, VitrineClient *client)
{
    const char *reason = vitrine_client_get_read_only_reason(client);

    g_set_object(&window->client, client);
    window->details = MANAGER_DETAILS(manager_details_new(client));
    gtk_container_add(GTK_CONTAINER(window->details_place), GTK_WIDGET(window->details));
    g_signal_connect_object(client, "machine-added", G_CALLBACK(on_machine_added), window, 0);
    g_signal_connect_object(client, "machine-removed", G_CALLBACK(on_machine_removed), window, 0);
    restore_size(window);
    fill_list(window);
    show_page(window);
    if (reason && *reason) {
        gtk_label_set_text(window->error_label, reason);
        gtk_info_bar_set_revealed(window->error_bar, TRUE);
    }
}

void
manager_window_set_failed(ManagerWindow *window, const GError *error)
{
    g_autofree char *text = g_strdup_printf(
        _("The service that keeps your machines cannot be reached.\n%s"), error->message);

    gtk_label_set_text(window->failed_label, text);
    gtk_stack_set_visible_child_name(window->stack, "failed");
}

static gboolean
on_key(GtkWidget *widget, GdkEvent *event, ManagerWindow *window)
{
    return gtk_search_bar_handle_event(window->search_bar, event);
}

static void
manager_window_dispose(GObject *object)
{
    ManagerWindow *window = MANAGER_WINDOW(object);

    window->details = NULL;
    if (window->selected)
        g_clear_signal_handler(&window->state_handler, window->selected);
    g_clear_object(&window->selected);
    g_clear_object(&window->client);
    G_OBJECT_CLASS(manager_window_parent_class)->dispose(object);
}

static void
bind_children(GtkWidgetClass *class)
{
    gtk_widget_class_bind_template_child(class, ManagerWindow, stack);
    gtk_widget_class_bind_template_child(class, ManagerWindow, error_bar);
    gtk_widget_class_bind_template_child(class, ManagerWindow, error_label);
    gtk_widget_class_bind_template_child(class, ManagerWindow, failed_label);
    gtk_widget_class_bind_template_child(class, ManagerWindow, paned);
    gtk_widget_class_bind_template_child(class, ManagerWindow, search_bar);
    gtk_widget_class_bind_template_child(class, ManagerWindow, search_entry);
    gtk_widget_class_bind_template_child(class, ManagerWindow, list);
    gtk_widget_class_bind_template_child(class, ManagerWindow, details_place);
    gtk_widget_class_bind_template_child(class, ManagerWindow, start_button);
    gtk_widget_class_bind_template_child(class, ManagerWindow, machine_menu);
    gtk_widget_class_bind_template_callback(class, on_error_closed);
    gtk_widget_class_bind_template_callback(class, on_row_selected);
    gtk_widget_class_bind_template_callback(class, on_row_activated);
    gtk_widget_class_bind_template_callback(class, on_list_button);
    gtk_widget_class_bind_template_callback(class, on_list_popup);
    gtk_widget_class_bind_template_callback(class, on_search_changed);
}

static void
manager_window_class_init(ManagerWindowClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = manager_window_dispose;
    widget_class->delete_event = manager_window_delete_event;
    gtk_widget_class_set_template_from_resource(widget_class,
                                                "/org/vitrine/Vitrine/manager/manager-window.ui");
    bind_children(widget_class);
}

static void
manager_window_init(ManagerWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    gtk_list_box_set_filter_func(window->list, filter, window, NULL);
    gtk_list_box_set_sort_func(window->list, order, NULL, NULL);
    gtk_search_bar_connect_entry(window->search_bar, GTK_ENTRY(window->search_entry));
    g_signal_connect(window, "key-press-event", G_CALLBACK(on_key), window);
    manager_window_add_actions(window);
}

ManagerWindow *
manager_window_new(GtkApplication *application)
{
    return g_object_new(MANAGER_TYPE_WINDOW, "application", application, NULL);
}
