/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list: machines, media, OS types, system properties. Manual, chapter VBoxManage, "list". Leaves
 * out the topics of clouds, which this version does not have. */
#include "app/manage/list-private.h"

typedef struct {
    Manage *manage;
    bool full, sorted;
} List;

typedef bool (*ListFunction)(const List *list, GError **error);

static int
compare_machines(gconstpointer left, gconstpointer right)
{
    VitrineMachine *const *a = left;
    VitrineMachine *const *b = right;
    return g_utf8_collate(vitrine_machine_get_name(*a), vitrine_machine_get_name(*b));
}

static int
compare_media(gconstpointer left, gconstpointer right)
{
    VitrineMedium *const *a = left;
    VitrineMedium *const *b = right;
    return g_utf8_collate(vitrine_medium_get_location(*a), vitrine_medium_get_location(*b));
}

static GPtrArray *
items_of(GListModel *model, GCompareFunc compare)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < g_list_model_get_n_items(model); i++)
        g_ptr_array_add(items, g_list_model_get_item(model, i));
    if (compare)
        g_ptr_array_sort(items, compare);
    return items;
}

static bool
list_machines(const List *list, bool running, GError **error)
{
    g_autoptr(GPtrArray) machines = items_of(vitrine_client_get_machines(list->manage->client),
                                             list->sorted ? compare_machines : NULL);
    for (guint i = 0; i < machines->len; i++) {
        VitrineMachine *machine = g_ptr_array_index(machines, i);
        if (running && !vitrine_machine_state_is_online(vitrine_machine_get_state(machine)))
            continue;
        if (list->full) {
            if (!manage_print_machine(list->manage, machine, false, error))
                return false;
            manage_print("\n");
        } else if (vitrine_machine_get_accessible(machine)) {
            manage_print("\"%s\" {%s}\n", vitrine_machine_get_name(machine),
                         vitrine_machine_get_id(machine));
        } else {
            manage_print("<inaccessible> {%s}\n", vitrine_machine_get_id(machine));
        }
    }
    return true;
}

static bool
list_vms(const List *list, GError **error)
{
    return list_machines(list, false, error);
}

static bool
list_runningvms(const List *list, GError **error)
{
    return list_machines(list, true, error);
}

static bool
list_media(const List *list, VitrineMediumKind kind, GError **error)
{
    VitrineClient *client = list->manage->client;
    g_autoptr(GPtrArray) media =
        items_of(vitrine_client_get_media(client), list->sorted ? compare_media : NULL);
    for (guint i = 0; i < media->len; i++) {
        VitrineMedium *medium = g_ptr_array_index(media, i);
        if (vitrine_medium_get_kind(medium) != kind)
            continue;
        /* What is wrong with an image is printed with it. */
        vitrine_medium_refresh_sync(medium, NULL, NULL);
        manage_print_medium(medium, list->full ? client : NULL);
        manage_print("\n");
    }
    return true;
}

static bool
list_hdds(const List *list, GError **error)
{
    return list_media(list, VITRINE_MEDIUM_KIND_HARD_DISK, error);
}

static bool
list_dvds(const List *list, GError **error)
{
    return list_media(list, VITRINE_MEDIUM_KIND_DVD, error);
}

static bool
list_floppies(const List *list, GError **error)
{
    return list_media(list, VITRINE_MEDIUM_KIND_FLOPPY, error);
}

static bool
list_drives(const List *list, VitrineMediumKind kind, GError **error)
{
    g_autoptr(GPtrArray) drives =
        vitrine_client_load_host_drives_sync(list->manage->client, NULL, error);
    for (guint i = 0; drives && i < drives->len; i++) {
        const VitrineHostDrive *drive = drives->pdata[i];
        g_autofree char *id = vitrine_host_drive_get_id(drive);
        g_autofree char *title = vitrine_host_drive_get_title(drive);
        if (drive->kind != kind)
            continue;
        manage_print("UUID:         %s\nName:         %s\n", id, drive->path);
        if (list->full)
            manage_print("Description:  %s\n", title);
        manage_print("\n");
    }
    return drives != NULL;
}

static bool
list_hostdvds(const List *list, GError **error)
{
    return list_drives(list, VITRINE_MEDIUM_KIND_DVD, error);
}

