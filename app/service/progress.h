/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Long work as clients see it. */
#pragma once

#include "app/service/service.h"

typedef struct Progress Progress;

/* cancel may be NULL: then it cannot be cancelled. */
Progress *progress_start(Service *service, const char *description,
                         void (*cancel)(gpointer user_data), gpointer user_data);
const char *progress_path(Progress *progress);
void progress_set(Progress *progress, double fraction);
/* From here on it cannot be cancelled. */
void progress_forbid_cancel(Progress *progress);
/* error NULL: successful, with this result. Takes error. The object goes a minute later. */
void progress_finish(Progress *progress, const char *result, GError *error);
