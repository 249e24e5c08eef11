/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking a VM process to merge images of a disk that it has open. */
#pragma once

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/task.h"

/* Where two images, one directly on the other, are in what a running machine has open. */
typedef struct {
    char *controller;
    guint port, device;
    guint levels; /* of the chain */
    guint upper;  /* level of the upper one, counted from 0, the newest */
} MergePlace;

/* error: NULL, or why it did not happen; the callee's. */
typedef void (*MachineMerged)(GError *error, gpointer user_data);

/* FALSE: the machine does not run, or has not both of them open. Else clear it. */
gboolean machine_merge_find(Machine *machine, Medium *upper, Medium *lower, MergePlace *place);
void machine_merge_place_clear(MergePlace *place);

/* down: into lower. task gets the percent. FALSE with error: it did not begin, and done is not
 * called. done is called also when the VM process ends. */
gboolean machine_merge_begin(Machine *machine, const MergePlace *place, Medium *upper,
                             Medium *lower, gboolean down, Task *task, MachineMerged done,
                             gpointer user_data, GError **error);
void machine_merge_cancel(Machine *machine);
/* After a merge that went well: whether the settings say so now. done is called when the process
 * knows, or is gone. */
void machine_merge_end(Machine *machine, gboolean done, MachineMerged told, gpointer user_data);
/* Of a merge that is under way. */
void machine_merge_progress(Machine *machine, guint percent);
