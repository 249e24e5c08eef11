/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * createmedium: a new disk image, also a differencing one. Manual, chapter VBoxManage,
 * "createmedium". */
#include "app/manage/manage-words.h"
#include "app/manage/medium-words.h"

#define MIB (1024 * 1024)

typedef struct {
    const char *file, *format, *variant, *parent;
    ManageNumber mib, bytes;
} CreateMedium;

static const ManageOption options[] = {
    {"filename", MANAGE_TEXT, G_STRUCT_OFFSET(CreateMedium, file)},
    {"size", MANAGE_NUMBER, G_STRUCT_OFFSET(CreateMedium, mib)},
    {"sizebyte", MANAGE_NUMBER, G_STRUCT_OFFSET(CreateMedium, bytes)},
    {"format", MANAGE_TEXT, G_STRUCT_OFFSET(CreateMedium, format)},
    {"variant", MANAGE_TEXT, G_STRUCT_OFFSET(CreateMedium, variant)},
    {"diffparent", MANAGE_TEXT, G_STRUCT_OFFSET(CreateMedium, parent)},
    {NULL},
};

static bool
find_size(const CreateMedium *wanted, guint64 *bytes, GError **error)
{
    *bytes = 0;
    if (wanted->parent)
        return true; /* its size is its parent's */
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

/* The parent may be a file that is not known yet. The options of the call, floating; NULL with
 * error. */
static GVariant *
make_options(Manage *manage, const CreateMedium *wanted, VitrineMedium **parent, GError **error)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sv}"));
    *parent = NULL;
    if (wanted->parent) {
        *parent = manage_find_medium(manage, wanted->parent, VITRINE_MEDIUM_KIND_HARD_DISK, error);
        if (*parent == NULL) {
            g_variant_builder_clear(&builder);
            return NULL;
        }
        g_variant_builder_add(&builder, "{sv}", "parent",
                              g_variant_new_string(vitrine_medium_get_id(*parent)));
    }
    return g_variant_builder_end(&builder);
}

static bool
make(Manage *manage, const CreateMedium *wanted, VitrineMediumKind kind, const char *variant,
     guint64 bytes, GError **error)
{
    VitrineMedium *parent;
    VitrineClient *client = manage_client(manage, error);
    GVariant *all = client ? make_options(manage, wanted, &parent, error) : NULL;
    if (all == NULL)
        return false;
    g_autofree char *path = manage_absolute_path(wanted->file);
    const char *usual = parent                               ? vitrine_medium_get_format(parent)
                        : kind == VITRINE_MEDIUM_KIND_FLOPPY ? "RAW"
                                                             : "VDI";
    g_autofree char *format = g_ascii_strup(wanted->format ? wanted->format : usual, -1);
    g_autofree char *id = NULL;
    if (!manage_complete(vitrine_client_create_medium_sync(client, path, kind, format, variant,
                                                           bytes, all, NULL, error),
                         &id, error))
        return false;
    manage_print("Medium created. UUID: %s\n", id);
    return true;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    CreateMedium wanted = {0};
    const char *word, *variant;
    VitrineMediumKind kind;
    guint64 bytes;
    return manage_args_parse(args, options, &wanted, &word, 0, 1, error) &&
           check(&wanted, word, &kind, error) &&
           manage_find_variant(wanted.variant, false, &variant, error) &&
           find_size(&wanted, &bytes, error) && make(manage, &wanted, kind, variant, bytes, error);
}

const ManageCommand manage_command_createmedium = {
    .name = "createmedium",
    .title = "Make a disk or floppy image",
    .alias = "createhd",
    .usage = "createmedium [disk|floppy] --filename FILE --size MB|--sizebyte BYTES\n"
             "    [--format VDI|VMDK|VHD|RAW] [--variant Standard|Fixed[,Split2G]]\n"
             "createmedium disk --filename FILE --diffparent UUID|FILE [--format VDI|VMDK|VHD]\n",
    .about = "Makes a disk or floppy image. A Standard image grows as the guest writes; a Fixed "
             "one takes its"
             "\nwhole size at once. With Split2G a VMDK image lies in files of at most 2 GB. With"
             "\n--diffparent the image holds what differs from another.",
    .run = run,
};