static bool
list_hostfloppies(const List *list, GError **error)
{
    return list_drives(list, VITRINE_MEDIUM_KIND_FLOPPY, error);
}

static int
compare_types(gconstpointer left, gconstpointer right)
{
    const VitrineOsType *const *a = left;
    const VitrineOsType *const *b = right;
    return g_ascii_strcasecmp((*a)->id, (*b)->id);
}

static bool
list_ostypes(const List *list, GError **error)
{
    g_autoptr(GPtrArray) types = g_ptr_array_new();
    for (guint i = 0; i < vitrine_os_type_count(); i++)
        g_ptr_array_add(types, (gpointer)vitrine_os_type_nth(i));
    if (list->sorted)
        g_ptr_array_sort(types, compare_types);
    for (guint i = 0; i < types->len; i++) {
        const VitrineOsType *type = g_ptr_array_index(types, i);
        manage_print("ID:          %s\nDescription: %s\nFamily ID:   %s\nFamily Desc: %s\n"
                     "64 bit:      %s\n\n",
                     type->id, type->description, type->family_id, type->family,
                     type->is_64bit ? "true" : "false");
    }
    return true;
}

static bool
list_properties(const List *list, GError **error)
{
    list_systemproperties(list->manage->client);
    return true;
}

static bool
list_all_devices(const List *list, GError **error)
{
    return list_devices(list->manage->client, list->full, error);
}

static bool
list_usb_devices(const List *list, GError **error)
{
    return list_usbhost(list->manage->client, error);
}

static bool
list_usb_filters(const List *list, GError **error)
{
    return list_usbfilters(list->manage->client, error);
}

static bool
list_bridged(const List *list, GError **error)
{
    list_interfaces(false);
    return true;
}

static bool
list_host_only(const List *list, GError **error)
{
    list_interfaces(true);
    return true;
}

static bool
list_internal(const List *list, GError **error)
{
    list_intnets(list->manage->client);
    return true;
}

static bool
list_servers(const List *list, GError **error)
{
    list_dhcpservers(list->manage->client);
    return true;
}

static bool
list_nat(const List *list, GError **error)
{
    list_natnets(list->manage->client, NULL);
    return true;
}

static const struct {
    const char *name;
    ListFunction run;
} topics[] = {
    {"bridgedifs", list_bridged},
    {"devices", list_all_devices},
    {"dhcpservers", list_servers},
    {"dvds", list_dvds},
    {"floppies", list_floppies},
    {"hdds", list_hdds},
    {"hostdvds", list_hostdvds},
    {"hostfloppies", list_hostfloppies},
    {"hostonlyifs", list_host_only},
    {"intnets", list_internal},
    {"natnets", list_nat},
    {"natnetworks", list_nat},
    {"ostypes", list_ostypes},
    {"runningvms", list_runningvms},
    {"systemproperties", list_properties},
    {"usbfilters", list_usb_filters},
    {"usbhost", list_usb_devices},
    {"vms", list_vms},
};

static ListFunction
find_topic(const char *name, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(topics); i++) {
        if (g_str_equal(topics[i].name, name))
            return topics[i].run;
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Unknown topic: %s", name);
    return NULL;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"long", MANAGE_FLAG, G_STRUCT_OFFSET(List, full)},
        {"l", MANAGE_FLAG, G_STRUCT_OFFSET(List, full)},
        {"sorted", MANAGE_FLAG, G_STRUCT_OFFSET(List, sorted)},
        {"s", MANAGE_FLAG, G_STRUCT_OFFSET(List, sorted)},
        {NULL},
    };
    List list = {.manage = manage};
    const char *name;
    if (!manage_args_parse(args, options, &list, &name, 1, 1, error))
        return false;
    ListFunction topic = find_topic(name, error);
    return topic && manage_client(manage, error) && topic(&list, error);
}

const ManageCommand manage_command_list = {
    .name = "list",
    .title = "List machines, media, systems and limits",
    .usage = "list [--long|-l] [--sorted|-s] vms|runningvms|ostypes|hdds|dvds|floppies|"
             "hostdvds|hostfloppies|systemproperties|devices|usbhost|usbfilters|bridgedifs|\n"
             "        hostonlyifs|intnets|natnets|dhcpservers\n",
    .about =
        "Lists machines, types of guest systems, media that are known, or limits and defaults.",
    .run = run,
};
