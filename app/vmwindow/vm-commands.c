/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Menus and combinations from vm-commands.def. */
#include "app/vmwindow/vm-commands.h"

#include <glib/gi18n.h>

enum { KIND_PLAIN, KIND_TOGGLE };

/* clang-format off */
static const VmCommand commands[] = {
#define COMMAND(action, menu, section, label, key, kind) {action, VM_MENU_##menu, section, label, key, KIND_##kind},
#include "app/vmwindow/vm-commands.def"
#undef COMMAND
};
/* clang-format on */

const VmCommand *
vm_commands(guint *count)
{
    *count = G_N_ELEMENTS(commands);
    return commands;
}

const VmCommand *
vm_commands_find_combo(guint keyval)
{
    guint lower = gdk_keyval_to_lower(keyval);

    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].keyval == lower && lower != 0)
            return &commands[i];
    }
    return NULL;
}

/* Hardware key codes: evdev + 8. */
enum {
    KEY_BACKSPACE = 22,
    KEY_LEFT_CTRL = 37,
    KEY_LEFT_ALT = 64,
    KEY_PRINT = 107,
    KEY_INSERT = 118,
    KEY_DELETE = 119,
    KEY_PAUSE = 127
};

const guint *
vm_commands_keys(const char *action)
{
    static const struct {
        const char *action;
        guint keys[4];
    } rows[] = {
        {"key-alt-print", {KEY_LEFT_ALT, KEY_PRINT}},
        {"key-ctrl-alt-backspace", {KEY_LEFT_CTRL, KEY_LEFT_ALT, KEY_BACKSPACE}},
        {"key-ctrl-alt-del", {KEY_LEFT_CTRL, KEY_LEFT_ALT, KEY_DELETE}},
        {"key-ctrl-break", {KEY_LEFT_CTRL, KEY_PAUSE}},
        {"key-insert", {KEY_INSERT}},
        {"key-print", {KEY_PRINT}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_equal(rows[i].action, action))
            return rows[i].keys;
    }
    return NULL;
}

static char *
item_label(const VmCommand *command, const char *host_key)
{
    g_autofree char *key = NULL;

    if (!command->keyval)
        return g_strdup(_(command->label));
    key = gtk_accelerator_get_label(command->keyval, 0);
    return g_strdup_printf("%s    (%s+%s)", _(command->label), host_key, key);
}

static GMenu *
build_menu(VmMenu which, const char *host_key)
{
    GMenu *menu = g_menu_new();
    g_autoptr(GMenu) section = NULL;
    guint number = G_MAXUINT;

    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *label = NULL, *action = NULL;
        if (commands[i].menu != which)
            continue;
        if (commands[i].section != number) {
            number = commands[i].section;
            g_clear_object(&section);
            section = g_menu_new();
            g_menu_append_section(menu, NULL, G_MENU_MODEL(section));
        }
        label = item_label(&commands[i], host_key);
        action = g_strconcat("win.", commands[i].action, NULL);
        g_menu_append(section, label, action);
    }
    return menu;
}

static void
append_submenu(GMenu *bar, const char *label, GMenu *menu)
{
    g_menu_append_submenu(bar, label, G_MENU_MODEL(menu));
    g_object_unref(menu);
}

GMenuModel *
vm_commands_menu_bar(GMenuModel *devices, const char *host_key)
{
    GMenu *bar = g_menu_new(), *input = g_menu_new();

    append_submenu(input, _("_Keyboard"), build_menu(VM_MENU_KEYBOARD, host_key));
    append_submenu(bar, _("_Machine"), build_menu(VM_MENU_MACHINE, host_key));
    append_submenu(bar, _("_View"), build_menu(VM_MENU_VIEW, host_key));
    append_submenu(bar, _("_Input"), input);
    g_menu_append_submenu(bar, _("_Devices"), devices);
    append_submenu(bar, _("_Help"), build_menu(VM_MENU_HELP, host_key));
    return G_MENU_MODEL(bar);
}
