/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host in the Devices menu and in the status bar: a check mark says that this
 * machine has one, and one that cannot be had says why. */
#include "app/vmwindow/vm-window-private.h"

#include "app/settings/settings-dialog.h"
#include "app/widgets/widget-usb.h"

#include <glib/gi18n.h>
#include <string.h>

#define PREFIX "usb-"

static void
on_settings(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VmWindow *window = data;

    settings_dialog_show(GTK_WINDOW(window), window->client, window->machine, "usb");
}

/* --- giving and taking --- */
typedef struct {
    VmWindow *window;
    const char *failed;
} Change;

static void
on_changed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree Change *change = data;
    g_autoptr(VmWindow) window = change->window;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_change_usb_finish(VITRINE_MACHINE(source), result, &error) &&
        window->devices)
        vm_window_show_error(window, change->failed, error);
    vm_window_refresh_usb(window);
}

static void
on_change(GSimpleAction *action, GVariant *state, gpointer data)
{
    VmWindow *window = data;
    const char *id = g_action_get_name(G_ACTION(action)) + strlen(PREFIX);
    Change *change = g_new(Change, 1);

    *change = (Change){g_object_ref(window), _("The machine does not get the USB device.")};
    g_simple_action_set_enabled(action, FALSE); /* until it is known what became of it */
    if (g_variant_get_boolean(state)) {
        vitrine_machine_attach_usb_async(window->machine, id, NULL, NULL, on_changed, change);
    } else {
        change->failed = _("The USB device cannot be given back.");
        vitrine_machine_detach_usb_async(window->machine, id, NULL, on_changed, change);
    }
}

/* --- the menu --- */
static gboolean
has_device(const VmWindow *window, const VitrineUsbDevice *device)
{
    return g_ascii_strcasecmp(device->machine, vitrine_machine_get_id(window->machine)) == 0;
}

/* A few words that fit a menu; the whole sentence is in the tooltip. */
static const char *
short_reason(const VitrineUsbDevice *device)
{
    switch (device->problem) {
    case VITRINE_USB_PROBLEM_PERMISSION: return _("no permission");
    case VITRINE_USB_PROBLEM_PROGRAM: return _("used by a program of the host");
    case VITRINE_USB_PROBLEM_MACHINE: return _("another machine has it");
    case VITRINE_USB_PROBLEM_IGNORED: return _("kept for the host");
    case VITRINE_USB_PROBLEM_NONE: break;
    }
    return NULL;
}

/* Underscores are no mnemonics here. */
static char *
device_label(const VmWindow *window, const VitrineUsbDevice *device)
{
    g_autofree char *title = vitrine_usb_device_get_title(device);
    const char *reason = has_device(window, device) ? NULL : short_reason(device);
    g_autofree char *label =
        reason != NULL ? g_strdup_printf("%s (%s)", title, reason) : g_strdup(title);
    g_auto(GStrv) parts = g_strsplit(label, "_", -1);

    return g_strjoinv("__", parts);
}

static char *
device_tooltip(const VmWindow *window, const VitrineUsbDevice *device)
{
    g_autofree char *details = widget_usb_device_details(device);
    VitrineMachine *owner = *device->machine != '\0'
                                ? vitrine_client_find_machine(window->client, device->machine)
                                : NULL;
    g_autofree char *why =
        has_device(window, device)
            ? NULL
            : vitrine_usb_device_explain(device,
                                         owner != NULL ? vitrine_machine_get_name(owner) : NULL);

    return why != NULL ? g_strdup_printf("%s\n\n%s", details, why) : g_steal_pointer(&details);
}

static void
add_action(VmWindow *window, const char *name, gboolean on, gboolean enabled)
{
    g_autoptr(GSimpleAction) action =
        g_simple_action_new_stateful(name, NULL, g_variant_new_boolean(on));

    g_simple_action_set_enabled(action, enabled);
    g_signal_connect(action, "change-state", G_CALLBACK(on_change), window);
    g_action_map_add_action(G_ACTION_MAP(window), G_ACTION(action));
}

static void
remove_actions(VmWindow *window)
{
    g_auto(GStrv) names = g_action_group_list_actions(G_ACTION_GROUP(window));

    for (char **name = names; *name != NULL; name++) {
        if (g_str_has_prefix(*name, PREFIX))
            g_action_map_remove_action(G_ACTION_MAP(window), *name);
    }
}

