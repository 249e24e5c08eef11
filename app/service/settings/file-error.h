/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the operating system says about a file, as an error of VITRINE_ERROR: one code for each
 * cause, and what a person can do about it. */
#pragma once

#include "app/api/vitrine-types.h"

/* format: what did not work, a sentence without its end. */
void file_error_set(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* A sentence with a space before it; "" when there is nothing to say. */
const char *file_error_advice(VitrineError code);
