/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A line of the machine's statistics ("cpu0.rem-links: 2901") as people read it: in which groups it
 * is shown, what it is called there, and its value with a unit. */
#pragma once

#include <glib.h>

typedef struct {
    char *group; /* "Machine", "Processor 1" */
    char *part;  /* of the group, which is closed at first; NULL: the line is in the group itself */
    char *name;
    char *value;
} VmStatistic;

/* Texts in the user's language, which vm_statistic_clear() frees. */
void vm_statistic_init(VmStatistic *statistic, const char *name, const char *value);
void vm_statistic_clear(VmStatistic *statistic);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VmStatistic, vm_statistic_clear)
