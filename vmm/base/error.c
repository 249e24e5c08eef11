/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The error domain and the one mapping from errno to it. */
#include "vmm/base/error.h"

#include <errno.h>

G_DEFINE_QUARK(vitrine - error - quark, base_error)

static BaseError
code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT: return BASE_ERROR_NOT_FOUND;
    case EEXIST: return BASE_ERROR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return BASE_ERROR_DENIED;
    case EFBIG: /* a limit of the file system or of the user: no room in another form */
    case ENOSPC:
    case EDQUOT: return BASE_ERROR_NO_SPACE;
    case ENOMEM: return BASE_ERROR_NO_MEMORY;
    case EBUSY:
    case EAGAIN:
    case ETXTBSY: return BASE_ERROR_BUSY;
    case EINVAL: return BASE_ERROR_INVALID;
    case ENOSYS:
    case EOPNOTSUPP: return BASE_ERROR_NOT_SUPPORTED;
    case ECANCELED: return BASE_ERROR_CANCELLED;
    case EIO: return BASE_ERROR_IO;
    default: return BASE_ERROR_FAILED;
    }
}

void
base_error_set_errno(GError **error, int errnum, const char *what_format, ...)
{
    va_list args;

    va_start(args, what_format);
    g_autofree char *what = g_strdup_vprintf(what_format, args);
    va_end(args);
    g_set_error(error, BASE_ERROR, code_of_errno(errnum), "%s: %s", what, g_strerror(errnum));
}
