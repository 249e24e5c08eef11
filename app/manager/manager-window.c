/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The manager's window: follows the client's list of machines. */
#include "app/manager/group-details.h"
#include "app/manager/manager-details.h"
#include "app/manager/manager-private.h"
#include "app/widgets/widget-geometry.h"
#include "app/widgets/widget-template.h"

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
    ManagerList *list;
    GtkBox *details_place;
    GMenuModel *machine_menu, *group_menu;
    GMenu *move_menu;
    GtkWidget *start_button, *start_more, *show_button;
    GtkWidget *work;
    GtkBox *content;
    GroupDetails *group_details;
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

ManagerList *
manager_window_get_list(ManagerWindow *window)
{
    return window->list;
}

GMenu *
manager_window_get_move_menu(ManagerWindow *window)
{
    return window->move_menu;
}

void
manager_window_show_start_button(ManagerWindow *window, gboolean start)
{
    gtk_widget_set_visible(window->start_button, start);
    gtk_widget_set_visible(window->start_more, start);
    gtk_widget_set_visible(window->show_button, !start);
}

void
manager_window_show_page(ManagerWindow *window, const char *page)
{
    manager_details_show_page(window->details, page);
}

WidgetWork *
manager_window_get_work(ManagerWindow *window)
{
    return window->work ? WIDGET_WORK(window->work) : NULL;
}

static void
show_notice(ManagerWindow *window, const char *text)
{
    gtk_label_set_text(window->error_label, text);
    gtk_info_bar_set_revealed(window->error_bar, TRUE);
}

void
manager_window_show_error(ManagerWindow *window, const char *summary, const GError *error)
{
    g_autofree char *text = NULL;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    text = g_strdup_printf("%s. %s", summary, error->message);
    show_notice(window, text);
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
}

static void
show_group(ManagerWindow *window)
{
    g_autofree char *group = manager_list_get_group(window->list);
    g_autoptr(GPtrArray) machines = manager_list_get_machines(window->list);

    if (group && window->group_details)
        group_details_show(window->group_details, group, machines);
    gtk_widget_set_visible(GTK_WIDGET(window->group_details), group != NULL);
    gtk_widget_set_visible(GTK_WIDGET(window->details), window->selected != NULL);
}

static void
on_row_selected(GtkListBox *list, GtkListBoxRow *row, ManagerWindow *window)
{
    VitrineMachine *machine = manager_list_get_machine(window->list);

    select_machine(window, machine);
    show_group(window);
    manager_window_update_actions(window);
    if (machine && window->client)
        vitrine_client_set_extra_data_async(window->client, SELECTION_DATA,
                                            vitrine_machine_get_id(machine), NULL, NULL, NULL);
}

static void
on_groups_changed(ManagerList *list, ManagerWindow *window)
{
    if (!window->details)
        return;
    select_machine(window, manager_list_get_machine(list));
    show_group(window);
    manager_window_update_actions(window);
}

static void
on_list_problem(ManagerList *list, const char *text, ManagerWindow *window)
{
    show_notice(window, text);
}

static void
activate(ManagerWindow *window, const char *action)
{
    g_action_group_activate_action(G_ACTION_GROUP(window), action, NULL);
}

static void
on_row_activated(GtkListBox *list, GtkListBoxRow *row, ManagerWindow *window)
{
    if (!manager_list_toggle_group(window->list))
        activate(window, gtk_widget_get_visible(window->start_button) ? "start" : "show");
}

static void
show_machine_menu(ManagerWindow *window, const GdkEvent *event)
{
    gboolean machine = window->selected != NULL;
    GtkWidget *menu = gtk_menu_new_from_model(machine ? window->machine_menu : window->group_menu);

    GtkListBox *list = GTK_LIST_BOX(window->list);

    gtk_menu_attach_to_widget(GTK_MENU(menu), GTK_WIDGET(window->list), NULL);
    g_signal_connect(menu, "selection-done", G_CALLBACK(gtk_widget_destroy), NULL);
    if (event)
        gtk_menu_popup_at_pointer(GTK_MENU(menu), event);
    else
        gtk_menu_popup_at_widget(GTK_MENU(menu), GTK_WIDGET(gtk_list_box_get_selected_row(list)),
                                 GDK_GRAVITY_SOUTH_WEST, GDK_GRAVITY_NORTH_WEST, NULL);
}

static gboolean
on_list_button(GtkWidget *list, GdkEventButton *event, ManagerWindow *window)
{
    GtkListBoxRow *row = gtk_list_box_get_row_at_y(GTK_LIST_BOX(list), (int)event->y);

    if (!row || !gdk_event_triggers_context_menu((GdkEvent *)event))
        return GDK_EVENT_PROPAGATE;
    gtk_list_box_select_row(GTK_LIST_BOX(list), row);
    show_machine_menu(window, (GdkEvent *)event);
    return GDK_EVENT_STOP;
}

static gboolean
on_list_popup(GtkWidget *list, ManagerWindow *window)
{
    if (!gtk_list_box_get_selected_row(GTK_LIST_BOX(list)))
        return FALSE;
    show_machine_menu(window, NULL);
    return TRUE;
}