static void
append_device(VmWindow *window, GMenu *section, const VitrineUsbDevice *device)
{
    g_autofree char *name = g_strconcat(PREFIX, device->id, NULL);
    g_autofree char *target = g_strconcat("win.", name, NULL);
    g_autofree char *label = device_label(window, device);
    const gboolean mine = has_device(window, device);

    add_action(window, name, mine, mine || device->problem == VITRINE_USB_PROBLEM_NONE);
    g_menu_append(section, label, target);
}

/* A line that says something and does nothing. */
static void
append_note(GMenu *section, const char *text)
{
    g_menu_append(section, text, "win." PREFIX "none");
}

static void
fill_menu(VmWindow *window, GPtrArray *devices, const GError *error)
{
    g_autoptr(GMenu) list = g_menu_new(), section = g_menu_new();

    remove_actions(window);
    if (!window->has_usb)
        append_note(list, _("The machine has no USB controller"));
    else if (devices == NULL)
        append_note(list, error != NULL ? error->message : "");
    else if (devices->len == 0)
        append_note(list, _("No USB device is plugged in"));
    for (guint i = 0; window->has_usb && devices != NULL && i < devices->len; i++)
        append_device(window, list, devices->pdata[i]);
    g_menu_append(section, _("_USB settings…"), "win.settings-usb");
    g_menu_remove_all(window->usb_menu);
    g_menu_append_section(window->usb_menu, NULL, G_MENU_MODEL(list));
    g_menu_append_section(window->usb_menu, NULL, G_MENU_MODEL(section));
}

/* --- tooltips: a menu's model has none, its items do --- */
typedef struct {
    VmWindow *window;
    GPtrArray *devices;
} Tooltips;

static void
set_tooltip(GtkWidget *widget, gpointer data)
{
    const Tooltips *tooltips = data;
    const char *label =
        GTK_IS_MENU_ITEM(widget) ? gtk_menu_item_get_label(GTK_MENU_ITEM(widget)) : NULL;
    GtkWidget *submenu = label != NULL ? gtk_menu_item_get_submenu(GTK_MENU_ITEM(widget)) : NULL;

    if (submenu != NULL)
        gtk_container_foreach(GTK_CONTAINER(submenu), set_tooltip, data);
    for (guint i = 0; label != NULL && submenu == NULL && i < tooltips->devices->len; i++) {
        g_autofree char *own = device_label(tooltips->window, tooltips->devices->pdata[i]);
        g_autofree char *text = device_tooltip(tooltips->window, tooltips->devices->pdata[i]);

        if (g_str_equal(own, label))
            gtk_widget_set_tooltip_text(widget, text);
    }
}

static void
show_status(VmWindow *window, GPtrArray *devices)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; devices != NULL && i < devices->len; i++) {
        g_autofree char *title = vitrine_usb_device_get_title(devices->pdata[i]);

        if (has_device(window, devices->pdata[i]))
            g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", title);
    }
    if (text->len == 0 && window->has_usb)
        g_string_append(text, _("The machine has no USB device of the host"));
    vm_status_set_usb(window->status, text->str, G_MENU_MODEL(window->usb_menu));
}

static void
on_devices(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) devices =
        vitrine_client_load_usb_devices_finish(VITRINE_CLIENT(source), result, &error);
    Tooltips tooltips = {window, devices};

    if (window->devices == NULL)
        return; /* the window is gone */
    fill_menu(window, devices, error);
    show_status(window, devices);
    if (devices != NULL && window->menu_bar != NULL)
        gtk_container_foreach(GTK_CONTAINER(window->menu_bar), set_tooltip, &tooltips);
}

void
vm_window_refresh_usb(VmWindow *window)
{
    if (window->devices != NULL)
        vitrine_client_load_usb_devices_async(window->client, window->cancel, on_devices,
                                              g_object_ref(window));
}

void
vm_window_fill_usb(VmWindow *window, VitrineSettings *settings)
{
    window->has_usb = widget_usb_has_controller(settings);
    g_menu_append_submenu(window->devices, _("_USB"), G_MENU_MODEL(window->usb_menu));
    vm_window_refresh_usb(window);
}

void
vm_window_add_usb_actions(VmWindow *window)
{
    static const GActionEntry entries[] = {{.name = "settings-usb", .activate = on_settings}};

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
    g_signal_connect_object(window->client, "usb-devices-changed",
                            G_CALLBACK(vm_window_refresh_usb), window, G_CONNECT_SWAPPED);
}
