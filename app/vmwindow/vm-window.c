/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The VM window: connects to the machine's console, shows its screen and state, ends with the
 * machine. */
#include "app/vmwindow/vm-window-private.h"

#include "app/vmwindow/vm-commands.h"
#include "app/widgets/widget-preferences.h"
#include "app/widgets/widget-template.h"

#include <glib/gi18n.h>

#define HINT_SHOWN_DATA "GUI/HostKeyExplained"

G_DEFINE_FINAL_TYPE(VmWindow, vm_window, GTK_TYPE_APPLICATION_WINDOW)

/* --- state --- */
static const char *
state_text(VmWindow *window, VitrineMachineState state)
{
    switch (state) {
    case VITRINE_MACHINE_STATE_PAUSED: return _("Paused");
    case VITRINE_MACHINE_STATE_STUCK: return _("Stopped by a triple fault");
    case VITRINE_MACHINE_STATE_STARTING: return _("Starting…");
    case VITRINE_MACHINE_STATE_RESTORING: return _("Restoring…");
    case VITRINE_MACHINE_STATE_STOPPING: return _("Switching off…");
    default: return NULL;
    }
}

static void
show_state(VmWindow *window)
{
    VitrineMachineState state = window->console ? vitrine_console_get_state(window->console)
                                                : VITRINE_MACHINE_STATE_STARTING;
    const char *text = state_text(window, state), *name = vitrine_machine_get_name(window->machine);
    g_autofree char *title = text ? g_strdup_printf("%s – %s", name, text) : g_strdup(name);

    gtk_window_set_title(GTK_WINDOW(window), title);
    gtk_label_set_text(window->toolbar_title, title);
    vm_display_set_overlay(window->display, text);
    if (state == VITRINE_MACHINE_STATE_RUNNING)
        vm_window_show_bar(window, window->error_bar, FALSE);
    vm_window_update_actions(window);
}

void
vm_window_end(VmWindow *window)
{
    if (window->ending)
        return;
    window->ending = TRUE;
    gtk_widget_destroy(GTK_WIDGET(window));
}

/* --- the console --- */
static void
on_console_state(VitrineConsole *console, GParamSpec *property, VmWindow *window)
{
    show_state(window);
}

static void
on_runtime_error(VitrineConsole *console, gboolean fatal, const char *id, const char *message,
                 VmWindow *window)
{
    gtk_label_set_text(window->error_label, message);
    gtk_info_bar_set_message_type(window->error_bar,
                                  fatal ? GTK_MESSAGE_ERROR : GTK_MESSAGE_WARNING);
    gtk_info_bar_set_show_close_button(window->error_bar, TRUE);
    vm_window_show_bar(window, window->error_bar, TRUE);
}

static void
on_triple_fault(VitrineConsole *console, const char *log_file, VmWindow *window)
{
    vm_input_release(window->input);
    vm_window_show_triple_fault(window, log_file);
}

static void
on_show_requested(VitrineConsole *console, VmWindow *window)
{
    gtk_window_present_with_time(GTK_WINDOW(window), GDK_CURRENT_TIME);
}

static void
on_closed(VitrineConsole *console, VmWindow *window)
{
    vm_window_end(window);
}

static void
on_surface(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSurface) surface =
        vitrine_console_open_surface_finish(VITRINE_CONSOLE(source), result, &error);

    if (window->ending)
        return;
    if (surface)
        vm_display_set_surface(window->display, surface);
    else
        vm_window_show_error(window, _("The screen cannot be shown"), error);
}

static void
take_console(VmWindow *window, VitrineConsole *console)
{
    g_set_object(&window->console, console);
    g_signal_connect_object(console, "notify::state", G_CALLBACK(on_console_state), window, 0);
    g_signal_connect_object(console, "runtime-error", G_CALLBACK(on_runtime_error), window, 0);
    g_signal_connect_object(console, "triple-fault", G_CALLBACK(on_triple_fault), window, 0);
    g_signal_connect_object(console, "show-requested", G_CALLBACK(on_show_requested), window, 0);
    g_signal_connect_object(console, "closed", G_CALLBACK(on_closed), window, 0);
    vitrine_console_attach_window(console);
    vm_input_set_console(window->input, console);
    vm_status_set_console(window->status, console);
    vitrine_console_open_surface_async(console, 0, window->cancel, on_surface,
                                       g_object_ref(window));
    vm_window_refresh_media(window);
    show_state(window);
    gtk_widget_grab_focus(GTK_WIDGET(window->display));
}

static void
on_console(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(VitrineConsole) console =
        vitrine_machine_open_console_finish(VITRINE_MACHINE(source), result, NULL);

    window->connecting = FALSE;
    if (console && !window->ending)
        take_console(window, console);
}

