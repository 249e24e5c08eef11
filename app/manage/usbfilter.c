/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * usbfilter: filters of USB devices, of a machine or of the host. Manual, chapter VBoxManage,
 * "usbfilter". */
#include "app/manage/manage.h"

typedef struct {
    const char *target, *name, *action, *vendor_id, *product_id, *revision, *manufacturer, *product;
    const char *port, *remote, *serial_number, *masked_interfaces;
    ManageSwitch active; /* on, off, yes, no */
} Given;

/* Where the filters are. */
typedef struct {
    VitrineMachine *machine; /* NULL: global */
    VitrineSettings *settings;
    GPtrArray *filters;
} Target;

static void
target_clear(Target *target)
{
    g_clear_object(&target->settings);
    g_clear_pointer(&target->filters, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

static bool
load(Manage *manage, const char *name, Target *target, GError **error)
{
    if (name == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing --target option");
        return false;
    }
    if (g_str_equal(name, "global")) {
        VitrineClient *client = manage_client(manage, error);

        target->filters =
            client != NULL ? vitrine_client_load_usb_filters_sync(client, NULL, error) : NULL;
        return target->filters != NULL;
    }
    target->settings = manage_settings(manage, name, &target->machine, error);
    if (target->settings == NULL)
        return false;
    target->filters = g_ptr_array_ref(vitrine_settings_get_usb_filters(target->settings));
    return true;
}

static bool
save(Manage *manage, Target *target, GError **error)
{
    if (target->machine == NULL)
        return vitrine_client_save_usb_filters_sync(manage->client, target->filters, NULL, error);
    vitrine_settings_set_usb_filters(target->settings, target->filters);
    return vitrine_machine_save_settings_sync(target->machine, target->settings, NULL, error);
}

/* yes and no as file and filters have them. */
static const char *
truth(const char *word)
{
    if (word == NULL || *word == '\0')
        return word;
    if (g_ascii_strcasecmp(word, "yes") == 0 || g_ascii_strcasecmp(word, "on") == 0)
        return "1";
    if (g_ascii_strcasecmp(word, "no") == 0 || g_ascii_strcasecmp(word, "off") == 0)
        return "0";
    return word;
}

static bool
set_action(VitrineUsbFilter *filter, const Given *given, const Target *target, GError **error)
{
    const bool global = target->machine == NULL;

    if (given->action == NULL)
        return true;
    if (!global) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "--action is for global filters only.");
        return false;
    }
    if (g_ascii_strcasecmp(given->action, "ignore") == 0)
        filter->action = VITRINE_USB_ACTION_IGNORE;
    else if (g_ascii_strcasecmp(given->action, "hold") == 0)
        filter->action = VITRINE_USB_ACTION_HOLD;
    else {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid USB filter action '%s'", given->action);
        return false;
    }
    return true;
}

static bool
set_fields(VitrineUsbFilter *filter, const Given *given, const Target *target, GError **error)
{
    const struct {
        const char *key, *text;
    } fields[] = {
        {"name", given->name},
        {"vendorid", given->vendor_id},
        {"productid", given->product_id},
        {"revision", given->revision},
        {"manufacturer", given->manufacturer},
        {"product", given->product},
        {"port", given->port},
        {"remote", truth(given->remote)},
        {"serialnumber", given->serial_number},
        {"maskedinterfaces", given->masked_interfaces},
    };

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *problem =
            fields[i].text != NULL ? vitrine_usb_filter_field_problem(fields[i].key, fields[i].text)
                                   : NULL;

        if (problem != NULL) {
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "--%s: %s", fields[i].key,
                        problem);
            return false;
        }
        if (fields[i].text != NULL)
            vitrine_usb_filter_set_text(filter, fields[i].key, fields[i].text);
    }
    if (given->active != MANAGE_UNSET)
        filter->active = given->active == MANAGE_ON;
    return set_action(filter, given, target, error);
}

static bool
add(GPtrArray *filters, guint64 index, const Given *given, const Target *target, GError **error)
{
    g_autoptr(VitrineUsbFilter) filter = vitrine_usb_filter_new("");

    if (given->name == NULL || (target->machine == NULL && given->action == NULL)) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    given->name == NULL ? "Missing --name option"
                                        : "A global filter needs --action ignore or hold");
        return false;
    }
    if (index > filters->len) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "There are only %u filters: the index is at most that.", filters->len);
        return false;
    }
    if (!set_fields(filter, given, target, error))
        return false;
    g_ptr_array_insert(filters, (int)index, g_steal_pointer(&filter));
    return true;
}

