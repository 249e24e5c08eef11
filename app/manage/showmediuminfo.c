/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * showmediuminfo: all about an image; also what list prints about media. Manual, chapter
 * VBoxManage, "showmediuminfo". Leaves out: encryption. */
#include <string.h>

#include "app/manage/manage-words.h"
#include "app/manage/medium-words.h"

#define MIB (1024 * 1024)

/* " [name (UUID: …), …]": the machine's snapshots that have it. */
static void
print_snapshots(VitrineMedium *medium, VitrineMachine *machine)
{
    const char *const *all = vitrine_medium_get_snapshots(medium);
    const char *id = vitrine_machine_get_id(machine);
    gsize length = strlen(id);
    g_autoptr(VitrineSnapshot) root = NULL;
    guint printed = 0;
    for (guint i = 0; all[i]; i++) {
        if (!g_str_has_prefix(all[i], id) || all[i][length] != '/')
            continue;
        if (root == NULL)
            root = vitrine_machine_load_snapshots_sync(machine, NULL, NULL);
        VitrineSnapshot *snapshot = vitrine_snapshot_find(root, all[i] + length + 1);
        manage_print("%s%s (UUID: %s)", printed++ ? ", " : " [",
                     snapshot ? vitrine_snapshot_get_name(snapshot) : "<unknown>",
                     all[i] + length + 1);
    }
    if (printed)
        manage_print("]");
}

static void
print_users(VitrineMedium *medium, VitrineClient *client)
{
    const char *const *machines = vitrine_medium_get_machines(medium);
    for (guint i = 0; machines[i]; i++) {
        VitrineMachine *machine = vitrine_client_find_machine(client, machines[i]);
        manage_print("%s%s (UUID: %s)", i ? "                " : "In use by VMs:  ",
                     machine ? vitrine_machine_get_name(machine) : "<unknown>", machines[i]);
        if (machine)
            print_snapshots(medium, machine);
        manage_print("\n");
    }
}

static void
print_properties(VitrineMedium *medium)
{
    g_autofree const char **names = vitrine_medium_list_image_properties(medium);
    for (guint i = 0; names[i]; i++)
        manage_print("Property:       %s=%s\n", names[i],
                     vitrine_medium_get_image_property(medium, names[i]));
}

static void
print_children(VitrineMedium *medium)
{
    const char *const *children = vitrine_medium_get_children(medium);
    for (guint i = 0; children[i]; i++)
        manage_print("%s%s\n", i ? "                " : "Child UUIDs:    ", children[i]);
}

static void
print_details(VitrineMedium *medium, VitrineClient *client)
{
    guint64 size = vitrine_medium_get_file_size(medium);
    if (size)
        manage_print("Size on disk:   %" G_GUINT64_FORMAT " MBytes\n", (size + MIB - 1) / MIB);
    manage_print("Encryption:     disabled\n"); /* of an encrypted image nothing else is known */
    if (*vitrine_medium_get_description(medium))
        manage_print("Description:    %s\n", vitrine_medium_get_description(medium));
    print_properties(medium);
    print_users(medium, client);
    print_children(medium);
}

/* The service's "dynamic,split" is "dynamic split2G" here. */
static void
print_variant(VitrineMedium *medium)
{
    g_auto(GStrv) words = g_strsplit(vitrine_medium_get_variant(medium), ",", 2);
    bool differs = *vitrine_medium_get_parent_id(medium) != '\0';
    if (words[0] == NULL)
        return;
    const char *kind = words[1] == NULL                 ? "default"
                       : g_str_equal(words[1], "split") ? "split2G"
                                                        : "streamOptimized";
    manage_print("Format variant: %s %s\n", differs ? "differencing" : words[0], kind);
}

