/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one error domain of the core, the devices and the disk images. Front ends translate codes
 * into advice; messages are full sentences for a person, UTF-8, untranslated in the core. */
#pragma once

#include <glib.h>

typedef enum {
    BASE_ERROR_FAILED,        /* no better code */
    BASE_ERROR_INVALID,       /* an argument, a setting or a file is malformed */
    BASE_ERROR_NOT_FOUND,     /* a file, key, device or machine does not exist */
    BASE_ERROR_EXISTS,        /* already there */
    BASE_ERROR_NOT_SUPPORTED, /* well-formed, but this build or host cannot do it */
    BASE_ERROR_BUSY,          /* locked or in use by somebody else */
    BASE_ERROR_NO_SPACE,      /* the host disk is full */
    BASE_ERROR_NO_MEMORY,     /* the host has not enough memory */
    BASE_ERROR_IO,            /* the host reported an I/O error */
    BASE_ERROR_CORRUPT,       /* a checksum, magic or bound does not hold */
    BASE_ERROR_VERSION,       /* written by a newer version */
    BASE_ERROR_STATE,         /* not possible in the present state */
    BASE_ERROR_CANCELLED,     /* by the user */
    BASE_ERROR_DENIED,        /* permission */
} BaseError;

#define BASE_ERROR (base_error_quark())
GQuark base_error_quark(void);

/* Sets *error from an errno value: "<what>: <strerror>", with the code that fits. */
void base_error_set_errno(GError **error, int errnum, const char *what_format, ...)
    G_GNUC_PRINTF(3, 4);
