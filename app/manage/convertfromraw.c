/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * convertfromraw: an image from a file, or from the standard input, that holds the plain content of
 * a disk. Manual, chapter VBoxManage. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "app/manage/medium-words.h"

#define MIB (1024 * 1024)
#define BUFFER (1024 * 1024)

typedef struct {
    const char *format, *variant, *uuid;
} Convert;

static bool
fail_errno(GError **error, const char *path)
{
    g_set_error(error, VITRINE_ERROR, errno == ENOSPC ? VITRINE_ERROR_NO_SPACE : VITRINE_ERROR_IO,
                "\"%s\" cannot be written: %s.", path, g_strerror(errno));
    return false;
}

/* The input goes to a file first: what is made of it needs to read it in any order. */
static bool
spool(FILE *to, guint64 bytes, const char *path, GError **error)
{
    g_autofree char *buffer = g_malloc(BUFFER);
    for (guint64 left = bytes; left > 0;) {
        size_t wanted = (size_t)MIN(left, BUFFER);
        size_t got = fread(buffer, 1, wanted, stdin);
        if (got == 0)
            break; /* the rest of the disk is empty */
        if (fwrite(buffer, 1, got, to) != got)
            return fail_errno(error, path);
        left -= got;
    }
    if (fflush(to) != 0 || ftruncate(fileno(to), (off_t)bytes) != 0)
        return fail_errno(error, path);
    return true;
}

static bool
convert(Manage *manage, const Convert *wanted, const char *source, const char *target,
        GError **error)
{
    const char *variant, *format = wanted->format ? wanted->format : "VDI";
    GStatBuf status = {0};
    if (!manage_find_variant(wanted->variant, true, &variant, error) ||
        !manage_client(manage, error))
        return false;
    if (g_stat(source, &status) == 0) {
        g_autofree char *name = g_ascii_strup(format, -1);
        guint64 size = (guint64)status.st_size;
        manage_print("Converting from raw image file=\"%s\" to file=\"%s\"...\n", source, target);
        manage_print("Creating %s image with size %" G_GUINT64_FORMAT " bytes (%" G_GUINT64_FORMAT
                     "MB)...\n",
                     variant, size, (size + MIB - 1) / MIB);
    }
    return manage_complete(vitrine_client_convert_from_raw_sync(manage->client, source, target,
                                                                format, variant, wanted->uuid, NULL,
                                                                error),
                           NULL, error);
}

static bool
convert_input(Manage *manage, const Convert *wanted, const char *target, const char *size,
              GError **error)
{
    guint64 bytes;
    g_autofree char *path = g_strconcat(target, "-input", NULL);
    if (size == NULL || !manage_parse_number(size, &bytes) || bytes == 0 || bytes > G_MAXINT64) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Say how many bytes the disk has.");
        return false;
    }
    FILE *file = g_fopen(path, "wbxe");
    if (file == NULL)
        return fail_errno(error, path);
    bool done = spool(file, bytes, path, error);
    if (fclose(file) != 0 && done)
        done = fail_errno(error, path);
    done = done && convert(manage, wanted, path, target, error);
    g_unlink(path);
    return done;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {
        {"format", MANAGE_TEXT, G_STRUCT_OFFSET(Convert, format)},
        {"variant", MANAGE_TEXT, G_STRUCT_OFFSET(Convert, variant)},
        {"uuid", MANAGE_TEXT, G_STRUCT_OFFSET(Convert, uuid)},
        {NULL},
    };
    Convert wanted = {0};
    const char *words[3];
    if (!manage_args_parse(args, options, &wanted, words, 2, 3, error))
        return false;
    g_autofree char *target = manage_absolute_path(words[1]);
    if (g_str_equal(words[0], "stdin"))
        return convert_input(manage, &wanted, target, words[2], error);
    if (words[2]) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'", words[2]);
        return false;
    }
    g_autofree char *source = manage_absolute_path(words[0]);
    return convert(manage, &wanted, source, target, error);
}

const ManageCommand manage_command_convertfromraw = {
    .name = "convertfromraw",
    .title = "Make an image of a raw disk",
    .alias = "convertdd",
    .usage = "convertfromraw FILE OUTPUT [--format VDI|VMDK|VHD]\n"
             "    [--variant Standard|Fixed[,Split2G]|Stream] [--uuid UUID]\n"
             "convertfromraw stdin OUTPUT BYTES [--format VDI|VMDK|VHD]\n"
             "    [--variant Standard|Fixed[,Split2G]|Stream] [--uuid UUID]\n",
    .about =
        "Makes a disk image of a file that holds the plain content of a disk, or of the standard"
        "\ninput, which is kept beside the output meanwhile. The image is not registered.",
    .run = run,
};
