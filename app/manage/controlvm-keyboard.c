/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * controlvm's keyboard: scan codes, texts, files. */
#include "app/manage/controlvm-private.h"

#define MAX_TEXT 65536 /* bytes of a file that are typed */

static bool
add_codes(GByteArray *codes, const char *word, GError **error)
{
    g_auto(GStrv) parts = g_strsplit_set(word, " ,", -1);
    for (guint i = 0; parts[i]; i++) {
        guint64 code;
        if (*parts[i] == '\0')
            continue;
        if (!g_ascii_string_to_unsigned(parts[i], 16, 0, 0xff, &code, NULL)) {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "'%s' is not a scancode", parts[i]);
            return false;
        }
        guint8 byte = (guint8)code;
        g_byte_array_append(codes, &byte, 1);
    }
    return true;
}

bool
controlvm_put_scancodes(VitrineConsole *console, ManageArgs *args, GError **error)
{
    g_autoptr(GByteArray) codes = g_byte_array_new();
    for (const char *word; (word = manage_args_take(args));) {
        if (!add_codes(codes, word, error))
            return false;
    }
    if (codes->len == 0) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing argument: scan codes in hexadecimal.");
        return false;
    }
    vitrine_console_put_scancodes(console, codes->data, codes->len);
    return vitrine_console_flush_sync(console, NULL, error);
}

bool
controlvm_put_string(VitrineConsole *console, ManageArgs *args, GError **error)
{
    const char *word = manage_args_take(args);
    if (word == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing argument: the text to type.");
        return false;
    }
    for (; word; word = manage_args_take(args)) {
        if (!vitrine_console_put_string_sync(console, word, NULL, error))
            return false;
    }
    return true;
}

bool
controlvm_put_file(VitrineConsole *console, ManageArgs *args, GError **error)
{
    const char *path = manage_args_take(args);
    g_autofree char *text = NULL;
    gsize length;
    if (path == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing argument: the file to type.");
        return false;
    }
    if (!g_file_get_contents(path, &text, &length, error))
        return false;
    if (length > MAX_TEXT || !g_utf8_validate(text, (gssize)length, NULL)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    length > MAX_TEXT ? "The file '%s' is too long to type."
                                      : "The file '%s' is not a UTF-8 text.",
                    path);
        return false;
    }
    return vitrine_console_put_string_sync(console, text, NULL, error);
}
