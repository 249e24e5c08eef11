/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The service's one mapping from errno to errors of VITRINE_ERROR. */
#include "app/service/settings/file-error.h"

#include <errno.h>
#include <stdarg.h>

static VitrineError
code_of(int errnum)
{
    switch (errnum) {
    case ENOENT: return VITRINE_ERROR_NOT_FOUND;
    case EEXIST: return VITRINE_ERROR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return VITRINE_ERROR_DENIED;
    case ENOSPC:
    case EDQUOT: return VITRINE_ERROR_NO_SPACE;
    default: return VITRINE_ERROR_IO;
    }
}

const char *
file_error_advice(VitrineError code)
{
    switch (code) {
    case VITRINE_ERROR_NO_SPACE: return " Make some room on that disk, then try again.";
    case VITRINE_ERROR_NOT_FOUND: return " Put it back, or choose another.";
    case VITRINE_ERROR_DENIED: return " See to it that you may read and write there.";
    default: return "";
    }
}

void
file_error_set(GError **error, int errnum, const char *format, ...)
{
    VitrineError code = code_of(errnum);
    va_list list;
    va_start(list, format);
    g_autofree char *what = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(error, VITRINE_ERROR, code, "%s: %s.%s", what, g_strerror(errnum),
                file_error_advice(code));
}
