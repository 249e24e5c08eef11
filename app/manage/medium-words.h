/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands about media have in common: which medium, which kind of image. */
#pragma once

#include "app/manage/manage.h"

/* [disk|dvd|floppy] FILE|UUID: count words, of which the first may be missing; then words[1] is the
 * first of the rest. */
bool manage_split_kind(const char **words, guint count, VitrineMediumKind *kind, GError **error);
/* The medium of a file or UUID; opens a file that is not known. Borrowed; NULL with error. */
VitrineMedium *manage_find_medium(Manage *manage, const char *location, VitrineMediumKind kind,
                                  GError **error);
/* The service's word for --variant, a list with commas; NULL: a growing image. copy: what is made
 * from another image, which may be compressed. ESX is refused. */
bool manage_find_variant(const char *word, bool copy, const char **variant, GError **error);
/* Waits for progress, which it takes. result may be NULL; the caller's. */
bool manage_complete(VitrineProgress *progress, char **result, GError **error);