/* --- the list --- */
static void
on_search_changed(GtkSearchEntry *entry, ManagerWindow *window)
{
    manager_list_set_search(window->list, gtk_entry_get_text(GTK_ENTRY(entry)));
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

static void
on_machines_changed(VitrineClient *client, VitrineMachine *machine, ManagerWindow *window)
{
    show_page(window);
}

/* --- size --- */
static void
on_geometry(const char *value, gpointer data)
{
    ManagerWindow *window = data;

    if (window->client)
        vitrine_client_set_extra_data_async(window->client, POSITION_DATA, value, NULL, NULL, NULL);
}

void
manager_window_restore(ManagerWindow *window, VitrineClient *client)
{
    widget_geometry_restore(GTK_WINDOW(window),
                            vitrine_client_get_extra_data(client, POSITION_DATA), TRUE);
}

/* --- the service --- */
void
manager_window_set_client(ManagerWindow *window, VitrineClient *client)
{
    const char *reason = vitrine_client_get_read_only_reason(client);

    g_set_object(&window->client, client);
    window->details = MANAGER_DETAILS(manager_details_new(client, window->machine_menu));
    gtk_container_add(GTK_CONTAINER(window->details_place), GTK_WIDGET(window->details));
    manager_list_set_client(window->list, client,
                            vitrine_client_get_extra_data(client, SELECTION_DATA));
    g_signal_connect_object(client, "machine-added", G_CALLBACK(on_machines_changed), window, 0);
    g_signal_connect_object(client, "machine-removed", G_CALLBACK(on_machines_changed), window, 0);
    show_page(window);
    if (reason && *reason)
        show_notice(window, reason);
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
    GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(window));

    if (GTK_IS_ENTRY(focus) || GTK_IS_TEXT_VIEW(focus)) /* what is typed is for it */
        return GDK_EVENT_PROPAGATE;
    return gtk_search_bar_handle_event(window->search_bar, event);
}

static void
manager_window_dispose(GObject *object)
{
    ManagerWindow *window = MANAGER_WINDOW(object);

    window->details = NULL;
    window->group_details = NULL;
    window->work = NULL;
    if (window->selected)
        g_clear_signal_handler(&window->state_handler, window->selected);
    g_clear_object(&window->selected);
    g_clear_object(&window->client);
    G_OBJECT_CLASS(manager_window_parent_class)->dispose(object);
}

static void
manager_window_class_init(ManagerWindowClass *class)
{
    static const WidgetChild children[] = {
        {"start_button", G_STRUCT_OFFSET(ManagerWindow, start_button)},
        {"start_more", G_STRUCT_OFFSET(ManagerWindow, start_more)},
        {"show_button", G_STRUCT_OFFSET(ManagerWindow, show_button)},
        {"content", G_STRUCT_OFFSET(ManagerWindow, content)},
        {"stack", G_STRUCT_OFFSET(ManagerWindow, stack)},
        {"error_bar", G_STRUCT_OFFSET(ManagerWindow, error_bar)},
        {"error_label", G_STRUCT_OFFSET(ManagerWindow, error_label)},
        {"failed_label", G_STRUCT_OFFSET(ManagerWindow, failed_label)},
        {"paned", G_STRUCT_OFFSET(ManagerWindow, paned)},
        {"search_bar", G_STRUCT_OFFSET(ManagerWindow, search_bar)},
        {"search_entry", G_STRUCT_OFFSET(ManagerWindow, search_entry)},
        {"list", G_STRUCT_OFFSET(ManagerWindow, list)},
        {"details_place", G_STRUCT_OFFSET(ManagerWindow, details_place)},
        {"machine_menu", G_STRUCT_OFFSET(ManagerWindow, machine_menu)},
        {"group_menu", G_STRUCT_OFFSET(ManagerWindow, group_menu)},
        {"move_menu", G_STRUCT_OFFSET(ManagerWindow, move_menu)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    g_type_ensure(MANAGER_TYPE_LIST);
    G_OBJECT_CLASS(class)->dispose = manager_window_dispose;
    widget_class_set_template(widget_class, "manager/manager-window.ui", children,
                              G_N_ELEMENTS(children));
    gtk_widget_class_bind_template_callback(widget_class, on_error_closed);
    gtk_widget_class_bind_template_callback(widget_class, on_row_selected);
    gtk_widget_class_bind_template_callback(widget_class, on_row_activated);
    gtk_widget_class_bind_template_callback(widget_class, on_list_button);
    gtk_widget_class_bind_template_callback(widget_class, on_list_popup);
    gtk_widget_class_bind_template_callback(widget_class, on_groups_changed);
    gtk_widget_class_bind_template_callback(widget_class, on_list_problem);
    gtk_widget_class_bind_template_callback(widget_class, on_search_changed);
}

static void
load_style(void)
{
    g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();

    gtk_css_provider_load_from_resource(provider, "/org/vitrine/Vitrine/manager/manager.css");
    gtk_style_context_add_provider_for_screen(gdk_screen_get_default(),
                                              GTK_STYLE_PROVIDER(provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

static void
manager_window_init(ManagerWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    load_style();
    window->work = widget_work_new();
    g_object_set(window->work, "margin", 12, NULL);
    gtk_box_pack_end(window->content, window->work, FALSE, FALSE, 0);
    window->group_details = GROUP_DETAILS(group_details_new());
    gtk_container_add(GTK_CONTAINER(window->details_place), GTK_WIDGET(window->group_details));
    gtk_widget_hide(GTK_WIDGET(window->group_details));
    gtk_search_bar_connect_entry(window->search_bar, GTK_ENTRY(window->search_entry));
    g_signal_connect(window, "key-press-event", G_CALLBACK(on_key), window);
    widget_geometry_follow(GTK_WINDOW(window), on_geometry, window);
    manager_window_add_actions(window);
}

ManagerWindow *
manager_window_new(GtkApplication *application)
{
    return g_object_new(MANAGER_TYPE_WINDOW, "application", application, NULL);
}
