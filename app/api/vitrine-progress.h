/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineProgress: long work in the service, such as creating a fixed-size disk. Properties:
 * description (string), percent (uint, 0 to 100), cancellable and completed (boolean, also when the
 * service has gone, whatever became of the work); notified in the caller's main context. */
#pragma once

#include "app/api/vitrine-types.h"

G_BEGIN_DECLS

#define VITRINE_TYPE_PROGRESS (vitrine_progress_get_type())
G_DECLARE_FINAL_TYPE(VitrineProgress, vitrine_progress, VITRINE, PROGRESS, GObject)

const char *vitrine_progress_get_description(VitrineProgress *progress);
guint vitrine_progress_get_percent(VitrineProgress *progress);
gboolean vitrine_progress_get_cancellable(VitrineProgress *progress);
gboolean vitrine_progress_get_completed(VitrineProgress *progress);

/* Asks the service to give up; the wait below then fails with VITRINE_ERROR_CANCELLED. */
void vitrine_progress_cancel(VitrineProgress *progress);

/**
 * vitrine_progress_wait_sync:
 * Returns: (transfer full) (nullable): when the work is complete, the identifier of what was made
 *   (for a medium, its UUID); %NULL with @error set when it failed.
 */
char *vitrine_progress_wait_sync(VitrineProgress *progress, GCancellable *cancellable,
                                 GError **error);
void vitrine_progress_wait_async(VitrineProgress *progress, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
char *vitrine_progress_wait_finish(VitrineProgress *progress, GAsyncResult *result, GError **error);

G_END_DECLS
