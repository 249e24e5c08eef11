/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the two ways of merging images share. */
#pragma once

#include "app/service/machine-merge.h"
#include "app/service/medium-merge.h"

struct MediaMerge {
    Service *service;
    char *machine_id;
    Task *task;
    GPtrArray *ids; /* still to do */
    guint at;
    char *lower, *upper; /* UUIDs of the merge under way */
    gboolean down;
    gboolean live;    /* it is done by the process that has them open, at: */
    MergePlace place; /* while live */
    guint polls;      /* while files are waited for: so many more */
};

/* A step: begins with the next that can be merged; its steps follow. */
gboolean media_merge_next(gpointer data, GError **error);
/* A step, after a probe of lower, which has its final UUIDs: those that stand on upper now stand on
 * what takes its place. The save follows. */
gboolean media_merge_tell_those_above(gpointer data, GError **error);
void media_merge_add_probe(MediaMerge *merge, Medium *medium);
/* Blocks of 512 bytes that the image takes. */
guint64 media_merge_size(const Medium *medium);
/* Blocks that are copied: of the one of them that goes. */
guint64 media_merge_cost(const Medium *lower, const Medium *upper);

/* medium-merge-live.c */
/* Whether the process that merges them has the medium open, and whether it writes what that says of
 * its parent. */
gboolean media_merge_is_open(const MediaMerge *merge, const Medium *medium);
gboolean media_merge_tells_itself(const MediaMerge *merge, const Medium *medium);
/* Adds a step that waits until nobody has them open: a process that ends or was killed has its
 * files for a moment more. Not for ever. */
void media_merge_add_wait(MediaMerge *merge);
/* Adds the steps of a merge by the machine's process. */
void media_merge_add_live(MediaMerge *merge);
/* A step in which the process learns whether the settings have the shorter chain. When it is gone,
 * its files are waited for, and the merge is live no more. */
void media_merge_end_live(MediaMerge *merge, gboolean done);
