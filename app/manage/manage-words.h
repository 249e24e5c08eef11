/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The words of the original's command line for the values of enumerations. */
#pragma once

#include <stdbool.h>

#include "app/api/vitrine.h"

/* The word for a value, as machine-readable output has it; "" for no value of the type. */
const char *manage_word(GType type, int value);
/* The same for people. */
const char *manage_phrase(GType type, int value);
/* The value that a word on the command line means; false with a syntax error that names all words.
 */
bool manage_from_word(GType type, const char *word, int *value, GError **error);