void
manage_print_medium(VitrineMedium *medium, VitrineClient *client)
{
    const char *parent = vitrine_medium_get_parent_id(medium);
    bool is_disk = vitrine_medium_get_kind(medium) == VITRINE_MEDIUM_KIND_HARD_DISK;
    guint64 size = vitrine_medium_get_logical_size(medium);
    manage_print("UUID:           %s\n", vitrine_medium_get_id(medium));
    if (is_disk)
        manage_print("Parent UUID:    %s\n", *parent ? parent : "base");
    manage_print("State:          %s\n",
                 manage_word(VITRINE_TYPE_MEDIUM_STATE, (int)vitrine_medium_get_state(medium)));
    if (*vitrine_medium_get_access_error(medium))
        manage_print("Access Error:   %s\n", vitrine_medium_get_access_error(medium));
    manage_print("Type:           %s%s\n",
                 manage_word(VITRINE_TYPE_MEDIUM_TYPE, (int)vitrine_medium_get_medium_type(medium)),
                 !is_disk  ? ""
                 : *parent ? " (differencing)"
                           : " (base)");
    if (client && *parent)
        manage_print("Auto-Reset:     %s\n", vitrine_medium_get_auto_reset(medium) ? "on" : "off");
    manage_print("Location:       %s\n", vitrine_medium_get_location(medium));
    manage_print("Storage format: %s\n", vitrine_medium_get_format(medium));
    if (client)
        print_variant(medium);
    if (size)
        manage_print("Capacity:       %" G_GUINT64_FORMAT " MBytes\n", size / MIB);
    if (client)
        print_details(medium, client);
    else
        manage_print("Encryption:     disabled\n");
}

static bool
show(Manage *manage, const char *location, VitrineMediumKind kind, GError **error)
{
    bool opened;
    g_autofree char *id = manage_medium(manage, location, kind, &opened, error);
    if (id == NULL)
        return false;
    VitrineMedium *medium = vitrine_client_find_medium(manage->client, id);
    if (medium == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "Could not find the medium '%s'",
                    location);
        return false;
    }
    bool ok = vitrine_medium_refresh_sync(medium, NULL, error);
    if (ok)
        manage_print_medium(medium, manage->client);
    /* A look must not add to the list of media. */
    return (!opened || vitrine_medium_close_sync(medium, FALSE, NULL, ok ? error : NULL)) && ok;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *words[2];
    VitrineMediumKind kind;
    return manage_args_parse(args, options, NULL, words, 1, 2, error) &&
           manage_split_kind(words, 2, &kind, error) && show(manage, words[1], kind, error);
}

typedef struct {
    bool deleted;
} CloseMedium;

static bool
run_close(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"delete", MANAGE_FLAG, G_STRUCT_OFFSET(CloseMedium, deleted)},
        {NULL},
    };
    CloseMedium wanted = {0};
    const char *words[2];
    VitrineMediumKind kind;
    if (!manage_args_parse(args, options, &wanted, words, 1, 2, error) ||
        !manage_split_kind(words, 2, &kind, error))
        return false;
    g_autofree char *id = manage_medium(manage, words[1], kind, NULL, error);
    VitrineMedium *medium = id ? vitrine_client_find_medium(manage->client, id) : NULL;
    guint shown = 0;
    if (medium == NULL || !vitrine_medium_close_sync(medium, wanted.deleted, NULL, error))
        return false;
    if (wanted.deleted)
        manage_show_percent(&shown, 100);
    return true;
}

const ManageCommand manage_command_closemedium = {
    .name = "closemedium",
    .title = "Forget a medium",
    .usage = "closemedium [disk|dvd|floppy] UUID|FILE [--delete]\n",
    .about = "Forgets a medium that no machine uses; with --delete, and deletes the image.",
    .run = run_close,
};

const ManageCommand manage_command_showmediuminfo = {
    .name = "showmediuminfo",
    .title = "Show all about an image",
    .alias = "showhdinfo",
    .usage = "showmediuminfo [disk|dvd|floppy] UUID|FILE\n",
    .about = "Shows format, sizes and users of a disk, optical or floppy image.",
    .run = run,
};
