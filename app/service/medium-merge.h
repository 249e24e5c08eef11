/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Merging images that no snapshot needs any more with what stands on them. */
#pragma once

#include "app/service/medium.h"

/* Merges each of these (element-type utf8: UUIDs) that has exactly one child, which only this
 * machine has, and that nothing uses; others are left as they are. Adds its steps to the task while
 * the task runs. The files that go are added to the journal, which must be written before. */
typedef struct MediaMerge MediaMerge;

MediaMerge *media_merge_new(Service *service, const char *machine, Task *task);
void media_merge_free(MediaMerge *merge);
void media_merge_add(MediaMerge *merge, const char *id);
/* Lists in the journal what the merges will delete, and the merges themselves. */
void media_merge_list(MediaMerge *merge, Journal *journal);
/* A step of the task: begins; the steps of the merges follow. */
void media_merge_begin(MediaMerge *merge);