/* The VM process serves its console some time after it has locked the machine. */
static void
try_connect(VmWindow *window)
{
    if (window->console || window->connecting || window->ending ||
        !vitrine_machine_get_console_available(window->machine))
        return;
    window->connecting = TRUE;
    vitrine_machine_open_console_async(window->machine, window->cancel, on_console,
                                       g_object_ref(window));
}

static void
on_console_available(VitrineMachine *machine, GParamSpec *property, VmWindow *window)
{
    try_connect(window);
}

static void
on_machine_state(VitrineMachine *machine, GParamSpec *property, VmWindow *window)
{
    if (window->console && !vitrine_machine_state_is_online(vitrine_machine_get_state(machine)))
        vm_window_end(window);
    else
        show_state(window);
}

static void
on_media_changed(VitrineMachine *machine, GParamSpec *property, VmWindow *window)
{
    vm_window_refresh_media(window);
}

/* --- capture and host key --- */
static void
explain_host_key(VmWindow *window)
{
    g_autofree char *key = widget_host_key_name(vm_input_get_host_key(window->input));
    g_autofree char *text = NULL;
    const char *known = vitrine_client_get_extra_data(window->client, HINT_SHOWN_DATA);

    if (window->hint_shown || (known && *known))
        return;
    window->hint_shown = TRUE;
    text = g_strdup_printf(
        _("Keyboard and pointer belong to the guest now. Press %s to get them back."), key);
    gtk_label_set_text(window->hint_label, text);
    if (window->fullscreen)
        vm_window_show_hint(window, text);
    else
        vm_window_show_bar(window, window->hint_bar, TRUE);
    vitrine_client_set_extra_data_async(window->client, HINT_SHOWN_DATA, "true", NULL, NULL, NULL);
}

static void
on_captured(VmInput *input, gboolean keyboard, gboolean pointer, VmWindow *window)
{
    vm_status_set_captured(window->status, keyboard, pointer);
    if (keyboard || pointer)
        explain_host_key(window);
    else
        vm_window_show_bar(window, window->hint_bar, FALSE);
}

static gboolean
on_host_combo(VmInput *input, guint keyval, VmWindow *window)
{
    return vm_window_run_combo(window, keyval);
}

static void
rebuild_menu_bar(VmWindow *window)
{
    g_autofree char *key = widget_host_key_name(vm_input_get_host_key(window->input));
    g_autoptr(GMenuModel) model = vm_commands_menu_bar(G_MENU_MODEL(window->devices), key);

    if (window->menu_bar)
        gtk_widget_destroy(window->menu_bar);
    window->menu_bar = gtk_menu_bar_new_from_model(model);
    gtk_widget_show(window->menu_bar);
    gtk_container_add(GTK_CONTAINER(window->menu_place), window->menu_bar);
    vm_window_refresh_usb(window);
    vm_status_set_host_key(window->status, key);
}

static void
load_host_key(VmWindow *window)
{
    vm_input_set_host_key(window->input, widget_host_key(window->client));
    rebuild_menu_bar(window);
}

static void
on_extra_data(VitrineClient *client, const char *machine_id, const char *key, const char *value,
              VmWindow *window)
{
    if (g_str_equal(key, WIDGET_HOST_KEY_DATA))
        load_host_key(window);
}

static void
on_bar_closed(GtkInfoBar *bar, int response, VmWindow *window)
{
    vm_window_show_bar(window, bar, FALSE);
}

/* --- life --- */
static gboolean
vm_window_delete_event(GtkWidget *widget, GdkEventAny *event)
{
    VmWindow *window = VM_WINDOW(widget);

    if (window->ending || !window->console)
        return GDK_EVENT_PROPAGATE;
    if (vm_window_cancel_restore(window)) /* its end closes the window, and nothing is lost */
        return GDK_EVENT_STOP;
    vm_window_ask_close(window);
    return GDK_EVENT_STOP;
}

static void
vm_window_dispose(GObject *object)
{
    VmWindow *window = VM_WINDOW(object);

    window->ending = TRUE;
    if (window->cancel)
        g_cancellable_cancel(window->cancel);
    g_clear_handle_id(&window->toolbar_timer, g_source_remove);
    g_clear_handle_id(&window->leave_timer, g_source_remove);
    if (window->status)
        vm_status_set_console(window->status, NULL);
    if (window->input)
        vm_input_set_console(window->input, NULL);
    window->status = NULL;
    window->display = NULL;
    g_clear_object(&window->input);
    g_clear_object(&window->devices);
    g_clear_pointer(&window->catalog, g_ptr_array_unref);
    g_clear_object(&window->optical_menu);
    g_clear_object(&window->floppy_menu);
    g_clear_object(&window->usb_menu);
    g_clear_pointer(&window->usb_remotes, g_strfreev);
    vm_window_forget_work(window);
    g_clear_object(&window->console);
    g_clear_object(&window->machine);
    g_clear_object(&window->client);
    g_clear_object(&window->cancel);
    G_OBJECT_CLASS(vm_window_parent_class)->dispose(object);
}

