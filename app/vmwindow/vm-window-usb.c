/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host in the Devices menu and in the status bar: a check mark says that this
 * machine has one, and one that cannot be had says why. Remote devices follow, those of the
 * machine's settings and those that it got otherwise, by their addresses. */
#include "app/vmwindow/vm-window-private.h"

#include "app/settings/settings-dialog.h"
#include "app/widgets/widget-usb.h"

#include <glib/gi18n.h>
#include <string.h>

#define PREFIX "usb-"
#define DEVICE "device" /* of an action: what the Main API knows the device as */

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
    const char *id = g_object_get_data(G_OBJECT(action), DEVICE);
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
menu_label(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "_", -1);

    return g_strjoinv("__", parts);
}

static char *
device_label(const VmWindow *window, const VitrineUsbDevice *device)
{
    g_autofree char *title = vitrine_usb_device_get_title(device);
    const char *reason = has_device(window, device) ? NULL : short_reason(device);
    g_autofree char *label =
        reason != NULL ? g_strdup_printf("%s (%s)", title, reason) : g_strdup(title);

    return menu_label(label);
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
add_action(VmWindow *window, const char *name, const char *device, gboolean on, gboolean enabled)
{
    g_autoptr(GSimpleAction) action =
        g_simple_action_new_stateful(name, NULL, g_variant_new_boolean(on));

    g_object_set_data_full(G_OBJECT(action), DEVICE, g_strdup(device), g_free);
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

    add_action(window, name, device->id, mine, mine || device->problem == VITRINE_USB_PROBLEM_NONE);
    g_menu_append(section, label, target);
}

/* --- remote ones --- */
static gboolean
has_remote(const VmWindow *window, const char *address)
{
    return g_strv_contains(vitrine_machine_get_remote_usb(window->machine), address);
}

static char *
remote_title(const char *address)
{
    g_autoptr(VitrineUsbRemote) remote = vitrine_usb_remote_parse(address, NULL);

    return remote != NULL ? vitrine_usb_remote_get_title(remote) : g_strdup(address);
}

static void
append_remote(VmWindow *window, GMenu *section, const char *address, guint number)
{
    g_autofree char *name = g_strdup_printf(PREFIX "remote-%u", number);
    g_autofree char *target = g_strconcat("win.", name, NULL);
    g_autofree char *title = remote_title(address);
    g_autofree char *label = menu_label(title);

    add_action(window, name, address, has_remote(window, address), TRUE);
    g_menu_append(section, label, target);
}

/* Those of the settings first; what nobody can read is told of when the machine starts. */
static GPtrArray *
list_remotes(VmWindow *window)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    const char *const *own = vitrine_machine_get_remote_usb(window->machine);

    for (char **word = window->usb_remotes; word != NULL && *word != NULL; word++) {
        g_autoptr(VitrineUsbRemote) remote = vitrine_usb_remote_parse(*word, NULL);

        if (remote != NULL && !g_ptr_array_find_with_equal_func(list, *word, g_str_equal, NULL))
            g_ptr_array_add(list, g_strdup(*word));
    }
    for (; *own != NULL; own++) {
        if (!g_ptr_array_find_with_equal_func(list, *own, g_str_equal, NULL))
            g_ptr_array_add(list, g_strdup(*own));
    }
    return list;
}

static void
append_remotes(VmWindow *window)
{
    g_autoptr(GPtrArray) list = list_remotes(window);
    g_autoptr(GMenu) section = g_menu_new();

    for (guint i = 0; i < list->len; i++)
        append_remote(window, section, list->pdata[i], i);
    if (list->len > 0)
        g_menu_append_section(window->usb_menu, NULL, G_MENU_MODEL(section));
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
    if (window->has_usb)
        append_remotes(window);
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
append_line(GString *text, const char *line)
{
    g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", line);
}

static void
show_status(VmWindow *window, GPtrArray *devices)
{
    const char *const *remotes = vitrine_machine_get_remote_usb(window->machine);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; devices != NULL && i < devices->len; i++) {
        g_autofree char *title = vitrine_usb_device_get_title(devices->pdata[i]);

        if (has_device(window, devices->pdata[i]))
            append_line(text, title);
    }
    for (; *remotes != NULL; remotes++) {
        g_autofree char *title = remote_title(*remotes);

        append_line(text, title);
    }
    if (text->len == 0 && window->has_usb)
        append_line(text, _("The machine has no USB device of the host"));
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
    g_strfreev(window->usb_remotes);
    window->usb_remotes = g_strsplit(vitrine_settings_get_string(settings, "usb-remotes"), " ", -1);
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
    g_signal_connect_object(window->machine, "notify::remote-usb",
                            G_CALLBACK(vm_window_refresh_usb), window, G_CONNECT_SWAPPED);
}