static VitrineUsbFilter *
find(GPtrArray *filters, guint64 index, GError **error)
{
    if (index < filters->len)
        return filters->pdata[index];
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no USB filter %u.",
                (guint)index);
    return NULL;
}

static bool
change(const char *verb, guint64 index, const Given *given, Target *target, GError **error)
{
    VitrineUsbFilter *filter;

    if (g_str_equal(verb, "add"))
        return add(target->filters, index, given, target, error);
    filter = find(target->filters, index, error);
    if (filter == NULL)
        return false;
    if (g_str_equal(verb, "modify"))
        return set_fields(filter, given, target, error);
    if (g_str_equal(verb, "remove")) {
        g_ptr_array_remove_index(target->filters, (guint)index);
        return true;
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'", verb);
    return false;
}

/* A list of one's own, which may change. */
static void
own_filters(Target *target)
{
    g_autoptr(GPtrArray) old = target->filters;

    target->filters = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);
    for (guint i = 0; i < old->len; i++)
        g_ptr_array_add(target->filters, vitrine_usb_filter_copy(old->pdata[i]));
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"target", MANAGE_TEXT, G_STRUCT_OFFSET(Given, target)},
        {"name", MANAGE_TEXT, G_STRUCT_OFFSET(Given, name)},
        {"action", MANAGE_TEXT, G_STRUCT_OFFSET(Given, action)},
        {"active", MANAGE_SWITCH, G_STRUCT_OFFSET(Given, active)},
        {"vendorid", MANAGE_TEXT, G_STRUCT_OFFSET(Given, vendor_id)},
        {"productid", MANAGE_TEXT, G_STRUCT_OFFSET(Given, product_id)},
        {"revision", MANAGE_TEXT, G_STRUCT_OFFSET(Given, revision)},
        {"manufacturer", MANAGE_TEXT, G_STRUCT_OFFSET(Given, manufacturer)},
        {"product", MANAGE_TEXT, G_STRUCT_OFFSET(Given, product)},
        {"port", MANAGE_TEXT, G_STRUCT_OFFSET(Given, port)},
        {"remote", MANAGE_TEXT, G_STRUCT_OFFSET(Given, remote)},
        {"serialnumber", MANAGE_TEXT, G_STRUCT_OFFSET(Given, serial_number)},
        {"maskedinterfaces", MANAGE_TEXT, G_STRUCT_OFFSET(Given, masked_interfaces)},
        {NULL},
    };
    Given given = {0};
    g_auto(Target) target = {0};
    const char *words[2];
    guint64 index;

    if (!manage_args_parse(args, options, &given, words, 2, 2, error))
        return false;
    if (!manage_parse_number(words[1], &index) || index > G_MAXINT) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid index '%s'", words[1]);
        return false;
    }
    if (!load(manage, given.target, &target, error))
        return false;
    own_filters(&target);
    return change(words[0], index, &given, &target, error) && save(manage, &target, error);
}

const ManageCommand manage_command_usbfilter = {
    .name = "usbfilter",
    .title = "Manage filters that give USB devices to machines",
    .usage = "usbfilter add INDEX --target NAME|UUID|global --name TEXT --action ignore|hold\n"
             "    [--active yes|no] [--vendorid XXXX] [--productid XXXX] [--revision IIFF]\n"
             "    [--manufacturer TEXT] [--product TEXT] [--port NUMBER] [--remote yes|no]\n"
             "    [--serialnumber TEXT] [--maskedinterfaces NUMBER]\n"
             "usbfilter modify INDEX --target NAME|UUID|global [options as of add]\n"
             "usbfilter remove INDEX --target NAME|UUID|global\n",
    .about = "Filters choose which USB devices of the host a machine gets when it starts or when\n"
             "they are plugged in; the first that fits counts, from index 0 on. Global filters\n"
             "(with --action, which only they have) keep devices for the host or for machines.\n"
             "'list usbhost' shows what is plugged in.",
    .run = run,
};
