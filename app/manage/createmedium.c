/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * createmedium: a new disk image. Manual, chapter VBoxManage, "createmedium". Leaves out:
 * differencing images, properties, formats other than VDI and raw. */
#include "app/manage/manage-words.h"
#include "app/manage/manage.h"

#define MIB (1024 * 1024)

typedef struct {
    const char *file, *format, *variant;
    ManageNumber mib, bytes;
} CreateMedium;

static const ManageOption options[] = {
    {"filename", MANAGE_TEXT, G_STRUCT_OFFSET(CreateMedium, file)},
    {"size", MANAGE_NUMBER, G_STRUCT_OFFSET(CreateMedium, mib)},
    {"sizebyte", MANAGE_NUMBER, G_STRUCT_OFFSET(CreateMedium, bytes)},
    {"format", MANAGE_TEXT, G_STRUCT_OFFSET(CreateMedium, format)},
    {"variant", MANAGE_TEXT, G_STRUCT_OFFSET(CreateMedium, variant)},
    {NULL},
};

static bool
find_variant(const char *word, const char **variant, GError **error)
{
    *variant = "dynamic";
    if (word == NULL || g_ascii_strcasecmp(word, "standard") == 0)
        return true;
    if (g_ascii_strcasecmp(word, "fixed") == 0) {
        *variant = "fixed";
        return true;
    }
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid medium variant '%s': Standard or Fixed.",
                word);
    return false;
}

static bool
find_size(const CreateMedium *wanted, guint64 *bytes, GError **error)
{
    if (!wanted->mib.given && !wanted->bytes.given) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Parameters --size or --sizebyte are required");
        return false;
    }
    if (wanted->mib.value > G_MAXINT64 / MIB || wanted->bytes.value > G_MAXINT64) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "The size is too large.");
        return false;
    }
    *bytes = wanted->bytes.given ? wanted->bytes.value : wanted->mib.value * MIB;
    return true;
}

static bool
check(const CreateMedium *wanted, const char *word, VitrineMediumKind *kind, GError **error)
{
    int value = VITRINE_MEDIUM_KIND_HARD_DISK;
    if (word && !manage_from_word(VITRINE_TYPE_MEDIUM_KIND, word, &value, error))
        return false;
    *kind = (VitrineMediumKind)value;
    if (value == VITRINE_MEDIUM_KIND_DVD) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "An empty optical image is of no use: make disks or floppies.");
        return false;
    }
    if (wanted->file)
        return true;
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Parameter --filename is required");
    return false;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    CreateMedium wanted = {0};
    const char *word, *variant;
    VitrineMediumKind kind;
    guint64 bytes;
    if (!manage_args_parse(args, options, &wanted, &word, 0, 1, error) ||
        !check(&wanted, word, &kind, error) || !find_variant(wanted.variant, &variant, error) ||
        !find_size(&wanted, &bytes, error))
        return false;
    VitrineClient *client = manage_client(manage, error);
    if (client == NULL)
        return false;
    g_autofree char *path = manage_absolute_path(wanted.file);
    const char *usual = kind == VITRINE_MEDIUM_KIND_FLOPPY ? "RAW" : "VDI";
    g_autofree char *format = g_ascii_strup(wanted.format ? wanted.format : usual, -1);
    g_autoptr(VitrineProgress) progress = vitrine_client_create_medium_sync(
        client, path, kind, format, variant, bytes, NULL, NULL, error);
    g_autofree char *id = progress ? manage_wait(progress, error) : NULL;
    if (id)
        manage_print("Medium created. UUID: %s\n", id);
    return id != NULL;
}

const ManageCommand manage_command_createmedium = {
    .name = "createmedium",
    .title = "Make a disk or floppy image",
    .alias = "createhd",
    .usage = "createmedium [disk|floppy] --filename FILE --size MB|--sizebyte BYTES\n"
             "    [--format VDI|RAW] [--variant Standard|Fixed]\n",
    .about = "Makes a disk or floppy image. A Standard image grows as the guest writes; a Fixed "
             "one takes its"
             "\nwhole size at once.",
    .run = run,
};