static void
vm_window_class_init(VmWindowClass *class)
{
    static const WidgetChild children[] = {
        {"menu_place", G_STRUCT_OFFSET(VmWindow, menu_place)},
        {"content", G_STRUCT_OFFSET(VmWindow, content)},
        {"hint_bar", G_STRUCT_OFFSET(VmWindow, hint_bar)},
        {"hint_label", G_STRUCT_OFFSET(VmWindow, hint_label)},
        {"error_bar", G_STRUCT_OFFSET(VmWindow, error_bar)},
        {"error_label", G_STRUCT_OFFSET(VmWindow, error_label)},
        {"work_bar", G_STRUCT_OFFSET(VmWindow, work_bar)},
        {"work_label", G_STRUCT_OFFSET(VmWindow, work_label)},
        {"work_progress", G_STRUCT_OFFSET(VmWindow, work_progress)},
        {"overlay", G_STRUCT_OFFSET(VmWindow, overlay)},
        {"scroller", G_STRUCT_OFFSET(VmWindow, scroller)},
        {"toolbar", G_STRUCT_OFFSET(VmWindow, toolbar)},
        {"toolbar_title", G_STRUCT_OFFSET(VmWindow, toolbar_title)},
        {"leave_hint", G_STRUCT_OFFSET(VmWindow, leave_hint)},
        {"leave_label", G_STRUCT_OFFSET(VmWindow, leave_label)},
    };
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = vm_window_dispose;
    widget_class->delete_event = vm_window_delete_event;
    widget_class_set_template(widget_class, "vmwindow/vm-window.ui", children,
                              G_N_ELEMENTS(children));
}

static void
vm_window_init(VmWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    window->cancel = g_cancellable_new();
    window->devices = g_menu_new();
    window->optical_menu = g_menu_new();
    window->floppy_menu = g_menu_new();
    window->usb_menu = g_menu_new();
    window->display = VM_DISPLAY(vm_display_new());
    gtk_widget_show(GTK_WIDGET(window->display));
    gtk_container_add(GTK_CONTAINER(window->scroller), GTK_WIDGET(window->display));
    window->status = VM_STATUS(vm_status_new());
    gtk_box_pack_end(window->content, GTK_WIDGET(window->status), FALSE, FALSE, 0);
    vm_status_set_media_menus(window->status, G_MENU_MODEL(window->optical_menu),
                              G_MENU_MODEL(window->floppy_menu));
    vm_window_connect_view(window); /* before the input, which keeps events to itself */
    window->input = vm_input_new(GTK_WINDOW(window), window->display);
    g_signal_connect(window->input, "captured", G_CALLBACK(on_captured), window);
    g_signal_connect(window->input, "host-combo", G_CALLBACK(on_host_combo), window);
    g_signal_connect(window->hint_bar, "response", G_CALLBACK(on_bar_closed), window);
    g_signal_connect(window->error_bar, "response", G_CALLBACK(on_bar_closed), window);
    vm_window_connect_work(window);
}

gboolean
vm_window_is_detached(VmWindow *window)
{
    return window->detached;
}

VmWindow *
vm_window_new(GtkApplication *application, VitrineClient *client, VitrineMachine *machine,
              gboolean detachable)
{
    VmWindow *window;

    widget_preferences_apply(client);
    window = g_object_new(VM_TYPE_WINDOW, "application", application, NULL);
    window->client = g_object_ref(client);
    window->machine = g_object_ref(machine);
    window->detachable = detachable;
    vm_window_add_actions(window);
    load_host_key(window);
    g_signal_connect_object(machine, "notify::console-available", G_CALLBACK(on_console_available),
                            window, 0);
    g_signal_connect_object(machine, "notify::state", G_CALLBACK(on_machine_state), window, 0);
    g_signal_connect_object(machine, "notify::settings-generation", G_CALLBACK(on_media_changed),
                            window, 0);
    g_signal_connect_object(machine, "notify::ejected-drives", G_CALLBACK(on_media_changed), window,
                            0);
    g_signal_connect_object(client, "extra-data-changed", G_CALLBACK(on_extra_data), window, 0);
    show_state(window);
    vm_window_watch_restore(window);
    vm_window_remember(window);
    try_connect(window);
    return window;
}
