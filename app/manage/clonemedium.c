/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clonemedium: a copy of a disk, in any format that can be written. Manual, chapter VBoxManage,
 * "clonemedium". */
#include "app/manage/medium-words.h"

typedef struct {
    const char *format, *variant;
    bool existing;
} CloneMedium;

static bool
copy(Manage *manage, const CloneMedium *wanted, const char *source, const char *target,
     VitrineMediumKind kind, GError **error)
{
    const char *variant;
    if (!manage_find_variant(wanted->variant, true, &variant, error))
        return false;
    VitrineMedium *from = manage_find_medium(manage, source, kind, error);
    VitrineMedium *into =
        from && wanted->existing ? manage_find_medium(manage, target, kind, error) : NULL;
    if (from == NULL || (wanted->existing && into == NULL))
        return false;
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE("a{sv}"));
    if (into)
        g_variant_builder_add(&options, "{sv}", "existing",
                              g_variant_new_string(vitrine_medium_get_id(into)));
    g_autofree char *path = manage_absolute_path(target);
    g_autofree char *id = NULL;
    if (!manage_complete(
            vitrine_client_clone_medium_sync(manage->client, vitrine_medium_get_id(from),
                                             into ? "" : path, wanted->format ? wanted->format : "",
                                             variant, g_variant_builder_end(&options), NULL, error),
            &id, error))
        return false;
    VitrineMedium *copy = vitrine_client_find_medium(manage->client, id);
    manage_print("Clone medium created in format '%s'. UUID: %s\n",
                 copy ? vitrine_medium_get_format(copy) : "", id);
    return true;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"format", MANAGE_TEXT, G_STRUCT_OFFSET(CloneMedium, format)},
        {"variant", MANAGE_TEXT, G_STRUCT_OFFSET(CloneMedium, variant)},
        {"existing", MANAGE_FLAG, G_STRUCT_OFFSET(CloneMedium, existing)},
        {NULL},
    };
    CloneMedium wanted = {0};
    const char *words[3];
    VitrineMediumKind kind;
    return manage_args_parse(args, options, &wanted, words, 2, 3, error) &&
           manage_split_kind(words, 3, &kind, error) &&
           copy(manage, &wanted, words[1], words[2], kind, error);
}

const ManageCommand manage_command_clonemedium = {
    .name = "clonemedium",
    .title = "Copy a disk",
    .alias = "clonehd",
    .usage = "clonemedium [disk|dvd|floppy] UUID|FILE UUID|FILE [--existing]\n"
             "    [--format VDI|VMDK|VHD|RAW] [--variant Standard|Fixed[,Split2G]|Stream]\n",
    .about = "Copies what a disk shows, with all images below a differencing one, to a new image"
             "\nwith a UUID of its own. With --existing a disk that is there takes the content.",
    .run = run,
};
